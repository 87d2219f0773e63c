"""Layers that move pixels: what they draw, what they leave alone, and what is refused."""

import numpy as np
import pytest
from scipy import stats

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call
from fastcnn.operations.augmentation.draws import Draws

X = np.random.default_rng(0).uniform(0, 255, (6, 8, 7, 3)).astype(np.float32)

#: At no strength.
STILL = {
    "RandomRotation": lambda: layers.RandomRotation(0), "RandomTranslation": lambda: layers.RandomTranslation(0, 0.0),
    "RandomZoom": lambda: layers.RandomZoom(0), "RandomShear": lambda: layers.RandomShear(),
    "RandomPerspective": lambda: layers.RandomPerspective(scale=0),
    "none in perspective": lambda: layers.RandomPerspective(0.0),
    "RandomCrop": lambda: layers.RandomCrop(8, 7),
}  # fmt: skip

STRONG = {
    "RandomFlip": lambda **kw: layers.RandomFlip(**kw), "RandomRotation": lambda **kw: layers.RandomRotation(0.2, **kw),
    "RandomTranslation": lambda **kw: layers.RandomTranslation(0.2, 0.3, **kw),
    "RandomZoom": lambda **kw: layers.RandomZoom(0.3, 0.2, **kw),
    "RandomShear": lambda **kw: layers.RandomShear(0.3, 0.2, **kw),
    "RandomPerspective": lambda **kw: layers.RandomPerspective(0.9, 0.7, **kw),
    "RandomCrop": lambda **kw: layers.RandomCrop(5, 4, **kw),
}  # fmt: skip


@pytest.mark.parametrize("name", STILL)
def test_no_strength_gives_equal_bits(name):
    layer = STILL[name]()
    np.testing.assert_array_equal(layer(X), X)
    dy = np.random.default_rng(1).standard_normal(X.shape).astype(np.float32)
    np.testing.assert_array_equal(layer.forward(X)[1](dy), dy)


@pytest.mark.parametrize("name", STRONG)
def test_an_image_is_changed_the_same_at_its_place_in_any_batch_and_otherwise_in_each_step(name):
    layer = STRONG[name](seed=3)
    whole = layer.forward(X, Call(step=4))[0].copy()
    np.testing.assert_array_equal(layer.forward(X[:2], Call(step=4))[0], whole[:2])
    np.testing.assert_array_equal(STRONG[name](seed=3).forward(X, Call(step=4))[0], whole)
    assert any((layer.forward(X, Call(step=step))[0] != whole).any() for step in (0, 5))
    assert any((STRONG[name](seed=seed).forward(X, Call(step=4))[0] != whole).any() for seed in (1, 2))


@pytest.mark.parametrize("name", STRONG)
def test_masks_go_with_the_pixels_and_have_no_new_class(name):
    layer = STRONG[name](seed=3)
    pixels = np.arange(56, dtype=np.int64).reshape(1, 8, 7, 1).repeat(6, axis=0) + 70_000
    out = layer({"images": np.float32(pixels - 70_000).repeat(3, axis=-1), "segmentation_masks": pixels})
    masks = out["segmentation_masks"]
    assert masks.dtype == np.int64
    assert set(masks.ravel()) <= {0, *range(70_000, 70_056)}
    if name in ("RandomFlip", "RandomCrop"):  # to whole pixels
        np.testing.assert_array_equal(masks[..., 0] - 70_000, out["images"][..., 0])


def test_one_image_of_integers_and_a_dict_of_one_are_taken_and_inference_leaves_them():
    layer = layers.RandomRotation((0.1, 0.1))
    one = layer(X[0].astype(np.uint8))
    assert one.shape == X[0].shape
    np.testing.assert_array_equal(one, layer(X.astype(np.uint8).astype(np.float32))[0])
    data = layer({"images": X[0], "labels": 3, "segmentation_masks": X[0, ..., :1]})
    np.testing.assert_array_equal(data["images"], layer(X)[0])
    assert data["labels"] == 3
    assert data["segmentation_masks"].shape == (8, 7, 1)
    np.testing.assert_array_equal(layer(X, training=False), X)
    np.testing.assert_array_equal(layer.predict(X), X)
    np.testing.assert_array_equal(layer({"images": X}, training=False)["images"], X)


def test_a_box_holds_what_it_held():
    picture = np.zeros((1, 60, 50, 1), np.float32)
    picture[0, 20:30, 15:35] = 1
    boxes = {"boxes": np.array([[[15, 20, 35, 30.0]]])}
    for name, make in STRONG.items():
        layer = make(seed=5, bounding_box_format="xyxy")
        if name == "RandomCrop":
            layer = layers.RandomCrop(40, 35, seed=5, bounding_box_format="xyxy")
        out = layer({"images": picture, "bounding_boxes": boxes})
        rows, columns = np.nonzero(out["images"][0, :, :, 0] > 0.5)
        left, top, right, bottom = out["bounding_boxes"]["boxes"][0, 0]
        inside = (columns > left - 1) & (columns < right) & (rows > top - 1) & (rows < bottom)
        assert inside.all() or name in ("RandomRotation", "RandomTranslation", "RandomShear", "RandomZoom")  # reflected
        assert inside.sum() > 0.9 * len(inside), name


