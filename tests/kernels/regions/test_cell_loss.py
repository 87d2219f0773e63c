import numpy as np
import pytest

from fastcnn.geometry.regions import CELLS
from fastcnn.kernels import region_codes as codes
from fastcnn.kernels.cpu.regions.cell_loss import cell_loss
from tests import reference
from tests.kernels.checking import (
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

GRIDS = np.array([[4, 6, 2], [2, 3, 1]], np.int64)
SIDES = [[(10, 12), (20, 14)], [(40, 36)]]
forms = pytest.mark.parametrize("code", [codes.EXPONENTIAL, codes.SQUARED_SIGMOID], ids=["v3", "v5"])


def _cells(dtype):
    return np.array([(j, i, stride, *side) for stride, sides, (h, w, _) in zip((16, 32), SIDES, GRIDS.tolist())
                     for i in range(h) for j in range(w) for side in sides], dtype)


def _objects(images, most, dtype, seed=1, columns=6):
    """Return objects of images 64 x 96, some at the border, some places empty, a crowd and difficult ones."""
    draw = np.random.default_rng(seed)
    found = np.full((images, most, columns), -1.0)
    for n in range(images):
        count = n if n < 2 else draw.integers(0, most + 1)
        middles, sides = draw.uniform(0, [96, 64], (count, 2)), draw.uniform(4, 50, (count, 2))
        found[n, :count] = np.column_stack([middles - sides / 2, middles + sides / 2, draw.integers(0, 3, count),
                                            draw.integers(0, 3, count)])[:, :columns]
    return found.astype(dtype)


def _run(x, targets, gains, ratio, code, overlap=codes.GIOU, ignored=1.0):
    cells, n = _cells(x.dtype), len(x)
    parts, alone, dx = (unwritten(*shape, dtype=x.dtype) for shape in ((4, n), (4, n), x.shape))
    scratch = unwritten(2, *x.shape[:2], dtype=x.dtype)
    grids = np.array([(*grid, code, overlap, ratio, ignored) for grid in GRIDS.tolist()], CELLS)
    with inputs_unchanged(x, targets, cells, gains):
        cell_loss(alone, dx[:0], scratch, x, targets, cells, gains, grids)
        cell_loss(parts, dx, scratch, x, targets, cells, gains, grids)
    np.testing.assert_array_equal(parts, alone)
    np.testing.assert_allclose(parts[3], n * (parts[:3] * gains[:, :3].T).sum(0), rtol=1e-5)
    return parts[:3].T, dx, scratch[0].astype(int)


def _gains(n, dtype, iou=1):
    return np.column_stack([random(n, 3, seed=4) ** 2 + 0.1, np.full(n, iou)]).astype(dtype)


@types
@forms
@pytest.mark.parametrize(("ratio", "iou", "columns", "overlap", "ignored"), [
    (4.0, 1, 6, codes.GIOU, 1.0), (1.0, 0, 5, codes.CIOU, 0.2), (2.0, 1, 6, codes.DIOU, 0.1)])
def test_the_loss_of_cells_agrees_with_its_twin(ratio, iou, columns, overlap, ignored, code, dtype):
    x, targets, gains = random(4, 54, 8, dtype=dtype), _objects(4, 7, dtype, columns=columns), _gains(4, dtype, iou)
    parts, dx, owners = _run(x, targets, gains, ratio, code, overlap, ignored)
    expected = reference.cell_loss(x, targets, _cells(np.float64), gains, GRIDS, ratio, code, overlap, ignored)
    np.testing.assert_array_equal(owners, expected[2])
    atol = 3e-5 if dtype == np.float32 else 1e-7  # of the twin's differences
    np.testing.assert_allclose(parts, expected[0], rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-12)
    np.testing.assert_allclose(dx, expected[1], atol=atol)


@forms
def test_without_objects_only_objectness_is_learned(code):
    x = 30 * random(3, 54, 6, dtype=np.float32)
    parts, dx, owners = _run(x, np.full((3, 1, 5), -1, np.float32), _gains(3, np.float32), 4.0, code)
    assert (owners == -1).all()
    assert np.isfinite(parts).all()
    assert not parts[:, [0, 2]].any()
    assert not dx[..., [0, 1, 2, 3, 5]].any()
    assert (dx[..., 4] >= 0).all()


def test_of_two_objects_for_a_place_the_better_has_it_and_of_equal_ones_the_first():
    x, gains = random(1, 54, 8), _gains(1, np.float64)
    near, far = [34, 34, 46, 46, 0], [32, 32, 39, 39, 1]
    for objects, winner in (([far, near], 1), ([near, far], 0), ([near, near], 0)):
        owners = _run(x, np.array([objects], float), gains, 4.0, codes.EXPONENTIAL)[2]
        assert owners[0, 2 * (2 * 6 + 2)] == winner


def test_a_place_whose_box_is_nearly_right_is_not_pushed_to_background():
    x, gains = np.zeros((1, 54, 8)), _gains(1, np.float64)
    objects = np.array([[[2, 2, 12, 14, 0, 0], [70, 40, 80, 52, 1, 1]]], float)  # the second is a crowd
    _, every, owners = _run(x, objects, gains, 1.0, codes.EXPONENTIAL)
    _, some, _ = _run(x, objects, gains, 1.0, codes.EXPONENTIAL, ignored=0.3)
    left_out = np.flatnonzero(some[0, :, 4] != every[0, :, 4])
    assert owners[0, 0] == 0  # the prior of 10 x 12 has the object
    assert left_out.tolist() == [1]  # that of 20 x 14 overlaps with it by 0.43, and no other does by 0.3
    assert every[0, 1, 4] > 0
    assert some[0, 1, 4] == 0


def test_objects_without_area_or_outside_are_passed_over_and_nan_is_told():
    x, gains = random(1, 54, 8), _gains(1, np.float64)
    bad = np.array([[[5, 5, 5, 9, 0], [9, 9, 4, 20, 1], [900, 900, 920, 920, 1], [-90, -90, -70, -70, 0]]], float)
    owners = _run(x, bad, gains, 4.0, codes.SQUARED_SIGMOID)[2]
    assert (owners == -1).all()
    x[0, 0, 4] = np.nan
    assert np.isnan(_run(x, bad, gains, 4.0, codes.SQUARED_SIGMOID)[0][0, 1])


def test_the_same_bits_from_any_number_of_threads_and_one_specialization_a_type():
    x, targets, gains = random(40, 54, 8, dtype=np.float32), _objects(40, 7, np.float32), _gains(40, np.float32)
    assert_same_bits(lambda: _run(x, targets, gains, 4.0, codes.SQUARED_SIGMOID))
    assert_one_specialization_a_type(cell_loss)
