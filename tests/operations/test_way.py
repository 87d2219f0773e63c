"""From a layer to its kernel: two hops, and few calls."""

import gc
import sys

import numpy as np
import pytest

from fastcnn import layers

LAYERS = {
    "direct": (lambda: layers.Conv2D(8, 3, activation="relu"), (2, 12, 12, 4)),
    "Winograd": (lambda: layers.Conv2D(32, 3, padding="same"), (2, 32, 32, 32)),
    "depthwise": (lambda: layers.DepthwiseConv2D(3), (2, 10, 10, 8)),
    "signal": (lambda: layers.Conv1D(4, 3), (2, 30, 3)),
    "dense": (lambda: layers.Dense(10), (4, 100)),
}


def calls_of(layer, x):
    """Return the functions of Python that a forward pass calls, the kernel's own last."""
    called = []

    def note(frame, event, arg):
        if event == "call" and frame.f_code.co_qualname != "Pool.further":  # where all blocks of memory are taken
            called.append(frame.f_code.co_qualname)

    gc.disable()  # a collection calls whoever asked for it (Hypothesis does), and that is not the way
    sys.setprofile(note)
    try:
        layer.forward(x)
    finally:
        sys.setprofile(None)
        gc.enable()
    return called


@pytest.mark.parametrize("name", LAYERS)
def test_a_forward_pass_is_fewer_than_15_calls_of_python(name):
    make, shape = LAYERS[name]
    layer, x = make(), np.ones(shape, np.float32)
    layer.forward(x)
    called = min((calls_of(layer, x) for _ in range(5)), key=len)
    assert called.pop().endswith("forward")  # the dispatcher's own frame
    assert called[-1] == "ProductCall.run"
    assert len(called) < 15, " ".join(called)
