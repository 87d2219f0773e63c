"""Rows made ahead: in order, in memory of the caller, few at a time, and the same whatever the threads."""

import threading
import time

import numpy as np
import pytest

from fastcnn.data.mapped_rows import MappedRows
from fastcnn.data.reading_ahead import read_ahead


class Made:
    """Rows that are made when they are asked for."""

    dtype = np.dtype(np.uint8)

    def __init__(self, count=100, width=3):
        self.shape, self.asked = (count, width), []

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, row):
        self.asked.append(row)
        time.sleep(0.001 * (row % 3 == 0))
        if row == 77:
            raise ValueError("no row 77")
        return np.full(self.shape[1:], row, np.uint8)

    def told(self, rows):
        return repr(rows).encode()


def empty(source, rows):
    return np.empty((rows, *source.shape[1:]), source.dtype)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("size", [1, 7])
def test_each_part_comes_whole_and_in_its_turn(threads, size):
    sources = [MappedRows([Made()]), MappedRows([Made(width=2)])]
    order = np.random.default_rng(0).permutation(70)
    parts = [order[begin : begin + size] for begin in range(0, 70, size)] + [slice(3, 9)]
    got = list(read_ahead(sources, iter(parts), size, empty, threads))
    assert len(got) == len(parts)
    for part, (same, (a, b)) in zip(parts, got, strict=True):
        assert same is part
        rows = np.arange(70)[part]
        np.testing.assert_array_equal(a, np.repeat(rows[:, None], 3, axis=1))
        np.testing.assert_array_equal(b, np.repeat(rows[:, None], 2, axis=1))


@pytest.mark.parametrize("threads", [1, 3])
def test_few_parts_are_made_ahead_and_threads_end_with_the_generator(threads):
    made = Made()
    parts = read_ahead([MappedRows([made])], (slice(k, k + 6) for k in range(0, 100, 6)), 6, empty, threads)
    next(parts)
    time.sleep(0.05)
    assert len(made.asked) <= (6 if threads == 1 else 3 * 6)
    parts.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastcnn-ahead")]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_is_raised_in_the_turn_of_its_part(threads):
    parts = read_ahead([MappedRows([Made()])], (slice(k, k + 10) for k in range(0, 100, 10)), 10, empty, threads)
    assert len([next(parts) for _ in range(7)]) == 7
    with pytest.raises(ValueError, match="no row 77"):
        next(parts)


def test_rows_that_are_made_are_told_apart_without_making_them_and_sliced_like_others():
    made = Made()
    rows = MappedRows([made, np.zeros((2, 3), np.uint8)])
    assert rows.is_made
    assert not MappedRows([np.zeros((2, 3))]).is_made
    told = [b"".join(one.told()) for one in (rows, rows.take([1, 0]), rows.take([0, 1]), rows.take([0, 100]))]
    assert len(set(told)) == 4
    assert not made.asked
    np.testing.assert_array_equal(rows[40:60][:, 0], np.arange(40, 60))
    np.testing.assert_array_equal(rows[[5, 101]][:, 0], [5, 0])
