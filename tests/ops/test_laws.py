"""Laws that every operation has: values beside NumPy's, the same as a node of a graph, gradients as differences."""

import functools

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import ops
from fastcnn.graph import execute
from tests.ops.table import TABLE

STEP = 1e-5
every_row = pytest.mark.parametrize("name", TABLE)
SMOOTH = [name for name, row in TABLE.items() if row.smooth]

#: What has no row: it takes no array, or is an alias or a face.
WITHOUT = {"arange", "convert_to_numpy", "eye", "full", "identity", "image", "is_tensor", "linspace", "meshgrid",
           "ndim", "nn", "ones", "shape", "size", "zeros"}


def test_every_operation_has_a_row():
    named = {name.partition(" ")[0].partition(",")[0] for name in TABLE}
    assert set(ops.__all__) - named == WITHOUT
    assert {f"image.{name}" for name in ops.image.__all__} - named == set()
    assert set(ops.nn.__all__) <= set(ops.__all__)


@every_row
def test_an_operation_agrees_with_numpy_and_writes_nothing_that_it_was_given(name):
    row = TABLE[name]
    given = [x.copy() for x in row.arrays]
    y = row.run(*given)
    expected = np.asarray(row.twin(*row.arrays))
    assert y.shape == expected.shape
    near = row.tolerance
    np.testing.assert_allclose(np.asarray(y, float), np.asarray(expected, float), rtol=near, atol=near)
    for x, before in zip(given, row.arrays, strict=True):
        np.testing.assert_array_equal(x, before)


@every_row
def test_it_is_the_same_as_a_node_of_a_graph_of_which_shape_and_type_are_known(name):
    row = TABLE[name]
    told = []

    def traced(xs):
        found = row.run(*xs)
        told.append((tuple(found.shape), found.dtype))
        return found, ops.sum(ops.cast(xs[0], "float64"))  # one result at least is of a floating type

    values, _ = fc.gradients(traced, [np.asarray(x) for x in row.arrays])
    expected = row.run(*row.arrays)
    np.testing.assert_allclose(values[0], expected, rtol=1e-13, atol=1e-13)  # a layer may do it in another order
    assert told == [(expected.shape, expected.dtype)]


#: Rows whose operands are no samples: their first axis cannot be of unknown length.
BATCHLESS = {"split", "unstack", "roll", "slice"}
BATCHES = [name for name, row in TABLE.items() if name not in BATCHLESS and all(
    x.dtype == float and len(x) == len(row.arrays[0]) for x in row.arrays)]


@pytest.mark.parametrize("name", BATCHES)
def test_it_is_the_same_in_a_model_whose_batch_is_not_known(name):
    row = TABLE[name]
    inputs = [fc.Input(x.shape[1:], dtype="float64") for x in row.arrays]
    y = row.run(*inputs)
    found = fc.Model(inputs, y).layer_graph()
    expected = row.run(*row.arrays)
    values = execute.infer(found, [np.ascontiguousarray(x) for x in row.arrays])
    np.testing.assert_allclose(values[0], expected, rtol=1e-13, atol=1e-13)
    assert all(n in (None, m) for n, m in zip(y.shape, expected.shape, strict=True))
    assert y.dtype == expected.dtype


def _weighed(row, xs, k, dy, x):
    """Return the result with x in the place of operand k, each number times one of dy."""
    return ops.multiply(row.run(*xs[:k], x, *xs[k + 1:]), dy)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_central_differences(name):
    row = TABLE[name]
    xs = [np.asarray(x, float) for x in row.arrays]
    dy = np.random.default_rng(5).standard_normal(np.shape(row.twin(*xs)))
    for k, x in enumerate(xs):
        others = [np.copy(one) for one in xs]
        _, gradient = fc.gradients(functools.partial(_weighed, row, others, k, dy), x)
        direction = np.random.default_rng(k).standard_normal(x.shape)
        ends = [(row.twin(*xs[:k], x + step * direction, *xs[k + 1:]) * dy).sum() for step in (STEP, -STEP)]
        slope, found = (ends[0] - ends[1]) / (2 * STEP), (gradient * direction).sum()
        assert abs(slope - found) <= 1e-6 * max(1.0, abs(slope)), (k, slope, found)
