"""Changes compiled into passes: what they give beside one layer after the other, and what decides it."""

import numpy as np
import pytest

from fastcnn import augmentation, layers
from fastcnn.augmentation.passes import Pass, passes
from fastcnn.errors import ArgumentError, DataError
from fastcnn.operations.augmentation.draws import Draws

X = np.random.default_rng(0).integers(0, 256, (12, 16, 14, 3)).astype(np.uint8)
AT = np.arange(12) + 100
ALL = [layers.Resizing(18, 15), layers.RandomFlip("horizontal"), layers.RandomRotation(0.1),
       layers.RandomTranslation(0.1, 0.1), layers.RandomZoom(0.2), layers.RandomShear(0.1, 0.1),
       layers.RandomBrightness(0.2), layers.RandomContrast(0.3), layers.RandomPCAColor(0.2),
       layers.RandomSaturation((0.4, 0.6)), layers.RandomHue(0.2), layers.RandomGrayscale(0.3),
       layers.RandomCrop(12, 11)]


def step_by_step(stages, x, indices, seed, epoch):
    """Return images after one layer and then the next, in float64, with colours as wide as they get."""
    draws, x = Draws((seed, epoch), indices), x.astype(np.float64)
    for number, stage in enumerate(stages):
        for change in stage.changes(draws.stage(number), x.shape[1:]):
            x = change.images(x)[0].copy()
    return x


def test_all_geometry_and_all_colours_are_one_pass():
    draws = Draws((1, 0), AT)
    changes = [change for number, stage in enumerate(ALL[:-1])
               for change in stage.changes(draws.stage(number), (18, 15, 3))]
    steps = passes(changes, len(AT))
    assert len(steps) == 1
    assert isinstance(steps[0], Pass)


def test_a_pass_is_what_its_layers_are_one_after_the_other_where_they_mix_no_pixels():
    wide = {"value_range": (-1e3, 1e3)}
    stages = [layers.RandomFlip("vertical"), layers.RandomFlip(), layers.RandomBrightness(0.1, **wide),
              layers.RandomContrast(0.3, **wide), layers.RandomSaturation((0.45, 0.55), **wide),
              layers.RandomHue(0.2, **wide), layers.RandomPCAColor(0.1, **wide), layers.RandomRGBShift(0.1, **wide)]
    got = augmentation.Pipeline(stages, seed=3, mean=(100, 110, 120), std=(50, 60, 70))(X, AT, 2)
    want = (step_by_step(stages, X, AT, 3, 2) - [100, 110, 120]) / [50, 60, 70]
    np.testing.assert_allclose(got, want, atol=2e-5 * np.abs(want).max())


def test_pixels_that_are_moved_twice_are_mixed_once():
    stages = [layers.RandomTranslation((0.03, 0.03), (0.05, 0.05), "wrap"), layers.RandomTranslation(
        (-0.03, -0.03), (-0.05, -0.05), "wrap")]
    back = augmentation.Pipeline(stages)(X, AT)
    np.testing.assert_allclose(back, X, atol=1e-4)
    assert np.abs(step_by_step(stages, X, AT, 0, 0) - X).max() > 10


def test_smooth_pictures_turned_moved_and_zoomed_at_once_are_those_moved_one_by_one():
    i, j = np.mgrid[:40, :40] / 40
    x = np.stack([200 * i, 255 * j, 100 * (i + j)], axis=-1)[None].repeat(6, axis=0).astype(np.float32)
    stages = [layers.RandomRotation(0.05, "nearest"), layers.RandomZoom(0.1, fill_mode="nearest"),
              layers.RandomShear(0.1, fill_mode="nearest"), layers.RandomBrightness(0.1, (-999, 999))]
    got = augmentation.Pipeline(stages, seed=5)(x, np.arange(6), 1)
    want = step_by_step(stages, x, np.arange(6), 5, 1)
    np.testing.assert_allclose(got[:, 10:-10, 10:-10], want[:, 10:-10, 10:-10], atol=0.01)


