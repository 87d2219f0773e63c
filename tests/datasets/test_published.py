"""The published data sets, against what their descriptions say, and the folders they are found in."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets import cifar10, digits, fashion_mnist, mnist
from fastcnn.errors import ArgumentError, DataError
from tests.datasets.files import digits_like, write_idx_folder


def test_mnist_is_the_published_one(data):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(data_dir=data)
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((60000, 28, 28), (10000, 28, 28), np.uint8)
    assert (y_train.shape, y_test.shape, y_train.dtype) == ((60000,), (10000,), np.uint8)
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert x_train.mean() / 255 == pytest.approx(0.130660, abs=1e-6)
    assert x_test.mean() / 255 == pytest.approx(0.132515, abs=1e-6)


def test_fashion_mnist_is_the_published_one(data):
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data(data_dir=data / "fashion-mnist")
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
    assert y_train[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert y_test[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    assert x_train.mean() / 255 == pytest.approx(0.286041, abs=1e-6)
    assert x_test.mean() / 255 == pytest.approx(0.286849, abs=1e-6)
    assert fashion_mnist.CLASSES[9] == "Ankle boot"


def test_the_cifar10_subset_holds_the_described_records(data):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(data_dir=data)
    assert (x_train.shape, x_test.shape) == ((20000, 32, 32, 3), (10000, 32, 32, 3))
    assert (y_train.shape, y_test.shape, y_train.dtype) == ((20000, 1), (10000, 1), np.uint8)
    assert np.bincount(y_train[:, 0]).tolist() == [2000] * 10
    assert np.bincount(y_test[:, 0]).tolist() == [1000] * 10
    records = np.concatenate([y_test, x_test.transpose(0, 3, 1, 2).reshape(10000, -1)], axis=1)
    digest = "1ec2e06ea77cdd55212f42e77d8d2f02759a92f9cda54bd367dbae91366641e0"
    assert hashlib.sha256(records.tobytes()).hexdigest() == digest


def test_the_digits_equal_scikit_learns_copy():
    from sklearn.datasets import load_digits

    theirs = load_digits()
    train, test = datasets.stratified_split(theirs.target)
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.dtype, y_train.dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(x_train, theirs.images[train])
    np.testing.assert_array_equal(y_train, theirs.target[train])
    np.testing.assert_array_equal(x_test, theirs.images[test])
    np.testing.assert_array_equal(y_test, theirs.target[test])
    assert (len(x_train), len(x_test), x_train.max()) == (1442, 355, 16)


def test_changing_the_loaded_digits_does_not_change_the_next_load():
    digits.load_data()[0][0][:] = 0
    assert digits.load_data()[0][0].max() == 16


def test_load_returns_records_by_every_accepted_name(data):
    for name, shape, scale, background in (
        ("digits", (8, 8, 1), 16, "dark"),
        ("mnist", (28, 28, 1), 255, "dark"),
        ("fashion-mnist", (28, 28, 1), 255, "dark"),
    ):
        dataset = datasets.load(name, data_dir=data)
        assert dataset.name == name.replace("-", "_")
        assert dataset.x_train.shape[1:] == shape
        assert (dataset.scale, dataset.background, len(dataset.classes)) == (scale, background, 10)
        assert (dataset.y_train.dtype, dataset.y_test.ndim) == (np.int64, 1)
        assert dataset.x_train.max() == scale
        assert "\n" not in dataset.source


def test_a_cifar10_record_says_that_it_is_a_part(tmp_path):
    from tests.datasets.test_records import write_subset

    write_subset(tmp_path / "cifar10-subset")
    dataset = datasets.load("cifar10", data_dir=tmp_path)
    assert dataset.x_train.shape == (30, 32, 32, 3)
    assert dataset.y_train.shape == (30,)
    assert (dataset.background, dataset.scale, dataset.classes[0]) == (None, 255, "airplane")
    assert "30 of 50000 training images" in dataset.source


@pytest.mark.parametrize("below", ["", "mnist"])
def test_the_environment_names_the_folder_or_its_parent(tmp_path, monkeypatch, below):
    (expected, _), _ = write_idx_folder(tmp_path / below)
    monkeypatch.setenv("FASTCNN_DATA", str(tmp_path))
    (x_train, _), _ = mnist.load_data()
    np.testing.assert_array_equal(x_train, expected)


def test_the_argument_wins_over_the_environment(tmp_path, monkeypatch):
    write_idx_folder(tmp_path / "environment", count=10)
    write_idx_folder(tmp_path / "argument", count=20)
    monkeypatch.setenv("FASTCNN_DATA", str(tmp_path / "environment"))
    (x_train, _), _ = mnist.load_data(data_dir=tmp_path / "argument")
    assert len(x_train) == 20


def test_a_folder_given_that_lacks_the_data_is_an_error_that_names_folder_and_files(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError) as caught:
        mnist.load_data(data_dir=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "train-images-idx3-ubyte.gz" in str(caught.value)
    assert "got notes.txt" in str(caught.value)
    with pytest.raises(DataError, match=r"data_batch_1\.bin .*got no such folder"):
        cifar10.load_data(data_dir=tmp_path / "absent")


def test_fashion_is_never_read_as_digits_though_its_files_have_the_same_names(tmp_path):
    write_idx_folder(tmp_path / "fashion-mnist")
    fashion_mnist.load_data(data_dir=tmp_path / "fashion-mnist")
    with pytest.raises(DataError, match=r"^mnist: expected"):
        mnist.load_data(data_dir=tmp_path / "fashion-mnist")


def test_mnist_in_the_file_of_keras_is_read_by_its_path(tmp_path):
    (x, y), (x_test, y_test) = digits_like(), digits_like(9)
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (x_train, y_train), _ = mnist.load_data(str(tmp_path / "mine.npz"))
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    with pytest.raises(DataError, match="got nothing"):
        mnist.load_data(path=str(tmp_path / "absent.npz"))
    with pytest.raises(ArgumentError, match="leave one out"):
        mnist.load_data(str(tmp_path / "mine.npz"), data_dir=tmp_path)
    np.savez(tmp_path / "floats.npz", x_train=x / 255, y_train=y, x_test=x_test, y_test=y_test)
    with pytest.raises(DataError, match="got x_train of float64"):
        mnist.load_data(path=str(tmp_path / "floats.npz"))


def test_importing_the_data_sets_imports_none_of_the_heavy_libraries():
    code = (
        "import sys, fastcnn.datasets; "
        "print([m for m in ('numba', 'pooch', 'requests', 'PIL', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_five_names_are_announced():
    assert datasets.names == ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
