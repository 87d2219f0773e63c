"""These files import the kernels of CUDA, so they run where those are simulated; `tests/cuda` starts such a process."""

import os


def pytest_ignore_collect(collection_path):
    return None if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else True
