"""Packed data sets: equal to what they were made of, read where they lie, and whole or refused."""

import dataclasses
import json

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets import Pictures
from fastcnn.datasets._packing import pack_arrays, pack_pictures
from fastcnn.errors import DataError
from tests.datasets.test_own import write_pictures

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def assert_equal(packed, data):
    """Compare two data sets in all that they know but the source."""
    for field in dataclasses.fields(data):
        one, other = getattr(packed, field.name), getattr(data, field.name)
        if field.name == "origin":
            assert one.files == other.files
            np.testing.assert_array_equal(one.order, other.order)
        elif isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        elif field.name != "source":
            assert one == other, field.name


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "mixed"])
def test_packed_pictures_are_the_pictures(tmp_path, out, mode, parts):
    for part in ("train", "val", "test") if parts else ("",):
        root = tmp_path / "pictures" / part
        for k, name in enumerate(("cat", "dog")):
            if mode == "I;16":
                (root / name).mkdir(parents=True)
                for i in range(5):
                    wide = np.random.default_rng(i).integers(0, 4000, (6, 7), dtype=np.uint16)
                    Image.fromarray(wide).save(root / name / f"{i}.png")
            else:
                write_pictures(root, 5, mode=("L", "RGB")[k] if mode == "mixed" else mode, classes=[name], seed=k)
    root = tmp_path / "pictures"
    pack_pictures(root, Pictures(), out)
    packed = datasets.load(out)
    assert_equal(packed, datasets.load(root))
    assert isinstance(packed.x_train, np.memmap)
    assert not packed.x_train.flags.writeable
    assert not (out / ".decoded").exists()


def test_a_table_of_pictures_of_many_sizes_of_which_one_is_damaged_is_packed(tmp_path, out):
    lines = ["file,label,weight,patient"]
    for k in range(20):
        draw = np.random.default_rng(k)
        Image.fromarray(draw.integers(0, 256, (9 + k, 20, 3), dtype=np.uint8)).save(tmp_path / f"{k}.png")
        lines.append(f"{k}.png,{'ab'[k % 2]},{k / 4},{k // 4}")
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    asked = {"image_size": (8, 10), "fit": "pad", "skip_damaged": True}
    pack_pictures(tmp_path / "table.csv", Pictures(**asked), out)
    packed = datasets.load(out)
    assert_equal(packed, datasets.load(tmp_path / "table.csv", **asked))
    assert packed.origin.table.columns == ("file", "label", "weight", "patient")
    assert packed.origin.table.rows["5.png"].cells["patient"] == "1"
    (out / "more").mkdir()
    with pytest.raises(DataError, match=r"line 5: .*3\.png"):
        pack_pictures(tmp_path / "table.csv", Pictures((8, 10)), out / "more")
    with pytest.raises(DataError, match="expected pictures of one size"):
        pack_pictures(tmp_path / "table.csv", Pictures(skip_damaged=True), out / "more")
    assert list((out / "more").iterdir()) == []


def test_arrays_are_packed(out):
    pack_arrays(datasets.load("digits"), out)
    assert_equal(datasets.load(out), datasets.load("digits"))


def test_damage_is_told_in_one_sentence(out):
    pack_arrays(datasets.load("digits"), out)
    index = out / "packed.json"
    good = index.read_bytes()
    for bad in (b"{", b"[]", b"{}", good.replace(b'"version": 1', b'"version": 2'), good.replace(b'"classes"', b'"x"')):
        index.write_bytes(bad)
        with pytest.raises(DataError, match=r"packed.json: expected .*; pack the data anew"):
            datasets.load(out)
    index.write_bytes(good)
    images = out / "x.npy"
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"x.npy: expected a whole array"):
        datasets.load(out)
    images.unlink()
    with pytest.raises(DataError, match=r"x.npy: expected a whole array"):
        datasets.load(out)
    pack_again = np.zeros((3, 8, 8, 1), np.uint8)
    np.save(images, pack_again)
    with pytest.raises(DataError, match=r"x.npy: expected 1797 images, as there are labels, got 3"):
        datasets.load(out)
    assert json.loads(good)["name"] == "digits"
