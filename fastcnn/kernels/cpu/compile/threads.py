"""The threading layer: chosen once, before the first parallel kernel; ``fastcnn doctor`` shows it.

TBB first: entering a parallel region costs 3 to 10 microseconds with it even while another process is busy, where
OpenMP in its default, spinning mode has been seen to take 330, and Numba's own work queue 40 to 64. A user's
NUMBA_THREADING_LAYER is respected. Layers differ in how threads wait, not in how work is cut, so results do not depend
on the choice.

There are as many threads as CPUs that the process may use (`cpus`), unless NUMBA_NUM_THREADS says otherwise. Where
other work on them makes one thread faster, launches take one (`crowd`); FASTCNN_STEADY_THREADS=1 keeps them on all.

A process that was forked has none of its parent's threads. TBB and the work queue start theirs anew; under GNU OpenMP,
and under TBB when another than the main thread forks, it goes on with one (`parallel.alone`).
"""

import contextlib
import ctypes
import importlib
import importlib.metadata
import os
import sys
import threading
from collections.abc import Iterator

import numba
from numba.np.ufunc import parallel as _numba_parallel

from fastcnn.errors import ArgumentError
from fastcnn.kernels.cpu.compile import cpus, parallel

#: Why the layer in use was chosen, and what decided about the number of threads, in words.
reason = limit = "not started"

#: A lock around the work queue, which ends the process when two Python threads enter it at once.
one_at_a_time = threading.Lock()

_forked_by_main = True


def start() -> None:
    """Load the threading layer and start its threads. Later calls do nothing."""
    global reason, limit
    if _numba_parallel._is_initialized:
        if reason == "not started":
            reason = limit = "started by another user of Numba before fastcnn was imported"
            _mind_forks()
        return
    asked = os.environ.get("NUMBA_THREADING_LAYER")
    found = _load_tbb() if sys.platform.startswith("linux") and asked not in ("omp", "workqueue") else False
    limit = _limit_threads()
    with _passive_openmp():
        try:
            _numba_parallel._launch_threads()
        except ValueError as error:
            raise ArgumentError(f"NUMBA_THREADING_LAYER={asked or ''}: expected a threading layer that can be loaded, "
                                f"got: {' '.join(str(error).split())}") from error
    _mind_forks()
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


def _limit_threads() -> str:
    """Let Numba start no more threads than this process has CPUs, and return what decided, in words."""
    if "NUMBA_NUM_THREADS" in os.environ:
        return "set by NUMBA_NUM_THREADS"
    if numba.config.NUMBA_NUM_THREADS != numba.config.NUMBA_DEFAULT_NUM_THREADS:
        return "set by numba.config"
    usable = cpus.usable()
    if usable.threads < numba.config.NUMBA_NUM_THREADS:
        # Numba reads its variables again whenever one of them changes, and refuses another number of threads then.
        reloader = numba.config._env_reloader
        read = reloader.process_environ
        reloader.process_environ = lambda environ: read({"NUMBA_NUM_THREADS": str(usable.threads)} | environ)
        reloader.update(force=True)
        _numba_parallel.NUM_THREADS = usable.threads
    return usable.limit


def _mind_forks() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _before_fork() -> None:
    global _forked_by_main
    _forked_by_main = threading.current_thread() is threading.main_thread()


def _after_fork() -> None:
    """Prepare a forked process, which lacks its parent's threads and may have inherited a locked lock."""
    global one_at_a_time
    one_at_a_time = threading.Lock()
    if layer() == "omp":
        vendor = importlib.import_module("numba.np.ufunc.omppool").openmp_vendor
        parallel.alone.value = vendor == "GNU"
    elif layer() == "tbb" and not _forked_by_main:  # Numba stops TBB before a fork, but not from another thread
        parallel.alone.value = 1


def _load_tbb() -> bool:
    """Load the shared library of the pip package tbb, which Numba does not find in a virtual environment."""
    try:
        files = importlib.metadata.files("tbb") or []
        for file in files:
            if file.name.startswith("libtbb.so.12"):
                ctypes.CDLL(str(file.locate()), mode=ctypes.RTLD_GLOBAL)
                return True
    except (importlib.metadata.PackageNotFoundError, OSError):
        pass  # the next layer is taken
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
