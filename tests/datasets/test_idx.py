"""The idx reader: the right arrays or one clear DataError, whatever the bytes are."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastcnn.datasets import _idx
from fastcnn.errors import DataError
from tests.datasets.files import NAMES, digits_like, header, idx, write_idx_folder

IMAGES, LABELS = digits_like()
PACKED = gzip.compress(idx(IMAGES), mtime=0)


@pytest.fixture
def file(tmp_path):
    def write(content: bytes):
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_images_and_labels_come_back_as_written_and_writable(file, pack):
    images = _idx.read(file(pack(idx(IMAGES))), "images")
    np.testing.assert_array_equal(images, IMAGES)
    images[:] = 0
    np.testing.assert_array_equal(_idx.read(file(pack(idx(LABELS))), "labels"), LABELS)


def test_four_dimensions_are_images_with_channels(file):
    colour, _ = digits_like(channels=3)
    np.testing.assert_array_equal(_idx.read(file(idx(colour)), "images"), colour)


BAD = {
    "empty file": (b"", "images", "got 0 bytes"),
    "empty gzip": (gzip.compress(b""), "images", "got 0 bytes"),
    "half a magic number": (b"\0\0", "images", "got 2 bytes"),
    "half a header": (header(3, 4, 4)[:9], "images", "3 sizes of 4 bytes in its header, got 5"),
    "another magic number": (
        b"\x89PNG" + bytes(20),
        "images",
        "starts with 00 00 08 03 or 00 00 08 04, got 89 50 4e 47",
    ),
    "floats": (header(2, 2, 2, kind=0x0D) + bytes(32), "images", "got 00 00 0d 03"),
    "labels for images": (idx(LABELS), "images", "it is a file of labels"),
    "images for labels": (idx(IMAGES), "labels", "it is a file of images"),
    "no images": (header(0, 28, 28), "images", "0 x 28 x 28"),
    "images without height": (header(5, 0, 28), "images", "5 x 0 x 28"),
    "one byte too few": (idx(IMAGES)[:-1], "images", "got only 719"),
    "one byte too many": (idx(IMAGES) + b"\0", "images", "got more"),
    "one byte too many in gzip": (gzip.compress(idx(IMAGES) + b"\0"), "images", "got more"),
    "truncated gzip": (PACKED[:-30], "images", "complete gzip"),
    "gzip without its checksum": (PACKED[:-8], "images", "complete gzip"),
    "gzip with a wrong checksum": (PACKED[:-8] + bytes(4) + PACKED[-4:], "images", "CRC check failed"),
    "garbage behind gzip": (PACKED + b"garbage", "images", "complete gzip"),
    "a header that promises 2^64 bytes": (header(2**32 - 1, 2**16, 2**16), "images", "promises 18446744069414584320"),
    "2^32 by 2^32 in gzip": (gzip.compress(header(2**32 - 1, 2**32 - 1, 1)), "images", "promises 18446744065119617025"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_named_with_what_was_expected_and_what_to_do(file, case):
    content, kind, text = BAD[case]
    path = file(content)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        _idx.read(path, kind)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ")
    assert text in message
    assert "delete it" in message or "swapped" in message
    assert "\n" not in message
    assert peak < 4 << 20  # nothing is allocated for what a header only promises


def test_a_gzip_bomb_does_not_fill_memory(file):
    promised = 80 << 20  # 80 MiB of zeros in 80 kB
    path = file(gzip.compress(header(promised, 1, 1) + bytes(promised), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="200 bytes of data for each byte on disk"):
        _idx.read(path, "images")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_small_promise_before_a_gzip_bomb_reads_only_what_was_promised(file):
    path = file(gzip.compress(header(5, 2, 2) + bytes(30 << 20), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="got more"):
        _idx.read(path, "images")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_missing_files_and_folders_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="expected a file, got nothing"):
        _idx.read(tmp_path / "absent", "images")
    with pytest.raises(DataError, match="expected a file, got a folder"):
        _idx.read(tmp_path, "images")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.integers(0, len(PACKED)))
def test_a_truncated_file_is_whole_or_refused(file, end):
    path = file(PACKED[:end])
    if end == len(PACKED):
        np.testing.assert_array_equal(_idx.read(path, "images"), IMAGES)
    else:
        with pytest.raises(DataError):
            _idx.read(path, "images")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(1, 255)), min_size=1, max_size=3))
def test_flipped_bytes_give_the_right_arrays_or_a_data_error(file, flips):
    content = bytearray(PACKED)
    for at, bits in flips:
        content[at] ^= bits
    try:
        images = _idx.read(file(bytes(content)), "images")
    except DataError:
        return
    np.testing.assert_array_equal(images, IMAGES)  # a flip in the time stamp of gzip's header, say


@pytest.mark.parametrize("at", range(24))
def test_every_byte_of_the_gzip_and_idx_headers_may_be_anything(file, at):
    for value in range(256):
        for content in (PACKED, idx(IMAGES)):
            changed = bytearray(content)
            changed[at] = value
            try:
                images = _idx.read(file(bytes(changed)), "images")
            except DataError:
                continue
            assert images.shape == IMAGES.shape


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("dotted", [True, False])
def test_a_folder_is_read_under_all_names_in_use(tmp_path, packed, dotted):
    names = [name.replace("-idx", ".idx") if dotted else name for name in NAMES]
    expected = write_idx_folder(tmp_path, packed, names=names)
    paths = _idx.find_all(tmp_path)
    assert paths is not None
    for part, expected_part in zip(_idx.read_all(paths), expected):
        for array, expected_array in zip(part, expected_part):
            np.testing.assert_array_equal(array, expected_array)


def test_other_counts_of_labels_and_other_image_sizes_are_refused(tmp_path):
    write_idx_folder(tmp_path, packed=False)
    paths = _idx.find_all(tmp_path)
    (tmp_path / NAMES[1]).write_bytes(idx(LABELS[:-1]))
    with pytest.raises(DataError, match="expected 20 labels, one for each image of train-images-idx3-ubyte, got 19"):
        _idx.read_all(paths)
    (tmp_path / NAMES[1]).write_bytes(idx(LABELS))
    (tmp_path / NAMES[2]).write_bytes(idx(IMAGES[:10, :5]))
    with pytest.raises(DataError, match=r"expected images of \(6, 6\) as in train-images-idx3-ubyte, got \(5, 6\)"):
        _idx.read_all(paths)
