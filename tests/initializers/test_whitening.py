"""Whitening filters: against their definition, in a model that is saved, and with wrong arguments."""

import copy
import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import initializers, layers

EPSILON = 1e-9


def images(count=300, channels=3, seed=0):
    """Images whose neighbouring pixels and channels go together, as in photographs, and whose mean is not 0."""
    noise = np.random.default_rng(seed).standard_normal((count, 9, 8, channels))
    smooth = noise + np.roll(noise, 1, 1) + 0.5 * np.roll(noise, 1, 2)
    return (smooth @ (np.eye(channels) + 0.4) + 2).astype("float32")


def patches(x, height, width):
    """All patches (H', W') of images as rows of numbers, one by one."""
    return np.array([one[i:i + height, j:j + width].ravel() for one in x for i in range(x.shape[1] - height + 1)
                     for j in range(x.shape[2] - width + 1)], np.float64)


@pytest.mark.parametrize(("height", "width", "channels"), [(2, 2, 3), (3, 2, 1)])
def test_filters_make_patches_uncorrelated_with_variance_one(height, width, channels):
    x = images(channels=channels)  # more of them than are float64 at a time
    size = height * width * channels
    kernel = initializers.PatchWhitening(x, (height, width), EPSILON)((height, width, channels, 2 * size), "float64")
    answers = patches(x, height, width) @ kernel.reshape(size, -1)[:, :size]
    np.testing.assert_allclose(np.cov(answers.T, bias=True), np.eye(size), atol=1e-6)


def test_the_second_half_of_the_filters_is_the_first_one_with_minus():
    kernel = initializers.PatchWhitening(images())((2, 2, 3, 24))
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])


def test_fewer_filters_are_those_of_the_largest_eigenvalues():
    whitening = initializers.PatchWhitening(images(), 2, EPSILON)
    kernel, some = whitening((2, 2, 3, 24), "float64"), whitening((2, 2, 3, 10), "float64")
    np.testing.assert_array_equal(some, np.concatenate([kernel[..., :5], -kernel[..., :5]], 3))
    variances = 1 / np.square(kernel[..., :12]).sum((0, 1, 2))  # eigenvectors have length 1
    assert (np.diff(variances) < 0).all()
    largest = np.linalg.eigvalsh(np.cov(patches(images(), 2, 2).T, bias=True))[::-1]
    np.testing.assert_allclose(variances, largest, rtol=1e-6)


def test_noise_below_epsilon_is_not_made_loud():
    x = images(channels=1).repeat(3, 3)  # grey pictures: of 12 directions 8 have no variance at all
    kernel = initializers.PatchWhitening(x, epsilon=0.01)((2, 2, 3, 24))
    assert np.isfinite(kernel).all()
    assert np.abs(kernel).max() <= 1 / np.sqrt(0.01)


def test_a_model_with_whitening_is_saved_and_copied_without_the_images(tmp_path):
    x = images(20)
    model = fc.Sequential([fc.Input(x.shape[1:]), layers.Conv2D(
        24, 2, kernel_initializer=initializers.PatchWhitening(x), trainable=False), layers.Flatten(), layers.Dense(2)])
    config = json.loads(json.dumps(model.get_config()))
    model.save(tmp_path / "model.safetensors")
    again = [fc.saving.load_model(tmp_path / "model.safetensors"), copy.deepcopy(model)]
    for weights in (*(one.get_weights() for one in again), fc.Sequential.from_config(config).get_weights()[:1]):
        for found, expected in zip(weights, model.get_weights()):  # a new model has new weights behind the first layer
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("make", "message"), [
    (lambda x: initializers.PatchWhitening(x[0]), r"expected images \(N, H, W, C\) of numbers, at least 2 x 2, got"),
    (lambda x: initializers.PatchWhitening(x[:0]), r"got float32 of shape \(0, 9, 8, 3\)"),
    (lambda x: initializers.PatchWhitening(x, 9), "expected images .* at least 9 x 9, got"),
    (lambda x: initializers.PatchWhitening(x, epsilon=0), "expected a positive epsilon, got 0"),
    (lambda x: initializers.PatchWhitening(), "expected images, or the covariance of their patches, got neither"),
    (lambda x: initializers.PatchWhitening(covariance=np.eye(3)), "a square covariance, 4 rows for each channel, got"),
    (lambda x: initializers.PatchWhitening(x)((2, 2, 3, 26)), r"\(2, 2, 3, K\) .* an even K, at most 24, got"),
    (lambda x: initializers.PatchWhitening(x)((2, 2, 3, 7)), "an even K"),
    (lambda x: initializers.PatchWhitening(x)((2, 2, 1, 8)), r"got \(2, 2, 1, 8\)"),
    (lambda x: initializers.PatchWhitening(x)((2, 3, 24)), "expected a kernel"),
], ids=["no batch", "no images", "small images", "epsilon", "nothing", "covariance", "too many", "odd", "channels",
        "one dimension"])  # fmt: skip
def test_wrong_arguments_are_told(make, message):
    with pytest.raises((fc.errors.ArgumentError, fc.errors.DataError), match=message):
        make(images(2))
