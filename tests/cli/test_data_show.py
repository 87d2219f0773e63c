"""``fastcnn data show``: a sheet of training images as the network sees them."""

import numpy as np
import pytest

from fastcnn.cli import _picture_sheet, main
from fastcnn.cli._data import Standard
from fastcnn.datasets import digits
from tests.cli.conftest import only_line

image = pytest.importorskip("PIL.Image")


@pytest.fixture
def shown(tmp_path, monkeypatch, capsys):
    """Run ``fastcnn data show ARGS`` in this process; return the sheet's pixels and what was printed."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        code = main(["data", "show", *args])
        output, errors = capsys.readouterr()
        assert (code, errors) == (0, "")
        with image.open(tmp_path / "pictures.png") as picture:
            return np.asarray(picture), output

    return run


def tile(sheet, row, column):
    """Return the pixels of a tile of 8 x 8 digits, each enlarged nine times."""
    top, left = 6 + row * (72 + 13 + 6), 6 + column * (72 + 6)
    return sheet[top : top + 72 : 9, left : left + 72 : 9, 0]


def test_without_augmentation_the_images_are_as_they_came(shown):
    sheet, output = shown("digits", "--dev", "0", "--images", "10")
    assert "digits: 10 of 1,442 training images" in output
    (x, _), _ = digits.load_data()
    for k in range(10):
        expected = np.round(x[k].reshape(8, 8) * (255 / 16))
        np.testing.assert_allclose(tile(sheet, k // 8, k % 8), expected, atol=1)  # standardized and back, rounded


def test_with_augmentation_each_row_is_an_image_at_rest_and_in_epochs_and_a_seed_draws_the_same(shown):
    sheet, output = shown("digits", "--augment", "mirror", "--images", "3", "--seed", "2")
    assert "images RandomFlip('horizontal')" in output
    for row in range(3):
        plain = tile(sheet, row, 0)
        turned = [np.array_equal(tile(sheet, row, column), plain[:, ::-1]) for column in range(1, 8)]
        same = [np.array_equal(tile(sheet, row, column), plain) for column in range(1, 8)]
        assert np.logical_xor(turned, same).all()
        assert any(turned)
    np.testing.assert_array_equal(shown("digits", "--augment", "mirror", "--images", "3", "--seed", "2")[0], sheet)


def test_a_file_for_training_says_what_is_meant(shown, tmp_path, capsys):
    (tmp_path / "plan.toml").write_text('dataset = "digits"\nepochs = 3\nseed = 2\naugment = ["MixUp(0.4)"]\n')
    _, output = shown("--config", "plan.toml", "--images", "2")
    assert "images MixUp(0.4)" in output
    (tmp_path / "plan.toml").write_text("epoch = 3\n")
    assert main(["data", "show", "--config", "plan.toml"]) == 2
    assert "line 1: key: 'epoch' is not known; did you mean 'epochs'?" in only_line(capsys.readouterr().err)


def test_pictures_of_any_number_of_channels_can_be_looked_at():
    x = np.random.default_rng(0).random((3, 5, 4, 4)).astype(np.float32)
    for channels, seen in ((1, 1), (2, 1), (3, 3), (4, 3)):
        part = x[..., :channels]
        standard = Standard.of(part, 1.0)
        back = _picture_sheet.undone(standard.images(part, 1.0), *standard)
        assert back.shape == (3, 5, 4, seen)
        expected = part.mean(-1, keepdims=True) if channels == 2 else part[..., :seen]
        np.testing.assert_allclose(back, 255 * expected, atol=0.51)  # half a step of rounding


def test_names_of_any_letters_and_length_fit_under_a_picture(tmp_path):
    texts = ["ü", "漢字", "a very long name of a class", "70% a\n30% b"]
    path = tmp_path / "sheet.png"
    path.write_bytes(_picture_sheet.sheet(np.zeros((4, 8, 8, 1), np.uint8), texts, 3))
    with image.open(path) as picture:
        assert picture.size == (3 * 78 + 6, 2 * (72 + 26 + 6) + 6)
