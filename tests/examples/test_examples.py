"""Each example runs as a person would run it, in a process of its own, in a short mode."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name, *arguments, **environment):
    """Return what an example prints; warnings are errors, as in all tests."""
    env = os.environ | {"PYTHONPATH": str(EXAMPLES.parent)} | environment
    process = subprocess.run([sys.executable, "-W", "error", EXAMPLES / name, *map(str, arguments)], env=env, text=True,
                             capture_output=True, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


def number(pattern, text):
    return float(re.search(pattern, text, re.MULTILINE)[1])


def test_mnist_learns_from_a_tenth_of_the_images(data_dir):
    printed = run("mnist.py", "--epochs", 1, "--images", 6000, FASTCNN_DATA=str(data_dir))
    assert number(r"^test accuracy (\S+)$", printed) > 0.75  # 0.84 to 0.87 for four seeds


def test_one_layer_ends_with_gradients_that_are_right():
    printed = run("one_layer.py", "--images", 4)
    assert number(r"^largest error of a gradient (\S+)$", printed) < 1e-6
    assert "times as fast" in printed


def test_filters_draws_a_picture_of_a_network_it_trains_and_of_a_saved_one(tmp_path):
    pytest.importorskip("matplotlib", reason='the picture needs matplotlib: pip install "fastcnn[plot]"')
    import fastcnn as fc

    printed = run("filters.py", "--epochs", 1, "--out", tmp_path / "trained.png")
    assert printed.splitlines()[-1] == str(tmp_path / "trained.png")
    fc.applications.LeNet().save(tmp_path / "model.safetensors")
    run("filters.py", "--run", tmp_path, "--out", tmp_path / "loaded.png")
    for name in ("trained.png", "loaded.png"):
        picture = (tmp_path / name).read_bytes()
        assert picture.startswith(b"\x89PNG\r\n")
        assert len(picture) > 20_000


def test_every_example_is_run_by_a_test():
    tested = re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text())
    assert set(tested) == {path.name for path in EXAMPLES.glob("*.py")}
