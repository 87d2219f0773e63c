"""Resizing and CenterCrop: which part of a picture is taken, and what is refused."""

import numpy as np
import pytest

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry import framing

X = np.random.default_rng(3).standard_normal((2, 9, 6, 2))


def test_the_middle_is_a_part_of_the_image_with_the_odd_pixel_above_and_left_cut_less():
    y = layers.CenterCrop(4, 3, dtype="float64")(X)
    np.testing.assert_array_equal(y, X[:, 2:6, 1:4])
    np.testing.assert_array_equal(layers.CenterCrop(9, 6, dtype="float64")(X), X)


def test_of_a_smaller_image_the_largest_part_of_the_ratio_is_resized():
    y = layers.CenterCrop(12, 12, dtype="float64")(X)
    np.testing.assert_array_equal(y, layers.Resizing(12, 12, dtype="float64")(X[:, 1:7]))


def test_a_ratio_is_kept_by_cutting_or_by_a_border():
    cut = layers.Resizing(3, 5, crop_to_aspect_ratio=True, dtype="float64")(X)
    np.testing.assert_array_equal(cut, layers.Resizing(3, 5, dtype="float64")(X[:, 3:6]))
    framed = np.pad(X, ((0, 0), (0, 0), (4, 4), (0, 0)), constant_values=-2)
    wide = layers.Resizing(3, 5, pad_to_aspect_ratio=True, fill_value=-2, dtype="float64")(X)
    np.testing.assert_array_equal(wide, layers.Resizing(3, 5, dtype="float64")(framed))


def test_the_size_as_it_is_gives_the_image_as_it_is():
    for interpolation in ("bilinear", "nearest", "bicubic"):
        np.testing.assert_array_equal(layers.Resizing(9, 6, interpolation, dtype="float64")(X), X)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 7), (3, 8)])
@pytest.mark.parametrize("target", [(1, 1), (2, 5), (6, 4), (1, 12)])
def test_a_part_of_a_ratio_is_the_largest_that_fits_and_a_border_leaves_nothing_out(size, target):
    left = framing.with_border(size, framing.cut_to_ratio(size, target))
    assert 1 <= left[0] <= size[0]
    assert 1 <= left[1] <= size[1]
    assert left[0] == size[0] or left[1] == size[1]
    framed = framing.with_border(size, framing.padded_to_ratio(size, target))
    assert framed[0] == size[0] or framed[1] == size[1]
    assert framed[0] >= size[0]
    assert framed[1] >= size[1]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.Resizing(0, 4), "expected height to be a positive integer, got 0"),
    (lambda: layers.Resizing(4, 4, "lanczos3"), "'lanczos3' is not known"),
    (lambda: layers.Resizing(4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "expected one of"),
    (lambda: layers.Resizing(4, 4, fill_mode="reflect"), "fill_mode='reflect' is not offered"),
    (lambda: layers.Resizing(4, 4, fill_value=None), "expected a number for fill_value"),
    (lambda: layers.CenterCrop(4, 2.5), "expected width to be a positive integer, got 2.5"),
    (lambda: layers.CenterCrop(4, 2, data_format="channels_first"), "'channels_first' is not offered"),
    (lambda: layers.CenterCrop(4, 2).build((None, 4, 2)), r"expected input \(N, H, W, C\)"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
