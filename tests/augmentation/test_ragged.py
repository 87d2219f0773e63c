"""Boxes and points that follow their pictures, through a pipeline and into a training."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.augmented_data import AugmentedData
from fastcnn.data import RaggedRows
from fastcnn.errors import ArgumentError, DataError

BLACK = {"fill_mode": "constant"}  # else mirrored squares are seen beyond the border
MOVES = {
    "flip": lambda: [layers.RandomFlip("horizontal_and_vertical")],
    "turn and move": lambda: [layers.RandomRotation(0.1, **BLACK), layers.RandomTranslation(0.2, 0.2, **BLACK)],
    "zoom": lambda: [layers.RandomZoom((-0.4, 0.4), (-0.4, 0.4), **BLACK)],
    "crop and resize": lambda: [layers.RandomCrop(24, 20), layers.Resizing(40, 30)],
    "colour": lambda: [layers.RandomBrightness(0.3), layers.RandomFlip()],
}


def _spots(seed=0, count=12, size=32):
    """Return black pictures, each with one bright square, its box and its middle."""
    rng = np.random.default_rng(seed)
    images, boxes = np.zeros((count, size, size, 1), np.uint8), np.zeros((count, 4))
    for k in range(count):
        x, y = rng.integers(10, size - 16, 2)
        images[k, y : y + 6, x : x + 6] = 255
        boxes[k] = x, y, x + 6, y + 6
    return images, boxes


@pytest.mark.parametrize("case", MOVES)
def test_boxes_and_points_are_where_the_picture_shows_them(case):
    images, boxes = _spots()
    pipeline = Pipeline(MOVES[case](), seed=3)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    moved = pipeline.augmented(images, np.arange(12), 1, boxes=boxes[:, None], points=middles[:, None])
    seen = 0
    for image, (box,), (point,) in zip(moved.images[..., 0], moved.boxes, moved.points, strict=True):
        rows, columns = np.nonzero(image > 100)
        if len(rows) and not (box[:2] == 0).any() and (box[2:] < [image.shape[1], image.shape[0]]).all():
            seen += 1
            middle = np.array([columns.mean(), rows.mean()]) + 0.5
            np.testing.assert_allclose(point, middle, atol=0.6)  # pixels that are half bright
            found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            assert (found >= box - 1).all() or case != "flip"
            np.testing.assert_allclose((box[:2] + box[2:]) / 2, point, atol=1e-9)
            assert (box[:2] - 1 <= found[:2]).all()
            assert (found[2:] <= box[2:] + 1).all()
    assert seen >= 4


def test_points_follow_an_elastic_transform_as_boxes_do():
    images, boxes = _spots()
    pipeline = Pipeline([layers.RandomElasticTransform(factor=1.0, scale=(0.3, 0.3))], seed=3)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    moved = pipeline.augmented(images, np.arange(12), 0, points=middles[:, None])
    still = 0
    for image, (point,), before in zip(moved.images[..., 0], moved.points, middles, strict=True):
        rows, columns = np.nonzero(image > 127)
        still += np.allclose(point, before, atol=1e-3)
        np.testing.assert_allclose(point, np.array([columns.mean(), rows.mean()]) + 0.5, atol=0.8)
    assert still < 6


def _detections(count=16, size=16):
    rng = np.random.default_rng(1)
    rows, offsets = [], [0]
    for _ in range(count):
        corners = rng.uniform(0, 10, (rng.integers(0, 4), 2))
        boxes = np.hstack([corners, corners + rng.uniform(2, 6, corners.shape)])
        rows.append(np.column_stack([boxes, rng.integers(0, 2, len(corners)), np.zeros(len(corners))]))
        offsets.append(offsets[-1] + len(corners))
    images = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return images, RaggedRows(np.vstack(rows), offsets, "boxes")


def _given(images, ys, pipeline):
    return AugmentedData([images], ys, [None], np.dtype(np.float32), "fit", None, {0: pipeline})


class Boxes(fc.losses.Loss):
    """Counts what it is given; the loss is the squared output."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
        self.seen.append(y_true.copy())
        return (y_pred**2).sum(-1), 2 * y_pred / len(y_pred) if wants_gradient else None


