"""Four pictures in one: pixels, boxes and masks, and what decides which."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Mosaic, Pipeline
from fastcnn.augmented_data import AugmentedData
from fastcnn.data import RaggedRows
from fastcnn.errors import ArgumentError, DataError
from tests.augmentation.test_ragged import Boxes, _model

SIZE = 24, 32


def _spots(count=12, seed=0):
    """Return black pictures with one to three squares each, as bright as the picture's number says, and their boxes."""
    rng = np.random.default_rng(seed)
    images, rows, offsets = np.zeros((count, *SIZE, 1), np.uint8), [], [0]
    for k in range(count):
        for slot in range(rng.integers(1, 4)):
            x, y = 10 * slot + rng.integers(0, 4), rng.integers(0, SIZE[0] - 6)
            images[k, y : y + 6, x : x + 6] = 100 + k
            rows.append((x, y, x + 6, y + 6, k, 0))
        offsets.append(len(rows))
    return images, RaggedRows(rows, offsets, "boxes")


def _data(pipeline, ys=None):
    images, rows = _spots()
    return AugmentedData([images], [rows] if ys is None else ys, [None], np.dtype(np.float32), "fit", None,
                         {0: pipeline})


def _batch(pipeline, epoch=0, size=12):
    batches = list(_data(pipeline).batches(size, np.arange(12), epoch=epoch))
    return (np.concatenate([one.xs[0] for one in batches])[..., 0],
            [rows[rows[:, 4] >= 0] for one in batches for rows in one.ys[0]])


def test_boxes_are_where_the_joined_pictures_show_them():
    images, rows = _batch(Pipeline([], seed=1, least_share=0.0, mosaic=Mosaic()))
    several = 0
    for k, (image, some) in enumerate(zip(images, rows, strict=True)):
        expected = np.zeros(SIZE)
        for x1, y1, x2, y2, kind, _ in some.astype(int):
            expected[y1:y2, x1:x2] = 100 + kind
        np.testing.assert_array_equal(image, expected)
        assert k in some[:, 4] or not (image == 100 + k).any()
        several += len(set(some[:, 4])) > 1
    assert several > 6


def test_a_share_of_pictures_is_joined_and_at_rest_none():
    pipeline = Pipeline([], mosaic=Mosaic(share=0.5))
    plain, _ = _spots()
    changed = sum((one != other).any() for one, other in zip(_batch(pipeline)[0], plain[..., 0], strict=True))
    assert 3 <= changed <= 9
    np.testing.assert_array_equal(_batch(pipeline, epoch=None)[0], plain[..., 0])
    first = Pipeline([], mosaic=Mosaic(epochs=2))
    assert (_batch(first, epoch=1)[0] != plain[..., 0]).any()
    np.testing.assert_array_equal(_batch(first, epoch=2)[0], plain[..., 0])


