import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import codes, cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
max_pool2d_forward, max_pool2d_backward = on_cuda(cuda.max_pool2d_forward), on_cuda(cuda.max_pool2d_backward)
average_pool2d_forward = on_cuda(cuda.average_pool2d_forward)
average_pool2d_backward = on_cuda(cuda.average_pool2d_backward)
l2_step = on_cuda(cuda.l2_step)


def _shape(geometry, names):
    return tuple(int(geometry[0][name]) for name in names)


def _max_forward(x, geometry):
    y = unwritten(*_shape(geometry, ("n", "oh", "ow", "c")), dtype=F)
    argmax = np.full(y.shape, 77, cuda.max_pool2d_index_type(geometry))
    with inputs_unchanged(x):
        max_pool2d_forward(y, argmax, x, geometry)
    return y, argmax


GEOMETRIES = [
    lambda: shapes.pool2d((0, 4, 4, 3), (2, 2), (2, 2)),
    lambda: shapes.pool2d((2, 1, 1, 2), (3, 3), (2, 2), "same"),
    lambda: shapes.pool2d((2, 4, 5, 3), (2, 2), (2, 2)),
    lambda: shapes.pool2d((1, 6, 5, 2), (3, 2), (1, 3), "same"),
    lambda: shapes.pool2d((2, 3, 3, 2), (2, 2), (3, 3), ((0, 2), (1, 0))),
    lambda: shapes.pool2d((1, 3, 2, 2), (2, 2), (1, 1), ((3, 4), (2, 5))),  # windows in the padding altogether
    lambda: shapes.pool2d((1, 7, 6, 2), (3, 3), (3, 4), "same", dilation=(2, 2)),
    lambda: shapes.pool2d((1, 7, 9, 1), (2, 3), (3, 2), ((2, 1), (3, 3)), dilation=(3, 2), ceil_mode=True),
    lambda: shapes.pool2d((1, 5, 5, 3), (2, 2), (2, 2), ceil_mode=True, least=True),
    lambda: shapes.pool2d((1, 7, 6, 2), (3, 3), (2, 2), 1, ceil_mode=True, divisor=shapes.COUNT_PADDED),
    lambda: shapes.pool2d((1, 7, 6, 2), (3, 3), (2, 2), "same", divisor=shapes.SUM, least=True),
    lambda: shapes.adaptive_pool2d((1, 7, 5, 2), (3, 2)),
    lambda: shapes.adaptive_pool2d((1, 3, 4, 2), (5, 4)),
]


@pytest.mark.parametrize("make", GEOMETRIES)
def test_pooling_agrees_with_its_twin(make):
    geometry = make()
    shape, out = _shape(geometry, ("n", "h", "w", "c")), _shape(geometry, ("n", "oh", "ow", "c"))
    x, dy = np.round(1.5 * random(*shape, dtype=F)), random(*out, dtype=F, seed=1)  # maxima are met several times
    y, argmax = _max_forward(x, geometry)
    expected, where = reference.max_pool2d_forward(x, geometry)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, where.astype(argmax.dtype))
    dx, mean, spread = (unwritten(*one, dtype=F) for one in (shape, out, shape))
    with inputs_unchanged(dy, argmax, x):
        max_pool2d_backward(dx, dy, argmax, geometry)
        average_pool2d_forward(mean, x, geometry)
        average_pool2d_backward(spread, dy, geometry)
    assert_close(dx, reference.max_pool2d_backward(dy, where, geometry))
    assert_close(mean, reference.average_pool2d_forward(x, geometry))
    assert_close(spread, reference.average_pool2d_backward(dy, geometry))


def test_max_pooling_passes_nan_on_and_takes_infinities():
    geometry = shapes.pool2d((1, 2, 6, 1), (2, 2), (2, 2))
    x = np.array([[1, np.nan, -np.inf, -np.inf, 0, np.inf], [np.nan, 2, -np.inf, -np.inf, -np.inf, 1]], F)
    y, argmax = _max_forward(x.reshape(1, 2, 6, 1), geometry)
    np.testing.assert_array_equal(y.reshape(-1), [np.nan, -np.inf, np.inf])
    np.testing.assert_array_equal(argmax.reshape(-1), [1, 0, 1])


def test_a_window_of_many_positions_saves_wider_positions():
    x = random(1, 16, 17, 1, dtype=F)
    geometry = shapes.pool2d(x.shape, (16, 17), (1, 1))
    y, argmax = _max_forward(x, geometry)
    assert argmax.dtype == np.int32
    assert argmax.item() == x.argmax()
    assert y.item() == x.max()


def test_steps_of_l2_pooling_agree_with_their_twin():
    a, b, out = abs(random(11, dtype=F)), random(11, dtype=F, seed=1), unwritten(11, dtype=F)
    b[::4] = 0
    for step in (codes.L2_PRODUCT, codes.L2_ROOT, codes.L2_QUOTIENT):
        with inputs_unchanged(a, b):
            l2_step(out, a, b, step)
        assert_close(out, reference.l2_step(a, b, step))
