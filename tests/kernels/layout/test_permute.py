import itertools

import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.geometry.permutation import is_view, permutation
from fastcnn.kernels.cpu.layout.permute import permute
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

# Channels to the front and back, wide and narrow; a matrix with edges on both sides; runs, long and short; all turned
# round; six dimensions; an empty array; what is a view.
CASES = [
    ((3, 20, 11, 40), (0, 3, 1, 2)), ((3, 40, 20, 11), (0, 2, 3, 1)), ((2, 31, 17, 3), (0, 3, 1, 2)),
    ((2, 3, 31, 17), (0, 2, 3, 1)), ((100, 77), (1, 0)), ((64, 64), (1, 0)), ((5, 17), (1, 0)), ((1, 200), (1, 0)),
    ((3, 9, 7, 40), (0, 2, 1, 3)), ((3, 9, 7, 2), (0, 2, 1, 3)), ((2, 3, 4, 5, 6, 7), (5, 4, 3, 2, 1, 0)),
    ((2, 3, 4, 5, 6, 7), (4, 2, 0, 3, 1, 5)), ((0, 3, 4), (0, 2, 1)), ((7,), (0,)), ((2, 3, 4), (0, 1, 2)),
    ((5, 300, 2, 3), (2, 0, 3, 1)), ((2, 20, 20, 18), (3, 0, 2, 1)),
]
cases = pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)


def _permute(x, axes):
    y = unwritten(*np.transpose(x, axes).shape, dtype=x.dtype)
    with inputs_unchanged(x):
        permute(y.reshape(-1), x.reshape(-1), permutation(x.shape, axes))
    assert_within(y)
    return y


@types
@cases
def test_permute_agrees_with_its_twin_and_with_numpy(shape, axes, dtype):
    x = random(*shape, dtype=dtype)
    y = _permute(x, axes)
    np.testing.assert_array_equal(y, np.transpose(x, axes))
    np.testing.assert_array_equal(y.reshape(-1), reference.permute(x.reshape(-1), permutation(shape, axes)))


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5, 6])
def test_every_permutation_of_few_and_many_elements(rank):
    draw = np.random.default_rng(rank)
    for axes in itertools.permutations(range(rank)):
        sizes = [1, 2, 3] if rank > 4 or PLAIN else [1, 2, 5, 17, 33]
        x = draw.standard_normal([int(draw.choice(sizes)) for _ in axes])
        np.testing.assert_array_equal(_permute(x, axes), np.transpose(x, axes))


def test_axes_that_stay_neighbours_are_one():
    g = permutation((8, 56, 56, 64), (0, 3, 1, 2))[0]
    assert (g["n4"], g["a"], g["sa"], g["b"], g["tb"]) == (8, 3136, 64, 64, 3136)
    g = permutation((2, 1, 3, 4, 5), (2, 0, 1, 3, 4))[0]
    assert (g["n3"], g["n4"], g["a"], g["sa"], g["b"]) == (2, 3, 20, 1, 1)


def test_what_keeps_its_order_is_a_view():
    assert is_view(permutation((4, 1, 5), (1, 0, 2)))
    assert is_view(permutation((3, 4), (0, 1)))
    assert is_view(permutation((), ()))
    assert not is_view(permutation((3, 4), (1, 0)))


def test_axes_that_are_no_permutation_or_too_many_are_refused():
    with pytest.raises(ArgumentError, match=r"expected a permutation of the 2 axes of \(3, 4\), got \(0, 0\)"):
        permutation((3, 4), (0, 0))
    with pytest.raises(ArgumentError, match="expected at most 7 axes that move, got 8"):
        permutation((2,) * 8, tuple(range(7, -1, -1)))


@cases
def test_permute_gives_the_same_bits_from_any_number_of_threads(shape, axes):
    x = random(*(4 * n for n in shape[:2]), *shape[2:], dtype=np.float32)
    assert_same_bits(lambda: (_permute(x, axes),))


def test_permute_compiles_once_a_type():
    for dtype in TYPES:
        _permute(random(3, 4, dtype=dtype), (1, 0))
    assert_one_specialization_a_type(permute)
