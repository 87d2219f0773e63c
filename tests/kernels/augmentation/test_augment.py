"""Sampling and colours in one pass beside their twin, and beside SciPy and Pillow."""

import numpy as np
import pytest
from scipy import ndimage

from fastcnn.geometry import warp
from fastcnn.kernels.cpu.augmentation.augment import augment, color_backward, warp_backward
from fastcnn.kernels.cpu.augmentation.statistics import channel_means
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    slope,
    types,
    unwritten,
)

NONE, FREE = np.empty((0, 2)), np.array([-np.inf, np.inf])
NO_MAPS, NO_SCALES = np.empty((0, 3, 4)), np.empty((0, 3))


def still(dtype):
    return np.empty((0, 0, 0, 2), dtype)


def run(x, matrices, size=None, dtype=None, displacements=None, colors=NO_MAPS, turns=NONE, more=NO_MAPS, bounds=FREE,
        scales=NO_SCALES, geometry=None):
    """Return what the kernel writes, and what its twin does."""
    dtype = dtype or x.dtype
    y = unwritten(len(x), *(size or x.shape[1:3]), x.shape[3], dtype=dtype)
    moved = still(dtype) if displacements is None else displacements
    geometry = warp.sampling() if geometry is None else geometry
    arguments = (x, matrices.reshape(-1, 9), moved, colors, turns, more, bounds, scales, geometry)
    with inputs_unchanged(*arguments):
        augment(y, *arguments)
    return y, reference.augment(y, *arguments)


def askew(n, size, seed=0):
    """Return matrices that turn, stretch and move images, some of them beyond their borders."""
    draw = np.random.default_rng(seed)
    m = warp.rotations(draw.uniform(-1, 1, n), size) @ warp.zooms(draw.uniform(0.5, 1.6, n), draw.uniform(0.5, 1.6, n),
                                                                   size)
    return m @ warp.translations(draw.uniform(-4, 4, n), draw.uniform(-4, 4, n))


def pictures(n=3, h=9, w=11, c=3, seed=0, dtype=np.float32):
    """Return integers of 8 bits, which go with float32; for float64 numbers of its own."""
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, c)).astype(np.uint8 if dtype == np.float32 else dtype)


@types
@pytest.mark.parametrize("mode", warp.FILL_MODES)
@pytest.mark.parametrize("interpolation", warp.INTERPOLATIONS)
@pytest.mark.parametrize("shape", [(3, 9, 11, 3), (2, 5, 4, 1), (2, 1, 1, 3), (1, 6, 7, 4), (0, 4, 4, 3)], ids=str)
def test_sampling_agrees_with_its_twin(shape, interpolation, mode, dtype):
    x, matrices = random(*shape, dtype=dtype), askew(shape[0], shape[1:3])
    y, want = run(x, matrices, (7, 8), geometry=warp.sampling(interpolation, mode, 0.75))
    assert_close(y, want)


@types
def test_integers_perspective_and_displacements_agree_with_their_twin(dtype):
    x = pictures(dtype=dtype)
    start = np.broadcast_to([[0, 0], [10, 0], [0, 8], [10, 8]], (3, 4, 2)).astype(float)
    matrices = warp.perspectives(start, start + np.random.default_rng(1).uniform(-2, 2, start.shape))
    moved = random(3, 9, 11, 2, dtype=dtype, seed=2)
    assert_close(*run(x, matrices, dtype=dtype))
    assert_close(*run(x, matrices, dtype=dtype, displacements=moved, geometry=warp.sampling("bilinear", "constant", 9)))
    assert_close(*run(x, askew(3, (9, 11)), dtype=dtype))


@types
def test_colors_agree_with_their_twin(dtype):
    x, matrices = pictures(2, 5, 6, dtype=dtype), askew(2, (5, 6))
    draw = np.random.default_rng(3)
    colors, more = draw.normal(size=(2, 3, 4)) + 2 * np.eye(3, 4), draw.normal(size=(2, 3, 4))
    turns, scales = np.array([[2.5, 0.4], [-1.25, 1.7]]), draw.normal(size=(2, 3))
    bounds = np.array([0.0, 255.0])
    for given in ({"colors": colors}, {"colors": colors, "bounds": bounds, "scales": scales}, {"turns": turns},
                  {"turns": turns, "bounds": bounds}, {"turns": turns, "more": more, "scales": scales},
                  {"colors": colors, "turns": turns, "more": more, "bounds": bounds, "scales": scales}):
        assert_close(*run(x, matrices, dtype=dtype, **given), factor=4)  # of differences of large numbers


