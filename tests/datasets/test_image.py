"""A picture file as one model input: close to the training images it was made from, or one clear DataError."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastcnn import datasets
from fastcnn.datasets.image import read_image
from fastcnn.errors import ArgumentError, DataError

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")
SHAPE = (28, 28, 1)
BOX = (3, 20, 12, 12)  # left, top, width, height of the ink in `drawing`


@pytest.fixture(scope="module")
def digits28(data):
    """Return 60 test images of MNIST, uint8 (60, 28, 28)."""
    return datasets.mnist.load_data(data_dir=data)[1][0][:60]


def drawing(background="light", size=(90, 60)):
    """Return a black ring on white (or the reverse), off the centre, as uint8 (H, W)."""
    left, top, width, height = BOX
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[top : top + height, left : left + width] = 255
    pixels[top + 4 : top + 8, left + 4 : left + 8] = 0
    return 255 - pixels if background == "light" else pixels


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def test_a_picture_of_the_inputs_size_is_taken_pixel_by_pixel(tmp_path, digits28):
    for pixels in digits28[:5]:
        x, steps = read_image(save(tmp_path / "digit.png", pixels), SHAPE, background="dark")
        np.testing.assert_array_equal(x, np.float32(pixels)[..., None] / 255)
        assert (x.dtype, steps) == (np.float32, [])
        x, steps = read_image(save(tmp_path / "digit.png", 255 - pixels), SHAPE, background="dark")
        np.testing.assert_array_equal(x, np.float32(pixels)[..., None] / 255)
        assert steps == ["inverted (light background)"]


@pytest.mark.parametrize("factor", [2, 5, 11])
@pytest.mark.parametrize("kind", ["png", "inverted", "jpeg in colour", "moved"])
def test_an_enlarged_digit_comes_back_close_to_the_original(tmp_path, digits28, factor, kind):
    path = tmp_path / ("digit.jpg" if "jpeg" in kind else "digit.png")
    rng = np.random.default_rng(factor)
    errors = []
    for pixels in digits28:
        picture = Image.fromarray(pixels).resize((28 * factor, 28 * factor), Image.Resampling.BICUBIC)
        if kind == "moved":
            canvas = Image.new("L", (80 * factor, 50 * factor))
            canvas.paste(picture, (int(rng.integers(0, 52 * factor)), int(rng.integers(0, 22 * factor))))
            picture = canvas
        if kind != "png":
            picture = Image.fromarray(255 - np.asarray(picture))
        picture.convert("RGB" if "jpeg" in kind else "L").save(path)
        x, steps = read_image(path, SHAPE, background="dark")
        assert steps[-1] == "centred by its mass in 28x28"
        errors.append(np.abs(x[..., 0] - pixels / 255).mean())
    # The ink's outline moves by up to half a pixel when its box is found on blurred edges; 0.13 is MNIST's mean value,
    # and two different digits of one class differ by 0.1.
    assert np.mean(errors) < 0.03
    assert np.max(errors) < 0.09


def test_enlarged_fashion_and_small_digits_come_back_close_too(tmp_path, data):
    for name, bound in (("fashion_mnist", 0.05), ("digits", 0.1)):
        dataset = datasets.load(name, data_dir=data)
        errors = []
        for one in dataset.x_test[:40, ..., 0]:
            pixels = np.uint8(np.round(one * (255 / dataset.scale)))
            picture = Image.fromarray(pixels).resize([10 * n for n in pixels.shape[::-1]], Image.Resampling.BICUBIC)
            picture.save(tmp_path / "one.png")
            shape = dataset.x_test.shape[1:]
            x, _ = read_image(tmp_path / "one.png", shape, background="dark", ink_box=dataset.ink_box)
            errors.append(np.abs(x[..., 0] - pixels / 255).mean())
        assert np.mean(errors) < bound


def test_the_steps_say_what_was_done(tmp_path):
    x, steps = read_image(save(tmp_path / "ring.png", drawing()), SHAPE, background="dark")
    assert steps == [
        "inverted (light background)",
        "cropped to 12x12 at (3, 20)",
        "resized to 20x20",
        "centred by its mass in 28x28",
    ]
    assert x[4:24, 4:24].min(axis=2).max() == pytest.approx(1)
    assert x[:4].max() == x[24:].max() == x[:, :4].max() == x[:, 24:].max() == 0
    assert x[13:15, 13:15].max() < 0.1  # the hole of the ring


def test_a_light_set_is_the_mirror_of_a_dark_one(tmp_path):
    path = save(tmp_path / "ring.png", drawing("dark"))
    dark, _ = read_image(path, SHAPE, background="dark")
    light, steps = read_image(path, SHAPE, background="light")
    np.testing.assert_allclose(light, 1 - dark, atol=1e-6)
    assert steps[0] == "inverted (dark background)"


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (20, 40, 1), (40, 20, 1), (1, 1, 1)])
@pytest.mark.parametrize("ink_box", [20 / 28, 1.0, 0.01])
def test_ink_fits_every_frame(tmp_path, shape, ink_box):
    for pixels in (drawing(), drawing()[20:24], drawing()[:, 5:6], drawing()[10:]):
        x, _ = read_image(save(tmp_path / "ring.png", pixels), shape, background="dark", ink_box=ink_box)
        assert x.shape == shape
        assert 0 <= x.min() <= x.max() <= 1
        assert np.ptp(x) > 0.5 or x.size == 1


def test_faint_ink_on_grey_paper_is_stretched_to_full_contrast(tmp_path):
    rng = np.random.default_rng(0)
    paper = 200.0 - 100.0 * (drawing() == 0) + rng.normal(0, 4, (60, 90))
    x, steps = read_image(save(tmp_path / "photo.png", np.uint8(paper)), SHAPE, background="dark")
    assert "contrast stretched" in steps
    assert "cropped to 12x12 at (3, 20)" in steps
    assert x.max() == pytest.approx(1)
    assert np.median(x[:4]) == 0


def test_white_becomes_the_value_asked_for(tmp_path):
    x, _ = read_image(save(tmp_path / "white.png", np.full((5, 5), 255, np.uint8)), (5, 5, 1), scale_to=255)
    assert (x == 255).all()


def test_without_a_background_the_centre_is_cropped_and_resized(tmp_path):
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = (255, 128, 0)
    x, steps = read_image(save(tmp_path / "photo.png", pixels), (8, 8, 3))
    assert steps == ["cropped to 40x40 at (30, 0)", "resized to 8x8"]
    np.testing.assert_allclose(x, np.broadcast_to(np.float32([1, 128 / 255, 0]), (8, 8, 3)))
    x, steps = read_image(tmp_path / "photo.png", (16, 40, 1))
    assert steps == ["greyed", "resized to 40x16"]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 30, 1), (30, 1, 3), (32, 32, 3), (64, 3, 1)])
@pytest.mark.parametrize("size", [(1, 1), (50, 2), (2, 50), (640, 480)])
def test_every_size_becomes_every_shape(tmp_path, shape, size):
    path = tmp_path / "any.png"
    Image.new("RGB", size, "teal").save(path)
    x, _ = read_image(path, shape)
    assert x.shape == shape
    assert x.flags.c_contiguous
    assert np.ptp(x.reshape(-1, shape[2]), axis=0).max() == 0


def test_grey_for_a_colour_model_is_repeated_and_inverted_only(tmp_path):
    x, steps = read_image(save(tmp_path / "ring.png", drawing()), (60, 90, 3), background="dark")
    assert steps == ["grey made RGB", "inverted (light background)"]
    np.testing.assert_array_equal(x[..., 1], drawing("dark") / np.float32(255))


def test_exif_orientation_and_transparency_are_applied(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    x, steps = read_image(save(tmp_path / "turned.png", pixels, exif=exif), (4, 3, 1))
    assert steps == ["turned upright by its EXIF orientation"]
    np.testing.assert_array_equal(x[..., 0], np.rot90(pixels, -1) / np.float32(255))
    see_through = np.zeros((2, 2, 4), np.uint8)
    see_through[0, :, 3] = 255
    x, steps = read_image(save(tmp_path / "alpha.png", see_through), (2, 2, 1))
    assert steps == ["transparency put on white"]
    assert x[..., 0].tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_every_common_pixel_mode_gives_the_same_grey(tmp_path, mode):
    path = tmp_path / ("grey.tif" if mode == "CMYK" else "grey.png")
    if mode == "I;16":
        Image.fromarray(np.full((4, 4), 65535, np.uint16)).save(path)
    elif mode == "I":
        Image.fromarray(np.full((4, 4), 65535, np.int32)).save(tmp_path / "grey.tif")
        path = tmp_path / "grey.tif"
    else:
        Image.new("L", (4, 4), "white").convert(mode).save(path)
    x, _ = read_image(path, (4, 4, 1))
    assert (x == 1).all()


def png_that_claims(width, height):
    """Return a PNG whose header promises a size, with next to no data."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_what_is_no_picture_is_refused_by_name(tmp_path):
    path = tmp_path / "thing.png"
    with pytest.raises(DataError, match=r"thing\.png: expected a picture file, got nothing"):
        read_image(path, SHAPE)
    with pytest.raises(DataError, match="expected a picture file, got a folder"):
        read_image(tmp_path, SHAPE)
    whole = save(tmp_path / "whole.png", drawing()).read_bytes()
    jpeg = save(tmp_path / "whole.jpg", drawing()).read_bytes()
    for content, text in (
        (b"", "file of another or an unknown kind"),
        (b"plain text", "file of another or an unknown kind"),
        (whole[: len(whole) // 2], "a damaged or unsupported one"),
        (jpeg[: len(jpeg) // 2], "a damaged or unsupported one"),
        (png_that_claims(100, 100), "a damaged or unsupported one"),
        (png_that_claims(10_000, 10_000), "pixels, got a picture that claims more"),
        (png_that_claims(100_000, 100_000), "pixels, got a picture that claims more"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_image(path, SHAPE)
        assert str(caught.value).startswith(f"{path}: expected ")
        assert text in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(28, 28), (50, 40)])
@pytest.mark.parametrize("value", [0, 255, 128])
def test_a_blank_picture_has_no_ink(tmp_path, size, value):
    path = save(tmp_path / "blank.png", np.full(size, value, np.uint8))
    with pytest.raises(DataError, match="got a blank picture"):
        read_image(path, SHAPE, background="dark")


def test_arguments_that_cannot_be_are_refused(tmp_path):
    path = save(tmp_path / "ring.png", drawing())
    for arguments, text in (
        ({"input_shape": (28, 28)}, "input_shape"),
        ({"input_shape": (28, 28, 4)}, "input_shape"),
        ({"input_shape": (0, 28, 1)}, "input_shape"),
        ({"input_shape": SHAPE, "background": "black"}, "background"),
        ({"input_shape": SHAPE, "ink_box": 0}, "ink_box"),
    ):
        with pytest.raises(ArgumentError, match=text):
            read_image(path, **arguments)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["png", "jpg", "gif", "bmp", "tif"]), seed=st.integers(0, 2**32 - 1))
def test_a_damaged_picture_is_a_picture_or_a_data_error(tmp_path, kind, seed):
    path = save(tmp_path / f"ring.{kind}", drawing())
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 5)):
        content[rng.integers(len(content))] = rng.integers(256)
    path.write_bytes(bytes(content[: rng.integers(1, len(content) + 1)]) if rng.integers(2) else bytes(content))
    try:
        x, _ = read_image(path, SHAPE, background="dark")
    except DataError:
        return
    assert x.shape == SHAPE
    assert np.isfinite(x).all()
