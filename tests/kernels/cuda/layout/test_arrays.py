import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
add, copy_columns, gather, pad2d = map(on_cuda, (cuda.add, cuda.copy_columns, cuda.gather, cuda.pad2d))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8, np.int32, np.int64])
def test_gather_copies_and_converts_rows(kind):
    source = (10 * abs(random(5, 3))).astype(kind)
    for index in (np.array([4, 0, 4, 2]), np.empty(0, np.int64)):
        out = unwritten(len(index), 3, dtype=F)
        with inputs_unchanged(source, index):
            gather(out, source, index)
        np.testing.assert_array_equal(out, source[index].astype(F))


def test_add_adds_in_place_too():
    a, b, out = random(11, dtype=F), random(11, dtype=F, seed=1), unwritten(11, dtype=F)
    with inputs_unchanged(a, b):
        add(out, a, b)
    np.testing.assert_array_equal(out, reference.add(a, b).astype(F))
    add(a, a, b)
    np.testing.assert_array_equal(a, out)


@pytest.mark.parametrize(("rows", "to", "of", "columns"), [
    (3, 1, 2, 4), (1, 0, 0, 5), (2, 0, 1, 1), (0, 1, 1, 2), (2, 1, 1, 0)])
def test_copied_columns_leave_the_others_alone(rows, to, of, columns):
    out, source = random(rows, 6, dtype=F), random(rows, 7, dtype=F, seed=1)
    expected = reference.copy_columns(out, to, source, of, columns)
    with inputs_unchanged(source):
        copy_columns(out, to, source, of, columns)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("shape", "padded", "top", "left"), [
    ((2, 2, 3, 2), (2, 5, 4, 2), 1, 1), ((1, 1, 1, 3), (1, 1, 1, 3), 0, 0), ((1, 2, 2, 1), (1, 3, 5, 1), 1, 3)])
def test_images_are_padded_with_zeros(shape, padded, top, left):
    x, y = random(*shape, dtype=F), unwritten(*padded, dtype=F)
    with inputs_unchanged(x):
        pad2d(y, x, top, left)
    np.testing.assert_array_equal(y, reference.pad2d(padded, x, top, left))
