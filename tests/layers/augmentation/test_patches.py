"""Layers that erase, mix, blur and stretch, and what becomes of labels and masks."""

import numpy as np
import pytest
from scipy import ndimage, stats

import fastcnn as fc
from fastcnn import augmentation, layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers import Call
from fastcnn.operations.augmentation.draws import Draws

X = np.random.default_rng(0).uniform(0, 255, (6, 12, 10, 3)).astype(np.float32)
ONE_HOT = np.eye(6, dtype=np.float32)

STILL = {
    "no image erased": lambda: layers.RandomErasing(0.0), "RandomNoise": lambda: layers.RandomNoise(0),
    "no image blurred": lambda: layers.RandomGaussianBlur(0), "no width": lambda: layers.RandomGaussianBlur(sigma=0),
    "no image stretched": lambda: layers.RandomElasticTransform(0),
    "no strength": lambda: layers.RandomElasticTransform((1, 1), 0),
    "nothing pasted": lambda: layers.CutMix(0.0, seed=1),
}  # fmt: skip


@pytest.mark.parametrize("name", STILL)
def test_no_strength_gives_equal_bits(name):
    layer = STILL[name]()
    y = layer(X)
    if name == "nothing pasted":  # of alpha 0 an image is all itself, or all another one
        assert {one.tobytes() for one in y} <= {one.tobytes() for one in X}
        return
    np.testing.assert_array_equal(y, X)
    dy = np.random.default_rng(1).standard_normal(X.shape).astype(np.float32)
    np.testing.assert_array_equal(layer.forward(X)[1](dy), dy)


def test_each_image_has_a_change_of_its_own_that_its_place_and_the_step_decide():
    for layer in (layers.RandomErasing((1, 1), seed=1), layers.RandomNoise(0.3, seed=1),
                  layers.RandomGaussianBlur((1, 1), 5, (0.4, 1), seed=1),
                  layers.RandomElasticTransform((1, 1), (0.5, 1), seed=1)):
        same = np.repeat(X[:1], 6, axis=0)
        whole = layer.forward(same, Call(step=4))[0].copy()
        assert len({one.tobytes() for one in whole}) == 6
        np.testing.assert_array_equal(layer.forward(same[:2], Call(step=4))[0], whole[:2])
        assert (layer.forward(same, Call(step=5))[0] != whole).any(axis=(1, 2, 3)).all()


def test_boxes_have_the_area_that_was_drawn_and_lie_anywhere():
    layer = layers.RandomErasing((1, 1), (0.1, 0.4), fill_value=0, seed=1)
    erased = layer(np.ones((2000, 40, 40, 1), np.float32))[..., 0] == 0
    areas = erased.mean(axis=(1, 2))
    assert 0.08 < areas.min() < 0.15
    assert 0.33 < areas.max() < 0.44
    parts = np.sqrt(np.random.default_rng(0).uniform(0.1, 0.4, (9999, 2))).prod(axis=1)
    assert abs(areas.mean() - parts.mean()) < 0.01
    middles = [np.mean(np.nonzero(one), axis=1) for one in erased]
    np.testing.assert_allclose(np.mean(middles, axis=0), 19.5, atol=0.5)
    some = layers.RandomErasing((0.3, 0.3), fill_value=(7, 8, 9), seed=1)(np.zeros((2000, 8, 8, 3)))
    assert stats.binomtest(int(some.any(axis=(1, 2, 3)).sum()), 2000, 0.3 * 0.97).pvalue > 1e-6  # some have no pixel
    assert {tuple(pixel) for pixel in some.reshape(-1, 3)} == {(0, 0, 0), (7, 8, 9)}


def test_a_pasted_box_is_the_partner_s_and_labels_have_its_area():
    x = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1) * np.ones((6, 20, 20, 1), np.float32)
    out = layers.CutMix((1, 1), seed=4)({"images": x, "labels": ONE_HOT, "segmentation_masks": x.astype(np.uint8)})
    np.testing.assert_array_equal(out["segmentation_masks"], out["images"])
    for k in range(6):
        shares = np.bincount(out["images"][k].astype(int).ravel(), minlength=6) / 400
        np.testing.assert_allclose(out["labels"][k], shares, atol=1e-6)
        assert np.count_nonzero(shares) <= 2


def test_mixed_images_and_labels_are_mixed_alike():
    x = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1) * np.ones((6, 4, 4, 1), np.float32)
    out = layers.MixUp(0.8, seed=4)({"images": x, "labels": ONE_HOT})
    np.testing.assert_allclose(out["labels"] @ np.arange(6), out["images"][:, 0, 0, 0], rtol=1e-5)
    assert (np.count_nonzero(out["labels"], axis=1) == 2).all()
    np.testing.assert_allclose(out["labels"].sum(axis=1), 1, rtol=1e-6)
    own = layers.MixUp(0.8).changes(Draws((1, 2), np.arange(3000)), (4, 4, 1))[0]
    assert stats.kstest(own.weights, stats.beta(0.8, 0.8).cdf).pvalue > 1e-4
    assert sorted(own.partners) == list(range(3000))
    assert (own.partners != np.arange(3000)).all()


