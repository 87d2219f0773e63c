"""A classifier over a page: one pass gives what it answers window by window."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError


def _flat():
    return [layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(2), layers.BatchNormalization(),
            layers.Conv2D(8, 3), layers.LeakyReLU(), layers.Flatten(), layers.Dropout(0.5),
            layers.Dense(12, activation="tanh"), layers.BatchNormalization(), layers.Dense(5, activation="softmax")]


def _pooled():
    return [layers.Conv2D(6, 3, 2, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(5)]


@pytest.mark.parametrize(("parts", "size", "shape"), [(_flat, (12, 14), (2, 7, 5, 5)),
                                                      (_pooled, (11, 13), (2, 8, 5, 5))])
def test_one_pass_over_a_page_equals_window_by_window(parts, size, shape):
    fc.utils.set_random_seed(2)
    model = fc.Sequential([fc.Input((*size, 2)), *parts()])
    draw = np.random.default_rng(0)
    for p in model.weights:
        p.assign(draw.uniform(0.3, 0.9, p.shape) if "variance" in p.name else draw.normal(0, 0.3, p.shape))
    page = draw.random((2, 25, 22, 2), np.float32)
    found = fc.vision.to_convolutional(model).predict(page, verbose=0)
    assert fc.vision.window_step(model) == (2, 2)
    assert found.shape == shape
    for i in range(shape[1]):
        for j in range(shape[2]):
            window = page[:, 2 * i:2 * i + size[0], 2 * j:2 * j + size[1]]
            np.testing.assert_allclose(found[:, i, j], model.predict(window, verbose=0), atol=1e-5)


def test_skips_and_models_inside_go_over_a_page():
    x = fc.Input((9, 9, 1))
    inner = fc.Sequential([fc.Input((9, 9, 1)), layers.Conv2D(3, 1, activation="relu"), layers.Conv2D(3, 3)])
    y = inner(x)
    y = layers.Concatenate()([y, layers.ReLU()(y)])
    model = fc.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    page = np.random.default_rng(0).random((1, 11, 10, 1), np.float32)
    found = fc.vision.to_convolutional(model).predict(page, verbose=0)
    assert found.shape == (1, 3, 2, 2)
    np.testing.assert_allclose(found[0, 2, 1], model.predict(page[:, 2:, 1:], verbose=0)[0], atol=1e-5)


@pytest.mark.parametrize(("layer", "told"), [
    (lambda: layers.Conv2D(2, 3, padding="same"), "without padding"),
    (lambda: layers.ZeroPadding2D(1), "expected convolutions"),
    (lambda: layers.MaxPooling2D(3, padding=((1, 0), (0, 0))), "without padding")])
def test_what_would_answer_otherwise_on_a_page_is_refused(layer, told):
    model = fc.Sequential([fc.Input((9, 9, 1)), layer(), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ArgumentError, match=told):
        fc.vision.to_convolutional(model)
