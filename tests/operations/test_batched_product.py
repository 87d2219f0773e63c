"""Matrix products sample by sample, and dot products along axes, beside NumPy's."""

import numpy as np
import pytest

from fastcnn.operations.batched_product import batched_product, dot
from tests.operations.checking import look_over, normal


@pytest.mark.parametrize(("n", "rows", "columns", "c"), [(1, 3, 2, 4), (3, 2, 5, 4), (2, 1, 1, 6)])
def test_every_sample_has_a_product_of_its_own(n, rows, columns, c):
    look_over(batched_product, normal(n, rows, c), normal(n, columns, c, seed=1),
              expected=lambda a, b: np.einsum("nic,nkc->nik", a, b))


def test_no_sample_has_no_product():
    y, backward = batched_product(np.empty((0, 3, 4)), np.empty((0, 2, 4)))
    assert y.shape == (0, 3, 2)
    assert [g.shape for g in backward(y)] == [(0, 3, 4), (0, 2, 4)]


@pytest.mark.parametrize(("axes", "formula"), [
    ((1, 2), "nabc,nda->nbcd"), ((3, 2), "nabc,ndc->nabd"), ((2, 1), "nabc,nbd->nacd")])
@pytest.mark.parametrize("normalize", [False, True])
def test_vectors_lie_along_any_axis(axes, formula, normalize):
    lengths = {2: 4, 1: 3, 3: 5}
    left, right = normal(2, 3, 4, 5), normal(2, 6, 6, seed=1)
    shape = list(right.shape)
    shape[axes[1]] = lengths[axes[0]]
    right = normal(*shape, seed=1)

    def products(a, b):
        if normalize:
            a, b = (x / np.linalg.norm(x, axis=axis, keepdims=True) for x, axis in zip((a, b), axes, strict=True))
        return np.einsum(formula, a, b).reshape(2, -1, 6)

    look_over(lambda a, b: dot(a, b, axes, normalize), left, right, expected=products)


def test_a_vector_that_is_almost_zero_is_not_made_long():
    a = np.array([[1e-9, 0.0], [3e-7, 4e-7]]).reshape(2, 1, 2)  # shorter than 1e-7, and not
    y, _ = dot(a, np.ones((2, 1, 2)), (2, 2), normalize=True)
    np.testing.assert_allclose(y.ravel(), np.array([0.01, 1.4]) / np.sqrt(2), rtol=1e-9)
