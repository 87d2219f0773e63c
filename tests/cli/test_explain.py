"""``fastcnn explain`` on a trained run: pictures are written, and the line tells what they show."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.datasets.rgb import read_rgb, write_picture
from tests.cli.conftest import only_line

pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def digit(tmp_path):
    """Write a picture of a digit, 8 x 8, and return its path."""
    (x, _), _ = fc.datasets.digits.load_data()
    write_picture(tmp_path / "digit.png", np.repeat(x[0][..., None] * 15, 3, -1).astype(np.uint8))
    return tmp_path / "digit.png"


def test_each_method_writes_its_picture_and_tells_it_in_a_line(fastcnn, run, digit, tmp_path):
    layer = ("--layer", "conv2d_1")
    for method, args, told in (("gradcam", (digit,), "class "), ("patches", (digit, digit, *layer), "unit 0, at most "),
                               ("ascent", (*layer, "--steps", 5), "unit 0, from ")):
        result = fastcnn("explain", run, *args, "--method", method, "--out", f"{method}.png")
        assert result.returncode == 0, result.stderr
        assert only_line(result.stdout).startswith(f"{method}.png: {method}, {told}")
        assert read_rgb(tmp_path / f"{method}.png").std() > 5


def test_json_tells_the_class_and_where_the_peak_is(fastcnn, run, digit, tmp_path):
    result = fastcnn("explain", run, digit, "--method", "occlusion", "--window", 3, "--json", "--out", "o.png")
    told = json.loads(result.stdout)
    assert told["class"] in "0123456789"
    assert 0 <= told["peak"]["row"] < 8
    assert (tmp_path / "o.png").exists()


@pytest.mark.parametrize(("args", "code", "told"), [
    (("--method", "ascent", "x.png"), 2, "expected no picture"), ((), 2, "expected a picture for --method gradcam"),
    (("a.png", "b.png"), 2, "expected one picture"), (("none.png",), 3, "none.png"),
    (("a.png", "--window", "3"), 2, "--window with --method occlusion alone"),
    (("none.png", "--out", "x.txt"), 2, "a picture's name"), (("none.png", "--out", "no/x.png"), 2, "make the folder")])
def test_what_cannot_be_is_told_in_a_line(fastcnn, run, args, code, told):
    result = fastcnn("explain", run, *args)
    assert (result.returncode, result.stdout) == (code, "")
    assert told in only_line(result.stderr)


def test_a_layer_that_is_not_there_is_told_with_those_that_are(fastcnn, run, digit):
    result = fastcnn("explain", run, digit, "--layer", "conv9", "--out", "x.png")
    assert result.returncode == 2
    assert "conv2d" in only_line(result.stderr)
