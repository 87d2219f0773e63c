"""Batches on their way to a card: through two pinned buffers, in a stream of their own, while the step before runs.

::

    host    gather k+1 into buffer A ... | gather k+2 into B ...
    copies  ---- wait for step k-1 ---- A -> block of k+1     (the block was last read in step k-1)
    stream  ---- step k ------------------- wait for the copy, step k+1

A buffer is written again once its copy is done; a block, once the work is done that had been asked for when the upload
before began, provided that nobody held it then. Both buffers are kept for good: freeing pinned memory stops the card.
"""

import threading
from typing import Any

import numpy as np

from fastcnn.cuda.array import DeviceArray
from fastcnn.cuda.blocks import card_block
from fastcnn.memory_pool import UNUSED, references, size_class

_STAGES = 2


class Uploads:
    """The pinned buffers and the blocks of batches of a card.

    Parameters
    ----------
    card : Card

    Attributes
    ----------
    least : int
        Bytes from which on it pays off; the driver copies what is smaller aside at once.
    """

    least = 1 << 16

    def __init__(self, card: Any) -> None:
        self._card, self._lock = card, threading.Lock()
        self._staged: list[np.ndarray] = [np.empty(0, np.uint8)] * _STAGES
        self._copied: list[Any] = []  # events: a buffer may be written again
        self._turn = 0
        self._fence: Any = None  # an event: what had been asked for when the upload before began
        self._next_fence: Any = None
        self._arrived: Any = None
        self._blocks: dict[int, list[tuple[Any, int]]] = {}
        self._free: set[int] = set()  # ids of blocks that nobody held then

    def put(self, host: np.ndarray) -> DeviceArray:
        """Return a contiguous array of the host as one of the card; when this returns, it may be written to."""
        card, size = self._card, host.nbytes
        with self._lock:
            if not self._copied:
                self._copied = [card.event() for _ in range(_STAGES)]
                self._fence, self._next_fence, self._arrived = (card.event() for _ in range(3))
            turn = self._turn = (self._turn + 1) % _STAGES
            card.finish(self._copied[turn])
            if self._staged[turn].size < size:
                self._staged[turn] = card.pinned(size_class(size))
            staged = self._staged[turn][:size]
            staged[...] = host.reshape(-1).view(np.uint8)
            block = self._block(size_class(size), f"a batch {host.shape} of {host.dtype.name}")
            card.upload_pinned(block.pointer, staged)
            card.record(self._copied[turn], card.copies)
            card.record(self._arrived, card.copies)
            card.wait(card.stream, self._arrived)
            return DeviceArray(block.pointer, host.shape, host.dtype, host.size, block)

    def _block(self, capacity: int, what: str) -> Any:
        """Return a block that the stream of copies may write to, having told it what to wait for."""
        card, blocks = self._card, self._blocks.setdefault(capacity, [])
        unused = [one for one in blocks if references(one) == UNUSED]
        found = next((one for one in unused if id(one[0]) in self._free), None)
        self._fence, self._next_fence = self._next_fence, self._fence
        if found is not None:
            card.wait(card.copies, self._next_fence)  # of the upload before
        card.record(self._fence, card.stream)
        if found is None and unused:
            found = unused[0]
            card.wait(card.copies, self._fence)
        if found is None:
            found = card_block(card, capacity, what, self.release), 0
            card.wait(card.copies, self._fence)  # the memory may have been freed by what runs
            blocks.append(found)
        chosen = found[0]
        del found, unused
        self._free = {id(one[0]) for each in self._blocks.values() for one in each
                      if references(one) == UNUSED and one[0] is not chosen}
        return chosen

    def release(self) -> None:
        """Give the blocks that nobody uses back."""
        self._blocks = {capacity: [one for one in each if references(one) != UNUSED]
                        for capacity, each in self._blocks.items()}
