"""These files import the kernels of CUDA, so they run where those are simulated; `tests/cuda` starts such a process.

With FASTCNN_TEST_CARD=1 they run on a card (`asv_benchmarks/gpu.py`).
"""

import os


def pytest_ignore_collect(collection_path):
    somewhere = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" or os.environ.get("FASTCNN_TEST_CARD") == "1"
    return None if somewhere else True