@types
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_numbers_of_channels_have_maps_of_their_own(channels, dtype):
    x, draw = pictures(2, 4, 5, channels, dtype=dtype), np.random.default_rng(4)
    colors, scales = draw.normal(size=(2, channels, channels + 1)), draw.normal(size=(2, channels))
    assert_close(*run(x, warp.identities(2), dtype=dtype, colors=colors, bounds=np.array([0.0, 200.0]), scales=scales))


@types
def test_the_way_back_of_sampling_agrees_with_its_twin_and_with_differences(dtype):
    for interpolation in warp.INTERPOLATIONS:
        for mode in warp.FILL_MODES:
            geometry, matrices = warp.sampling(interpolation, mode, 0.5), askew(2, (5, 4)).reshape(-1, 9)
            x, dy = random(2, 5, 4, 2, dtype=dtype), random(2, 6, 3, 2, dtype=dtype, seed=1)
            moved = random(2, 6, 3, 2, dtype=dtype, seed=2)
            dx = unwritten(*x.shape, dtype=dtype)
            warp_backward(dx, dy, matrices, moved, geometry)
            assert_close(dx, reference.warp_backward(dx, dy, matrices, moved, geometry))
    if dtype == np.float64:
        y = lambda x: run(x, matrices, (6, 3), displacements=moved, geometry=geometry)[0]
        np.testing.assert_allclose(dx, slope(y, x, dy), atol=1e-6)


