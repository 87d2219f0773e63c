"""Batches that are made ahead of the step, in a thread of their own.

Only what makes a batch runs there: reading, decoding, augmenting. It is checked, and converted to the model's type, in
the thread that trains, so nothing about the results changes. While Python code runs in one thread it waits in the
other, so a thread pays where batches wait for disks or networks, or come out of NumPy, Pillow and the like, which let
others run; where pure Python makes them it costs time. Therefore it is asked for.
"""

import queue
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from fastcnn.errors import ArgumentError

_END = object()


class Ahead(Iterator[Any]):
    """An iterator whose items a thread takes from another one, a few ahead.

    The thread ends with the items, or with this object. It is no hindrance to the end of the process.

    Parameters
    ----------
    items : iterator
    size : int
        How many items may wait, one that is being made included.
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
    """What both threads know; the one that produces knows no more, so that nothing keeps `Ahead` alive."""

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
            if shared.is_stopped:
                return
            item = next(items, _END)
            if item is _END:
                break
            shared.ready.put((item, None))
            del item  # it would live until the next one is there
    except BaseException as caught:
        error = caught
    shared.ready.put((_END, error))


class _Prefetched:
    """An iterable that begins again, each time in a new thread."""

    def __init__(self, batches: Iterable[Any], size: int) -> None:
        self._batches, self._size = batches, size

    def __len__(self) -> int:
        return len(self._batches)  # type: ignore[arg-type]  # TypeError where it tells no length

    def __iter__(self) -> Iterator[Any]:
        return Ahead(iter(self._batches), self._size)


def prefetch(batches: Iterable[Any], size: int = 1) -> Iterable[Any]:
    """Return the same batches, made in a thread ahead of who takes them: ``model.fit(prefetch(batches))``.

    The batches and their order stay the same, if what makes them looks at nothing that training changes; each needs
    memory of its own. What is raised there is raised where the batch is taken.

    Parameters
    ----------
    batches : iterable
        An iterator is gone through once, another iterable begins again each time.
    size : int
        How many batches may be there beside the one that was taken last.

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
