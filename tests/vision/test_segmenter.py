"""A segmenter: trained by its recipe, asked, judged, saved, and given what is no picture."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("skimage")

from scipy import ndimage

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import segmentation


def _discs(count=4, seed=0, sizes=((40, 48),), kind="instances"):
    """Return pictures with bright discs, the last with none; as classes large ones are another."""
    draw = np.random.default_rng(seed)
    images, masks = [], []
    for k in range(count):
        h, w = sizes[k % len(sizes)]
        rows, columns = np.mgrid[:h, :w]
        mask = np.zeros((h, w), np.int32)
        for number in range(1, 1 if k == count - 1 else 5):
            row, column, radius = draw.integers(0, h), draw.integers(0, w), draw.integers(4, 9)
            disc = (rows - row) ** 2 + (columns - column) ** 2 <= radius ** 2
            if not mask[disc].any():  # they touch, but none covers another
                mask[disc] = number if kind == "instances" else 1 + (radius > 6)
        images.append((draw.integers(0, 40, (h, w, 1)) + 80 * np.minimum(mask, 2)[..., None] * (
            1 if kind == "classes" else 0) + (kind == "instances") * 150 * (mask > 0)[..., None]).astype(np.uint8))
        masks.append(mask)
    return fc.datasets.MaskedImages(images, masks, tuple(f"{k}.png" for k in range(count)),
                                    np.array([one.shape[:2] for one in images]), kind)


def _trained(part, epochs=60, **more):
    recipe = segmentation.unet_recipe(part, seed=1, size=24, filters=8, depth=2, batch_size=4, learning_rate=1e-2,
                                      epochs=epochs, **more)
    losses = recipe.fit(verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    return recipe.finish()


@pytest.fixture(scope="module")
def trained():
    """Return a segmenter that has learned discs on pictures of two sizes, one smaller than a patch."""
    return _trained(_discs(4, sizes=((40, 48), (61, 70))))


def test_a_recipe_learns_objects_on_pictures_of_several_sizes(trained):
    found = trained.evaluate(_discs(5, seed=3, sizes=((33, 58), (64, 40))))
    assert found["Dice"] > 0.9
    assert found["AP50"] > 0.7
    assert 0 < found["AP"] <= found["AP70"] <= found["AP50"]
    assert 0 < found["PQ"] <= 1
    np.testing.assert_allclose(found["IoU"], found["Dice"] / (2 - found["Dice"]))


def test_scores_are_those_of_the_metrics_and_unknown_pixels_do_not_count(trained):
    part = _discs(3, seed=5)
    got = [trained.segment(image) for image in part.images]
    metric = fc.metrics.InstanceAP(0.5)
    metric.update_state(list(part.masks), [one.objects for one in got])
    found = trained.evaluate(part)
    assert found["AP50"] == metric.result()
    inside, called = (np.concatenate([one.reshape(-1) for one in each]) > 0
                      for each in (part.masks, [one.classes for one in got]))
    np.testing.assert_allclose(found["Dice"], 2 * (inside & called).sum() / (inside.sum() + called.sum()))
    masks = [np.where((mask > 0) == (one.classes > 0), mask, -1) for mask, one in zip(part.masks, got, strict=True)]
    unknown = fc.datasets.MaskedImages(part.images, masks, part.files, part.sizes)
    assert trained.evaluate(unknown)["Dice"] == 1


def test_what_is_marked_has_the_size_of_the_picture_and_objects_within_their_pixels(trained):
    for size in ((17, 60), (1, 1), (50, 33)):
        found = trained.segment(np.random.default_rng(0).integers(0, 256, size).astype(np.uint8))
        assert found.classes.shape == found.objects.shape == found.probabilities.shape[:2] == size
        np.testing.assert_allclose(found.probabilities.sum(-1), 1, atol=1e-5)
        assert not found.objects[found.classes == 0].any()
        assert len(found) == len(found.areas()) == len(found.labels()) == len(list(found))
        assert len(found) == 0 or found.areas().min() >= trained.smallest
    several = trained.segment(list(_discs(2, sizes=((40, 48), (20, 31))).images))
    assert [one.classes.shape for one in several] == [(40, 48), (20, 31)]
    assert trained.segment(np.zeros((30, 30), np.uint8)).objects.max() == 0


def test_large_pictures_are_the_same_in_tiles_and_mirror_images_are_marked_alike(trained):
    picture = _discs(1, seed=8, sizes=((150, 139),)).images[0]
    in_tiles = segmentation.Segmenter(trained.model, trained.classes, tile=96).segment(picture)
    whole = segmentation.Segmenter(trained.model, trained.classes, tile=None).segment(picture)
    # Of small and of large pictures other algorithms may be the faster ones, which round in another way.
    np.testing.assert_allclose(in_tiles.probabilities, whole.probabilities, atol=1e-6)
    np.testing.assert_array_equal(in_tiles.objects, whole.objects)
    mirrored = segmentation.Segmenter(trained.model, trained.classes, flips=True)
    one, other = mirrored.segment(picture[:144, :136]), mirrored.segment(picture[:144, :136][:, ::-1])
    np.testing.assert_allclose(one.probabilities, other.probabilities[:, ::-1], atol=1e-6)


def test_a_threshold_is_tuned_by_the_best_dice_of_all(trained):
    part = _discs(3, seed=11)
    tuned = trained.tuned(part)
    assert tuned.settings() | {"threshold": 0} == trained.settings() | {"threshold": 0}
    dice = {t: segmentation.Segmenter(trained.model, trained.classes, **trained.settings() | {"threshold": t}).evaluate(
        part)["Dice"] for t in np.arange(6, 15) / 20}
    assert dice[tuned.threshold] == max(dice.values())
    fat = fc.datasets.MaskedImages(part.images, [ndimage.grey_dilation(m, 3) for m in part.masks],
                                   part.files, part.sizes)
    thin = fc.datasets.MaskedImages(part.images, [ndimage.grey_erosion(m, 5) for m in part.masks], part.files,
                                    part.sizes)
    assert trained.tuned(fat).threshold < trained.tuned(thin).threshold


def test_a_file_holds_all_of_it(trained, tmp_path):
    some = segmentation.Segmenter(trained.model, ("disc",), percentiles=(2, 99), threshold=0.4, prominence=0.2,
                                  smallest=7, tile=64, flips=True)
    some.save(tmp_path / "discs.safetensors")
    again = segmentation.Segmenter.load(tmp_path / "discs.safetensors")
    assert (again.settings(), again.classes) == (some.settings(), some.classes)
    picture = _discs(1, seed=9).images[0]
    np.testing.assert_array_equal(fc.vision.segment(tmp_path / "discs.safetensors", picture).objects,
                                  some.segment(picture).objects)
    fc.saving.save_model(trained.model, tmp_path / "alone.safetensors")
    with pytest.raises(DataError, match="a model without such settings; name another file"):
        fc.vision.segment(tmp_path / "alone.safetensors", picture)


def test_objects_are_drawn_with_a_line_around_and_the_picture_is_written(trained, tmp_path):
    pytest.importorskip("PIL")
    part = _discs(2, seed=2)
    found = trained.segment(part.images[0])
    drawn = found.draw(part.images[0], tmp_path / "found.png")
    grey = np.repeat(part.images[0], 3, -1)
    assert drawn.shape == grey.shape
    assert np.array_equal((drawn != grey).any(-1)[found.objects == 0], np.zeros((found.objects == 0).sum(), bool))
    assert (drawn != grey).any(-1)[found.objects > 0].mean() > 0.95
    assert np.array_equal(fc.datasets.rgb.read_rgb(tmp_path / "found.png"), drawn)
    with pytest.raises(ArgumentError, match="as was marked, got"):
        found.draw(np.zeros((5, 5), np.uint8))


def test_classes_are_learned_too_and_each_object_is_of_one():
    part = _discs(4, kind="classes")
    segmenter = _trained(part, 120, classes=("small", "large"), percentiles=None)
    assert not segmenter.has_rim
    scores = segmenter.evaluate(part)
    assert set(scores) == {"Dice", "IoU"}
    assert scores["Dice"] > 0.85
    assert {label for one in segmenter.segment(list(part.images)) for label in one.labels()} == {"small", "large"}
    with pytest.raises(DataError, match=r"expected classes up to 2, got 3 in 0.png"):
        segmenter.evaluate(fc.datasets.MaskedImages(part.images, [m * 3 for m in part.masks], part.files, part.sizes,
                                                    "classes"))


def test_batches_are_squares_of_the_pictures_and_what_is_beyond_them_weighs_nothing():
    part = _discs(3, sizes=((50, 100), (30, 20), (45, 41)))
    batches = segmentation.MaskBatches(part, 40, 16, percentiles=None)
    assert len(batches) == 1
    assert len(segmentation.MaskBatches(part, 20, 4)) == round((50 * 100 + 30 * 20 + 45 * 41) / (4 * 400))
    x, y, w = batches[0]
    assert (x.shape, y.shape, w.shape) == ((16, 40, 40, 1), (16, 40, 40, 3), (16, 40, 40))
    np.testing.assert_allclose(y.sum(-1), 1, atol=1e-6)
    places = [(pixels, mask) for pixels, mask in (
        (np.pad(image[..., 0], [(0, max(0, 40 - n)) for n in mask.shape], mode="edge"),
         np.pad(mask, [(0, max(0, 40 - n)) for n in mask.shape], constant_values=-1))
        for image, mask in zip(part.images, part.masks, strict=True))]
    sizes = set()
    for square, share, weights in zip(x[..., 0], y[..., 0], w, strict=True):
        found = [mask[i:i + 40, j:j + 40] if way == 0 else mask[i:i + 40, j:j + 40].T
                 for pixels, mask in places for i in range(pixels.shape[0] - 39) for j in range(pixels.shape[1] - 39)
                 for way in (0, 1) if pixels[i, j] == square[0, 0] and np.array_equal(
                     pixels[i:i + 40, j:j + 40] if way == 0 else pixels[i:i + 40, j:j + 40].T, square)]
        assert len(found) == 1
        np.testing.assert_array_equal(share == 0, found[0] > 0)
        np.testing.assert_array_equal(weights, found[0] >= 0)
        sizes.add(float(weights.sum()))
    assert sizes == {1600.0, 600.0}


def test_batches_are_others_in_each_epoch_and_the_same_again_from_where_it_stood():
    part = _discs(3)
    batches, fixed = (segmentation.MaskBatches(part, 24, 4, seed=3, batches=2, anew=anew) for anew in (True, False))
    first, second = batches[0][0], batches[1][0]
    assert (first != second).any()
    batches.on_epoch_end()
    fixed.on_epoch_end()
    later, state = batches[0][0], batches.get_state()
    assert (later != first).any()
    np.testing.assert_array_equal(fixed[0][0], first)
    again = segmentation.MaskBatches(part, 24, 4, seed=3, batches=2)
    again.set_state(state)
    np.testing.assert_array_equal(again[0][0], later)


def test_masks_and_weights_follow_what_a_pipeline_does():
    part = _discs(3)
    turned = fc.augmentation.Pipeline([layers.RandomFlip("horizontal")], seed=1)
    plain, moved = (segmentation.MaskBatches(part, 24, 8, w0=5.0, augmentation=one)[0] for one in (None, turned))
    flipped = 0
    for k in range(8):
        same = np.array_equal(plain[0][k], moved[0][k])
        flipped += not same
        for one, other in zip(plain, moved, strict=True):
            np.testing.assert_array_equal(other[k], one[k] if same else one[k][:, ::-1])
    assert 0 < flipped < 8
    with pytest.raises(ArgumentError, match="a pipeline that keeps squares of 24 pixels"):
        segmentation.MaskBatches(part, 24, augmentation=fc.augmentation.Pipeline([layers.RandomCrop(8, 8)]))


def _with(masks, kind="instances"):
    part = _discs(len(masks))
    return fc.datasets.MaskedImages(part.images, masks, part.files, part.sizes, kind)


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda s: segmentation.unet_recipe(_with([np.zeros((40, 48), np.int32)] * 2)), DataError,
     "expected objects to learn, got 2 pictures without a single one"),
    (lambda s: segmentation.unet_recipe(_with([np.ones((40, 47), np.int32)] * 2)), DataError,
     r"masks of the size of their pictures, got \(40, 47\) for \(40, 48\) in 0.png"),
    (lambda s: segmentation.unet_recipe(_with([np.full((40, 48), 2, np.int32)], "classes"), classes=("a",)), DataError,
     "expected classes up to 1, a, got 2 in a mask"),
    (lambda s: segmentation.unet_recipe(None), ArgumentError, "expected MaskedImages as train"),
    (lambda s: segmentation.unet_recipe(_discs(2).take(np.zeros(2, bool))), DataError, "expected at least one picture"),
    (lambda s: s.evaluate(_discs(2).take(np.zeros(2, bool))), DataError, "expected at least one picture"),
    (lambda s: s.evaluate(_with([np.ones((40, 47), np.int32)])), DataError, "in 0.png"),
    (lambda s: s.segment(np.zeros((4, 4))), ArgumentError, "of uint8, 0 to 255"),
    (lambda s: segmentation.Segmenter(s.model, ("a", "b", "c")), ArgumentError,
     r"\(None, H, W, 4\) of background and the classes a, b, c, or one more for their rims"),
    (lambda s: segmentation.Segmenter(segmentation.unet(2, size=(32, 32), filters=2), ("a",)), ArgumentError,
     "expected a model of pictures of any size"),
    (lambda s: segmentation.Segmenter(s.model, ("a",), percentiles=(99, 1)), ArgumentError, "percentiles that rise"),
    (lambda s: segmentation.Segmenter(s.model, ("a",), threshold=2), ArgumentError, "a threshold from 0 to 1"),
])
def test_what_cannot_be_is_told_in_a_sentence(call, error, text, trained):
    with pytest.raises(error, match=text):
        call(trained)


def test_a_picture_that_is_cut_off_is_told_in_a_sentence(trained, tmp_path):
    pytest.importorskip("PIL")
    whole = trained.segment(_discs(1).images[0])
    whole.draw(np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8), tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:len(content) // 2])
    assert trained.segment(tmp_path / "a.png").classes.shape == (40, 48)
    with pytest.raises(DataError) as told:
        trained.segment(tmp_path / "cut.png")
    assert "cut.png" in str(told.value)
    assert "\n" not in str(told.value)


def test_outputs_that_are_not_finite_are_told():
    model = segmentation.unet(2, filters=2, depth=1)
    model.get_layer("logits").bias.assign(np.full(2, np.nan))
    with pytest.raises(DataError, match="expected finite outputs"):
        segmentation.Segmenter(model, ("a",)).segment(np.zeros((8, 8), np.uint8))


def test_objects_of_one_pixel_and_pictures_without_any_are_learned_from():
    mask = np.zeros((40, 48), np.int32)
    mask[3, 4], mask[20:30, 20:30] = 1, 2
    recipe = segmentation.unet_recipe(_with([mask, 0 * mask]), size=24, filters=2, depth=1, epochs=2, w0=5.0)
    assert np.isfinite(recipe.fit(verbose=0).history["loss"]).all()
    assert recipe.finish().smallest == 1


def test_dev_pictures_are_judged_after_each_epoch_by_squares_that_stay():
    part = _discs(2)
    recipe = segmentation.unet_recipe(part, part, size=24, filters=2, depth=1, epochs=2, w0=10.0)
    assert recipe.validation_data[0][2].shape == (8, 24, 24)
    assert np.isfinite(recipe.fit(verbose=0).history["val_loss"]).all()


def test_fit_takes_weights_of_pixels_whose_pictures_a_pipeline_cuts():
    x, y = np.random.default_rng(0).random((4, 12, 12, 1), np.float32), np.zeros((4, 12, 12), np.int32)
    model = segmentation.unet(2, filters=2, depth=1)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, sample_weight=np.ones((4, 12, 12), np.float32), verbose=0,
              augmentation=fc.augmentation.Pipeline([layers.RandomCrop(8, 8)]))
    with pytest.raises(ArgumentError, match="expected sample_weight of shape"):
        model.fit(x, y, sample_weight=np.ones((4, 7, 7), np.float32), verbose=0)
