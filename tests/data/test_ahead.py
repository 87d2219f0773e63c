"""Work done ahead: in order, bounded, and its errors in their turn."""

import threading
import time

import pytest

from fastcnn.data.ahead import ahead


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_results_come_in_the_order_of_the_items(threads):
    def work(k):
        time.sleep(0.002 * (k % 3 == 0))  # the first of each three ends after the next two
        return k * k

    assert list(ahead(work, range(40), threads)) == [k * k for k in range(40)]
    assert list(ahead(work, [], threads)) == []


def test_no_more_is_begun_than_may_wait():
    begun = []
    results = ahead(lambda k: begun.append(k) or k, iter(range(1000)), threads=3)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(begun) <= 6
    results.close()
    assert len(begun) <= 6


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_is_raised_in_its_turn_and_threads_end(threads):
    def work(k):
        if k == 5:
            raise ValueError("five")
        return k

    results = ahead(work, range(100), threads)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="five"):
        next(results)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastcnn-ahead")]
