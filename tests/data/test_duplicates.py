"""The same picture in two parts is found, darker and compressed too; empty grounds are not taken for one another."""

import io

import numpy as np
import pytest

from fastcnn.data.duplicates import difference_hash, equal_pairs


def photographs(number, side=32, seed=0):
    """Return smooth random pictures, as photographs are smooth."""
    draw = np.random.default_rng(seed)
    coarse = draw.random((number, 6, 6, 3))
    at = np.linspace(0, 5, side)
    low = np.minimum(at.astype(int), 4)
    part = at - low
    rows = coarse[:, low] * (1 - part)[None, :, None, None] + coarse[:, low + 1] * part[None, :, None, None]
    both = rows[:, :, low] * (1 - part)[None, None, :, None] + rows[:, :, low + 1] * part[None, None, :, None]
    return (255 * both).astype(np.uint8)


def test_equal_darker_and_compressed_pictures_are_found_and_no_others():
    image = pytest.importorskip("PIL.Image")
    train = photographs(300)
    dark = (train[7] * 0.8).astype(np.uint8)
    file = io.BytesIO()
    image.fromarray(train[20]).save(file, "JPEG", quality=80, subsampling=0)
    test = np.stack([train[3], dark, np.asarray(image.open(file)), *photographs(100, seed=1)])
    found = list(equal_pairs({"train": train, "test": test}))
    assert sorted(found) == [("train", 3, "test", 0, True), ("train", 7, "test", 1, False),
                             ("train", 20, "test", 2, False)]  # fmt: skip


def test_small_marks_on_an_empty_ground_are_told_apart():
    draw = np.random.default_rng(0)
    x = np.zeros((200, 28, 28, 1), np.uint8)
    for one, (row, column) in zip(x, draw.integers(2, 20, (200, 2))):
        one[row : row + 6, column : column + 3] = draw.integers(100, 255, (6, 3, 1))
    assert list(equal_pairs({"train": x[:100], "test": x[100:]})) == []


def test_pictures_of_one_colour_are_the_same_only_if_they_are():
    x = np.full((2, 16, 16, 1), 9, np.uint8)
    assert [pair[-1] for pair in equal_pairs({"train": x[:1], "test": x[1:]})] == [True]
    assert list(equal_pairs({"train": x[:1], "test": x[1:] + 1})) == []


def test_the_hash_tells_which_side_is_brighter():
    ramp = np.tile(np.arange(18, dtype=np.uint8), (16, 1))[None, :, :, None]
    assert difference_hash(ramp)[0] == 2**64 - 1
    assert difference_hash(ramp[:, :, ::-1])[0] == 0


def test_more_than_two_parts_and_empty_ones_are_compared():
    x = photographs(6)
    pairs = list(equal_pairs({"train": x[:2], "dev": x[2:2], "test": np.concatenate([x[3:], x[1:2]])}))
    assert pairs == [("train", 1, "test", 3, True)]
