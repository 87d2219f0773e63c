"""A folder of pictures as batches."""

import threading

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError

Image = pytest.importorskip("PIL.Image")
read = fc.utils.image_dataset_from_directory
COUNTS = {"cat": 5, "dog": 4, "emu": 3}


@pytest.fixture
def pets(tmp_path):
    """A folder of three classes; all pixels of a picture say which class and which picture it is."""
    for label, (name, count) in enumerate(COUNTS.items()):
        (tmp_path / name).mkdir()
        for k in range(count):
            Image.fromarray(np.full((6 + k, 9, 3), 50 * label + k, np.uint8)).save(tmp_path / name / f"{k}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def pixel(images):
    """The pixel that fills each image, but for the rounding of weights that sum to 1."""
    images = np.rint(images)
    assert (images == images[:, :1, :1, :1]).all()
    return images[:, 0, 0, 0].astype(int)


@pytest.mark.parametrize(("mode", "shape", "dtype"), [
    ("int", (4,), np.int32), ("categorical", (4, 3), np.float32), (None, None, None)])
def test_pictures_come_in_batches_with_labels_of_each_kind(pets, capsys, mode, shape, dtype):
    found = read(pets, label_mode=mode, batch_size=4, image_size=(5, 7), shuffle=False)
    assert capsys.readouterr().out == "Found 12 files belonging to 3 classes.\n"
    assert found.class_names == list(COUNTS)
    assert [path.replace("\\", "/").rsplit("/", 2)[1] for path in found.file_paths] == ["cat"] * 5 + ["dog"] * 4 + [
        "emu"] * 3
    assert len(found) == 3
    batches = list(found)
    images = [batch if mode is None else batch[0] for batch in batches]
    assert all(one.shape == (4, 5, 7, 3) and one.dtype == np.float32 for one in images)
    assert pixel(np.concatenate(images)).tolist() == [0, 1, 2, 3, 4, 50, 51, 52, 53, 100, 101, 102]
    if mode is not None:
        labels = np.concatenate([batch[1] for batch in batches])
        assert batches[0][1].shape == shape
        assert labels.dtype == dtype
        assert (labels if mode == "int" else labels.argmax(1)).tolist() == [0] * 5 + [1] * 4 + [2] * 3


def test_each_pass_has_an_order_of_its_own_that_the_seed_decides(pets):
    first, again, other = (read(pets, seed=seed, image_size=4, batch_size=12, verbose=False) for seed in (1, 1, 2))
    orders = [pixel(images).tolist() for _ in range(2) for images, _ in first]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    assert [pixel(images).tolist() for _ in range(2) for images, _ in again] == orders
    assert pixel(next(iter(other))[0]).tolist() != orders[0]
    again.set_state({"passes": 1})
    images, labels = next(iter(again))
    assert pixel(images).tolist() == orders[1]
    assert (pixel(images) // 50 == labels).all()


def test_a_seed_deals_files_out_to_two_parts_that_share_none(pets):
    train, val = read(pets, validation_split=0.3, subset="both", seed=3, verbose=False)
    assert (len(train.file_paths), len(val.file_paths)) == (9, 3)
    assert not set(train.file_paths) & set(val.file_paths)
    for part, name in ((train, "training"), (val, "validation")):
        alone = read(pets, validation_split=0.3, subset=name, seed=3, verbose=False)
        assert alone.file_paths == part.file_paths
        assert alone.labels.tolist() == part.labels.tolist()


def test_pictures_come_in_any_colour_one_by_one_and_with_labels_that_are_told(pets):
    grey = read(pets, labels=list(range(12)), color_mode="grayscale", image_size=3, shuffle=False, batch_size=None)
    singles = list(grey)
    assert [int(label) for _, label in singles] == list(range(12))
    assert singles[0][0].shape == (3, 3, 1)
    assert len(grey) == 12
    assert grey.class_names == sorted(map(str, range(12)), key=int)
    assert next(iter(read(pets, labels=None, color_mode="rgba", image_size=3))).shape == (12, 3, 3, 4)
    two = read(pets, class_names=["emu", "cat"], label_mode="binary", shuffle=False, image_size=3, verbose=False)
    assert next(iter(two))[1].tolist() == [[0.0]] * 3 + [[1.0]] * 5


def test_pictures_keep_their_shape_where_it_is_asked_for(tmp_path):
    x = np.zeros((4, 12, 3), np.uint8)
    x[:, 4:8] = 255
    Image.fromarray(x).save(tmp_path / "x.png")

    def one(**fit):
        return next(iter(read(tmp_path, labels=None, image_size=4, interpolation="nearest", verbose=False, **fit)))[0]

    assert one(crop_to_aspect_ratio=True).min() == 255
    padded = one(pad_to_aspect_ratio=True)[..., 0]
    assert (padded[0] == 0).all()
    assert padded.max() == 255
    assert one().mean() == pytest.approx(255 / 2)  # of four columns two lie in the middle third


def test_a_model_is_trained_evaluated_and_predicts_from_a_folder(pets):
    train, val = read(pets, validation_split=0.25, subset="both", seed=3, image_size=6, batch_size=4, verbose=False)
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((6, 6, 3)), layers.Rescaling(1 / 255), layers.Flatten(),
                           layers.Dense(3, activation="softmax")])
    model.compile(fc.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = threading.active_count()
    history = model.fit(train, validation_data=val, epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(train, verbose=0)[1] > 0.5
    assert model.predict(val, verbose=0).shape == (3, 3)
    assert threading.active_count() == before


@pytest.mark.parametrize(("named", "error", "text"), [
    ({"label_mode": "onehot"}, ArgumentError, "label_mode: 'onehot' is not known"),
    ({"label_mode": "binary"}, ArgumentError, "expected two classes"),
    ({"color_mode": "bgr"}, ArgumentError, "color_mode: 'bgr' is not known"),
    ({"interpolation": "gaussian"}, ArgumentError, "gaussian"),
    ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, ArgumentError, "aspect_ratio"),
    ({"image_size": (0, 3)}, ArgumentError, r"expected image_size=\(height, width\)"),
    ({"batch_size": 0}, ArgumentError, "batch_size to be a positive integer or None"),
    ({"validation_split": 0.2}, ArgumentError, "validation_split and subset together"),
    ({"validation_split": 2, "subset": "both"}, ArgumentError, "0 < validation_split < 1"),
    ({"validation_split": 0.2, "subset": "training"}, ArgumentError, "expected a seed"),
    ({"validation_split": 0.01, "subset": "both"}, DataError, "expected pictures for validation, got none"),
    ({"class_names": ["cow"]}, ArgumentError, "expected class_names of folders in .*cat, dog, emu"),
    ({"class_names": ["cat"], "labels": None}, ArgumentError, 'with labels="inferred" alone'),
    ({"labels": [0, 1]}, DataError, "expected as many labels as pictures, 12, got 2"),
    ({"labels": "all"}, ArgumentError, "'all'"),
    ({"data_format": "channels_first"}, ArgumentError, "channels-last"),
])
def test_what_does_not_fit_is_said_before_anything_is_read(pets, named, error, text):
    with pytest.raises(error, match=text):
        read(pets, **{"image_size": 4, "verbose": False} | named)


def test_a_damaged_picture_is_named(pets):
    (pets / "dog" / "1.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DataError, match=r"1\.png"):
        list(read(pets, image_size=4, verbose=False))
    with pytest.raises(DataError, match="expected a folder of pictures, got nothing"):
        read(pets / "no")
    (pets / "empty" / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="expected pictures"):
        read(pets / "empty")
