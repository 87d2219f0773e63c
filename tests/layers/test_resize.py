"""Images of another size: every rule beside its twin, and what is refused."""

import numpy as np
import pytest

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.interpolation import COORDINATES, ROUNDING
from tests.reference_interpolation import resized

X = np.random.default_rng(3).standard_normal((2, 6, 4, 2))
#: New lengths: larger, a broken factor, the same and one number; smaller; a whole factor.
SIZES = [(8, 7), (6, 1), (3, 2), (12, 8)]


def along(x, axis, *how):
    """Return an array with its numbers along an axis resized by the twin."""
    return np.apply_along_axis(lambda row: np.array(resized(list(row), *how)), axis, x)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_every_rule_agrees_with_its_twin(mode, coordinates):
    for size in SIZES:
        for rounding in ROUNDING if mode == "nearest" else ["floor"]:
            layer = layers.Resize(size, None, mode, coordinates, rounding, dtype="float64")
            want = X
            for axis, (n, m) in enumerate(zip(X.shape[1:3], size, strict=True), 1):
                want = along(want, axis, m, m / n, mode, coordinates, rounding)
            np.testing.assert_allclose(layer.predict(X), want, atol=1e-12)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize(("a", "antialias", "exclude"), [(-0.75, True, False), (-0.5, False, True), (-0.5, True, True)])
def test_coefficient_antialias_and_what_lies_outside_agree_with_their_twin(mode, a, antialias, exclude):
    layer = layers.Resize((2, 9), None, mode, cubic_coeff_a=a, antialias=antialias, exclude_outside=exclude,
                          dtype="float64")
    want = X
    for axis, (n, m) in enumerate(((6, 2), (4, 9)), 1):
        want = along(want, axis, m, m / n, mode, "half_pixel", "floor", a, antialias, exclude)
    np.testing.assert_allclose(layer.predict(X), want, atol=1e-12)


def test_a_scale_says_how_long_and_where():
    layer = layers.Resize(scale=(0.6, 2.3), dtype="float64")
    layer.build((None, 6, 4, 2))
    assert layer.output_shape == (None, 3, 9, 2)
    want = along(along(X, 1, 3, 0.6, "linear"), 2, 9, 2.3, "linear")
    np.testing.assert_allclose(layer.predict(X), want, atol=1e-12)
    assert layers.Resize(5, 1.2, dtype="float64")(X).shape == (2, 5, 5, 2)
    assert layer.for_shape((None, 10, 10, 2)).output_shape == (None, 6, 23, 2)


def test_a_volume_is_resized_along_all_three():
    x = X.reshape(1, 2, 6, 4, 2)
    want = along(along(along(x, 1, 3, 1.5, "linear"), 2, 4, 4 / 6, "linear"), 3, 5, 1.25, "linear")
    np.testing.assert_allclose(layers.Resize((3, 4, 5), dtype="float64").predict(x), want, atol=1e-12)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.Resize(), "expected a size such as .* got neither"),
    (lambda: layers.Resize((4, 0)), r"size to be a positive number or up to three, got \(4, 0\)"),
    (lambda: layers.Resize(()), "size to be a positive number"),
    (lambda: layers.Resize((2, 2, 2, 2)), "up to three"),
    (lambda: layers.Resize(2.5), "size to be an integer or several, got 2.5"),
    (lambda: layers.Resize(scale=0), "scale to be a positive number"),
    (lambda: layers.Resize(scale=(1.0, "2")), "scale to be a positive number"),
    (lambda: layers.Resize(scale=float("nan")), "scale to be a positive number"),
    (lambda: layers.Resize(4, interpolation="bilinear"), "'bilinear' is not known; .*linear"),
    (lambda: layers.Resize(4, nearest_mode="round"), "nearest_mode"),
    (lambda: layers.Resize(4, coordinate_transformation_mode="corners"), "align_corners"),
    (lambda: layers.Take([]), "an index at least"), (lambda: layers.Take([0], axis=0), "other than 0, the batch"),
    (lambda: layers.Take([0.5]), "indices to be an integer"), (lambda: layers.Slice(step=0), "step other than 0"),
    (lambda: layers.Reshape((-2, 5)), "positive integers, .* 0 for a size as it comes, got"),
    (lambda: layers.Reshape((-1, None)), "-1 or None for one of them at most"),
    (lambda: layers.Padding2D(1, "edge", value=2.0), 'value, and 0 but in mode "constant"'),
    (lambda: layers.Padding2D(1, "constant", value="a"), "expected a number for value"),
])
def test_an_argument_that_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(("make", "shape", "message"), [
    (lambda: layers.Resize((4, 4)), (5, 3), "a number for each of the 1 dimensions"),
    (lambda: layers.Resize(4), (3,), r"expected input \(N, L, C\)"),
    (lambda: layers.Resize(scale=0.1), (5, 5, 3), "something to be left"),
    (lambda: layers.Take([3]), (4, 4, 3), "indices of the 3 numbers along axis 3, got 3"),
    (lambda: layers.Take([0], axis=1, length=5), (4, 4, 3), "expected 5 numbers along axis 1, got 4"),
    (lambda: layers.Take([0], axis=4), (4, 4, 3), "an axis of the input"),
    (lambda: layers.Slice(-1, -2), (4, 4, 3), "which is none"),
    (lambda: layers.Slice(-9, None, -1), (4, 4, 3), "which is none"),
    (lambda: layers.Reshape((0, 2, 0)), (4, 6), "expected 0 in target_shape where the input"),
])
def test_a_shape_that_does_not_suit_is_refused(make, shape, message):
    with pytest.raises(ArgumentError, match=message):
        make().build((None, *shape))


@pytest.mark.parametrize("bounds", [(None, None, -1), (-2, None, -2), (3, 0, -1), (None, -4, -3), (-9, 9, 1)])
def test_a_slice_counts_as_pythons(bounds):
    got = layers.Slice(*bounds, axis=1, dtype="float64").predict(X)
    np.testing.assert_array_equal(got, X[:, slice(*bounds)])


def test_numbers_are_taken_by_their_index():
    got = layers.Take([5, -6, 5, 1], axis=1, dtype="float64").predict(X)
    np.testing.assert_array_equal(got, X[:, [5, 0, 5, 1]])
    mirrored = X.copy()
    mirrored[:, 0] = np.inf
    assert np.isfinite(layers.Take([1, 2], axis=1, dtype="float64").predict(mirrored)).all()
