import numpy as np
import pytest

from fastcnn.geometry.regions import grid as reading
from fastcnn.kernels import region_codes as codes
from fastcnn.kernels.cpu.regions.grid_sample import grid_sample_backward, grid_sample_forward
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

MODES = [codes.NEAREST, codes.BILINEAR, codes.BICUBIC]
OUTSIDE = [codes.ZEROS, codes.BORDER, codes.REFLECTION]


def _sample(x, grid, how):
    y = unwritten(*grid.shape[:3], x.shape[3], dtype=x.dtype)
    with inputs_unchanged(x, grid):
        grid_sample_forward(y, x, grid, how)
    return y


def _back(dy, x, grid, how):
    dx, dgrid = unwritten(*x.shape, dtype=x.dtype), unwritten(*grid.shape, dtype=x.dtype)
    with inputs_unchanged(dy, x, grid):
        grid_sample_backward(dx, dgrid, dy, x, grid, how)
    return dx, dgrid


@types
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("mode", MODES)
def test_samples_agree_with_their_twin(mode, outside, corners, dtype):
    x, grid = random(2, 5, 6, 3, dtype=dtype), 1.5 * random(2, 4, 3, 2, dtype=dtype, seed=1)
    how = reading(mode, outside, corners)
    y = _sample(x, grid, how)
    assert_close(y, reference.grid_sample_forward(x, grid, how), 4)
    dy = random(*y.shape, dtype=dtype, seed=2)
    dx, dgrid = _back(dy, x, grid, how)
    expected = reference.grid_sample_backward(dy, x, grid, how)
    assert_close(dx, expected[0], 4)
    np.testing.assert_allclose(dgrid, expected[1], atol=1e-4 if dtype == np.float32 else 1e-6)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("mode", MODES)
def test_places_far_away_end_and_those_of_nan_are_told(mode, outside):
    x = random(1, 1, 4, 2, dtype=np.float32)
    grid = np.array([[[[1e30, 0], [-np.inf, 0], [np.nan, 0], [0, 0]]]], np.float32)
    y = _sample(x, grid, reading(mode, outside, True))
    assert np.isnan(y[0, 0, 2]).all()
    assert np.isfinite(y[0, 0, [0, 1, 3]]).all()
    dx, _ = _back(np.where(np.isnan(y), 0, y), x, grid, reading(mode, outside, True))
    assert dx.shape == x.shape


def test_the_same_bits_from_any_number_of_threads():
    x, grid = random(2, 20, 20, 40, dtype=np.float32), random(2, 25, 30, 2, dtype=np.float32, seed=1)
    how, dy = reading(codes.BILINEAR, codes.BORDER, False), random(2, 25, 30, 40, dtype=np.float32, seed=2)
    assert_same_bits(lambda: (_sample(x, grid, how), *_back(dy, x, grid, how)))


def test_the_kernels_compile_once_a_type():
    assert_one_specialization_a_type(grid_sample_forward, grid_sample_backward)
