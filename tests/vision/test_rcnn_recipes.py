"""Recipes of networks of two stages: boxes with Faster R-CNN, objects marked pixel by pixel with Mask R-CNN."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import rcnn
from tests.vision.test_detection import NAMES, _pictures


def test_a_recipe_is_the_same_training_for_the_same_seed_and_goes_on():
    parts = _pictures(4), _pictures(3, seed=2)
    make = lambda **more: rcnn.faster_rcnn_recipe(*parts, seed=4, epochs=1, filters=4, regions=6, hidden=8, **more)
    recipes = [make() for _ in range(2)]
    histories = [recipe.fit(verbose=0).history for recipe in recipes]
    assert histories[0] == histories[1]
    assert {"loss", "proposals_loss", "val_regions_loss"} <= set(histories[0])
    detector = recipes[0].finish()
    assert detector.score_threshold == rcnn.RegionDetector(detector.model, NAMES).choose_threshold(parts[1]).threshold
    more = make(begin=detector)
    assert more.model is detector.model
    assert more.finish().grid.sides.tolist() == detector.grid.sides.tolist()
    with pytest.raises(ArgumentError, match="a detector with anchors"):
        make(begin=rcnn.RegionDetector(detector.model, NAMES))
    with pytest.raises(DataError, match="expected dev pictures of the classes cat, got square, bar"):
        rcnn.faster_rcnn_recipe(fc.datasets.BoxedImages([np.zeros((32, 48, 3), "uint8")], [[4, 4, 20, 24]], [0, 1], [0],
                                                        ("cat",), ("a.png",), [[32, 48]]), parts[1])


def _masked(count=4, seed=0, kind="instances"):
    """Return pictures with two bright blobs each, the first with none, and maps of them; some are dark."""
    draw = np.random.default_rng(seed)
    images, masks = [], []
    for k in range(count):
        mask = np.zeros((32, 48), np.int32)
        for number in range(1, 3 if k else 1):
            y, x = draw.integers(0, 20), draw.integers(0, 12) + 24 * (number - 1)
            mask[y:y + 12, x + 2:x + 10] = mask[y + 2:y + 10, x:x + 12] = number
        image = draw.integers(0, 20, (32, 48, 1)) + np.where(mask > 0, 180, 0)[..., None]
        images.append((image // (1 + 4 * (k % 2))).astype(np.uint8))
        masks.append(mask)
    return fc.datasets.MaskedImages(images, masks, tuple(f"{k}.png" for k in range(count)),
                                    np.array([[32, 48]] * count), kind)


@pytest.fixture(scope="module")
def segmenter():
    """Return what has learned four pictures by heart."""
    part = _masked()
    recipe = rcnn.mask_rcnn_recipe(part, part, seed=3, batch_size=4, learning_rate=4e-3, augment=False, filters=8,
                                   anchors=1, regions=12, hidden=32, mask_filters=8)
    history = recipe.fit(100, verbose=0).history
    assert {"masks_loss", "val_proposals_loss"} <= set(history)
    return recipe.finish()


def test_a_mask_rcnn_is_trained_by_its_recipe_and_marks_objects(segmenter, tmp_path):
    scores = segmenter.evaluate(_masked())
    assert min(scores["AP50"], scores["Dice"]) > 0.8
    assert set(scores) == {"Dice", "IoU", "AP", "AP50", "AP70", "PQ"}
    segmenter.threshold = 0.4
    segmenter.save(tmp_path / "blobs.safetensors")
    again = fc.vision.load(tmp_path / "blobs.safetensors")
    assert isinstance(again, rcnn.RegionSegmenter)
    assert (fc.vision.kind_of(tmp_path / "blobs.safetensors"), again.threshold, again.percentiles) == (
        "segmentation", 0.4, (1.0, 99.8))
    for one, other in zip(segmenter.segment(list(_masked().images)), again.segment(list(_masked().images)),
                          strict=True):
        np.testing.assert_array_equal(one.objects, other.objects)
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
    segmenter.detector.save(tmp_path / "detector.safetensors")
    with pytest.raises(DataError, match=r"RegionSegmenter\.load: expected a file that .* wrote"):
        rcnn.RegionSegmenter.load(tmp_path / "detector.safetensors")


def test_a_mask_rcnn_goes_on_and_pictures_of_any_size_are_put_into_one(segmenter):
    part = _masked(3)
    wide = np.pad(part.images[1], ((0, 0), (4, 4), (0, 0)))
    mixed = fc.datasets.MaskedImages([wide, part.images[2]], [np.pad(part.masks[1], ((0, 0), (4, 4))), part.masks[2]],
                                     ("a.png", "b.png"), np.array([[32, 56], [32, 48]]))
    recipe = rcnn.mask_rcnn_recipe(mixed, begin=segmenter)
    assert recipe.model is segmenter.model
    assert recipe.x.shape == (2, 32, 48, 1)
    maps = recipe.y["masks"]
    np.testing.assert_array_equal(maps[1], part.masks[2])
    for number in (1, 2):  # at 48 of 56 of the size
        share = (maps[0] == number).sum() / (part.masks[1] == number).sum()
        assert abs(share - (48 / 56) ** 2) < 0.05
    assert maps[0][:2].max() == maps[0][-2:].max() == 0
    assert recipe.finish().detector.grid.sides.tolist() == segmenter.detector.grid.sides.tolist()
    assert segmenter.prediction_model((32, 48)) is segmenter.model
    with pytest.raises(ArgumentError, match="the size that the network sees, got"):
        segmenter.prediction_model((64, 48))


def test_what_is_marked_agrees_with_itself(segmenter):
    found = segmenter.segment(np.repeat(np.repeat(_masked().images[1], 2, 0), 2, 1))  # of another size
    assert len(found) == 2
    assert found.objects.shape == (64, 96)
    assert ((found.objects > 0) == (found.classes == 1)).all()
    assert (found.probabilities[..., 1] >= segmenter.threshold)[found.objects > 0].all()
    np.testing.assert_allclose(found.probabilities.sum(-1), 1, atol=1e-6)
    assert found.labels() == ["object"] * 2
    assert len(segmenter.segment(_masked().images[0])) == 0


def test_an_object_that_others_hide_is_none():
    box, whole = np.array([[2, 2, 8, 8]] * 2 + [[4, 4, 10, 10]], np.float32), np.ones((3, 4, 4), np.float32)
    found = rcnn.MaskedDetections(box, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, int), ("cat",), whole,
                                  (12, 12)).segmentation()
    assert (len(found), found.areas().tolist()) == (2, [36, 20])
    full = rcnn.MaskedDetections(np.array([[0, 0, 4, 4]], np.float32), np.array([1], np.float32), np.zeros(1, int),
                                 ("cat",), whole[:1], (4, 4)).segmentation()
    assert full.objects.tolist() == [[1] * 4] * 4  # no background is left


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: rcnn.mask_rcnn_recipe(_pictures(2)), ArgumentError, "expected MaskedImages as train, .* got BoxedImages"),
    (lambda: rcnn.mask_rcnn_recipe(_masked(1)), DataError, "got 1 pictures without a single one"),
    (lambda: rcnn.mask_rcnn_recipe(_masked(2, kind="classes")), DataError, "expected masks of objects"),
    (lambda: rcnn.mask_rcnn_recipe(_masked(2), size=(36, 48)), ArgumentError, "a size of multiples of 8, twice"),
    (lambda: rcnn.mask_rcnn_recipe("pictures"), ArgumentError, "expected MaskedImages as train, .* got str"),
    (lambda: rcnn.mask_rcnn_recipe(_masked(2), percentiles=(9, 1)), ArgumentError, "two percentiles that rise"),
    (lambda: rcnn.RegionSegmenter("detector"), ArgumentError, "expected a RegionDetector of a mask_rcnn, got detector"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()
