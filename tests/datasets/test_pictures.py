"""Folders of pictures as people have them: other sizes and depths, damaged files, odd names, and what systems leave."""

import os
import sys

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.data.ahead import ahead
from fastcnn.datasets import Pictures
from fastcnn.datasets.image import read_image
from fastcnn.errors import ArgumentError, DataError
from tests.datasets.test_own import write_pictures

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


def of_many_sizes(root, mode="RGB", count=5):
    """Write pictures of several sizes with a smooth content, and return their paths in the order of loading."""
    rng = np.random.default_rng(0)
    paths = []
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(count):
            picture = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).convert(mode)
            paths.append(root / name / f"{i}.png")
            picture.resize((12 + 7 * i, 20 - 3 * i), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_for_prediction_is_made_as_the_same_picture_for_training(tmp_path, fit, mode):
    paths = of_many_sizes(tmp_path, mode)
    data = datasets.load(tmp_path, image_size=(10, 14), fit=fit)
    assert data.pictures == Pictures((10, 14), fit, 1 if mode == "L" else 3)
    assert data.background is data.ink_box is None
    images = iter(data.x_train)
    for number, path in enumerate(paths):
        one = data.x_test[number // 5] if number % 5 == 4 else next(images)
        assert one.shape == (10, 14, data.pictures.channels)
        x, _ = read_image(path, one.shape, fit=fit, white=data.pictures.white)
        np.testing.assert_array_equal(x, one / np.float32(255))
    how = {"crop": "cropped around the centre", "pad": "with black beside", "stretch": "whatever their shape"}[fit]
    assert how in data.notes[0]
    assert data.notes[0].startswith("all pictures brought to 14x10 (width x height)")


def test_crop_pad_and_stretch_show_the_centre_the_whole_and_a_distorted_whole(tmp_path):
    pixels = np.full((20, 40), 100, np.uint8)
    pixels[:, :10] = pixels[:, 30:] = 200
    Image.fromarray(pixels).save(tmp_path / "one.png")
    read = lambda fit: read_image(tmp_path / "one.png", (10, 10, 1), fit=fit, scale_to=255)
    x, steps = read("crop")
    assert np.abs(x - 100).max() < 1
    assert steps == ["cropped to 20x20 at (10, 0)", "resized to 10x10"]
    x, steps = read("pad")
    assert x[:2].max() == x[7:].max() == 0
    assert (x[2:7, 0] > 190).all()
    assert np.abs(x[2:7, 5] - 100).max() < 5
    assert steps == ["resized to 10x5", "padded to 10x10 with black"]
    x, steps = read("stretch")
    assert np.abs(x[:, [0, 9]] - 200).max() < 5
    assert np.abs(x[:, 4:6] - 100).max() < 5
    assert steps == ["resized to 10x10"]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (300, 2), (17, 3)])
def test_every_shape_fits_into_every_other(tmp_path, fit, size):
    for dtype in (np.uint8, np.uint16):
        Image.fromarray(np.full(size, np.iinfo(dtype).max, dtype)).save(tmp_path / "one.png")
        for shape in ((1, 1, 1), (5, 2, 3), (3, 40, 1)):
            x, _ = read_image(tmp_path / "one.png", shape, fit=fit)
            assert x.shape == shape
            assert x.max() == 1


def test_pictures_that_have_the_size_are_left_as_they_are(tmp_path):
    pictures = write_pictures(tmp_path)
    data = datasets.load(tmp_path, image_size=(6, 7))
    np.testing.assert_array_equal(data.x_test, pictures[[4, 9]])
    assert data.pictures == Pictures(channels=1)
    assert data.notes == ()
    assert datasets.load(tmp_path, **data.pictures._asdict() | {"channels": 3}).x_train.shape == (8, 6, 7, 3)