def test_an_image_is_changed_by_seed_epoch_and_number_alone(two_threads):
    pipeline = augmentation.Pipeline(ALL, seed=7, mean=120.0, std=60.0)
    whole = pipeline(X, AT, 3).copy()
    for k in (0, 5, 11):
        np.testing.assert_array_equal(pipeline(X[k:k + 1], AT[k:k + 1], 3)[0], whole[k])
    order = np.random.default_rng(1).permutation(12)
    np.testing.assert_array_equal(pipeline(X[order], AT[order], 3), whole[order])
    others = [pipeline(X, AT, 4), pipeline(X, AT + 1, 3), augmentation.Pipeline(ALL, 8, 120.0, 60.0)(X, AT, 3)]
    assert all((other != whole).any(axis=(1, 2, 3)).all() for other in others)
    many = np.tile(X, (8, 1, 1, 1)), np.arange(96)
    two_threads(1)
    alone = pipeline(*many, 3).copy()
    two_threads(2)
    np.testing.assert_array_equal(pipeline(*many, 3), alone)


def test_at_no_strength_a_batch_is_the_one_at_rest():
    stages = [layers.RandomRotation(0), layers.RandomTranslation(0, 0), layers.RandomZoom(0), layers.RandomShear(),
              layers.RandomPerspective(0.0, interpolation="nearest"), layers.RandomBrightness(0),
              layers.RandomContrast(0), layers.RandomSaturation((0.5, 0.5)), layers.RandomHue(0),
              layers.RandomGrayscale(0), layers.RandomRGBShift(0), layers.RandomPCAColor(0),
              layers.RandomColorJitter(brightness_factor=0, hue_factor=0)]
    for standard in ({}, {"mean": (100, 110, 120), "std": 60}):
        pipeline = augmentation.Pipeline(stages, **standard)
        np.testing.assert_array_equal(pipeline(X, AT), pipeline.at_rest(X))
    np.testing.assert_array_equal(augmentation.Pipeline(stages)(X, AT), X)


def test_at_rest_pictures_are_resized_cropped_in_the_middle_and_standardized():
    pipeline = augmentation.Pipeline([*ALL[:-1], layers.CenterCrop(12, 11)], mean=100, std=(50, 60, 70))
    want = layers.CenterCrop(12, 11)(layers.Resizing(18, 15)(X))
    np.testing.assert_allclose(pipeline.at_rest(X), (want - 100) / np.float32([50, 60, 70]), atol=1e-5)
    assert augmentation.Pipeline([]).at_rest(X).dtype == np.float32


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64, np.float32, bool])
def test_pictures_of_any_type_in_any_layout_and_read_only_are_taken_and_stay_as_they_were(kind):
    x = (X > 100) if kind is bool else X.astype(kind)
    pipeline, before = augmentation.Pipeline(ALL[1:4], seed=1), x.copy()
    want = pipeline(x.astype(np.float32), AT)
    np.testing.assert_allclose(pipeline(x, AT), want, atol=2e-5 * 255)
    np.testing.assert_array_equal(pipeline(np.asfortranarray(x), AT), pipeline(x, AT))
    frozen = x.copy()
    frozen.setflags(write=False)
    np.testing.assert_array_equal(pipeline(frozen, AT), pipeline(x, AT))
    np.testing.assert_array_equal(x, before)


def test_pictures_are_read_where_they_lie_in_a_file(tmp_path):
    np.save(tmp_path / "x.npy", X)
    pipeline = augmentation.Pipeline([layers.RandomRotation(0.1), layers.RandomContrast(0.2)], seed=1)
    want = pipeline(X, AT)
    for mode in ("r", "r+", "c"):
        x = np.load(tmp_path / "x.npy", mmap_mode=mode)
        np.testing.assert_array_equal(pipeline(x, AT), want)
        np.testing.assert_array_equal(pipeline(x[2:5], AT[2:5]), want[2:5])
    assert pipeline(X[:0], AT[:0]).shape == (0, 16, 14, 3)