def test_a_model_learns_from_mixed_labels_with_a_pipeline():
    x, labels = (X * np.arange(6).reshape(6, 1, 1, 1) / 6).astype(np.uint8), ONE_HOT
    pipeline = augmentation.Pipeline([layers.RandomFlip(), layers.MixUp(0.3), layers.CutMix()], seed=1, std=255.0)
    model = fc.Sequential([fc.Input((12, 10, 3)), layers.Flatten(), layers.Dense(6, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    for epoch in range(3):
        batch = pipeline.augmented(x, np.arange(6), epoch, labels=labels)
        np.testing.assert_allclose(batch.labels.sum(axis=1), 1, rtol=1e-6)
        counted = model.train_on_batch(batch.images, batch.labels, return_dict=True)["accuracy"]
        assert counted * 6 == round(counted * 6)  # images whose larger share was found
    again = pipeline.augmented(x[::-1], np.arange(6)[::-1].copy(), 2, labels=labels[::-1])
    np.testing.assert_array_equal(again.images[::-1], pipeline(x, np.arange(6), 2))


def test_blurred_images_are_those_of_scipy_inside():
    y = layers.RandomGaussianBlur((1, 1), 9, (1, 1), dtype="float64")(X)
    want = ndimage.gaussian_filter(X.astype(float), (0, 1, 1, 0), mode="constant", radius=4)
    np.testing.assert_allclose(y, want, rtol=1e-9)


def test_elastic_places_move_smoothly_and_masks_with_them():
    i, j = np.mgrid[:40, :40].astype(np.float32)
    ramp = np.stack([j, i, 0 * i], axis=-1)[None].repeat(4, axis=0)
    layer = layers.RandomElasticTransform((1, 1), (1, 1), fill_mode="nearest", seed=1)
    out = layer({"images": ramp, "segmentation_masks": ramp.astype(np.int32)})
    moved = (out["images"] - ramp)[..., :2]
    assert 0.3 < moved[:, 5:-5, 5:-5].std() < 6
    assert np.abs(np.diff(moved[:, 5:-5, 5:-5], axis=1)).max() < 0.5 * np.abs(moved).max()
    assert np.abs(out["segmentation_masks"] - out["images"])[..., :2].max() <= 0.51
    assert out["segmentation_masks"].dtype == np.int32


def test_elastic_boxes_hold_what_they_held():
    draw = np.random.default_rng(2)
    left, top = draw.integers(3, 15, (2, 6))
    right, bottom = left + draw.integers(6, 18, 6), top + draw.integers(6, 18, 6)
    i, j = np.mgrid[:40, :40]
    inside = [(a <= j) & (j < c) & (b <= i) & (i < d) for a, b, c, d in zip(left, top, right, bottom)]
    masks = np.stack(inside)[..., None].astype(np.int32)
    boxes = np.array([[box, (-9.0, -9, -8, -8)] for box in zip(left, top, right, bottom)])  # one is nowhere
    given = {"images": np.zeros((6, 40, 40, 1), "float32"), "segmentation_masks": masks,
             "bounding_boxes": {"boxes": boxes}}
    kind = {"fill_mode": "constant", "bounding_box_format": "xyxy", "seed": 4}
    out = layers.RandomElasticTransform((1, 1), (1, 1), **kind)(given)
    for mask, (box, nowhere), before in zip(out["segmentation_masks"], out["bounding_boxes"]["boxes"], boxes):
        rows, columns = np.nonzero(mask[..., 0])
        held = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(box - held).max() <= 1  # a place between two pixels is rounded by the mask
        assert not np.array_equal(box, before[0])
        assert not nowhere.any()
    assert np.array_equal(layers.RandomElasticTransform(0, **kind)(given)["bounding_boxes"]["boxes"], boxes)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: layers.RandomErasing(2), ArgumentError, "from 0 to 1, got 2"),
    (lambda: layers.RandomErasing(scale=(0.1, 1.5)), ArgumentError, "expected scale to be a number or two"),
    (lambda: layers.RandomErasing(fill_value=(1, 2)), ArgumentError, "expected fill_value to be a number or three"),
    (lambda: layers.RandomErasing(fill_value="x"), ArgumentError, "a number or three for fill_value"),
    (lambda: layers.RandomErasing(fill_value=(1, 2, 3))(X[..., :1]), ArgumentError, "expected images of 3 channels"),
    (lambda: layers.RandomNoise(-0.1), ArgumentError, "from 0 to 1"),
    (lambda: layers.RandomGaussianBlur(kernel_size=4), ArgumentError, "expected kernel_size to be an odd number"),
    (lambda: layers.RandomGaussianBlur(sigma=3), ArgumentError, "expected sigma to be a number or two, from 0 to 1"),
    (lambda: layers.RandomElasticTransform(fill_mode="edge"), ArgumentError, "'edge' is not known"),
    (lambda: layers.MixUp(0), ArgumentError, "expected an alpha above 0"),
    (lambda: layers.CutMix(1.5), ArgumentError, "from 0 to 1"),
    (lambda: layers.MixUp()({"images": X, "labels": np.arange(6)}), DataError, "expected one-hot labels"),
    (lambda: layers.MixUp()({"images": X, "segmentation_masks": X.astype(int)}), DataError, "expected masks of shares"),
    (lambda: layers.CutMix(bounding_box_format="xyxy")(
        {"images": X, "bounding_boxes": {"boxes": np.zeros((6, 1, 4))}}), DataError, "expected no boxes"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