def test_colour_is_greyed_for_a_model_of_grey_as_in_prediction(tmp_path):
    write_pictures(tmp_path, mode="RGB")
    data = datasets.load(tmp_path, channels=1)
    x, steps = read_image(tmp_path / "cat" / "4.png", (6, 7, 1))
    np.testing.assert_array_equal(x, data.x_test[0] / np.float32(255))
    assert steps == ["greyed"]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_pictures_of_16_bits_are_scaled_by_the_bits_that_the_whole_folder_uses(tmp_path, bits):
    white = (1 << bits) - 1
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(5):
            pixels = np.arange(48, dtype=np.uint16).reshape(6, 8) * (white // 48 // 2)
            if (name, i) == ("dog", 4):  # the brightest is a test picture
                pixels[0, 0] = white
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    data = datasets.load(tmp_path)
    assert data.pictures.white == white
    assert data.notes == (f"pictures of 16 bits scaled by the {bits} that they use: white is {white}",)
    assert data.x_test[1].max() == 255
    expected = np.round(np.arange(48) * (white // 48 // 2) * 255 / white)
    np.testing.assert_allclose(data.x_train[0].ravel(), expected, atol=1)  # 0.5 may be rounded either way
    x, steps = read_image(tmp_path / "cat" / "0.png", (6, 8, 1), white=data.pictures.white)
    np.testing.assert_array_equal(x, data.x_train[0] / np.float32(255))
    assert steps == [f"{bits} of 16 bits made 8"]


def test_a_white_that_is_given_holds_and_what_is_brighter_is_white(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(np.full((4, 4), 500 * i, np.uint16)).save(tmp_path / name / f"{i}.png")
    data = datasets.load(tmp_path, white=1000)
    assert data.x_train[:4, 0, 0, 0].tolist() == [0, 128, 255, 255]
    assert "values up to 2000 are there, and white too" in data.notes
    x, steps = read_image(tmp_path / "cat" / "4.png", (4, 4, 1), white=1000)
    assert x.min() == 1
    assert steps[-1] == "values above 1000 made white"


def damage(root):
    """Cut one picture, write text for another, and add a table: return their names."""
    whole = (root / "cat" / "1.png").read_bytes()
    (root / "cat" / "1.png").write_bytes(whole[:-30])
    (root / "dog" / "0.png").write_text("<html>404</html>")
    (root / "dog" / "labels.csv").write_text("0.png,dog")
    return "cat/1.png", "dog/0.png", "dog/labels.csv"


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path):
    write_pictures(tmp_path, count=7)
    first, second, third = damage(tmp_path)
    with pytest.raises(DataError) as caught:
        datasets.load(tmp_path)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / first}: expected a whole picture")
    assert f"of 15 files 3 cannot be read, also {second}, {third}" in said
    assert "skip_damaged=True" in said
    assert "\n" not in said
    for i in range(30):
        (tmp_path / "dog" / f"bad{i:02}.png").write_text("")
    with pytest.raises(DataError, match=r"of 45 files 33 cannot be read, also .*bad18\.png and 12 more; skip"):
        datasets.load(tmp_path)


def test_files_that_cannot_be_read_are_skipped_and_counted_on_request(tmp_path):
    pictures = write_pictures(tmp_path, count=7)
    names = damage(tmp_path)
    data = datasets.load(tmp_path, skip_damaged=True)
    np.testing.assert_array_equal(data.x_train[:5], pictures[[0, 2, 3, 4, 6]])
    np.testing.assert_array_equal(data.x_test, pictures[[5, 12]])
    assert data.notes == (f"3 of 15 files skipped, as they cannot be read: {', '.join(names)}",)
    for path in (tmp_path / "dog").iterdir():
        path.write_text("")
    with pytest.raises(DataError, match="pictures of the class dog that can be read, got 8 files of which none can"):
        datasets.load(tmp_path, skip_damaged=True)
    (tmp_path / "cat" / "more").mkdir()
    with pytest.raises(DataError, match="more: expected a picture file of the class cat, got a folder"):
        datasets.load(tmp_path, skip_damaged=True)


def test_what_systems_leave_does_not_count(tmp_path):
    pictures = write_pictures(tmp_path)
    for name in (".DS_Store", "._0.png", "Thumbs.db", "EHThumbs.db", "Desktop.ini", "Icon\r", "0.png:Zone.Identifier"):
        (tmp_path / "cat" / name).write_bytes(b"\0")
    for name in ("@eaDir", ".@__thumb", ".ipynb_checkpoints", "#recycle"):
        for root in (tmp_path, tmp_path / "dog"):
            (root / name).mkdir()
            (root / name / "0.png").write_bytes(b"\0")
    (tmp_path / "__MACOSX" / "cat").mkdir(parents=True)
    data = datasets.load(tmp_path)
    assert data.classes == ("cat", "dog")
    np.testing.assert_array_equal(data.x_test, pictures[[4, 9]])


@pytest.mark.parametrize("train", ["train", "Train", "TRAINING"])
@pytest.mark.parametrize("test", ["test", "Testing", "val", "Valid", "validation"])
def test_train_beside_test_or_val_keeps_its_split_in_any_case_of_letters(tmp_path, train, test):
    first, second = write_pictures(tmp_path / train, 3), write_pictures(tmp_path / test, 2, seed=1)
    data = datasets.load(tmp_path)
    np.testing.assert_array_equal(data.x_train, first)
    np.testing.assert_array_equal(data.x_test, second)
    assert data.notes == ((f"the folder {test} is what is tested on",) if test[0] in "Vv" else ())


def test_val_beside_train_and_test_is_what_is_decided_on(tmp_path):
    write_pictures(tmp_path / "train", 3)
    test = write_pictures(tmp_path / "test", 2, seed=1)
    dev = write_pictures(tmp_path / "valid", 4, seed=2)
    data = datasets.load(tmp_path)
    np.testing.assert_array_equal(data.x_test, test)
    np.testing.assert_array_equal(data.x_dev, dev)
    assert data.origin.files["dev"][0].startswith("valid/cat/")
    assert data.notes == ()


def test_classes_may_be_called_train_and_test(tmp_path):
    write_pictures(tmp_path, classes=["test", "train"])
    assert datasets.load(tmp_path).classes == ("test", "train")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_utf_8_become_text_that_is_the_same_each_time(tmp_path):
    pictures = write_pictures(tmp_path)
    os.rename(os.fsencode(tmp_path / "cat"), os.fsencode(tmp_path) + b"/caf\xe9")
    os.rename(os.fsencode(tmp_path) + b"/caf\xe9/4.png", os.fsencode(tmp_path) + b"/caf\xe9/\xe9.png")
    data = datasets.load(tmp_path)
    assert data.classes == (r"caf\xe9", "dog")
    data.classes[0].encode()
    np.testing.assert_array_equal(data.x_test, pictures[[4, 9]])
    write_pictures(tmp_path, classes=[r"caf\xe9"])
    with pytest.raises(DataError, match=r"classes of different names, got caf\\xe9 twice"):
        datasets.load(tmp_path)


def test_arguments_for_pictures_that_cannot_be_are_refused(tmp_path):
    write_pictures(tmp_path)
    for arguments, text in (
        ({"image_size": 64}, r"image_size=\(height, width\) of positive integers, got 64"),
        ({"image_size": (64, 0)}, "positive integers"),
        ({"image_size": (6.5, 7)}, "positive integers"),
        ({"fit": "shrink"}, "fit: 'shrink' is not known"),
        ({"channels": 4}, "channels=1 for grey, 3 for RGB"),
        ({"white": 0}, "white as an integer from 1 to 65535"),
    ):
        with pytest.raises(ArgumentError, match=text):
            datasets.load(tmp_path, **arguments)
        with pytest.raises(ArgumentError, match=text):
            datasets.load("digits", **arguments)
    with pytest.raises(ArgumentError, match="image_size, skip_damaged with a folder of pictures alone, got digits"):
        datasets.load("digits", image_size=(8, 8), skip_damaged=True)
    np.savez(tmp_path / "mine.npz", x=np.zeros((20, 8, 8)), y=np.arange(20) % 2)
    with pytest.raises(ArgumentError, match=r"fit with a folder of pictures alone, got .*mine\.npz; leave it out"):
        datasets.load(tmp_path / "mine.npz", fit="pad")
    with pytest.raises(ArgumentError, match="read_image: fit"):
        read_image(tmp_path / "cat" / "0.png", (6, 7, 1), fit="shrink")


def test_the_home_is_known_in_every_path_and_one_that_is_not_is_left_alone(tmp_path, monkeypatch, data):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_pictures(tmp_path / "mine")
    assert datasets.load("~/mine").name == "mine"
    assert read_image("~/mine/cat/0.png", (6, 7, 1))[0].shape == (6, 7, 1)
    (tmp_path / "sets").symlink_to(data)
    assert datasets.mnist.load_data(data_dir="~/sets")[0][0].shape == (60000, 28, 28)
    with pytest.raises(DataError, match=r"nothing.npz"):
        datasets.mnist.load_data(path="~/nothing.npz")
    with pytest.raises(ArgumentError, match="no file or folder has that name"):
        datasets.load("~nobody-of-that-name/mine")


def test_real_pictures_of_many_sizes_and_kinds_come_to_one(data, tmp_path):
    for name, folder in (("nuclei", data / "nuclei-dsb2018" / "images"), ("blood", data / "bccd" / "JPEGImages")):
        (tmp_path / name).mkdir()
        for path in sorted(folder.iterdir())[:5]:
            (tmp_path / name / path.name).symlink_to(path)
    with pytest.raises(DataError, match="--size"):
        datasets.load(tmp_path)
    found = datasets.load(tmp_path, image_size=(24, 32))
    assert found.x_train.shape == (8, 24, 32, 3)
    x, _ = read_image(sorted((tmp_path / "blood").iterdir())[4], (24, 32, 3))
    np.testing.assert_array_equal(x, found.x_test[0] / np.float32(255))


def test_any_number_of_threads_reads_the_same_pictures_in_the_same_order(tmp_path, monkeypatch):
    of_many_sizes(tmp_path, count=6)
    (tmp_path / "cat" / "5.png").write_bytes(b"no picture")
    found = []
    for threads in (1, 2, 7):
        monkeypatch.setattr("fastcnn.datasets._reading.ahead", lambda *of, threads=threads: ahead(*of, threads))
        data = datasets.load(tmp_path, image_size=(9, 9), skip_damaged=True)
        found.append((data.x_train.tobytes(), data.y_test.tolist(), data.origin.files, data.notes))
    assert found[0] == found[1] == found[2]