@pytest.mark.parametrize("form", ["xyxy", "rel_xyxy", "xywh", "center_xywh"])
def test_boxes_have_any_of_keras_s_forms(form):
    boxes = {"xyxy": [1, 2, 5, 6], "rel_xyxy": [1 / 7, 2 / 8, 5 / 7, 6 / 8], "xywh": [1, 2, 4, 4],
             "center_xywh": [3, 4, 4, 4]}[form]
    layer = layers.Resizing(16, 14, bounding_box_format=form)
    out = layer({"images": X[:1], "bounding_boxes": {"boxes": np.array([[boxes]], float)}})
    factor = 1 if form == "rel_xyxy" else 2
    np.testing.assert_allclose(out["bounding_boxes"]["boxes"][0, 0], factor * np.array(boxes), atol=1e-12)


def test_what_is_drawn_lies_evenly_in_its_range():
    draws = lambda: Draws((1, 2), np.arange(3000))
    turned = layers.RandomRotation((-0.1, 0.3)).changes(draws(), (8, 8, 3))[0].matrices
    angles = np.arctan2(turned[:, 1, 0], turned[:, 0, 0]) / (2 * np.pi)
    assert stats.kstest(angles, stats.uniform(-0.1, 0.4).cdf).pvalue > 1e-4
    moved = layers.RandomTranslation(0.5, (0.1, 0.2)).changes(draws(), (8, 10, 3))[0].matrices
    assert stats.kstest(-moved[:, 1, 2], stats.uniform(-4, 8).cdf).pvalue > 1e-4
    assert stats.kstest(-moved[:, 0, 2], stats.uniform(1, 1).cdf).pvalue > 1e-4
    zoomed = layers.RandomZoom(0.5).changes(draws(), (8, 10, 3))[0].matrices
    assert stats.kstest(zoomed[:, 0, 0], stats.uniform(0.5, 1).cdf).pvalue > 1e-4
    np.testing.assert_array_equal(zoomed[:, 0, 0], zoomed[:, 1, 1])
    cropped = layers.RandomCrop(5, 4).changes(draws(), (8, 10, 3))[0].matrices
    assert stats.chisquare(np.bincount(cropped[:, 1, 2].astype(int), minlength=4)).pvalue > 1e-4
    assert stats.chisquare(np.bincount(cropped[:, 0, 2].astype(int), minlength=7)).pvalue > 1e-4


def test_a_model_trains_with_augmentation_and_predicts_without(tmp_path):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((8, 7, 3)), layers.RandomFlip(), layers.RandomRotation(0.1),
                           layers.RandomCrop(6, 6), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = X / 255, np.array([0, 1, 0, 1, 0, 1])
    losses = [model.fit(x, y, epochs=2, verbose=0).history["loss"] for _ in range(2)]
    assert len({*losses[0], *losses[1]}) == 4
    resting = layers.RandomCrop(6, 6).predict(x)
    np.testing.assert_array_equal(model.predict(x), model.layers[-1](layers.Flatten()(resting)))
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fc.saving.load_model(tmp_path / "m.safetensors").predict(x), model.predict(x))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.RandomFlip("diagonal"), "'diagonal' is not known"),
    (lambda: layers.RandomRotation(1.5), "expected factor to be a number or two, from -1 to 1, got 1.5"),
    (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "expected factor to be a number or two"),
    (lambda: layers.RandomRotation("much"), "expected factor to be a number or two"),
    (lambda: layers.RandomRotation(0.1, "mirror"), "'mirror' is not known"),
    (lambda: layers.RandomRotation(0.1, interpolation="cubic"), "'cubic' is not known"),
    (lambda: layers.RandomTranslation(0.1, float("nan")), "expected width_factor to be"),
    (lambda: layers.RandomZoom(-1), "expected factors above -1"),
    (lambda: layers.RandomZoom(0.5, (-1, 0)), "expected factors above -1"),
    (lambda: layers.RandomShear(-0.1), "expected x_factor to be a number or two, from 0 to 1"),
    (lambda: layers.RandomPerspective(scale=2), "expected a number for scale, from 0 to 1, got 2"),
    (lambda: layers.RandomCrop(5, 0), "expected width to be a positive integer"),
    (lambda: layers.RandomFlip(seed=0.5), "expected seed to be an integer"),
    (lambda: layers.RandomFlip(data_format="channels_first"), "channels-last"),
    (lambda: layers.RandomFlip(bounding_box_format="yxyx"), "'yxyx' is not known"),
    (lambda: layers.RandomFlip()({"images": X, "masks": X}), "'masks' is not known"),
    (lambda: layers.RandomFlip()({"images": X, "bounding_boxes": {"boxes": np.zeros((6, 1, 4))}}),
     "expected bounding_box_format such as"),
    (lambda: layers.RandomFlip()(X[0, 0]), r"expected images \(N, H, W, C\) or one image"),
    (lambda: layers.RandomFlip()(np.array([["a"]])), "expected images"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
