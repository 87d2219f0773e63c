"""JPEG pictures: the same pixels from both libraries, at each part of their size, upright, and damage told alike."""

import io

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets import _jpeg, image
from fastcnn.datasets._jpeg import part_of
from fastcnn.datasets._pillow import read_picture
from fastcnn.errors import DataError

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")
DRAW = np.random.default_rng(0)


def smooth(height, width, mode="RGB"):
    pixels = DRAW.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


@pytest.fixture
def pillow_alone(monkeypatch):
    """Call to read as if simplejpeg were not installed."""
    def alone():
        monkeypatch.setattr(_jpeg, "_library", lambda: None)

    pytest.importorskip("simplejpeg", reason="needs the extra fastcnn[image]")
    return alone


KINDS = {
    "chroma of every pixel": ("RGB", {"subsampling": 0, "quality": 95}),
    "chroma of every fourth": ("RGB", {"subsampling": 2, "quality": 30}),
    "progressive": ("RGB", {"progressive": True}),
    "stored as RGB": ("RGB", {"keep_rgb": True}),
    "grey": ("L", {}),
    "grey in colour": ("grey", {}),
    "four inks": ("CMYK", {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_both_libraries_give_the_same_pixels_at_every_part_of_the_size(tmp_path, pillow_alone, kind, orientation):
    mode, how = KINDS[kind]
    exif = Image.Exif()
    exif[0x0112] = orientation
    one = smooth(75, 101, "L").convert("RGB") if mode == "grey" else smooth(75, 101, mode)
    one.save(tmp_path / "one.jpg", exif=exif, **how)
    sizes = [None, (70, 60), (25, 30), (15, 13), (4, 4)]
    fast = [read_picture(tmp_path / "one.jpg", size) for size in sizes]
    pillow_alone()
    for size, a in zip(sizes, fast, strict=True):
        b = read_picture(tmp_path / "one.jpg", size)
        np.testing.assert_array_equal(a.pixels, b.pixels)
        assert (a.steps, a.size) == (b.steps, b.size)
        assert a.size == ((101, 75) if orientation >= 5 else (75, 101))
        assert a.pixels.shape[2] == (1 if kind in ("grey", "grey in colour") else 3)
    assert fast[0].pixels.shape[:2] == fast[0].size
    assert "read at 1/8 of its size" in fast[4].steps


def test_the_part_is_the_smallest_that_is_not_too_small():
    assert [part_of((75, 101), least) for least in ((75, 101), (39, 50), (38, 51), (19, 26), (10, 13), (1, 1))] == [
        1, 1, 2, 4, 8, 8]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_a_photograph_that_is_read_at_a_part_of_its_size_is_nearly_the_one_that_is_read_whole(tmp_path, fit):
    one = smooth(480, 640)
    one.save(tmp_path / "one.jpg", quality=90)
    one.save(tmp_path / "one.png")
    for size in ((96, 128), (32, 32), (60, 20)):
        part, steps = image.read_image(tmp_path / "one.jpg", (*size, 3), fit=fit, scale_to=255)
        whole, _ = image.read_image(tmp_path / "one.png", (*size, 3), fit=fit, scale_to=255)
        assert steps[0].startswith("read at 1/")
        assert np.abs(part - whole).mean() < 2  # of 255: what JPEG loses, and where pixels are cut
        assert np.abs(part - whole).max() < 30


def test_a_picture_for_prediction_is_read_as_the_same_picture_for_training(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(5):
            smooth(50 + 20 * k, 90).save(tmp_path / name / f"{k}.jpg")
    data = datasets.load(tmp_path, image_size=(20, 24))
    assert "all pictures brought to 24x20" in data.notes[0]
    for k in range(4):
        x, _ = image.read_image(tmp_path / "cat" / f"{k}.jpg", (20, 24, 3), scale_to=255)
        np.testing.assert_array_equal(x, data.x_train[k])


def test_damage_is_told_alike_by_both_libraries(tmp_path, pillow_alone):
    buffer = io.BytesIO()
    smooth(40, 56).save(buffer, "JPEG")
    whole, results = buffer.getvalue(), []
    damaged = [whole[:cut] for cut in DRAW.integers(0, len(whole), 40)] + [whole + b"more"]
    for at, byte in zip(DRAW.integers(0, len(whole), 40), DRAW.integers(0, 256, 40), strict=True):
        damaged.append(whole[:at] + bytes([byte]) + whole[at + 1 :])

    def outcomes():
        found = []
        for k, content in enumerate(damaged):
            (tmp_path / f"{k}.jpg").write_bytes(content)
            try:
                found.append(read_picture(tmp_path / f"{k}.jpg").pixels.tobytes())
            except DataError as error:
                found.append(str(error))
        return found

    results = outcomes()
    pillow_alone()
    assert outcomes() == results
    assert sum(isinstance(one, str) for one in results) > 20
