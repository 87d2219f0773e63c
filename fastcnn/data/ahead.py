"""Work done ahead by threads: its results come in the order of the items, whatever the number of threads."""

import collections
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_MOST_THREADS = 16
_AHEAD = 2  # items a thread that may be ready or in work: what bounds memory


def ahead(work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """Yield ``work(item)`` of each item, in their order; threads work on the next ones meanwhile.

    It pays where the work is in code that lets other threads run, as Pillow's decoders do. An exception of the work is
    raised in its turn, and what was begun is then waited for; nothing more is begun.

    Parameters
    ----------
    work : function
    items : iterable
    threads : int, optional
        By default as many as the process may use processors, at most 16. With one, there is no thread beside the
        caller's.
    """
    if threads is None:
        has_affinity = hasattr(os, "sched_getaffinity")
        threads = min(_MOST_THREADS, len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1)
    if threads <= 1:
        yield from map(work, items)
        return
    waiting: collections.deque[Future[Result]] = collections.deque()
    with ThreadPoolExecutor(threads, "fastcnn-ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= _AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
