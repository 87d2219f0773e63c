import numpy as np
import pytest

from fastcnn.kernels import region_codes as codes
from fastcnn.kernels.cpu.regions.overlap import box_loss, box_overlaps
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    types,
    unwritten,
)
from tests.kernels.regions.drawing import boxes

KINDS = [codes.IOU, codes.GIOU, codes.DIOU, codes.CIOU]
NO_WEIGHTS = {np.float32: np.empty(0, np.float32), np.float64: np.empty(0)}


def _overlaps(a, b, code):
    y = unwritten(len(a), len(b), dtype=a.dtype)
    with inputs_unchanged(a, b):
        box_overlaps(y, a, b, code)
    return y


def _loss(x, targets, weights, code, scale=1.0):
    losses, dx = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x, targets, weights):
        box_loss(losses, dx, x, targets, weights, code, scale)
    return losses, dx


@types
@pytest.mark.parametrize("code", KINDS)
def test_overlaps_agree_with_their_twin(code, dtype):
    a, b = boxes(23, dtype=dtype), boxes(37, seed=1, dtype=dtype)
    b[:3], b[3, 2:], b[4, 2] = a[:3], b[3, :2], b[4, 0] - 5  # equal, without area, turned round
    assert_close(_overlaps(a, b, code), reference.box_overlaps(a, b, code), 4)


@types
@pytest.mark.parametrize("code", KINDS)
def test_losses_and_slopes_agree_with_their_twin(code, dtype):
    x, targets = boxes(60, 20, dtype=dtype), boxes(60, 20, 1, dtype=dtype)
    x += np.array([0.11, 0.07, 0.13, 0.05], dtype)  # not the same corners: there is a corner of the loss
    weights = np.linspace(0, 2, 60).astype(dtype)
    losses, dx = _loss(x, targets, weights, code, 0.5)
    expected, slopes = reference.box_loss(x, targets, weights, code, 0.5)
    assert_close(losses, expected, 4)
    np.testing.assert_allclose(dx, slopes, atol=1e-8 + 4e-6 * (dtype == np.float32), rtol=0)
    np.testing.assert_array_equal(_loss(x, targets, NO_WEIGHTS[dtype], code)[0],
                                  _loss(x, targets, np.ones(60, dtype), code)[0])


@pytest.mark.parametrize("code", KINDS)
def test_boxes_without_area_have_finite_losses_and_nan_stays_nan(code):
    x = np.array([[3, 3, 3, 3], [5, 5, 2, 9], [0, 0, 0, 0], [1, 1, np.nan, 4], [np.nan] * 4], np.float32)
    targets = np.array([[3, 3, 3, 3], [1, 1, 4, 4], [7, 7, 9, 9], [1, 1, 4, 4], [1, 1, 4, 4]], np.float32)
    losses, dx = _loss(x, targets, np.array([1, 1, 1, 1, 0], np.float32), code)
    assert np.isfinite(losses[:3]).all()
    assert np.isfinite(dx[:3]).all()
    assert np.isnan(losses[3])
    assert np.isnan(dx[3]).all()
    assert losses[4] == 0, "a pair of weight 0 may be anything"
    assert not dx[4].any()


def test_no_boxes_have_no_overlaps_and_no_losses():
    none, some = boxes(0), boxes(3)
    assert _overlaps(none, some, codes.IOU).shape == (0, 3)
    assert _overlaps(some, none, codes.GIOU).shape == (3, 0)
    _loss(none, none, NO_WEIGHTS[np.float32], codes.CIOU)


def test_the_same_bits_from_any_number_of_threads():
    a, b, n = boxes(many(300)), boxes(many(200), seed=1), many(9000)
    pairs = boxes(n), boxes(n, seed=1)
    for code in KINDS:
        assert_same_bits(lambda code=code: (_overlaps(a, b, code), *_loss(*pairs, NO_WEIGHTS[np.float32], code)))


def test_the_kernels_compile_once_a_type():
    assert_one_specialization_a_type(box_overlaps, box_loss)
