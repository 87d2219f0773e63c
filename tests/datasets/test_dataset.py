"""The record, its checks, the split by index, and the door that names and paths go through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcnn import datasets
from fastcnn.errors import ArgumentError, DataError
from tests.datasets.files import digits_like

X, Y = np.zeros((6, 4, 4, 1), np.float32), np.array([0, 1, 2, 0, 1, 2])


def with_bad_pixel(value):
    x = X.copy()
    x[3, 1, 1] = value
    return x


BAD = {
    "no images": (X[:0], Y[:0], None, "empty set"),
    "a single number": (np.float32(1), Y, None, "empty set"),
    "images without pixels": (X[:, :0], Y, None, "at least one pixel"),
    "fewer labels than images": (X, Y[:5], None, "6 images and 5 labels"),
    "more labels than images": (X[:5], Y, None, "5 images and 6 labels"),
    "a negative label": (X, Y - 1, None, "labels from 0, got -1 at index 0"),
    "a label above the classes": (X, Y, 2, "labels from 0 to 1, got 2 at index 2"),
    "a label without a name": (X, Y, ("cat", "dog"), "labels from 0 to 1, got 2"),
    "labels that are floats": (X, Y.astype(float), None, "integer labels, got float64"),
    "labels that are strings": (X, Y.astype(str), None, "integer labels, got <U21"),
    "labels that are bools": (X, Y > 1, None, "integer labels, got bool"),
    "one-hot labels": (X, np.eye(3, dtype=int)[Y], None, "y.argmax"),
    "a column of labels": (X, Y[:, None], None, "y.ravel"),
    "a pixel that is not a number": (with_bad_pixel(np.nan), Y, None, "NaN in 1 of 6 images, first in image 3, at"),
    "a pixel that is infinite": (with_bad_pixel(-np.inf), Y, None, "infinity in 1 of 6 images, first in image 3, at"),
    "complex images": (X.astype(complex), Y, None, "integers or floats, got complex128"),
    "objects": (X.astype(object), Y, None, "integers or floats, got object"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_trained_on_is_refused(case):
    x, y, classes, text = BAD[case]
    with pytest.raises(DataError) as caught:
        datasets.check(x, y, classes, who="mine.npz")
    assert str(caught.value).startswith("mine.npz: expected ")
    assert text in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_good_data_of_any_real_type_passes(dtype):
    assert datasets.check(X.astype(dtype), Y.astype(np.uint8), 3) is None
    assert datasets.check(X.astype(dtype).tolist(), Y.tolist()) is None


def a_dataset(**changes):
    fields = {
        "name": "mine", "x_train": X, "y_train": Y, "x_test": X[:3], "y_test": Y[:3],
        "classes": ("a", "b", "c"), "scale": 1.0, "source": "a test",
    }  # fmt: skip
    return datasets.Dataset(**(fields | changes))


def test_a_record_checks_both_parts_and_shows_no_arrays():
    assert "array" not in repr(a_dataset())
    with pytest.raises(DataError, match=r"^mine, test set: expected as many labels"):
        a_dataset(y_test=Y[:2])
    with pytest.raises(
        DataError, match=r"^mine, training set: expected uint8 or float32 images \(N, H, W, C\), got float64"
    ):
        a_dataset(x_train=X.astype(float))
    with pytest.raises(DataError, match=r"test images of \(4, 4, 1\) like the training images, got \(4, 3, 1\)"):
        a_dataset(x_test=X[:3, :, :3])
    with pytest.raises(AttributeError):
        a_dataset().name = "other"


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=80), every=st.integers(2, 7))
def test_the_split_takes_every_nth_of_each_class_and_loses_nothing(labels, every):
    y = np.array(labels)
    train, test = datasets.stratified_split(y, every)
    assert sorted([*train, *test]) == list(range(len(y)))
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    naive = [i for i, label in enumerate(labels) if labels[: i + 1].count(label) % every == 0]
    assert test.tolist() == naive


def test_the_split_refuses_what_it_cannot_split():
    with pytest.raises(ArgumentError, match="every of at least 2"):
        datasets.stratified_split(Y, every=1)
    with pytest.raises(ArgumentError, match=r"labels \(N,\)"):
        datasets.stratified_split(X)


@pytest.mark.parametrize("name", ["mnits", "", None, 5])
def test_an_unknown_name_lists_the_known_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=r"known are cifar10, cifar100, digits, fashion_mnist, mnist"):
        datasets.load(name)


def test_the_nearest_name_is_suggested():
    with pytest.raises(ArgumentError, match="did you mean 'fashion_mnist'"):
        datasets.load("fashon_mnist")


def test_a_name_wins_over_a_folder_of_that_name_and_a_path_does_not(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert datasets.load("digits").name == "digits"
    with pytest.raises(DataError, match="sub-folder of pictures"):
        datasets.load("./digits")


def test_data_dir_with_a_path_is_refused(tmp_path):
    x, y = digits_like()
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    with pytest.raises(ArgumentError, match="data_dir only with one of the names"):
        datasets.load(tmp_path / "mine.npz", data_dir=tmp_path)
