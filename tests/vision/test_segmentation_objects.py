"""Pixels and objects: shares and weights beside slow twins, objects that are told apart, and laws of both."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("skimage")

from scipy import ndimage

from fastcnn.errors import ArgumentError
from fastcnn.vision import segmentation


def _blobs(seed, shape=(24, 31)):
    """Return a map of discs, some of which touch, with gaps among their numbers, one of a single pixel."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    objects = np.zeros(shape, np.int64)
    for k in range(7):
        middle, radius = draw.uniform((0, 0), shape), draw.uniform(1.5, 5)
        objects[(rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius ** 2] = 3 * k + 2
    objects[0, -1] = 99
    return objects


def _distances(objects, number):
    """Return the distance of each pixel to the nearest of an object, by looking at all of them."""
    rows, columns = np.nonzero(objects == number)
    i, j = np.mgrid[:objects.shape[0], :objects.shape[1]]
    return np.sqrt((i[..., None] - rows) ** 2 + (j[..., None] - columns) ** 2).min(-1)


@pytest.mark.parametrize("sigma", [0.7, 5.0])
def test_border_weights_are_those_of_the_formula_pixel_by_pixel(sigma):
    objects = _blobs(0)
    every = np.sort([_distances(objects, k) for k in np.unique(objects[objects > 0])], axis=0)
    want = 1 + 10 * np.exp(-(every[0] + every[1]) ** 2 / (2 * sigma ** 2))
    got = segmentation.border_weights(objects, sigma=sigma)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-6)  # of float32; what lies beyond six sigma is 2e-8
    share = (objects > 0).mean()
    balanced = segmentation.border_weights(objects, sigma=sigma, balance=True)
    np.testing.assert_allclose(balanced, want - 1 + np.where(objects > 0, 0.5 / share, 0.5 / (1 - share)), rtol=2e-6)


def test_without_two_objects_all_pixels_weigh_alike_and_unknown_ones_nothing():
    one = np.array([[0, 1, 1, -1]])
    assert segmentation.border_weights(one).tolist() == [[1, 1, 1, 0]]
    assert segmentation.border_weights(0 * one).tolist() == [[1, 1, 1, 1]]


def _shares(objects):
    """Return the shares of middles, by looking at all pixels that are not an object's."""
    found = np.zeros(objects.shape)
    i, j = np.mgrid[:objects.shape[0], :objects.shape[1]]
    for number in np.unique(objects[objects > 0]):
        own, (rows, columns) = objects == number, np.nonzero(objects != number)
        far = np.sqrt((i[..., None] - rows) ** 2 + (j[..., None] - columns) ** 2).min(-1) if len(rows) else own * 1.0
        found[own] = far[own] / far[own].max()
    return found


@pytest.mark.parametrize("objects", [_blobs(1), _blobs(2, (9, 40)), np.ones((4, 5), int), np.array([[1, 2, 2, 0]])])
def test_the_middle_of_an_object_is_its_distance_to_what_is_none_of_it(objects):
    got, inside = segmentation.pixel_shares(objects), objects > 0
    np.testing.assert_allclose(got[..., 1], _shares(objects), atol=1e-6)
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)
    assert np.array_equal(got[..., 0], ~inside)
    assert (got[..., 1][inside] > 0).all()
    assert all(got[..., 1][objects == k].max() == 1 for k in np.unique(objects[inside])), "one pixel has a middle, too"


def test_what_nobody_knows_and_an_empty_map_are_background():
    got = segmentation.pixel_shares(np.array([[-1, 0, 0]]))
    assert got[0].tolist() == [[1, 0, 0]] * 3


@pytest.mark.parametrize("seed", range(3))
def test_objects_are_connected_numbered_in_a_row_and_take_all_pixels_above_the_threshold(seed):
    chance = ndimage.gaussian_filter(np.random.default_rng(seed).random((40, 50)), 1.5)
    chance = (chance - chance.min()) / np.ptp(chance)
    for middle in (None, ndimage.gaussian_filter(chance, 1)):
        found = segmentation.mark_objects(chance, middle)
        assert np.array_equal(found > 0, chance > 0.5)
        numbers = np.unique(found)
        assert np.array_equal(numbers, np.arange(len(numbers)))
        assert all(ndimage.label(found == k)[1] == 1 for k in numbers[1:])
        sizes = np.bincount(found.reshape(-1))[1:]
        least = int(np.median(sizes)) + 1
        larger = segmentation.mark_objects(chance, middle, smallest=least)
        assert larger.max() == (sizes >= least).sum() < len(sizes)
        assert np.array_equal(larger > 0, np.isin(found, 1 + np.flatnonzero(sizes >= least)))
        fewer = [segmentation.mark_objects(chance, middle, prominence=p).max() for p in (0.05, 0.5, 2.0)]
        assert fewer == sorted(fewer, reverse=True)


def test_discs_that_touch_are_found_again_from_their_shares_and_nearly_all_from_their_mask():
    objects = np.zeros((40, 64), int)
    rows, columns = np.mgrid[:40, :64]
    discs = (12, 12, 8), (12, 27, 8), (28, 20, 8), (25, 45, 12), (3, 60, 2)
    for number, (row, column, radius) in enumerate(discs, 1):
        objects[(rows - row) ** 2 + (columns - column) ** 2 <= radius ** 2] = number
    shares = segmentation.pixel_shares(objects)
    for found in (segmentation.mark_objects(1 - shares[..., 0], shares[..., 1]),
                  segmentation.mark_objects(objects > 0)):
        for number in range(1, 6):
            own = objects == number
            best = np.bincount(found[own]).argmax()
            assert (own & (found == best)).sum() / (own | (found == best)).sum() > 0.9
        assert found.max() == 5


def test_nothing_above_the_threshold_is_no_object_and_one_pixel_is_one():
    assert segmentation.mark_objects(np.zeros((3, 4))).max() == 0
    assert segmentation.mark_objects(np.zeros((0, 4))).shape == (0, 4)
    assert segmentation.mark_objects(np.ones((1, 1)), np.zeros((1, 1))).tolist() == [[1]]


@pytest.mark.parametrize(("call", "text"), [
    (lambda: segmentation.mark_objects(np.zeros((2, 3, 1))), "expected maps"),
    (lambda: segmentation.mark_objects(np.zeros((2, 3)), np.zeros((3, 2))), "of one size"),
    (lambda: segmentation.mark_objects(np.zeros((2, 3)), prominence=0), "a prominence above 0"),
    (lambda: segmentation.border_weights(np.zeros((2, 3))), "a number for each object, got float64"),
    (lambda: segmentation.border_weights(np.zeros((2, 3), int), sigma=0), "a sigma above 0"),
    (lambda: segmentation.pixel_shares(np.zeros(3, int)), "expected a map"),
])
def test_what_is_no_map_is_refused(call, text):
    with pytest.raises(ArgumentError, match=text):
        call()
