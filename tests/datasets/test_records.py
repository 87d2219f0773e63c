"""CIFAR-10's records: unpacked, in xz, in the published archive, and damaged."""

import gzip
import io
import lzma
import tarfile

import numpy as np
import pytest

from fastcnn import datasets
from fastcnn.datasets import cifar10
from fastcnn.errors import DataError
from tests.datasets.files import records

FILES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def write_subset(folder, train=None, test=None):
    folder.mkdir(exist_ok=True)
    (folder / "train_20k.bin.xz").write_bytes(lzma.compress(records(30) if train is None else train))
    (folder / "test_10k.bin.xz").write_bytes(lzma.compress(records(10, seed=1) if test is None else test))


def archive(files) -> bytes:
    """Return a tar.gz of files in the folder that the published archive has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def published(count=7):
    return {name: records(count, seed) for seed, name in enumerate(FILES)}


def expected_arrays(content):
    table = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    x = np.empty((len(table), 32, 32, 3), np.uint8)
    for channel in range(3):
        for row in range(32):
            begin = 1 + 1024 * channel + 32 * row
            x[:, row, :, channel] = table[:, begin : begin + 32]
    return x, table[:, :1]


@pytest.mark.parametrize("packed", [True, False], ids=["tar.gz", "unpacked"])
def test_the_binary_version_is_read_in_the_order_of_its_batches(tmp_path, packed):
    files = published()
    if packed:
        # Another order in the archive than the order of the batches, as in the published one.
        (tmp_path / "cifar-10-binary.tar.gz").write_bytes(
            archive(dict(reversed(files.items())) | {"readme.html": b"x"})
        )
    else:
        (tmp_path / "cifar-10-batches-bin").mkdir()
        for name, content in files.items():
            (tmp_path / "cifar-10-batches-bin" / name).write_bytes(content)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(data_dir=tmp_path)
    x, y = expected_arrays(b"".join(files[name] for name in FILES[:5]))
    np.testing.assert_array_equal(x_train, x)
    np.testing.assert_array_equal(y_train, y)
    x, y = expected_arrays(files["test_batch.bin"])
    np.testing.assert_array_equal(x_test, x)
    np.testing.assert_array_equal(y_test, y)


def test_the_whole_set_is_preferred_to_a_subset_beside_it(tmp_path):
    write_subset(tmp_path)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(archive(published()))
    (x_train, _), _ = cifar10.load_data(data_dir=tmp_path)
    assert len(x_train) == 35


def test_a_folder_of_records_is_loaded_by_its_path(tmp_path):
    write_subset(tmp_path)
    assert datasets.load(tmp_path).name == "cifar10"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "got 0 bytes"),
        (records(3)[:-1], "records of 3073 bytes each, got 9218 bytes"),
        (records(2) + b"\x0a" + bytes(3072), "labels from 0 to 9, got 10 in record 2"),
    ],
)
def test_bad_records_are_refused(tmp_path, content, text):
    write_subset(tmp_path, train=content)
    with pytest.raises(DataError, match="train_20k.bin.xz: expected .*" + text):
        cifar10.load_data(data_dir=tmp_path)


def test_damaged_xz_is_refused(tmp_path):
    write_subset(tmp_path)
    path = tmp_path / "train_20k.bin.xz"
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:5000] + bytes(64) + whole[5064:], whole[:6]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"train_20k\.bin\.xz: expected a complete xz file"):
            cifar10.load_data(data_dir=tmp_path)


def test_an_xz_bomb_is_read_no_further_than_the_whole_of_cifar10(tmp_path, monkeypatch):
    monkeypatch.setattr("fastcnn.datasets._records._MOST", 100)
    write_subset(tmp_path, train=bytes(3073 * 5000))
    with pytest.raises(DataError, match="expected at most 100 records"):
        cifar10.load_data(data_dir=tmp_path)


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    whole = archive(published())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    tar = gzip.decompress(whole)
    for content in (whole[:1000], whole[:-8], bytes(flipped), gzip.compress(tar[:30000]), b"no archive", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz: .*(expected|got)"):
            cifar10.load_data(data_dir=tmp_path)


def test_an_archive_that_lacks_a_batch_names_it(tmp_path):
    files = published()
    del files["data_batch_3.bin"]
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(archive(files))
    with pytest.raises(DataError, match=r"expected data_batch_3\.bin in the archive"):
        cifar10.load_data(data_dir=tmp_path)