def _model(loss):
    fc.utils.set_random_seed(0)
    model = fc.Sequential([fc.Input((16, 16, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    model.compile(fc.optimizers.SGD(1e-3), loss)
    return model


def test_fit_hands_padded_rows_of_each_batch_to_the_loss():
    images, rows = _detections()
    loss = Boxes()
    _model(loss).fit(images / np.float32(255), rows, batch_size=5, epochs=1, shuffle=False, verbose=0)
    batches = [one for one in loss.seen if len(one) > 1 or len(one) == 16 % 5][-4:]
    assert [one.shape[0] for one in batches] == [5, 5, 5, 1]
    for k, batch in enumerate(batches):
        some = rows.of(slice(5 * k, 5 * k + 5))
        assert batch.shape[1] == max(1, *(len(one) for one in some), 0)
        for one, told in zip(some, batch, strict=True):
            np.testing.assert_array_equal(told[: len(one)], one)
            assert (told[len(one) :] == -1).all()


def test_a_pipeline_in_fit_moves_boxes_and_drops_those_of_which_little_is_left():
    images, rows = _detections()
    pipeline = Pipeline([layers.RandomTranslation((0.3, 0.3), (0.0, 0.0), fill_mode="constant")], least_share=0.5)
    loss = Boxes()
    _model(loss).fit(images, rows, batch_size=16, epochs=1, shuffle=False, verbose=0, augmentation=pipeline)
    told = next(one for one in reversed(loss.seen) if len(one) == 16)
    for one, seen in zip(rows.of(slice(None)), told, strict=True):
        down = np.add(one, [0, 4.8, 0, 4.8, 0, 0])
        heights = np.clip(16 - down[:, 1], 0, one[:, 3] - one[:, 1]) / (one[:, 3] - one[:, 1])
        kept = np.minimum(down[heights >= 0.5], [16, 16, 16, 16, 9, 9])
        np.testing.assert_allclose(seen[seen[:, 4] >= 0], kept, atol=1e-5)
    assert sum((seen[:, 4] >= 0).sum() for seen in told) < len(rows.rows)


def test_what_is_drawn_for_boxes_does_not_depend_on_batches_or_threads(two_threads):
    images, rows = _detections()
    pipeline = Pipeline([layers.RandomFlip(), layers.RandomRotation(0.2), layers.RandomContrast(0.2)], seed=4)
    data = _given(images, [rows], pipeline)
    found = []
    for threads, size in ((1, 16), (2, 3)):
        two_threads(threads)
        batches = list(data.batches(size, np.arange(16), epoch=2))
        found.append(([one[one[:, 4] >= 0] for batch in batches for one in batch.ys[0]],
                      np.concatenate([batch.xs[0] for batch in batches])))
    np.testing.assert_array_equal(found[0][1], found[1][1])
    for one, other in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_array_equal(one, other)
    stricter, moved = Pipeline(pipeline.stages, 4, least_share=0.9), RaggedRows(rows.rows + 1, rows.offsets, "boxes")
    for other, targets in ((stricter, rows), (pipeline, moved)):
        made = _given(images, [targets], other)
        assert made.digest() != data.digest()


def test_points_in_fit_stay_as_many_and_numbers_do_not_move():
    images, boxes = _spots()
    points = RaggedRows(np.column_stack([boxes[:, :2], np.arange(12)]), np.arange(13), "points")
    numbers = RaggedRows(np.ones((12, 5)), np.arange(13))
    pipeline = Pipeline([layers.RandomFlip("horizontal"), layers.RandomTranslation((0.9, 0.9), 0.0)], seed=1)
    data = _given(images, [points, numbers], pipeline)
    moved, still = next(data.batches(12, epoch=0)).ys
    np.testing.assert_array_equal(moved[:, 0, 2], np.arange(12))
    assert (moved[:, 0, 1] > 32).all()
    assert (still == 1).all()


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: Pipeline([], least_share=1.5), ArgumentError, "a least_share from 0 to 1, got 1.5"),
    (lambda: RaggedRows(np.zeros((2, 4)), [0, 1]), ArgumentError, "offsets that rise from 0 to R"),
    (lambda: RaggedRows(np.zeros((2, 3)), [0, 2], "boxes"), ArgumentError, "at least 4 columns for boxes, got 3"),
    (lambda: RaggedRows(np.zeros((2, 4)), [0, 2], "box"), ArgumentError, "kind: 'box' is not known"),
    (lambda: _model(Boxes()).fit(*_detections(), augmentation=Pipeline([layers.MixUp()]), verbose=0), DataError,
     "expected no mixing of images where there are boxes"),
    (lambda: _model(Boxes()).fit(_detections()[0] / 255.0, _detections()[1], class_weight={0: 2.0}, verbose=0),
     ArgumentError, "got rows of boxes"),
    (lambda: _model(Boxes()).fit(_detections()[0][:9] / 255.0, _detections()[1], verbose=0), DataError,
     "as many targets as samples, got 16 for 9"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_rows_are_taken_and_split_off_for_validation():
    images, rows = _detections()
    some = rows.take([3, 0])
    np.testing.assert_array_equal(some[0], rows[3])
    np.testing.assert_array_equal(some[-1], rows[0])
    loss = Boxes()
    _model(loss).fit(images / 255.0, rows, batch_size=4, epochs=1, validation_split=0.25, verbose=0)
    assert any(len(one) == 4 for one in loss.seen)
