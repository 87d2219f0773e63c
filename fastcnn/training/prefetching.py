"""Batches that are made ahead of the step, in a thread of their own.

Only the making of a batch runs there: reading, decoding, augmenting. Checks and the conversion to the model's type stay
in the thread that trains, so results do not change. Python code runs in one thread at a time. A second thread therefore
pays off where batches wait for a disk or a network, or come out of NumPy, Pillow and other code that releases the lock.
Batches made by pure Python become slower. So it is opt-in.
"""

import queue
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from fastcnn.errors import ArgumentError

_END = object()


class Ahead(Iterator[Any]):
    """An iterator over the items of another one, which a thread takes a few ahead.

    The thread ends with the items, or when this object is deleted. It does not keep the process from ending.

    Parameters
    ----------
    items : iterator
    size : int
        How many items may wait, including the one that is being made.
    """

    def __init__(self, items: Iterator[Any], size: int = 1) -> None:
        self._shared = _Shared(size)
        self._thread = threading.Thread(target=_produce, args=(items, self._shared), name="fastcnn-prefetch",
                                        daemon=True)
        self._close = weakref.finalize(self, self._shared.stop)
        self._is_over = False
        self._thread.start()

    def __next__(self) -> Any:
        if self._is_over:
            raise StopIteration
        item, error = self._shared.ready.get()
        self._shared.free.release()
        if item is not _END:
            return item
        self._is_over = True
        if error is None:
            raise StopIteration
        raise error  # with the traceback of the thread

    def close(self) -> None:
        """End the thread after the item that it is making."""
        self._is_over = True
        self._close()


class _Shared:
    """What both threads share. The producing thread refers to nothing else, so that it does not keep `Ahead` alive."""

    def __init__(self, size: int) -> None:
        self.ready: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.free = threading.Semaphore(size)
        self.is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True
        self.free.release()


def _produce(items: Iterator[Any], shared: _Shared) -> None:
    error = None
    try:
        while True:
            shared.free.acquire()
            # `stop` releases the semaphore, so that a thread that waits wakes up and sees this.
            if shared.is_stopped:
                return
            item = next(items, _END)
            if item is _END:
                break
            shared.ready.put((item, None))
            del item  # otherwise its memory would be kept until the next one is made
    except BaseException as caught:
        error = caught
    shared.ready.put((_END, error))


class _Prefetched:
    """An iterable that can be gone through many times, each time in a new thread."""

    def __init__(self, batches: Iterable[Any], size: int) -> None:
        self._batches, self._size = batches, size

    def __len__(self) -> int:
        return len(self._batches)  # type: ignore[arg-type]  # TypeError if it has no length

    def __iter__(self) -> Iterator[Any]:
        return Ahead(iter(self._batches), self._size)


def prefetch(batches: Iterable[Any], size: int = 1) -> Iterable[Any]:
    """Return the same batches, made ahead of their use in a thread: ``model.fit(prefetch(batches))``.

    Batches and their order stay the same, provided that they do not depend on anything that training changes. Each must
    have memory of its own. An exception in the thread is raised again where the batch is taken.

    Parameters
    ----------
    batches : iterable
        An iterator can be gone through once, any other iterable many times.
    size : int
        How many batches may be ready ahead of the one in use.

    Returns
    -------
    iterable
        An iterator for an iterator.

    Raises
    ------
    ArgumentError
        If it is no iterable, or the size no positive integer.
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ArgumentError(f"prefetch: expected size to be a positive integer, got {size!r}")
    if isinstance(batches, Iterator):
        return Ahead(batches, size)
    if not isinstance(batches, Iterable):
        raise ArgumentError(f"prefetch: expected an iterable of batches, got {type(batches).__name__}")
    return _Prefetched(batches, size)
