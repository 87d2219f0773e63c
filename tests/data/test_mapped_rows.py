"""Rows that stay where they lie give what an array of them would."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.array_data import Data
from fastcnn.data.mapped_rows import MappedRows, joined, taken

X = np.random.default_rng(0).integers(0, 256, (30, 6, 6, 1), dtype=np.uint8)
FACTOR, OFFSET = np.float32([1 / 127]), np.float32([0.7])


@pytest.fixture
def mapped(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def test_rows_of_several_arrays_are_read_as_one_array_of_them_is():
    rows, index = MappedRows([X[:7], X[7:8], X[8:]]), np.random.default_rng(1).permutation(30)
    assert rows.shape == X.shape
    assert rows.dtype == np.uint8
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(rows[3:20:2], X[3:20:2])
    np.testing.assert_array_equal(rows[index], X[index])
    np.testing.assert_array_equal(rows[7], X[7])
    np.testing.assert_array_equal(rows.take(index).take(slice(4, 9))[:], X[index[4:9]])
    np.testing.assert_array_equal(MappedRows.joined([rows.take([5, 2]), X[:1]]), X[[5, 2, 0]])


def test_scaled_rows_have_the_bits_of_scaled_arrays():
    scaled = MappedRows([X]).scaled(FACTOR, OFFSET)
    expected = np.multiply(X, FACTOR, dtype=np.float32)
    expected -= OFFSET
    assert scaled.dtype == np.float32
    assert scaled[:].tobytes() == expected.tobytes()


def test_memory_maps_are_taken_and_joined_unread_and_arrays_are_not(mapped):
    assert isinstance(taken(mapped, [1, 2]), MappedRows)
    assert isinstance(joined([mapped, mapped]), MappedRows)
    assert isinstance(taken(X, [1, 2]), np.ndarray)
    assert isinstance(joined([X, X]), np.ndarray)


def test_parts_of_one_memory_map_are_one_array_again(mapped):
    rows = MappedRows.joined([mapped[20:], mapped[:5], taken(mapped[3:9], [2, 0])])
    assert len(rows.arrays) == 1
    np.testing.assert_array_equal(rows, X[[*range(20, 30), *range(5), 5, 3]])
    assert len(MappedRows.joined([mapped[:5, 1:], mapped[3:4, 1:]]).arrays) == 2


def test_training_on_rows_has_the_bits_of_training_on_an_array(mapped):
    expected = np.multiply(X, FACTOR, dtype=np.float32) - OFFSET
    y, results = np.arange(30) % 2, []
    for x in (expected, MappedRows([mapped]).scaled(FACTOR, OFFSET)):
        fc.utils.set_random_seed(3)
        model = fc.Sequential([fc.Input((6, 6, 1)), fc.layers.Flatten(), fc.layers.Dense(2)])
        model.compile("sgd", fc.losses.SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(x, y, batch_size=8, epochs=2, validation_split=0.2, verbose=0)
        results.append((history.history, model.predict(x, verbose=0).tobytes(), model.evaluate(x, y, verbose=0)))
    assert results[0] == results[1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells a process's own memory")
def test_a_shuffled_epoch_adds_little_memory_of_the_process_itself(tmp_path):
    shape = 64, 1024, 1024, 1  # 64 MiB, and four times that as float32
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, shape)[:] = 7
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    order, f32 = np.random.default_rng(0).permutation(64), np.dtype(np.float32)
    for given in (x, MappedRows([x]).scaled(FACTOR, OFFSET)):
        data = Data([given], [np.zeros(64)], [(None, *shape[1:])], f32, "test")
        before, seen = own_memory(), 0.0
        for batch in data.batches(1, order):
            seen += float(batch.xs[0][0, 0, 0, 0])
            del batch
            assert own_memory() - before < 24 << 20
        assert seen


def own_memory():
    """Return the bytes of this process that are no part of a file."""
    (line,) = re.findall(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) << 10


def test_rows_of_another_shape_than_the_model_takes_are_refused(mapped):
    model = fc.Sequential([fc.Input((5, 6, 1)), fc.layers.Flatten(), fc.layers.Dense(2)])
    with pytest.raises(fc.errors.ArgumentError, match=r"expected x of shape \(N, 5, 6, 1\), got \(30, 6, 6, 1\)"):
        model.predict(MappedRows([mapped]))
