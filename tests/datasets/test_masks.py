"""Data sets of masks, of drawn characters and of persons."""

import zipfile

import numpy as np
import pytest
from PIL import Image

import fastcnn as fc
from fastcnn.datasets.annotated.masked_images import boxes_around
from fastcnn.errors import DataError
from tests.datasets import annotated_files as files


def _map(path, pixels, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels, np.uint8 if np.max(pixels) < 256 else np.uint16))
    if mode == "P":
        image = Image.fromarray(np.asarray(pixels, np.uint8), "L").copy()
        image.putpalette([k * 7 % 256 for k in range(768)])
    image.save(path)


def _folder(root, masks, mode=None):
    for k, mask in enumerate(masks):
        files.picture(root / "images" / f"{k}.png", mask.shape, seed=k)
        _map(root / "masks" / f"{k}.png", mask, mode)
    return root


def _objects(count=6, size=(12, 16), seed=0):
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, *size), np.uint16)
    for mask in masks:
        for number in range(1, rng.integers(2, 5)):
            i, j = rng.integers(0, 8, 2)
            mask[i : i + 4, j : j + 4] = number
    return masks


def test_maps_of_objects_are_read_with_every_fifth_picture_for_testing(tmp_path):
    masks = _objects()
    data = fc.datasets.load(_folder(tmp_path, masks))
    assert (data.task, data.train.kind, len(data.train), data.test.files) == (
        "segmentation", "instances", 5, ("images/4.png",))
    x, y = data.train.arrays()
    assert (x.shape, x.dtype, y.dtype) == ((5, 12, 16, 3), np.uint8, np.int32)
    np.testing.assert_array_equal(y, masks[[0, 1, 2, 3, 5]])
    np.testing.assert_array_equal(data.train.take([3, -1])[1].mask, masks[5])


def test_sixteen_bits_and_one_file_an_object_are_objects_too(tmp_path):
    masks = _objects().astype(np.uint16) * 300
    np.testing.assert_array_equal(fc.datasets.load(_folder(tmp_path / "wide", masks)).train[0].mask, masks[0])
    for k, mask in enumerate(masks):
        files.picture(tmp_path / "each" / "images" / f"{k}.png", mask.shape)
        for number in np.unique(mask[mask > 0]):
            _map(tmp_path / "each" / "masks" / f"{k}" / f"{number:05}.png", (mask == number) * 255)
    data = fc.datasets.load(tmp_path / "each")
    for k, row in enumerate((0, 1, 2, 3, 5)):
        np.testing.assert_array_equal(data.train[k].mask, np.unique(masks[row], return_inverse=True)[1].reshape(12, 16))


def test_the_data_science_bowl_s_folders_a_picture_are_read(tmp_path):
    for k, mask in enumerate(_objects()):
        files.picture(tmp_path / f"id{k}" / "images" / f"id{k}.png", mask.shape)
        for number in np.unique(mask[mask > 0]):
            _map(tmp_path / f"id{k}" / "masks" / f"{number}.png", (mask == number) * 255)
    data = fc.datasets.load(tmp_path)
    assert data.train.files[0] == "id0/images/id0.png"
    assert data.train[0].mask.max() == len(np.unique(_objects()[0])) - 1


def test_one_number_is_yes_and_a_palette_has_classes_with_a_void(tmp_path):
    masks = (_objects() > 0) * np.uint8(255)
    data = fc.datasets.load(_folder(tmp_path / "binary", masks))
    assert (data.train.kind, data.classes) == ("classes", ("object",))
    np.testing.assert_array_equal(data.train[1].mask, masks[1] > 0)
    masks = _objects().astype(np.int32)
    masks[:, 0, :3] = 255
    data = fc.datasets.load(_folder(tmp_path / "palette", masks, "P"))
    assert data.train.kind == "classes"
    np.testing.assert_array_equal(data.train[0].mask, np.where(masks[0] == 255, -1, masks[0]))


def test_a_table_and_folders_tell_the_parts(tmp_path):
    root = _folder(tmp_path / "a", _objects())
    rows = [f"{k}.png,{'test' if k < 2 else 'train'}\n" for k in range(6)]
    (root / "index.csv").write_text("file,split\n" + "".join(rows))
    assert fc.datasets.load(root).test.files == ("images/0.png", "images/1.png")
    for part, seed in (("train", 0), ("val", 1), ("test", 2)):
        _folder(tmp_path / "b" / part, _objects(3, seed=seed))
    assert {name: len(part) for name, part in fc.datasets.load(tmp_path / "b").parts.items()} == {
        "train": 3, "dev": 3, "test": 3}


def _other_size(root):
    _map(root / "masks" / "2.png", np.ones((12, 15)))


def _without(root):
    (root / "masks" / "2.png").unlink()


def _colours(root):
    files.picture(root / "masks" / "2.png", (12, 16))


