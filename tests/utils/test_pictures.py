"""Pictures to arrays and back."""

import io

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError

Image = pytest.importorskip("PIL.Image")
DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_array_survives_a_file(tmp_path, channels):
    x = DRAW.integers(0, 256, (5, 7, channels)).astype("float32")
    fc.utils.save_img(tmp_path / "x.png", x, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    again = fc.utils.img_to_array(fc.utils.load_img(tmp_path / "x.png", mode))
    np.testing.assert_array_equal(again, x)
    assert again.dtype == np.float32
    with open(tmp_path / "x.png", "rb") as file:
        np.testing.assert_array_equal(fc.utils.img_to_array(fc.utils.load_img(file, mode), dtype="uint8"), x)
    assert fc.utils.img_to_array(fc.utils.load_img(io.BytesIO((tmp_path / "x.png").read_bytes()))).shape == (5, 7, 3)


def test_values_are_scaled_to_a_whole_range_by_default():
    x = np.array([[[-1.0], [0.0], [1.0]]])
    assert np.asarray(fc.utils.array_to_img(x)).tolist() == [[0, 127, 255]]
    assert np.asarray(fc.utils.array_to_img(np.zeros((1, 2, 3)))).max() == 0
    assert np.asarray(fc.utils.array_to_img([[[300.0], [0.0]]], scale=False)).tolist() == [[300, 0]]


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"])
def test_a_picture_is_resized_whole_or_its_largest_middle_part(tmp_path, interpolation):
    x = np.zeros((4, 12, 3), np.uint8)
    x[:, 4:8] = 255  # the middle third
    Image.fromarray(x).save(tmp_path / "x.png")
    whole = fc.utils.load_img(tmp_path / "x.png", target_size=(2, 2), interpolation=interpolation)
    middle = fc.utils.load_img(tmp_path / "x.png", target_size=(2, 2), interpolation=interpolation,
                               keep_aspect_ratio=True)
    assert whole.size == middle.size == (2, 2)
    assert np.asarray(middle).min() > 200 > np.asarray(whole).mean()  # wide filters look beside the part
    assert np.asarray(fc.utils.load_img(tmp_path / "x.png", target_size=(4, 12))).tolist() == x.tolist()


def test_a_jpeg_loses_its_transparency_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        fc.utils.save_img(tmp_path / "x.jpg", DRAW.random((8, 8, 4)), quality=90)
    assert fc.utils.load_img(tmp_path / "x.jpg").mode == "RGB"
    fc.utils.save_img(written := io.BytesIO(), DRAW.random((8, 8, 3)), file_format="jpg")
    assert written.getvalue()[:2] == b"\xff\xd8"


@pytest.mark.parametrize(("wrong", "error", "text"), [
    (lambda p: fc.utils.load_img(p / "no.png"), DataError, "expected a picture file, got nothing"),
    (lambda p: fc.utils.load_img(p), DataError, "got a folder"),
    (lambda p: fc.utils.load_img(io.BytesIO(b"no picture")), DataError, "expected a picture"),
    (lambda p: fc.utils.load_img(p / "x.png", "cmyk"), ArgumentError, "color_mode: 'cmyk' is not known"),
    (lambda p: fc.utils.load_img(p / "x.png", target_size=(2, 0)), ArgumentError, "target_size"),
    (lambda p: fc.utils.load_img(p / "x.png", target_size=(2, 2), interpolation="cubic"), ArgumentError,
     "interpolation: 'cubic' is not known"),
    (lambda p: fc.utils.load_img(3), ArgumentError, "load_img: expected a path, got 3"),
    (lambda p: fc.utils.array_to_img(np.zeros((2, 2))), ArgumentError, r"expected one image \(H, W, C\)"),
    (lambda p: fc.utils.array_to_img(np.zeros((2, 2, 2))), ArgumentError, "C of 1, 3 or 4"),
    (lambda p: fc.utils.array_to_img(np.zeros((2, 2, 1)), "channels_first"), ArgumentError, "channels-last"),
    (lambda p: fc.utils.img_to_array(np.zeros(3)), ArgumentError, "two or three dimensions"),
    (lambda p: fc.utils.save_img(p / "x.nothing", np.zeros((2, 2, 3))), ArgumentError, "file format that Pillow"),
])
def test_what_is_no_picture_is_said_in_a_sentence(tmp_path, wrong, error, text):
    Image.new("RGB", (4, 4)).save(tmp_path / "x.png")
    with pytest.raises(error, match=text):
        wrong(tmp_path)
    assert not (tmp_path / "x.nothing").exists()
