import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry as shapes
from fastcnn.kernels import codes
from fastcnn.kernels.cpu.fused.lanes import (
    lanes_backward,
    lanes_backward_scratch,
    lanes_forward,
    lanes_forward_scratch,
    lanes_of_block,
    lanes_saved,
)
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    random,
    slope,
    types,
    unwritten,
)

NONE, MAX, AVERAGE = shapes.NO_POOL, shapes.MAX_POOL, shapes.AVERAGE_POOL


def stage(filters, size, padding="valid", bias=True, code=codes.TANH, pool=NONE, window=(2, 2)):
    return shapes.LaneStage(filters, size, padding, bias, code, 0.0, pool, window if pool else (1, 1))


LENET5 = (stage(6, (5, 5), "same", pool=AVERAGE), stage(16, (5, 5), pool=AVERAGE))
CONVNET = (stage(32, (3, 3), code=codes.RELU, pool=MAX), stage(24, (3, 3), code=codes.RELU, pool=MAX))


def _arrays(geometry, dtype):
    first, last = geometry[0], geometry[-1]
    x = random(*(int(first[name]) for name in ("n", "h", "w", "c")), dtype=dtype)
    dy = random(*(int(last[name]) for name in ("n", "qh", "qw", "k")), dtype=dtype, seed=1)
    return x, random(int(first["weights"]), dtype=dtype, seed=2) * dtype(0.3), dy


def _forward(x, weights, geometry):
    last, dtype = geometry[-1], x.dtype
    y = unwritten(*(int(last[name]) for name in ("n", "qh", "qw", "k")), dtype=dtype)
    saved = unwritten(lanes_saved(geometry, dtype), dtype=dtype)
    with inputs_unchanged(x, weights):
        lanes_forward(y, saved, unwritten(lanes_forward_scratch(geometry, dtype), dtype=dtype), x, weights, geometry)
    return y, saved


def _backward(x, weights, dy, geometry, wants_dx=True):
    _, saved = _forward(x, weights, geometry)
    dx = unwritten(*(x.shape if wants_dx else (0, 1, 1, 1)), dtype=x.dtype)
    dweights = np.full_like(weights, 0.5)
    scratch = unwritten(lanes_backward_scratch(geometry, x.dtype), dtype=x.dtype)
    with inputs_unchanged(dy, saved, weights):
        lanes_backward(dx, dweights, scratch, dy, saved, weights, geometry)
    return dx, dweights - x.dtype.type(0.5)


def _check(geometry, dtype):
    x, weights, dy = _arrays(geometry, dtype)
    assert_close(_forward(x, weights, geometry)[0], reference.lanes_forward(x, weights, geometry))
    dx, dweights = _backward(x, weights, dy, geometry)
    expected_dx, expected = reference.lanes_backward(dy, x, weights, geometry)
    assert_close(dx, expected_dx, factor=4)
    assert_close(dweights, expected, factor=8)  # a sum over all positions of all images
    np.testing.assert_array_equal(_backward(x, weights, dy, geometry, wants_dx=False)[1], dweights)


@types
@pytest.mark.parametrize(("shape", "stages"), [
    ((3, 13, 12, 1), LENET5),
    ((17, 14, 14, 1), CONVNET),
    ((1, 1, 1, 1), (stage(1, (1, 1)),)),
    ((2, 5, 6, 3), (stage(7, (3, 2), "same", bias=False, code=codes.LINEAR),)),
    ((2, 9, 8, 2), (stage(5, (3, 3), ((2, 1), (0, 2)), code=codes.SIGMOID), stage(9, (2, 2), pool=MAX, window=(3, 1)))),
    ((2, 4, 4, 2), (stage(3, (4, 4), "same"), stage(4, (3, 3), 2, code=codes.RELU, pool=AVERAGE, window=(2, 3)))),
    ((2, 3, 3, 40), (stage(33, (3, 3), 1, code=codes.RELU), stage(64, (1, 1), code=codes.RELU))),
], ids=str)
def test_a_run_of_stages_agrees_with_its_twin(shape, stages, dtype):
    _check(shapes.lanes(shape, stages), dtype)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_any_run_of_stages_agrees_with_its_twin(data):
    integers = lambda low, high: data.draw(st.integers(low, high))
    h, w = integers(1, 9), integers(1, 9)
    shape, stages = (integers(1, 2 * lanes_of_block("float64") + 1), h, w, integers(1, 5)), []
    for _ in range(integers(1, 3)):
        kh, kw, border = integers(1, 4), integers(1, 4), integers(0, 3)
        oh, ow = h + 2 * border - kh + 1, w + 2 * border - kw + 1
        if min(oh, ow) < 1:
            break
        pool = data.draw(st.sampled_from((NONE, MAX, AVERAGE)))
        window = (min(oh, integers(1, 3)), min(ow, integers(1, 3))) if pool else (1, 1)
        code = data.draw(st.sampled_from((codes.LINEAR, codes.RELU, codes.TANH, codes.SIGMOID)))
        stages.append(stage(integers(1, 9), (kh, kw), border, data.draw(st.booleans()), code, pool, window))
        h, w = oh // window[0], ow // window[1]
    if stages:
        _check(shapes.lanes(shape, tuple(stages)), np.float64)


@pytest.mark.parametrize("stages", [LENET5, CONVNET], ids=["LeNet-5", "convnet"])
def test_gradients_are_slopes(stages):
    if stages is CONVNET:  # steps of a difference must not cross a corner of ReLU or another maximum
        stages = tuple(s._replace(code=codes.SIGMOID) for s in stages)
    geometry = shapes.lanes((2, 12, 12, 1), tuple(s._replace(filters=3) for s in stages))
    x, weights, dy = _arrays(geometry, np.float64)
    dx, dweights = _backward(x, weights, dy, geometry)
    assert_slope(dx, slope(lambda x: _forward(x, weights, geometry)[0], x, dy))
    assert_slope(dweights, slope(lambda weights: _forward(x, weights, geometry)[0], weights, dy))


@pytest.mark.parametrize("batch", [16, 100, 300])
def test_a_run_of_stages_gives_the_same_bits_from_any_number_of_threads(batch):
    geometry = shapes.lanes((batch, 12, 12, 1), LENET5)
    x, weights, dy = _arrays(geometry, np.float32)
    assert_same_bits(lambda: (_forward(x, weights, geometry)[0], *_backward(x, weights, dy, geometry)))


@types
def test_an_image_does_not_see_another(dtype):
    geometry = shapes.lanes((20, 12, 12, 1), CONVNET)
    x, weights, _ = _arrays(geometry, dtype)
    y = _forward(x, weights, geometry)[0].copy()
    x[3] = np.nan
    spoilt = _forward(x, weights, geometry)[0]
    assert np.isnan(spoilt[3]).any()
    rest = np.arange(20) != 3
    np.testing.assert_array_equal(spoilt[rest], y[rest])


def test_lanes_compile_once_a_type():
    for dtype in TYPES:
        _check(shapes.lanes((2, 3, 3, 1), (stage(2, (2, 2)),)), dtype)
    assert_one_specialization_a_type(lanes_forward, lanes_backward)
