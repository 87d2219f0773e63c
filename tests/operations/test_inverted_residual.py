"""An inverted residual in one call beside its three convolutions."""

import numpy as np
import pytest

from fastcnn import config, device
from fastcnn.activations import get
from fastcnn.geometry import conv2d
from fastcnn.kernels import codes
from fastcnn.operations.inverted_residual import InvertedResidualCall, block_call, block_ends, block_geometry
from tests import reference
from tests.operations.checking import normal, parameter

SHAPE, WIDE, FILTERS = (2, 6, 5, 4), 10, 3
ENDS = np.array([(0.0, 6.0, codes.LINEAR), (-0.5, 1.5, codes.LINEAR), (-1.0, 0.75, codes.LINEAR)]).reshape(-1)


class Block:
    """The parameters of a block of two images, with an expansion and a projection or without."""

    def __init__(self, expands, biased=True, projects=True):
        e = WIDE if expands else SHAPE[-1]
        bias = lambda n, seed: parameter(normal(n, seed=seed)) if biased else None
        self.window = parameter(normal(3, 3, e, 1, seed=2)), bias(e, 5)
        self.filters = FILTERS if projects else e
        self.project = (parameter(normal(1, 1, e, FILTERS, seed=3)), bias(FILTERS, 6)) if projects else None
        self.expand = (parameter(normal(1, 1, SHAPE[-1], WIDE, seed=1)), bias(WIDE, 4)) if expands else None
        first = conv2d(SHAPE, WIDE, (1, 1)) if expands else None
        middle = conv2d((*SHAPE[:3], e), e, (3, 3), padding="same", groups=e)
        last = conv2d((*SHAPE[:3], e), FILTERS, (1, 1)) if projects else None
        self.g = block_geometry(first, middle, last, SHAPE[-1])
        self.call = InvertedResidualCall()

    def pairs(self):
        return self.expand, self.window, self.project

    def run(self, x, residual=None):
        versions = [p.version for pair in self.pairs() if pair for p in pair if p]
        return self.call.run(x, self.pairs(), residual, self.g, ENDS, (*SHAPE[:3], self.filters), versions)

    def expected(self, x, residual=None):
        nothing, arrays = np.empty(0), []
        for pair in self.pairs():
            kernel, bias = pair or (None, None)
            arrays += [nothing if one is None else one.array for one in (kernel, bias)]
        arrays[2] = arrays[2].reshape(3, 3, 1, -1)
        return reference.inverted_residual_forward(x, *arrays, nothing if residual is None else residual.reshape(-1),
                                                   ENDS, self.g)


@pytest.mark.parametrize("expands", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_a_block_is_its_three_convolutions_one_after_the_other(expands, biased):
    block, residual = Block(expands, biased), normal(*SHAPE[:3], FILTERS, seed=8)
    for seed in range(3):  # packing the weights, and with packed ones
        x = normal(*SHAPE, seed=seed)
        np.testing.assert_allclose(block.run(x), block.expected(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(block.run(x, residual), block.expected(x, residual), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("biased", [True, False])
def test_half_a_block_is_an_expansion_and_a_window(biased):
    block = Block(True, biased, projects=False)
    for seed in range(3):
        x = normal(*SHAPE, seed=seed)
        np.testing.assert_allclose(block.run(x), block.expected(x), rtol=1e-12, atol=1e-12)


def test_ends_are_bounds_and_functions_or_there_is_no_such_block():
    wide, d = (1, 9, 8, 32), device.cpu
    g = block_geometry(conv2d((1, 9, 8, 16), 32, (1, 1)), conv2d(wide, 32, (3, 3), padding="same", groups=32),
                       conv2d(wide, 16, (1, 1)), 16)
    ends = block_ends([get("silu"), get("relu6"), None], d, g, np.dtype(np.float32))
    none = (-np.inf, np.inf)
    np.testing.assert_array_equal(ends, [*none, codes.SILU, 0, 6, codes.LINEAR, *none, codes.LINEAR])
    assert block_ends([get("silu"), None, None], d, g, np.dtype(np.float64)) is None
    assert block_ends([None, get("gelu"), None], d, g, np.dtype(np.float32)) is None


def test_small_blocks_without_an_expansion_or_a_projection_are_one_call_too():
    window, last = conv2d((1, 9, 8, 32), 32, (3, 3), padding="same", groups=32), conv2d((1, 9, 8, 32), 16, (1, 1))
    x = np.zeros((1, 9, 8, 32), np.float32)
    assert block_call(x, block_geometry(None, window, last, 32), [None] * 3) is not None
    assert block_call(x, block_geometry(conv2d((1, 9, 8, 16), 32, (1, 1)), window, None, 16), [None] * 3) is not None


def test_weights_are_packed_once_and_again_when_something_changes():
    block, x = Block(True), normal(*SHAPE)

    def packed():
        with device.cpu.recording() as calls:
            y = block.run(x)
        np.testing.assert_allclose(y, block.expected(x), rtol=1e-12, atol=1e-12)
        (_, args), = calls
        return args[-2]

    assert [packed() for _ in range(3)] == [0, 1, 1]
    for parameters in block.pairs():
        for p in parameters:
            p.assign(p.array + 0.25)
            assert [packed() for _ in range(2)] == [0, 1]
    before = config.winograd()
    config.set_winograd(not before)
    try:
        assert [packed() for _ in range(2)] == [0, 1]
    finally:
        config.set_winograd(before)
