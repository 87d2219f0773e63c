import numpy as np
import pytest

from fastcnn.kernels.cpu.layout.arrays import add, copy_columns, gather, pad2d
from tests import reference
from tests.kernels.checking import assert_close, assert_same_bits, inputs_unchanged, many, random, types, unwritten


@types
@pytest.mark.parametrize("source_type", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("rows", "features"), [(0, 3), (1, 1), (5, 7), (300, 401)])
def test_gather_agrees_with_its_twin(rows, features, source_type, dtype):
    rows, features = many(rows), many(features)
    source = np.random.default_rng(0).integers(0, 200, (11, features)).astype(source_type)
    index = np.random.default_rng(1).integers(0, 11, rows)
    out = unwritten(rows, features, dtype=dtype)
    with inputs_unchanged(source, index):
        gather(out, source, index)
    np.testing.assert_array_equal(out, reference.gather(source, index))


@types
@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_add_agrees_with_its_twin(size, dtype):
    a, b = random(many(size), dtype=dtype), random(many(size), dtype=dtype, seed=1)
    out = unwritten(many(size), dtype=dtype)
    with inputs_unchanged(a, b):
        add(out, a, b)
    assert_close(out, reference.add(a, b))
    add(a, a, b)
    np.testing.assert_array_equal(a, out)


@types
@pytest.mark.parametrize(("rows", "widths", "to", "of", "columns"), [
    (0, (3, 4), 0, 1, 2), (1, (1, 1), 0, 0, 1), (7, (9, 5), 2, 1, 4), (1, (90_000, 80_000), 5000, 7, 79_000),
    (301, (300, 250), 40, 3, 247),
])
def test_copy_columns_agrees_with_its_twin(rows, widths, to, of, columns, dtype):
    rows = many(rows)
    out, source = random(rows, widths[0], dtype=dtype), random(rows, widths[1], dtype=dtype, seed=1)
    expected = reference.copy_columns(out, to, source, of, columns)
    with inputs_unchanged(source):
        copy_columns(out, to, source, of, columns)
    np.testing.assert_array_equal(out, expected)


PADDINGS = pytest.mark.parametrize(("shape", "border"), [
    ((0, 2, 2, 1), (1, 1, 1, 1)), ((1, 1, 1, 1), (0, 0, 0, 0)), ((2, 3, 4, 5), (1, 2, 3, 0)),
    ((9, 40, 40, 7), (0, 3, 2, 2)),
])


@types
@PADDINGS
def test_pad2d_agrees_with_its_twin(shape, border, dtype):
    top, bottom, left, right = border
    n, h, w, c = shape
    x, y = random(*shape, dtype=dtype), unwritten(n, h + top + bottom, w + left + right, c, dtype=dtype)
    with inputs_unchanged(x):
        pad2d(y, x, top, left)
    np.testing.assert_array_equal(y, reference.pad2d(y.shape, x, top, left))


def test_arrays_give_the_same_bits_from_any_number_of_threads():
    source, index = random(500, 700, dtype=np.float32), np.random.default_rng(0).integers(0, 500, 300)
    out, total = np.empty((300, 700), np.float32), np.empty(210_000, np.float32)

    def run():
        gather(out, source, index)
        add(total, out.reshape(-1), out.reshape(-1))
        return out, total

    assert_same_bits(run)
