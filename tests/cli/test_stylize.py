"""``fastcnn stylize``: what it prints and writes, and what it refuses before it begins."""

import json
import signal
import subprocess

import pytest

from fastcnn.datasets.rgb import read_rgb
from tests.cli.conftest import command, environment, only_line

pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def stylize(fastcnn, real_models, data_dir):
    """Run ``fastcnn stylize`` with the cat, the Starry Night and SqueezeNet."""
    photos = data_dir / "style-photos"

    def run(*args):
        return fastcnn("stylize", photos / "chelsea.png", photos / "starry_night.jpg", *args,
                       FASTCNN_DATA=str(data_dir))

    return run


def test_a_cat_is_painted_and_the_last_line_tells_to_what_the_cost_fell(stylize, tmp_path):
    result = stylize("--out", "cat.png", "--size", 64, "--steps", 12)
    assert result.returncode == 0, result.stderr
    *steps, last = result.stdout.splitlines()
    assert steps[0].startswith("step  1 of 12: cost ")
    assert last.startswith("cat.png: 64 x 43, the cost fell to ")
    assert float(last.split()[-5]) < 60
    assert read_rgb(tmp_path / "cat.png").shape == (43, 64, 3)
    told = json.loads(stylize("--out", "cat.jpg", "--size", 64, "--steps", 3, "--json").stdout)
    assert told["steps"] == 3
    assert told["cost"] == pytest.approx(told["content"] + told["style"] + told["variation"])


def test_a_feed_forward_network_paints_in_one_pass(fastcnn, real_models, data_dir, tmp_path):
    result = fastcnn("stylize", data_dir / "style-photos" / "chelsea.png", "--painter",
                     real_models / "style-scream" / "scream.safetensors", "--out", "x.png", "--size", 50, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["width"] == 50
    assert read_rgb(tmp_path / "x.png").shape == (33, 50, 3)


def test_what_a_painter_does_not_read_is_refused(fastcnn):
    result = fastcnn("stylize", "a.png", "--painter", "p.safetensors", "--out", "x.png", "--steps", 5)
    assert result.returncode == 2
    assert "expected --size alone beside --painter" in only_line(result.stderr)


@pytest.mark.parametrize(("args", "code", "told"), [
    (("--out", "cat.txt"), 2, "expected a picture's name that ends in .png"),
    (("--out", "no/cat.png"), 2, "make the folder first"),
    (("--out", "cat.png", "--sizes", "64,48"), 2, "from small to large"),
    (("--out", "cat.png", "--painter", "x.safetensors"), 2, "got both"),
    (("--out", "cat.png", "--network", "vgg16"), 2, "expected the weights of vgg16"),
    (("--out", "cat.png", "--weights", "none.safetensors"), 2, "got no such file")])
def test_what_cannot_be_is_told_in_a_line(stylize, args, code, told):
    result = stylize(*args)
    assert (result.returncode, result.stdout) == (code, "")
    assert told in only_line(result.stderr)


def test_ctrl_c_saves_the_picture_as_it_stands(real_models, data_dir, tmp_path):
    photos = data_dir / "style-photos"
    words = command("stylize", photos / "chelsea.png", photos / "starry_night.jpg", "--out", "cat.png", "--size", 64,
                    "--steps", 100_000)
    with subprocess.Popen(words, cwd=tmp_path, env=environment(FASTCNN_DATA=str(data_dir), PYTHONUNBUFFERED="1"),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("step ")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted; the picture is as it stood" in only_line(errors)
    assert read_rgb(tmp_path / "cat.png").shape == (43, 64, 3)
    assert "cat.png: 64 x 43" in output
