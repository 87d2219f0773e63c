"""Resizing by tables of weights beside products with the matrices that they are, and repeated pixels beside NumPy's."""

import numpy as np
import pytest

from fastcnn import geometry
from fastcnn.geometry.interpolation import CUBIC, LINEAR, interpolation_taps
from fastcnn.geometry.pool import passes
from fastcnn.operations.resize import repeat_pixels, resize
from tests.operations.checking import look_over, normal


def _matrix(taps):
    """Return the weights of a table as a matrix (outputs, pixels)."""
    whole = np.zeros((len(taps.places), (taps.places.sum(1)).max()))
    for o, (first, count) in enumerate(taps.places):
        whole[o, first:first + count] = taps.weights[o, :count]
    return whole


@pytest.mark.parametrize("how", [LINEAR, CUBIC])
@pytest.mark.parametrize(("shape", "size"), [((2, 5, 3), (8,)), ((2, 5, 7, 3), (8, 4)), ((2, 4, 5, 3, 2), (3, 8, 7))])
def test_each_dimension_is_a_product_with_its_weights(shape, size, how):
    tables = [interpolation_taps(n, m, m / n, how, "float64") for n, m in zip(shape[1:-1], size, strict=True)]

    def products(x):
        for axis, (taps, _) in enumerate(tables, 1):
            matrix = _matrix(taps)
            x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
        return x

    y, _ = look_over(lambda x: resize(x, tables), normal(*shape), expected=products)
    assert y.shape == (shape[0], *size, shape[-1])


@pytest.mark.parametrize(("shape", "size"), [((2, 3, 4), (3,)), ((2, 3, 4, 2), (2, 3)), ((2, 3, 2, 4, 2), (2, 3, 2))])
def test_pixels_are_repeated(shape, size):
    y_shape = shape[0], *(n * k for n, k in zip(shape[1:-1], size, strict=True)), shape[-1]

    def repeated(x):
        for axis, k in enumerate(size, 1):
            x = np.repeat(x, k, axis)
        return x

    back = passes(y_shape, size, size, divisor=geometry.SUM)
    look_over(lambda x: repeat_pixels(x, back, y_shape), normal(*shape), expected=repeated)
