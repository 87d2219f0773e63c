"""Layers that choose: one of two tensors, the largest of many."""

import numpy as np
import pytest

from fastcnn import layers
from fastcnn.errors import ArgumentError


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def test_what_is_not_chosen_may_be_infinite_and_gets_no_gradient():
    condition = np.array([[1, 0, 1, 0]], np.float32)
    a, b = np.array([[1, np.inf, 2, np.nan]], np.float32), np.array([[-np.inf, 3, np.nan, 4]], np.float32)
    y, backward = layers.Where().forward([condition, a, b])
    np.testing.assert_array_equal(y, [[1, 3, 2, 4]])
    dy = np.array([[5, 6, 7, 8]], np.float32)
    for got, want in zip(backward(dy), ([[0, 0, 0, 0]], [[5, 0, 7, 0]], [[0, 6, 0, 8]]), strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_choice_broadcasts_and_sums_its_gradients():
    condition, a, b = (draw(2, 3, 1) > 0).astype(np.float32), draw(2, 1, 4), draw(2, 3, 4)
    y, backward = layers.Where().forward([condition, a, b])
    np.testing.assert_array_equal(y, np.where(condition, a, b))
    dy = draw(2, 3, 4)
    _, da, db = backward(dy)
    np.testing.assert_allclose(da, (dy * condition).sum(1, keepdims=True), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(db, np.where(condition, 0, dy))


@pytest.mark.parametrize(("given", "word"), [({"k": 0}, "positive"), ({"k": 8}, "at most 7"),
                                             ({"axis": 0}, "other than 0"), ({"axis": 2}, "1..1")])
def test_the_largest_are_refused_where_there_are_none(given, word):
    with pytest.raises(ArgumentError, match=word):
        layers.TopK(**given)(draw(2, 7))


@pytest.mark.parametrize("exponent", [0, np.inf, np.nan, None])
def test_a_power_of_nothing_is_refused(exponent):
    with pytest.raises(ArgumentError, match="exponent other than 0"):
        layers.Power(exponent)


@pytest.mark.parametrize("layer", [layers.UnitNormalization, layers.RMSNormalization])
@pytest.mark.parametrize(("given", "word"), [({"epsilon": 0.0}, "positive epsilon"), ({"axis": 0}, "not 0, the batch"),
                                             ({"axis": (1, -2)}, "axes in 1..2")])
def test_lengths_of_nothing_are_refused(layer, given, word):
    with pytest.raises(ArgumentError, match=word):
        layer(**given)(draw(2, 3, 4))
