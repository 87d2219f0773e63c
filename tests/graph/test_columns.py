"""Tables that a captured prediction puts side by side from the start."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph.columns import without_copies
from fastcnn.graph.nodes.scaled_conv import ScaledConv
from fastcnn.graph.replay import Capture
from fastcnn.kernels import cpu


def table(blocks, columns):
    """A table in a block of memory of its own, as a rehearsal makes them."""
    blocks.append(np.zeros(6 * columns * 4, np.uint8))
    return np.ndarray((6, columns), np.float32, blocks[-1])


def chain():
    """Three tables, each of which is copied into the next, beside something else; the first comes from elsewhere."""
    blocks = []
    a, b, c, p, q, y = (table(blocks, columns) for columns in (4, 6, 8, 2, 2, 5))
    copy = cpu.copy_columns
    calls = [(cpu.add, (p, a, a)), (copy, (b, 0, a, 0, 4)), (copy, (b, 4, p, 0, 2)), (cpu.scaled_conv2d_forward, (
        y, None, None, b, None)), (copy, (c, 0, b, 0, 6)), (copy, (c, 6, q, 0, 2))]
    return calls, (a, b, c, p, q, y), set(map(id, blocks))


def test_a_table_lies_where_it_would_be_copied_to():
    calls, (a, _, c, p, q, y), mine = chain()
    found = without_copies(calls, cpu.copy_columns, mine, [])
    assert [kernel.__name__ for kernel, _ in found] == [
        "add", "copy_columns", "copy_columns", "scaled_conv2d_forward", "copy_columns"]
    # The first table stays: a kernel that wants it whole reads it.
    assert found[0][1] == (p, a, a)
    assert [found[1][1][0] is c, found[2][1][0] is c, found[2][1][1] == 4, found[3][1][3] is c] == [True] * 4
    assert found[4][1][0] is c
    assert found[4][1][2] is q
    assert found[3][1][0] is y


@pytest.mark.parametrize("why", ["an output", "memory of others", "not the first column", "a part", "written before"])
def test_a_table_is_copied_where_it_must_be(why):
    calls, (_, b, c, *_), mine = chain()
    if why == "not the first column":
        calls[4] = cpu.copy_columns, (c, 2, b, 0, 6)
    elif why == "a part":
        calls[4] = cpu.copy_columns, (c, 0, b, 0, 5)
    elif why == "written before":
        calls.insert(0, (cpu.add, (c, c, c)))
    elif why == "memory of others":
        mine -= {id(b.base)}
    found = without_copies(calls, cpu.copy_columns, mine, [b] if why == "an output" else [])
    assert found == calls


def dense_block(dtype, size=9):
    """Normalization, ReLU, 1x1 and 3x3 convolutions, each beside all that came before, as in DenseNet."""
    kw = {"dtype": dtype}
    inputs = fc.Input((size, size, 8), dtype=dtype)
    x = layers.Conv2D(16, 3, padding="same", **kw)(inputs)
    for _ in range(4):
        y = layers.ReLU(**kw)(layers.BatchNormalization(**kw)(x))
        y = layers.Conv2D(24, 1, activation="relu", **kw)(y)
        y = layers.Conv2D(8, 3, padding="same", use_bias=False, **kw)(y)
        x = layers.Concatenate(**kw)([x, y])
    return fc.Model(inputs, layers.GlobalAveragePooling2D(**kw)(x))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_a_dense_block_predicts_the_same_with_fewer_copies(dtype, tolerance):
    fc.utils.set_random_seed(1)
    model, draw = dense_block(dtype), np.random.default_rng(2)
    for p in model.weights:
        p.assign(draw.uniform(0.5, 1.5, p.shape) if "variance" in p.name else draw.standard_normal(p.shape) / 4)
    x, other = draw.standard_normal((2, 3, 9, 9, 8)).astype(dtype)
    fc.config.set_fusion(False)
    expected = model.predict(x), model.predict(other)
    fc.config.set_fusion(True)
    assert sum(isinstance(step.node, ScaledConv) for step in model.prediction_graph().steps) == 4
    first = model.predict(x)
    for _ in range(3):
        np.testing.assert_array_equal(model.predict(x), first)
    np.testing.assert_allclose(first, expected[0], atol=tolerance * np.abs(expected[0]).max())
    np.testing.assert_allclose(model.predict(other), expected[1], atol=tolerance * np.abs(expected[1]).max())
    capture, = model._executable.replay._captures.values()
    assert isinstance(capture, Capture)
    copies = [args for kernel, args in capture.calls if kernel in {cpu.copy_columns, cpu.copy_columns.entry(args)}]
    assert len(copies) == 5  # what each block adds, and the first table, which a convolution wrote
    model.get_weights()
    model.weights[0].assign(model.weights[0].numpy() * 2)
    assert not np.array_equal(model.predict(x), first)
