"""Ctrl-C while a kernel is compiled for the first time: real signals to a real process."""

from tests.kernels.compile.test_policy import run

# A kernel that calls a shared function, compiled with nothing in the cache.
HEAD = """
    import os, random, signal, threading, time
    import numpy as np
    from fastcnn.kernels.codes import RELU
    from fastcnn.kernels.cpu.compile import shared
    from fastcnn.kernels.cpu.elementwise.activation import activation_forward

    x = np.linspace(-2, 2, 1000, dtype=np.float32)

    def call():
        y = np.empty_like(x)
        activation_forward(y, x, RELU, 0.0, 0.0)
        return y
"""

AT_THE_WORST_MOMENT = HEAD + """
    def stop(*arguments):
        shared.llvm.add_symbol = real
        raise KeyboardInterrupt

    real, shared.llvm.add_symbol = shared.llvm.add_symbol, stop
    try:
        call()
        print("not interrupted")
    except KeyboardInterrupt:
        print((call() == np.maximum(x, 0)).all())
"""

AT_ANY_MOMENT = HEAD + """
    random.seed(1)
    sent = caught = 0
    waiting, over = threading.Event(), threading.Event()

    def press():
        global sent
        while not over.is_set() and sent < 10:
            time.sleep(random.uniform(0, 0.4))
            if waiting.is_set() and not over.is_set():
                waiting.clear()
                sent += 1
                os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    y = None
    while y is None or thread.is_alive():
        try:
            if y is None:
                waiting.set()
                y = call()
            over.set()
            thread.join()
        except KeyboardInterrupt:
            caught += 1
    print(sent > 2, sent - caught, (y == np.maximum(x, 0)).all())
"""


def test_a_stop_while_a_shared_function_is_put_in_place_is_forgotten_by_the_next_call(tmp_path):
    assert run(AT_THE_WORST_MOMENT, tmp_path)[0] == "True"


def test_every_stop_arrives_whenever_it_comes_and_the_next_call_goes_on(tmp_path):
    out, errors = run(AT_ANY_MOMENT, tmp_path)
    assert out == "True 0 True"
    assert errors == ""  # no exception was printed and ignored
