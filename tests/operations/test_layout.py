"""Numbers that are moved, taken by their place, or surrounded by a border, beside NumPy's."""

import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.geometry.resize import pad3d
from fastcnn.operations.layout import concatenate, from_rows, permuted, repeat_vector, rows_along, transpose
from fastcnn.operations.normalization import l2_normalization
from fastcnn.operations.padding import crop, pad
from fastcnn.operations.selection import strided_slice, take, top_k
from tests.operations.checking import look_over, normal


@pytest.mark.parametrize("axes", [(0, 2, 1), (2, 0, 1), (0, 1, 2)])
def test_axes_in_another_order(axes):
    look_over(lambda x: transpose(x, axes), normal(2, 3, 4), expected=lambda x: np.transpose(x, axes))


def test_axes_of_one_element_move_without_a_copy():
    x = normal(2, 1, 4)
    assert np.shares_memory(permuted(x, (1, 0, 2)), x)
    assert not np.shares_memory(permuted(x, (2, 1, 0)), x)


@pytest.mark.parametrize("ask", [
    lambda x: permuted(x, tuple(range(9, -1, -1)), "somebody"),
    lambda x: transpose(x, tuple(range(9, -1, -1)), "somebody"),
    lambda x: rows_along(x, (1, 3, 5, 7), "somebody"),
    lambda x: from_rows(x.reshape(64, 16), x.shape, (1, 3, 5, 7), "somebody"),
    lambda x: l2_normalization(x, (1, 3, 5, 7), 1e-6, who="somebody"),
])
def test_who_asks_for_more_axes_than_the_kernel_moves_is_named(ask):
    with pytest.raises(ArgumentError, match=r"^somebody: expected at most . axes that move"):
        ask(np.zeros((2,) * 10))


@pytest.mark.parametrize("axes", [(2,), (1,), (1, 2), (1, 3), (3, 1)])
def test_rows_are_the_vectors_along_axes(axes):
    x = normal(2, 3, 4, 5)
    rows = rows_along(x, axes)
    rest = [k for k in range(4) if k not in axes]
    np.testing.assert_array_equal(rows, np.transpose(x, (*rest, *axes)).reshape(rows.shape))
    assert rows.shape[1] == np.prod([x.shape[k] for k in axes])
    np.testing.assert_array_equal(from_rows(rows, x.shape, axes), x)


def test_rows_of_nothing():
    assert rows_along(np.empty((0, 3, 4)), (1,)).shape == (0, 3)
    assert from_rows(np.empty((0, 3)), (0, 3, 4), (1,)).shape == (0, 3, 4)


def test_a_vector_is_repeated():
    look_over(lambda x: repeat_vector(x, 3), normal(2, 5), expected=lambda x: np.repeat(x[:, None], 3, 1))


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("samples", [1, 2])
def test_arrays_side_by_side(axis, samples):
    shapes = [[samples, 2, 3, 4] for _ in range(3)]
    for length, shape in zip((1, 5, 2), shapes, strict=True):
        shape[axis] = length
    look_over(lambda *arrays: concatenate(arrays, axis), *(normal(*shape, seed=k) for k, shape in enumerate(shapes)),
              expected=lambda *arrays: np.concatenate(arrays, axis))


@pytest.mark.parametrize("samples", [1, 2])
def test_gradients_of_arrays_side_by_side_are_parts_of_dy_where_it_is_one_row(samples):
    _, backward = concatenate([np.ones((samples, 3)), np.ones((samples, 2))], 1)
    dy = normal(samples, 5)
    assert [np.shares_memory(dx, dy) for dx in backward(dy)] == [samples == 1] * 2
    assert all(dx.flags.c_contiguous for dx in backward(dy))


@pytest.mark.parametrize(("axis", "part"), [
    (1, slice(1, 5)), (2, slice(None, None, 2)), (3, slice(4, 0, -1)), (1, slice(None, None, -1)), (2, slice(-2, None)),
])
def test_a_slice_along_an_axis(axis, part):
    x = normal(2, 6, 5, 7)
    places = range(*part.indices(x.shape[axis]))
    look_over(lambda x: strided_slice(x, axis, places), x, expected=lambda x: x[(slice(None),) * axis + (part,)])


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_numbers_are_taken_by_index_as_often_as_one_likes(axis):
    indices = 3, -1, 0, 3, 3
    look_over(lambda x: take(x, indices, axis), normal(2, 4, 5, 6), expected=lambda x: np.take(x, indices, axis))


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_the_largest_along_an_axis_and_where_they_stand(axis):
    x = normal(2, 4, 5, 6)
    look_over(lambda x: top_k(x, 3, axis), x, expected=lambda x: -np.sort(-x, axis).take(range(3), axis))
    at, backward = top_k(x, 3, axis, indices=True)
    np.testing.assert_array_equal(at, np.argsort(-x, axis).take(range(3), axis))
    none = backward(np.ones_like(at))
    assert none.shape == x.shape
    assert not none.any()


#: A border of each dimension, the shape as volumes
BORDERS = {
    "signal": ((2, 4, 3), ((1, 2),)),
    "image": ((2, 4, 5, 3), ((1, 0), (2, 3))),
    "volume": ((2, 4, 5, 3, 2), ((1, 0), (0, 2), (2, 1))),
}
MODES = {"zero": "constant", "edge": "edge", "reflect": "reflect", "wrap": "wrap"}


def _geometry(shape, border, mode="zero", value=0.0):
    ones = 5 - len(shape)
    return pad3d((shape[0], *(1,) * ones, *shape[1:]), (((0, 0),) * ones) + border, mode, value=value)


def _outer(shape, border):
    return shape[0], *(n + sum(pair) for n, pair in zip(shape[1:-1], border, strict=True)), shape[-1]


@pytest.mark.parametrize("name", BORDERS)
@pytest.mark.parametrize("mode", MODES)
def test_a_border(name, mode):
    shape, border = BORDERS[name]
    look_over(lambda x: pad(x, _geometry(shape, border, mode), _outer(shape, border)), normal(*shape),
              expected=lambda x: np.pad(x, ((0, 0), *border, (0, 0)), MODES[mode]))


def test_a_border_of_a_value():
    shape, border = BORDERS["image"]
    look_over(lambda x: pad(x, _geometry(shape, border, value=-3.0), _outer(shape, border)), normal(*shape),
              expected=lambda x: np.pad(x, ((0, 0), *border, (0, 0)), constant_values=-3))


@pytest.mark.parametrize("name", BORDERS)
def test_the_same_without_its_border(name):
    shape, border = BORDERS[name]
    inside = slice(None), *(slice(before, before + n) for n, (before, _) in zip(shape[1:-1], border, strict=True))
    look_over(lambda x: crop(x, _geometry(shape, border), shape), normal(*_outer(shape, border)),
              expected=lambda x: x[inside])