def _cut(root):
    data = (root / "images" / "2.png").read_bytes()
    (root / "images" / "2.png").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(("harm", "message"), [
    (_other_size, "images/2.png: has 16x12 pixels, but its mask has 15x12"),
    (_without, "images/2.png: has no mask"),
    (_colours, "images/2.png: cannot be read: masks/2.png: .*pixels are colours"),
    (_cut, "images/2.png: cannot be read: images/2.png: expected a whole picture"),
])
def test_a_faulty_mask_is_named_and_its_picture_dropped_on_request(tmp_path, harm, message):
    harm(_folder(tmp_path, _objects()))
    with pytest.raises(DataError, match=message):
        fc.datasets.load(tmp_path)
    data = fc.datasets.load(tmp_path, drop_bad=True)
    assert len(data.train) + len(data.test) == 5
    assert data.notes[0].startswith("1 picture left out: images/2.png")


def test_pictures_of_several_sizes_are_taken_one_by_one(tmp_path):
    masks = [*_objects(4), *_objects(2, (20, 10))]
    data = fc.datasets.load(_folder(tmp_path, masks))
    assert [one.mask.shape for one in data.train] == [(12, 16)] * 4 + [(20, 10)]
    with pytest.raises(DataError, match="expected pictures of one size, got 2, as 16x12 and 10x20"):
        data.train.arrays()


def test_boxes_around_objects_hold_their_pixels_and_no_more():
    mask = _objects(1, seed=3)[0]
    boxes, areas = boxes_around(mask)
    for number, (x1, y1, x2, y2), area in zip(np.unique(mask[mask > 0]), boxes.astype(int), areas, strict=True):
        inside = mask == number
        assert area == inside.sum() == inside[y1:y2, x1:x2].sum()
        for edge in (inside[y1, x1:x2], inside[y2 - 1, x1:x2], inside[y1:y2, x1], inside[y1:y2, x2 - 1]):
            assert edge.any()
    assert boxes_around(mask * 0)[0].shape == (0, 4)


def test_the_nuclei_are_objects_with_boxes(data):
    found = fc.datasets.load("nuclei-dsb2018", data)
    assert (len(found.train), len(found.test), found.train.kind) == (267, 67, "instances")
    boxed = found.test.take(np.arange(3)).boxed("nucleus")
    assert len(boxed.boxes) == sum(int(mask.max()) for mask in found.test.take(np.arange(3)).masks)


def test_omniglot_has_characters_drawers_and_runs_and_no_alphabet_in_both_parts(data):
    found = fc.datasets.load("omniglot", data)
    assert found.train.images.shape == (2720, 105, 105, 1)
    assert (len(found.train.names), len(found.test.names)) == (136, 106)
    assert found.train.group_names == ("Balinese", "Early_Aramaic", "Greek", "Korean", "Latin")
    assert found.test.group_names == ("Japanese_(katakana)", "Sanskrit", "Tagalog")
    assert sorted(set(found.train.drawers.tolist())) == list(range(1, 21))
    assert np.unique(found.train.labels, return_counts=True)[1].tolist() == [20] * 136
    assert len(found.train.joined(found.test).names) == 242
    assert len(found.runs) == 20
    assert sorted(found.runs[3].answers.tolist()) == list(range(20))
    with pytest.raises(DataError, match="expected other names"):
        found.train.joined(found.train)


def test_a_damaged_archive_of_omniglot_s_is_named(tmp_path):
    for name in ("images_background_small1.zip", "images_background_small2.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("set/Greek/character01/0001_01.png", b"no picture")
    with pytest.raises(DataError, match=r"small1.zip: expected a whole picture in set/Greek/character01/0001_01.png"):
        fc.datasets.load("omniglot", tmp_path)
    (tmp_path / "images_background_small1.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match="expected an archive of Omniglot's, got"):
        fc.datasets.load("omniglot", tmp_path)


def test_folders_of_persons_are_dealt_by_person(tmp_path):
    for person in range(10):
        for k in range(3):
            files.picture(tmp_path / f"person{person}" / f"{k}.png", seed=3 * person + k)
    data = fc.datasets.load(tmp_path, task="identity")
    assert (data.task, len(data.train.names), data.test.names) == ("identity", 8, ("person4", "person9"))
    assert data.test.labels.tolist() == [0] * 3 + [1] * 3
    assert data.test.images[0].shape == (40, 60, 3)
    (tmp_path / "person0" / "1.png").write_text("no picture")
    with pytest.raises(DataError, match=r"person0/1.png: cannot be read"):
        fc.datasets.load(tmp_path, task="identity")
    assert len(fc.datasets.load(tmp_path, task="identity", drop_bad=True).train) == 23
    with pytest.raises(DataError, match="expected names of the set, got 'nobody'"):
        data.train.of(["nobody"])
