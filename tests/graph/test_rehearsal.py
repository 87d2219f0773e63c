"""A rehearsal writes calls down and makes none."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers
from fastcnn.graph.rehearsal import rehearsing
from fastcnn.graph.replay import Capture

x = np.full((4, 5), 3, np.float32)


def test_calls_are_written_down_and_not_made_and_questions_to_kernels_are_answered():
    kernels = device.cpu.kernels
    with rehearsing(device.of(x)) as (calls, blocks):
        d = device.of(x)
        y = d.empty(x.shape, x.dtype)
        d.kernels.add(y.reshape(-1), x.reshape(-1), x.reshape(-1))
        d.fill(y, 7)
        d.copy(y, x)
        assert d.kernels.bias_backward_scratch(x.shape, x.dtype) == kernels.bias_backward_scratch(x.shape, x.dtype)
        assert not d.runs
    assert [kernel for kernel, _ in calls] == [kernels.add, np.copyto, np.copyto]
    assert [y.base is block for block in blocks] == [True]
    assert not y.any()
    assert device.of(x) is device.cpu


def test_its_arrays_are_aligned_and_take_no_block_of_the_pool():
    before = device.cpu.allocated
    with rehearsing(device.of(x)) as (_, blocks):
        arrays = [device.of(x).empty(shape, np.float32) for shape in ((1,), (0, 3), (2, 3, 777_777))]
    assert [array.ctypes.data % 64 for array in arrays] == [0] * 3
    assert device.cpu.allocated == before
    assert len(blocks) == 3


@pytest.mark.parametrize("kind", [lambda: layers.Conv2D(16, 3), lambda: layers.Conv3D(4, 2), lambda: layers.Dense(8)])
def test_weights_that_only_a_rehearsal_packed_are_not_taken_for_packed(kind):
    layer = kind()
    x = np.random.default_rng(0).random((2, *(4,) * (layer.rank + 1 if hasattr(layer, "rank") else 1)), np.float32)
    model = fc.Sequential([fc.Input(x.shape[1:]), layer])
    expected, _ = model._executable.forward([x], layers.Call())
    for _ in range(3):
        with rehearsing(device.of(x)):
            model._executable._infer([x])
        np.testing.assert_allclose(model._executable._infer([x])[0], expected[0], atol=1e-6)


def test_a_capture_takes_memory_for_what_is_alive_and_no_more():
    chain = [layers.Conv2D(32, 1) for _ in range(40)]
    model = fc.Sequential([fc.Input((64, 64, 32)), *chain])
    x = np.random.default_rng(0).random((2, 64, 64, 32), np.float32)
    infer = model._executable._infer
    ys = infer(x := [x])
    taken = device.cpu.allocated
    capture = Capture(infer, x)
    capture.check(x, ys)
    assert capture.bytes == 2 * x[0].nbytes
    assert device.cpu.allocated - taken <= 2, "the arena, and the result of the test"
