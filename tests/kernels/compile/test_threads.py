"""Processes that fork after kernels ran, on every threading layer."""

import os

import pytest

from tests.kernels.compile.test_policy import run

FORK = """
    import os, threading
    import numpy as np
    from fastcnn.kernels.cpu.compile import parallel
    from fastcnn.kernels.cpu.compile import threads
    from fastcnn.kernels.cpu.layout.arrays import add

    a = np.arange(400_000, dtype=np.float32)  # enough for several tasks

    def works():
        out = np.empty_like(a)
        add(out, a, a)
        return bool((out == 2 * a).all())

    def beside():
        found = []
        thread = threading.Thread(target=lambda: found.append(works()))
        thread.start()
        thread.join()
        return found == [True]

    def child():
        os._exit(0 if works() and beside() and works() else 1)

    def fork():
        pid = os.fork()
        if pid == 0:
            child()
        forked.append(os.waitpid(pid, 0)[1])

    assert works()
    forked = []
    fork()
    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    assert works() and beside()
    print(threads.layer(), *forked, parallel.alone.value)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("layer", ["tbb", "omp", "workqueue"])
def test_a_forked_process_computes_as_its_parent_does(layer):
    try:
        out, _ = run(FORK, os.environ["FASTCNN_CACHE_DIR"], NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    except AssertionError as error:
        if "threading layer" not in str(error):
            raise
        pytest.skip(f"no {layer} here")
    assert out == f"{layer} 0 0 0"
