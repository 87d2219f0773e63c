"""Paths as users give them: with ~ for their home, as text or as paths."""

import os
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import saving
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path
from tests.saving.files import small_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder that is empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_a_tilde_is_the_home_folder_and_all_kinds_of_paths_are_paths(home):
    for given in ("~/a.h5", Path("~/a.h5"), b"~/a.h5", os.path.join("~", "a.h5")):
        assert user_path(given, "test") == home / "a.h5"
    assert user_path("a/~b", "test") == Path("a/~b")


@pytest.mark.parametrize("given", [None, 3, ["a"], "a\0b"])
def test_what_is_no_path_is_told_with_who_asked(given):
    with pytest.raises(ArgumentError, match="test: expected a path, got"):
        user_path(given, "test")


def test_every_function_of_the_package_that_takes_a_path_takes_a_tilde(home):
    model = small_model()
    x = np.random.default_rng(0).random((2, 6, 5, 1), np.float32)
    model.save("~/m.safetensors")
    model.save_weights("~/w.safetensors")
    saving.save_model(model, "~/s.safetensors", {"a": 1})
    fc.utils.plot_model(model, "~/m.svg")
    assert sorted(p.name for p in home.iterdir()) == ["m.safetensors", "m.svg", "s.safetensors", "w.safetensors"]
    assert saving.load_metadata("~/s.safetensors") == {"a": 1}
    np.testing.assert_array_equal(saving.load_model("~/m.safetensors").predict(x), model.predict(x))
    other = small_model()
    other.load_weights("~/w.safetensors")
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_onnx_files_are_written_to_and_read_from_the_home_folder(home):
    pytest.importorskip("onnx")
    model = small_model()
    assert fc.onnx.export(model, "~/m.onnx") == home / "m.onnx"
    assert fc.onnx.load(Path("~/m.onnx")).output_shape == model.output_shape
