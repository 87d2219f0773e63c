"""Sums, products, extremes and choices of arrays that broadcast, beside NumPy's."""

import numpy as np
import pytest

from fastcnn.operations import broadcasting, merge
from fastcnn.operations.selection import where
from tests.operations.checking import look_over, normal, parameter

#: Shapes that fit together: alike, gates of channels and of pixels, of fewer dimensions, one sample for several, and
#: such as three dimensions are too few for
SHAPES = {
    "alike": ((2, 3, 4, 5), (2, 3, 4, 5)),
    "a gate of channels": ((2, 3, 4, 5), (2, 1, 1, 5)),
    "a gate of pixels": ((2, 3, 4, 1), (2, 3, 4, 5)),
    "fewer dimensions": ((2, 3, 4, 5), (2, 5)),
    "one sample": ((1, 3, 5), (4, 3, 5)),
    "both": ((2, 3, 1, 5), (2, 1, 4, 5)),
    "in turn": ((2, 3, 4, 5, 2), (2, 1, 4, 1, 2)),
}


def _arrays(shapes):
    return [normal(*shape, seed=k) for k, shape in enumerate(shapes)]


def _wide(x, rank):
    return x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:])


def _same_rank(formula):
    def apply(*arrays):
        rank = max(x.ndim for x in arrays)
        return formula(*(_wide(x, rank) for x in arrays))

    return apply


@pytest.mark.parametrize(("operation", "formula"), [
    (merge.add, np.add), (merge.subtract, np.subtract), (merge.average, lambda a, b: (a + b) / 2),
    (merge.multiply, np.multiply), (merge.maximum, np.maximum), (merge.minimum, np.minimum),
])
@pytest.mark.parametrize("shapes", SHAPES)
def test_two_arrays_that_broadcast(operation, formula, shapes):
    look_over(lambda *arrays: operation(arrays), *_arrays(SHAPES[shapes]), expected=_same_rank(formula))


@pytest.mark.parametrize(("operation", "formula"), [(merge.add, np.add), (merge.multiply, np.multiply),
                                                    (merge.maximum, np.maximum), (merge.minimum, np.minimum)])
def test_three_arrays(operation, formula):
    arrays = _arrays([(2, 3, 4), (2, 1, 4), (2, 3, 1)])
    look_over(lambda *arrays: operation(arrays), *arrays, expected=lambda a, b, c: formula(formula(a, b), c))


@pytest.mark.parametrize("shapes", [[(2, 3, 4)], [(2, 3, 4), (2, 1, 4)], [(2, 3, 4), (2, 4), (1, 3, 1)]])
def test_a_weighted_sum_and_what_is_positive_of_it(shapes):
    weights = [0.5, -2.0, 1.0][:len(shapes)]

    def formula(*arrays):
        return sum(weight * _wide(x, 3) for weight, x in zip(weights, arrays, strict=True))

    look_over(lambda *arrays: merge.weighted_sum(arrays, weights), *_arrays(shapes), expected=formula)
    look_over(lambda *arrays: merge.weighted_sum(arrays, weights, relu=True), *_arrays(shapes),
              expected=lambda *arrays: np.maximum(formula(*arrays), 0))
    look_over(lambda *arrays: merge.add(arrays, relu=True), *_arrays(shapes),
              expected=lambda *arrays: np.maximum(sum(_wide(x, 3) for x in arrays), 0))


def test_the_sum_of_one_array_is_the_array_and_its_gradient_is_dy():
    x = normal(2, 3)
    y, backward = merge.add([x])
    assert y is x
    assert backward(x)[0] is x


def test_two_equal_numbers_get_half_of_the_gradient_each():
    for operation in (merge.maximum, merge.minimum):
        _, backward = operation([np.ones((1, 2)), np.array([[1.0, 3.0]])])
        a, b = backward(np.array([[2.0, 4.0]]))
        assert a[0, 0] == b[0, 0] == 1
        assert (a[0, 1], b[0, 1]) == ((0, 4) if operation is merge.maximum else (4, 0))


@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 3, 4), (2, 3, 4)), ((2, 1, 4), (2, 3, 4), (2, 3, 1)),
                                    ((2, 3, 4), (2, 4), (2, 3, 1))])
