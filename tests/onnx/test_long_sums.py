"""Sums of the backend's operators that NumPy makes: as exact over any axes as over the last ones."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from fastcnn.onnx.operators import norm, pool, reduce
from fastcnn.onnx.operators._sums import mean, total

N, LIMIT = 1_000_000, 1e-6

OVER = {"rows": ((N, 3), 0), "columns": ((3, N), 1), "all": ((1000, 1000), None), "outer": ((1000, 2, 1000), (0, 2)),
        "turned": ((3, 1000, 1000), (0, 1))}


@pytest.mark.parametrize("value", [0.1, 0.7])
@pytest.mark.parametrize("name", OVER)
def test_a_sum_over_any_axes(name, value):
    shape, axis = OVER[name]
    x = np.full(shape, value, np.float32)
    x = x.T if name == "turned" else x
    for got, exact in ((total(x, axis), x.sum(axis, dtype=np.float64)), (mean(x, axis), x.mean(axis, dtype=np.float64)),
                       (reduce._REDUCTIONS["ReduceSumSquare"](x, axis=axis, keepdims=False),
                        np.square(x.astype(np.float64)).sum(axis))):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, exact, rtol=LIMIT)


@pytest.mark.parametrize("value", [0.1, 0.7])
def test_pools_of_images_that_lie_channels_last(value):
    x = np.moveaxis(np.full((1, 700, 700, 3), value, np.float32), -1, 1)
    np.testing.assert_allclose(pool.global_average_pool(x), x.mean((2, 3), keepdims=True, dtype=np.float64), rtol=LIMIT)
    exact = np.sqrt(np.square(x.astype(np.float64)).sum((2, 3), keepdims=True))
    np.testing.assert_allclose(pool.global_lp_pool(x), exact, rtol=LIMIT)
    padded = pool.average_pool(x, kernel_shape=[700, 700], pads=[1, 1, 1, 1], strides=[700, 700], count_include_pad=1)
    np.testing.assert_allclose(padded[0, :, 0, 0], value * 699 * 699 / 700 / 700, rtol=LIMIT)


def test_a_constant_is_normalized_to_the_offset_exactly():
    x = np.full((2, 4, 30, 31), 12345.678, np.float32)
    scale, bias = np.full(4, 3, np.float32), np.arange(4, dtype=np.float32)
    offset = np.broadcast_to(bias[:, None, None], x.shape)
    np.testing.assert_array_equal(norm.instance_normalization(x, scale, bias), offset)
    np.testing.assert_array_equal(norm.group_normalization(x, scale, bias, num_groups=2), offset)
    one = np.ones(4, np.float32)
    y, running_mean, running_variance = norm.batch_normalization(
        x, scale, bias, one, one, training_mode=1, momentum=0.0, kept={})
    np.testing.assert_array_equal(y, offset)
    np.testing.assert_array_equal(running_mean, np.full(4, np.float32(12345.678)))
    np.testing.assert_array_equal(running_variance, np.zeros(4))