def test_what_is_joined_depends_on_seed_epoch_and_picture_alone(two_threads):
    stages, found = [layers.RandomFlip(), layers.RandomZoom(0.3, fill_mode="constant")], []
    for threads, size, epoch, seed in ((1, 12, 3, 1), (2, 5, 3, 1), (1, 12, 4, 1), (1, 12, 3, 2)):
        two_threads(threads)
        found.append(_batch(Pipeline(stages, seed, mosaic=Mosaic()), epoch, size))
    (images, rows), again, *others = found
    np.testing.assert_array_equal(images, again[0])
    for one, other in zip(rows, again[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert all((images != other).any(axis=(1, 2)).all() for other, _ in others)
    digests = {Pipeline(stages, 1, mosaic=one).digest() for one in (None, Mosaic(), Mosaic(0.5), Mosaic(epochs=3))}
    assert len(digests) == 4


def test_what_mosaic_and_later_layers_leave_of_a_box_is_counted_together():
    # The point is the middle: of the second picture the left half is seen, of which a shift by 8 takes 8 more columns.
    class Second(Mosaic):
        def tiles(self, *given):
            tiles = super().tiles(*given)
            return tiles._replace(numbers=np.full_like(tiles.numbers, 1))

    images = np.zeros((2, *SIZE, 1), np.uint8)
    boxes = RaggedRows([[0, 0, 16, 12, 0, 0], [0, 0, 20, 12, 1, 0]], [0, 0, 2], "boxes")
    right = layers.RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")
    for least, expected in ((0.0, 2), (0.45, 1), (0.6, 0)):
        pipeline = Pipeline([right], least_share=least, mosaic=Second(middle=(0.5, 0.5)))
        data = AugmentedData([images], [boxes], [None], np.dtype(np.float32), "fit", None, {0: pipeline})
        rows = next(data.batches(2, np.arange(2), epoch=0)).ys[0][1]
        below = rows[(rows[:, 0] == 24) & (rows[:, 1] == 12)]  # at the lower right, 16 x 12 before and 8 x 12 after
        assert len(below) == expected  # 0.5 of the first box is left, 0.4 of the second


def test_masks_are_joined_as_their_pictures_are():
    images, _ = _spots()
    masks = (images[..., 0] > 0).astype(np.int64)
    batch = next(_data(Pipeline([layers.RandomFlip()], mosaic=Mosaic()), [masks]).batches(12, np.arange(12), epoch=0))
    np.testing.assert_array_equal(batch.ys[0], batch.xs[0][..., 0] > 0)
    assert (batch.ys[0] != masks).any()


def test_fit_trains_on_joined_pictures():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    rows, loss = RaggedRows([[2, 2, 9, 9, 0, 0]] * 6, np.arange(7), "boxes"), Boxes()
    _model(loss).fit(images, rows, batch_size=6, epochs=1, verbose=0, augmentation=Pipeline([], mosaic=Mosaic()))
    assert loss.seen[-1].shape[1] > 1


def _fit(y, **how):
    _model(Boxes()).fit(np.zeros((4, 16, 16, 3), np.uint8), y, verbose=0,
                        augmentation=Pipeline([], mosaic=Mosaic(**how)))


def _fit_batches():
    batches = ((np.zeros((2, 16, 16, 3), np.uint8), np.zeros((2, 1, 6), np.float32)) for _ in range(2))
    _model(Boxes()).fit(batches, steps_per_epoch=2, verbose=0, augmentation=Pipeline([], mosaic=Mosaic()))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: Mosaic(1.5), ArgumentError, "a share from 0 to 1, got 1.5"),
    (lambda: Mosaic(middle=(0.7, 0.3)), ArgumentError, r"a middle \(lowest, highest\)"),
    (lambda: Mosaic(middle=0.5), ArgumentError, "two shares, got 0.5"),
    (lambda: Mosaic(epochs=0), ArgumentError, "epochs"),
    (lambda: Pipeline([Mosaic()]), ArgumentError, "give it as mosaic="),
    (lambda: Pipeline([], mosaic=4), ArgumentError, "mosaic=fc.augmentation.Mosaic"),
    (lambda: Pipeline([], mosaic=Mosaic())(_spots()[0], np.arange(12)), ArgumentError, "pictures of the whole"),
    (lambda: _fit(np.zeros((4, 2), np.float32)), DataError, "targets of one picture"),
    (lambda: _fit(RaggedRows(np.ones((4, 2)), np.arange(5), "points")), DataError, "targets of one picture"),
    (_fit_batches, ArgumentError, "expected arrays for a Mosaic"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_mosaic_tells_its_arguments():
    mosaic = Mosaic(0.5, (0.3, 0.6), 4)
    assert fc.augmentation.Mosaic(**mosaic.get_config()).get_config() == mosaic.get_config()
    assert repr(mosaic) == "Mosaic(share=0.5, middle=(0.3, 0.6), epochs=4)"
