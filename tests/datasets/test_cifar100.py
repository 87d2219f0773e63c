"""CIFAR-100's records: unpacked and in the published archive, with both labels, and damaged."""

import io
import tarfile

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets import cifar100
from fastcnn.errors import ArgumentError, DataError


def records(count, seed):
    table = np.random.default_rng(seed).integers(0, 256, (count, 3074), dtype=np.uint8)
    table[:, 0] %= 20
    table[:, 1] %= 100
    return table


FILES = {"train.bin": records(30, 0), "test.bin": records(10, 1)}


@pytest.fixture(params=["tar.gz", "unpacked"])
def folder(tmp_path, request):
    if request.param == "unpacked":
        (tmp_path / "cifar-100-binary").mkdir()
        for name, table in FILES.items():
            (tmp_path / "cifar-100-binary" / name).write_bytes(table.tobytes())
        return tmp_path
    with tarfile.open(tmp_path / "cifar-100-binary.tar.gz", "w:gz") as tar:
        for name, table in reversed(FILES.items()):
            info = tarfile.TarInfo(f"cifar-100-binary/{name}")
            info.size = table.size
            tar.addfile(info, io.BytesIO(table.tobytes()))
    return tmp_path


def test_both_labels_of_the_binary_version_are_read(folder):
    for mode, at in (("fine", 1), ("coarse", 0)):
        parts = cifar100.load_data(mode, data_dir=folder)
        for (x, y), table in zip(parts, FILES.values(), strict=True):
            np.testing.assert_array_equal(y, table[:, at:at + 1])
            np.testing.assert_array_equal(x, table[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            assert x.dtype == y.dtype == np.uint8
    data = datasets.load("cifar100", folder)
    assert data.y_train.tolist() == FILES["train.bin"][:, 1].tolist()
    assert len(data.classes) == len(set(data.classes)) == 100
    assert len(set(cifar100.GROUPS)) == 20


def test_what_is_no_cifar100_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match='label_mode "fine" or "coarse", got \'both\''):
        cifar100.load_data("both", tmp_path)
    with pytest.raises(DataError, match=r"cifar100: expected train\.bin and test\.bin, or cifar-100-binary\.tar\.gz"):
        cifar100.load_data(data_dir=tmp_path)
    wrong = FILES["train.bin"].copy()
    wrong[4, 1] = 100
    (tmp_path / "train.bin").write_bytes(wrong.tobytes())
    (tmp_path / "test.bin").write_bytes(FILES["test.bin"].tobytes())
    with pytest.raises(DataError, match=r"expected labels from 0 to 99, got 100 in record 4"):
        cifar100.load_data(data_dir=tmp_path)
