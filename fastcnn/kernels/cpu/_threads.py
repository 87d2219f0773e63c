"""The threading layer: chosen once, before the first parallel kernel, and told by ``fastcnn doctor``.

TBB first: entering a parallel region costs 3 to 10 microseconds with it even while another process is busy, where
OpenMP in its default, spinning mode has been seen to take 330, and Numba's own work queue 40 to 64. A user's
NUMBA_THREADING_LAYER is respected. The policy concerns only how threads wait, never how work is cut, so results do
not depend on it.
"""

import contextlib
import ctypes
import importlib.metadata
import os
import sys
from collections.abc import Iterator

import numba
from numba.np.ufunc import parallel as _numba_parallel

#: Why the layer in use was chosen, in words.
reason = "not started"


def start() -> None:
    """Load the threading layer and start its threads. Later calls do nothing."""
    global reason
    if _numba_parallel._is_initialized:
        if reason == "not started":
            reason = "started by another user of Numba before fastcnn was imported"
        return
    asked = os.environ.get("NUMBA_THREADING_LAYER")
    found = _load_tbb() if sys.platform.startswith("linux") and asked in (None, "tbb", "default") else False
    with _passive_openmp():
        _numba_parallel._launch_threads()
    if asked:
        reason = "set by NUMBA_THREADING_LAYER"
    elif layer() == "tbb":
        reason = "TBB was found" + (" in the installed package tbb" if found else "")
    elif layer() == "omp":
        reason = "TBB was not found; OpenMP waits passively"
    else:
        reason = "neither TBB nor OpenMP was found"


def layer() -> str:
    """Return the name of the threading layer in use: tbb, omp or workqueue."""
    return numba.threading_layer()


def _load_tbb() -> bool:
    """Load the shared library of the pip package tbb, which Numba does not find in a virtual environment."""
    try:
        files = importlib.metadata.files("tbb") or []
        for file in files:
            if file.name.startswith("libtbb.so.12"):
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
                return True
    except (importlib.metadata.PackageNotFoundError, OSError):
        pass  # the next layer serves
    return False


@contextlib.contextmanager
def _passive_openmp() -> Iterator[None]:
    """Let OpenMP read a passive wait policy while it loads, and leave the environment as it was.

    libgomp reads the variable once, when it is loaded; a process that PyTorch shares must not see it afterwards.
    """
    before = os.environ.get("OMP_WAIT_POLICY")
    if before is None:
        os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_WAIT_POLICY"]
