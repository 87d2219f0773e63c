import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import codes, cpu
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    random,
    unwritten,
)

NONE = (-np.inf, np.inf, codes.LINEAR)
BOUNDS = (0, 6, codes.LINEAR, -1.5, 2, codes.LINEAR, -3, np.inf, codes.LINEAR)
FUNCTIONS = (*NONE[:2], codes.SILU, *NONE[:2], codes.HARD_SILU, *NONE[:2], codes.SIGMOID)  # of float32


def _geometry(shape, wide, filters, size=3, stride=1, padding="same", before=1):
    """The geometries of expansion, window and projection; no channels or filters stand for one that is absent.

    The expansion has windows of `before` x `before`, and a stride of 1 if they are pixels, else of 2.
    """
    first = shapes.conv2d(shape, max(1, wide), (before, before), (min(2, before),) * 2, "same").copy()
    n, h, w, c = shape[0], int(first[0]["oh"]), int(first[0]["ow"]), shape[3]
    first["k"] = wide
    e = wide or c
    middle = shapes.conv2d((n, h, w, e), e, (size, size), (stride, stride), padding, groups=e)
    oh, ow = int(middle[0]["oh"]), int(middle[0]["ow"])
    last = shapes.conv2d((n, oh, ow, e), max(1, filters), (1, 1)).copy()
    last["k"] = filters
    return np.concatenate([first, middle, last])


def _arrays(g, dtype):
    c, e, k = int(g[0]["c"]), int(g[1]["c"]), int(g[2]["k"])
    wide = int(g[0]["k"])
    before = int(g[0]["kh"])
    x = random(int(g[1]["n"]), int(g[0]["h"]), int(g[0]["w"]), c, dtype=dtype)
    scale = np.array(1 / np.sqrt(c * before**2), dtype), np.array(1 / 3, dtype), np.array(1 / np.sqrt(e), dtype)
    expand = random(before, before, c, wide, dtype=dtype, seed=1) * scale[0]
    window = random(int(g[1]["kh"]), int(g[1]["kw"]), 1, e, dtype=dtype, seed=2) * scale[1]
    project = random(1, 1, e, k, dtype=dtype, seed=3) * scale[2]
    biases = [random(size, dtype=dtype, seed=4 + n) for n, size in enumerate((wide, e, k))]
    addend = random(int(g[1]["n"]) * int(g[1]["oh"]) * int(g[1]["ow"]) * k, dtype=dtype, seed=7)
    return x, expand, biases[0], window, biases[1], project, biases[2], addend


def _forward(arrays, g, dtype, bounds=BOUNDS):
    """The output, which weights packed before give to the bit."""
    k = int(g[2]["k"]) or int(g[1]["c"])
    scratch = unwritten(cpu.inverted_residual_forward_scratch(g, np.dtype(dtype)), dtype=dtype)
    packed = unwritten(cpu.inverted_residual_forward_packed(g, np.dtype(dtype)), dtype=dtype)
    bounds, outputs = np.array(bounds, dtype), []
    for ready in (0, 1):
        y = unwritten(*(int(g[1][name]) for name in ("n", "oh", "ow")), k, dtype=dtype)
        with inputs_unchanged(*arrays, bounds):
            cpu.inverted_residual_forward(y, scratch, packed, *arrays, bounds, ready, g)
        outputs.append(y)
    assert_within(scratch)
    assert_within(packed)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("shape", "wide", "filters", "options"), [
    ((0, 5, 5, 3), 8, 4, {}),
    ((1, 1, 1, 2), 5, 3, {}),
    ((2, 15, 14, 6), 40, 9, {}),
    ((1, 17, 9, 16), 96, 24, {"stride": 2}),
    ((1, 16, 16, 8), 32, 8, {"stride": 2, "padding": ((0, 1), (0, 1))}),
    ((1, 23, 13, 5), 33, 18, {"size": 5}),
    ((2, 14, 14, 20), 0, 12, {}),  # no expansion: a separable convolution
    ((1, 14, 14, 20), 0, 12, {"stride": 2}),
    ((1, 12, 12, 3), 20, 5, {"size": 2, "stride": 3, "padding": "valid"}),  # rows that no window sees
    ((2, 15, 14, 6), 40, 0, {}),  # no projection
    ((3, 7, 6, 6), 40, 0, {"stride": 2, "size": 5}),
    ((1, 64, 66, 9), 48, 0, {"stride": 2}),
], ids=str)
def test_an_inverted_residual_agrees_with_its_twin(shape, wide, filters, options, dtype):
    g = _geometry(shape, wide, filters, **options)
    arrays = _arrays(g, dtype)
    assert_close(_forward(arrays, g, dtype), reference.inverted_residual_forward(*arrays, BOUNDS, g))
    bare = [a[:0] if a.ndim == 1 else a for a in arrays]  # neither biases nor an addend
    ends = FUNCTIONS if dtype == np.float32 else NONE * 3
    assert_close(_forward(bare, g, dtype, ends), reference.inverted_residual_forward(*bare, ends, g), factor=2)


@pytest.mark.parametrize(("shape", "options"), [((1, 60, 56, 8), {}), ((1, 121, 118, 3), {"before": 3, "stride": 2})])
@pytest.mark.parametrize("filters", [10, 0])
def test_bands_of_a_large_image_meet(shape, options, filters):
    """So many rows that the buffer moves on several times within a band."""
    g = _geometry(shape, 144, filters, **options)
    arrays = _arrays(g, np.float32)
    assert_close(_forward(arrays, g, np.float32), reference.inverted_residual_forward(*arrays, BOUNDS, g), factor=2)


@pytest.mark.parametrize("shape", [(3, 28, 28, 16), (1, 56, 56, 16), (1, 14, 14, 16), (1, 7, 7, 16)])  # bands, parts
@pytest.mark.parametrize("filters", [24, 0])
def test_an_inverted_residual_gives_the_same_bits_from_any_number_of_threads(shape, filters):
    g = _geometry(shape, 96, filters)
    arrays = _arrays(g, np.float32)
    assert_same_bits(lambda: (_forward(arrays, g, np.float32),))


@pytest.mark.parametrize(("shape", "options", "suits"), [
    ((1, 112, 112, 16), {}, True),
    ((1, 14, 14, 16), {}, True),
    ((1, 224, 224, 3), {"before": 3}, True),
    ((1, 28, 28, 3), {"before": 3}, False),  # parts of the channels are for products of pixels
])
def test_shapes_tell_whether_it_suits(shape, options, suits):
    assert cpu.inverted_residual_suits(_geometry(shape, 96, 24, **options)) is suits


def test_an_inverted_residual_compiles_once_a_type():
    for dtype in TYPES:
        g = _geometry((1, 3, 3, 2), 4, 3)
        _forward(_arrays(g, dtype), g, dtype)
    assert_one_specialization_a_type(cpu.inverted_residual_forward)