@pytest.mark.parametrize("channels", [3, 1, 2])
def test_the_way_back_of_colors_agrees_with_differences(channels):
    draw, x = np.random.default_rng(5), random(2, 6, 5, channels) + 3
    dy, bounds = random(*x.shape, seed=6), np.array([0.5, 9.0])
    turns = np.array([[2.5, 0.4], [-0.75, 30.0]]) if channels == 3 else NONE
    colors = draw.normal(size=(2, channels, channels + 1)) * 0.3 + np.eye(channels, channels + 1)
    for given in ((colors, NONE, bounds), (NO_MAPS, turns, bounds), (colors, turns, FREE)):
        dx, sums = unwritten(*x.shape), unwritten(2, channels)
        color_backward(dx, sums, dy, x, *given)
        want = reference.color_backward(dy, x, *given)
        np.testing.assert_allclose(dx, want[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(sums, want[1], rtol=1e-5, atol=1e-5)


def test_what_changes_nothing_keeps_the_bits():
    x = pictures(2, 8, 9)
    for m in (warp.identities(2), warp.rotations(np.zeros(2), (8, 9)), warp.zooms(np.ones(2), np.ones(2), (8, 9))):
        y, _ = run(x, m, dtype=np.dtype(np.float32), colors=np.broadcast_to(np.eye(3, 4), (2, 3, 4)).copy(),
                   turns=np.array([[0.0, 1.0]] * 2), bounds=np.array([0.0, 255.0]))
        np.testing.assert_array_equal(y, x)


def test_mirrored_and_moved_by_whole_pixels_a_picture_keeps_its_numbers():
    x, true, false = pictures(1, 8, 9), np.array([True]), np.array([False])
    kind = np.dtype(np.float32)
    np.testing.assert_array_equal(run(x, warp.flips(true, false, (8, 9)), dtype=kind)[0], x[:, :, ::-1])
    np.testing.assert_array_equal(run(x, warp.flips(true, true, (8, 9)), dtype=kind)[0], x[:, ::-1, ::-1])
    there = warp.translations(np.array([2.0]), np.array([-3.0]))
    np.testing.assert_array_equal(run(x, there, dtype=kind)[0][:, :5, 2:], x[:, 3:, :-2])
    np.testing.assert_array_equal(run(x, warp.crops(np.array([2.0]), np.array([1.0])), (4, 5), kind)[0], x[:, 2:6, 1:6])


@pytest.mark.parametrize(("mode", "scipys"), [("reflect", "reflect"), ("mirror", "mirror"), ("nearest", "nearest"),
                                              ("wrap", "grid-wrap"), ("constant", "grid-constant")])
def test_turned_and_stretched_pictures_are_those_of_scipy(mode, scipys):
    x = random(1, 15, 12, 3)
    m = askew(1, (15, 12), 8)
    y, _ = run(x, m, geometry=warp.sampling("bilinear", mode, 0.25))
    swapped = m[0][[1, 0]][:, [1, 0, 2]]  # rows first
    for k in range(3):
        want = ndimage.affine_transform(x[0, :, :, k], swapped[:, :2], swapped[:, 2], order=1, mode=scipys, cval=0.25)
        np.testing.assert_allclose(y[0, :, :, k], want, atol=1e-12)


def test_a_picture_turned_and_in_perspective_is_that_of_pillow():
    image = pytest.importorskip("PIL.Image")
    x = pictures(1, 40, 50)
    start = np.array([[[0, 0], [49, 0], [0, 39], [49, 39]]], float)
    m = warp.perspectives(start, start + np.array([[[3, 2], [-4, 5], [2, -6], [-3, -4]]], float))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    for matrix in (warp.rotations(np.array([0.3]), (40, 50)), m):
        theirs = half @ matrix[0] @ np.linalg.inv(half)  # Pillow counts from the edges of pixels
        theirs = (theirs / theirs[2, 2]).reshape(-1)[:8]
        picture = image.fromarray(x[0]).transform((50, 40), image.Transform.PERSPECTIVE, tuple(theirs),
                                                  image.Resampling.BILINEAR)
        y = run(x, matrix, dtype=np.dtype(np.float32), geometry=warp.sampling("bilinear", "nearest"))[0][0]
        inner = np.abs(np.asarray(picture).astype(float) - y)[6:-6, 8:-8]
        assert inner.max() <= 1  # Pillow rounds its numbers down


def test_means_of_channels_agree_with_their_twin():
    for x in (pictures(3, 5, 7), random(2, 30, 40, 2, dtype=np.float32), random(2, 1, 3, 4)):
        means = unwritten(len(x), x.shape[3])
        channel_means(means, x)
        np.testing.assert_allclose(means, reference.channel_means(x), rtol=1e-12)


def test_sampling_gives_the_same_bits_from_any_number_of_threads():
    x, matrices = pictures(24, 32, 32), askew(24, (32, 32)).reshape(-1, 9)
    colors, turns = np.broadcast_to(np.eye(3, 4) + 0.1, (24, 3, 4)).copy(), np.full((24, 2), 0.7)
    dy = random(24, 32, 32, 3, dtype=np.float32)

    def all_of_it():
        y, dx, dz, sums = (np.empty(x.shape, np.float32), np.empty(x.shape, np.float32), np.empty(x.shape, np.float32),
                           np.empty((24, 3)))
        augment(y, x, matrices, still(np.float32), colors, turns, NO_MAPS, FREE, NO_SCALES, warp.sampling())
        warp_backward(dx, dy, matrices, still(np.float32), warp.sampling())
        color_backward(dz, sums, dy, y, colors, turns, FREE)
        return y, dx, dz, sums

    assert_same_bits(all_of_it)


def test_an_image_has_the_same_bits_in_any_batch():
    x, matrices = pictures(5, 20, 17), askew(5, (20, 17))
    whole = run(x, matrices, dtype=np.dtype(np.float32))[0]
    for k in range(5):
        one = run(x[k:k + 1], matrices[k:k + 1], dtype=np.dtype(np.float32))[0]
        np.testing.assert_array_equal(one, whole[k:k + 1])


def test_sampling_compiles_once_a_type():
    for dtype in TYPES:
        x, sums = np.zeros((1, 2, 2, 3), dtype), np.zeros((1, 3))
        color_backward(x.copy(), sums, x, x, NO_MAPS, NONE, FREE)
        warp_backward(x.copy(), x, warp.identities(1).reshape(1, 9), still(dtype), warp.sampling())
        run(x, warp.identities(1))
    run(pictures(1), warp.identities(1), dtype=np.dtype(np.float32))
    assert_one_specialization_a_type(warp_backward, color_backward)
    assert len(augment.signatures) == 3  # float32 from integers as well