def test_masks_boxes_and_labels_come_along():
    masks, labels = (X[..., :1] // 32).astype(np.int32), np.arange(12)
    boxes = [np.array([[2, 3, 9, 11.0]] * (k % 3)) for k in range(12)]
    pipeline = augmentation.Pipeline([layers.RandomFlip("horizontal"), layers.Resizing(32, 28, "nearest"),
                                      layers.RandomBrightness(0.3)], seed=2)
    out = pipeline.augmented(X, AT, 0, masks, boxes, labels)
    assert out.masks.dtype == np.int32
    assert out.masks.shape == (12, 32, 28, 1)
    np.testing.assert_array_equal(out.labels, labels)
    flipped = [k for k in range(12) if (out.masks[k, ::2, ::2] == masks[k, :, ::-1]).all()]
    assert 0 < len(flipped) < 12
    for k in range(12):
        assert (out.masks[k, ::2, ::2] == (masks[k, :, ::-1] if k in flipped else masks[k])).all()
        wanted = [10, 6, 24, 22] if k in flipped else [4, 6, 18, 22]
        np.testing.assert_allclose(out.boxes[k], [wanted] * (k % 3) if k % 3 else np.empty((0, 4)), atol=1e-9)


def test_other_ways_to_fill_and_constants_behind_colours_take_a_pass_of_their_own():
    turn = lambda mode: layers.RandomRotation((0.1, 0.1), mode, fill_value=9.0)
    bright = layers.RandomBrightness((0.2, 0.2), (-999, 999))
    for stages, count in (([turn("reflect"), turn("wrap")], 2), ([turn("constant"), turn("constant"), bright], 1),
                          ([bright, turn("constant")], 2), ([bright, turn("reflect"), bright], 1),
                          ([layers.RandomHue(0.5), turn("reflect")], 2), ([layers.RandomFlip(), turn("wrap")], 1),
                          ([layers.RandomHue(0.5), bright, layers.RandomHue(0.5)], 2),
                          ([layers.RandomHue(0.5), layers.RandomContrast(0.5)], 2),
                          ([layers.Resizing(8, 8), turn("reflect")], 1), ([layers.Resizing(8, 8), turn("wrap")], 2),
                          ([layers.Resizing(8, 8, antialias=True), turn("reflect")], 2)):
        draws, changes, shape = Draws((0, 0), AT), [], (16, 14, 3)
        for number, stage in enumerate(stages):
            changes += stage.changes(draws.stage(number), shape)
            shape = (*changes[-1].size_after(shape[:2]), 3)
        assert len(passes(changes, 12)) == count, stages
        got = augmentation.Pipeline(stages)(X, AT)
        want = step_by_step(stages, X, AT, 0, 0)
        if count == 2 and not isinstance(stages[-1], layers.RandomContrast):
            np.testing.assert_allclose(got, want, atol=2e-3)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: augmentation.Pipeline([layers.Rescaling(2.0)]), ArgumentError, "expected layers of augmentation"),
    (lambda: augmentation.Pipeline([], std=0), ArgumentError, "expected std to be above 0"),
    (lambda: augmentation.Pipeline([], mean="grey"), ArgumentError, "expected mean to be a number"),
    (lambda: augmentation.Pipeline([], seed=1.5), ArgumentError, "expected seed to be an integer"),
    (lambda: augmentation.Pipeline([], mean=(1, 2))(X, AT), ArgumentError, "expected one mean and std, or 3"),
    (lambda: augmentation.Pipeline([])(X[0], AT), DataError, r"expected images \(N, H, W, C\)"),
    (lambda: augmentation.Pipeline([])(X, AT[:3]), DataError, "a number for each of the 12 images"),
    (lambda: augmentation.Pipeline([])(X, AT / 2), DataError, "a number for each of the 12 images"),
    (lambda: augmentation.Pipeline([])(X, AT, 1.5), ArgumentError, "expected epoch to be an integer, got 1.5"),
    (lambda: augmentation.Pipeline([]).augmented(X, AT, labels=[1]), DataError, "expected 12 labels, one an image"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
