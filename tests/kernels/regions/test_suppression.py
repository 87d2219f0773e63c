import numpy as np
import pytest

from fastcnn.geometry.regions import suppression
from fastcnn.kernels import region_codes as codes
from fastcnn.kernels.cpu.regions.suppression import best_detections, order_rows, suppress_boxes
from tests import reference
from tests.kernels.checking import assert_same_bits, inputs_unchanged, many, types, unwritten
from tests.kernels.regions.drawing import boxes


def _order(x, lowest=-np.inf):
    order = np.full(x.shape, -9)
    with inputs_unchanged(x):
        order_rows(order, np.full(x.shape, -9), x, lowest)
    return order


def _suppress(some, scores, order, lists, how):
    kept, weighed = np.full(order.size, -9), unwritten(order.size, dtype=some.dtype)
    with inputs_unchanged(some, scores, order, lists):
        suppress_boxes(kept, weighed, unwritten(5 * order.size, dtype=some.dtype), some, scores, order, lists, how)
    return kept, weighed


def _scores(*shape, seed=3, dtype=np.float32):
    return (np.random.default_rng(seed).integers(1, 30, shape) / 32).astype(dtype)  # many are equal


@types
def test_orders_agree_with_their_twin(dtype):
    x = _scores(5, many(700), dtype=dtype)
    x[0, 3], x[1] = np.nan, -np.inf
    for lowest in (-np.inf, 0.5):
        np.testing.assert_array_equal(_order(x, lowest), reference.order_rows(x, lowest))
    assert _order(x[:0]).shape == (0, x.shape[1])
    assert _order(x[:, :0]).shape == (5, 0)


@types
@pytest.mark.parametrize("most", [1000, 7, 0])
@pytest.mark.parametrize("code", [codes.HARD, codes.SOFT_LINEAR, codes.SOFT_GAUSSIAN])
def test_suppression_of_several_lists_agrees_with_its_twin(code, most, dtype):
    some, scores = boxes(110, 24, dtype=dtype), _scores(110, dtype=dtype)
    lists = np.array([[0, 60, 0, 0], [60, 100, 60, 60], [100, 100, 0, 0], [100, 110, 100, 100]])
    order = np.concatenate([_order(scores[None, a:b])[0] for a, b, _, _ in lists])
    order[90:100] = -1  # a list that ends before its place does
    how = suppression(0.3, most, code, 0.4, 0.2)
    kept, weighed = _suppress(some, scores, order, lists, how)
    if code == codes.HARD:
        expected = reference.suppress_boxes(some, scores, order, lists, suppression(0.3, most, code))
    else:
        expected = reference.suppress_boxes(some, scores, order, lists, how)
    np.testing.assert_array_equal(kept, expected[0])
    np.testing.assert_allclose(weighed, expected[1], rtol=1e-5)


def test_of_equal_boxes_and_scores_the_lower_index_is_kept_and_boxes_without_area_suppress_nobody():
    some = np.array([[0, 0, 4, 4], [0, 0, 4, 4], [5, 5, 5, 9], [5, 5, 5, 9], [np.nan] * 4], np.float32)
    scores = np.full(5, 0.5, np.float32)
    lists = np.array([[0, 5, 0, 0]])
    kept, _ = _suppress(some, scores, _order(scores[None])[0], lists, suppression(0.5, 9))
    assert kept.tolist() == [0, 2, 3, 4, -1]


@types
def test_the_best_of_an_image_agree_with_their_twin(dtype):
    kept = np.array([[[2, 0, -1], [1, 2, 0]], [[-1, -1, -1], [0, -1, -1]]])
    weighed = np.array([[[0.5, 0.25, 0], [0.5, 0.5, 0.125]], [[0, 0, 0], [0.75, 0, 0]]], dtype)
    some = boxes(3, dtype=dtype, lead=(2,))
    for most in (0, 2, 7):
        y = unwritten(2, most, 6, dtype=dtype)
        best_detections(y, np.full((2, 2), -9), kept, weighed, some)
        np.testing.assert_array_equal(y, reference.best_detections(y, kept, weighed, some))


def test_the_same_bits_from_any_number_of_threads():
    some, scores = boxes(4000, 100), _scores(8, 500)
    lists = np.array([[500 * k, 500 * k + 500, 500 * k, 500 * k] for k in range(8)])
    assert_same_bits(lambda: (order := _order(scores),
                              *_suppress(some, scores.reshape(-1), order.reshape(-1), lists, suppression(0.4, 300))))