def test_a_choice_takes_the_one_where_the_condition_is_0_and_the_other_elsewhere(shapes):
    condition, a, b = _arrays(shapes)
    condition[np.abs(condition) < 0.5] = 0
    look_over(lambda a, b: _without_condition(*where([condition, a, b])), a, b,
              expected=_same_rank(lambda a, b: np.where(_wide(condition, 3) != 0, _wide(a, 3), _wide(b, 3))))
    y, backward = where([condition, a, b])
    none = backward(np.ones_like(y))[0]
    assert none.shape == condition.shape
    assert not none.any()


def _without_condition(y, backward):
    return y, lambda dy: backward(dy)[1:]


def test_what_is_not_chosen_may_be_no_number():
    y, backward = where([np.array([[1.0, 0.0]]), np.array([[2.0, np.nan]]), np.array([[np.inf, 3.0]])])
    np.testing.assert_array_equal(y, [[2, 3]])
    _, a, b = backward(np.array([[5.0, 7.0]]))
    np.testing.assert_array_equal([*a, *b], [[5, 0], [0, 7]])


def test_a_mask_lets_nothing_through_where_it_is_0():
    x = np.array([[np.nan, 1.0, 2.0]])
    np.testing.assert_array_equal(merge.masked(x, np.array([[0.0, 1.0, 0.0]])), [[0, 1, 0]])
    np.testing.assert_array_equal(merge.masked(np.ones((2, 3, 2)), np.array([[[1.0, 0.0]]])),
                                  np.broadcast_to([1, 0], (2, 3, 2)))


def test_an_affine_map_of_all_numbers():
    x = normal(2, 3, 4)
    np.testing.assert_allclose(merge.affine(x, -2.0, 0.5), 0.5 - 2 * x, rtol=1e-14)


def test_a_gradient_is_added_to_that_of_a_parameter():
    p = parameter(np.zeros((2, 3)))
    for _ in range(2):
        merge.add_to_gradient(p, np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(p.grad, 2 * np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("shape", [
    (2, 3, 4, 5), (1, 3, 4, 5), (2, 1, 1, 5), (2, 3, 4, 1), (1, 1, 1, 1), (2, 1, 4, 1), (1, 3, 1, 5)])
def test_numbers_are_summed_over_what_is_1(shape):
    g = normal(2, 3, 4, 5)
    expected = g.sum(tuple(k for k in range(4) if shape[k] != g.shape[k]), keepdims=True)
    np.testing.assert_allclose(broadcasting.summed_to(g, shape, -0.5), -0.5 * expected, rtol=1e-12, atol=1e-13)
    found = broadcasting.summed_to(g, shape)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert (found is g) == (shape == g.shape)


@pytest.mark.parametrize("shape", [(2, 1, 4, 1, 1, 2), (1, 3, 1, 1, 6, 1), (2, 1, 4, 1, 6, 1)])
def test_numbers_are_summed_over_neighbours_at_once_where_three_dimensions_are_too_few(shape):
    g = normal(2, 3, 4, 1, 6, 2)
    expected = g.sum(tuple(k for k in range(6) if shape[k] != g.shape[k]), keepdims=True)
    found = broadcasting.summed_to(g, shape, 2.0)
    np.testing.assert_allclose(found, 2 * expected, rtol=1e-12, atol=1e-13)


def test_what_needs_no_scaling_or_repeating_is_itself():
    x = normal(2, 3)
    assert broadcasting.scaled(x, 1.0) is x
    np.testing.assert_allclose(broadcasting.scaled(x, -2.0), -2 * x, rtol=1e-14)
    assert broadcasting.expanded(x, (2, 3)) is x
    np.testing.assert_array_equal(broadcasting.expanded(x[:1], (4, 3)), np.repeat(x[:1], 4, 0))
    arrays = [x, normal(2, 3, seed=1)]
    assert broadcasting.aligned(arrays) is arrays
    assert [one.shape for one in broadcasting.aligned([x, normal(2, 4, 5, 3)])] == [(2, 1, 1, 3), (2, 4, 5, 3)]


def test_inputs_alike_share_the_gradient():
    arrays = [normal(2, 3), normal(2, 3, seed=1), normal(1, 3)]
    _, backward = merge.weighted_sum(arrays, [0.5, 0.5, 0.5])
    a, b, c = backward(normal(2, 3, seed=2))
    assert a is b
    assert c.shape == (1, 3)
    _, backward = merge.weighted_sum(arrays[:2], [0.5, 2.0])
    a, b = backward(normal(2, 3, seed=2))
    np.testing.assert_allclose(b, 4 * a, rtol=1e-14)
