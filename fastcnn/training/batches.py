"""Batches for a loop, pass after pass, and those of arrays."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from fastcnn import random
from fastcnn.array_data import Batch, Data
from fastcnn.training.next_batch import NextBatch
from fastcnn.training.shuffle import Orders


class Batches(Protocol):
    """Batches that can be iterated over. How many there are need not be known.

    Attributes
    ----------
    steps : int or None
        Batches of a pass.
    samples, batch_size : int or None
        Samples of a pass, and of a batch; only the last batch of a pass may be smaller.
    is_once : bool
        Whether it is an iterator: a batch that was taken does not come again, and `begin` continues with the rest.
    """

    is_once: bool
    samples: int | None
    batch_size: int | None

    @property
    def steps(self) -> int | None:
        """Batches of a pass, where that is known."""
        ...

    def begin(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """Begin a pass. Shuffled batches come in the order of this epoch, or of the next if that was used before.

        The first `skip` batches are passed over.
        """
        ...

    def get_state(self) -> dict[str, Any]:
        """Return what the next pass depends on, such as the orders to come; nothing where all passes are alike."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Let the next pass be the one that came after `get_state`."""
        ...

    def some(self, samples: int, seed: int) -> Iterator[Batch]:
        """Return batches of at least so many samples, if there are, from all over the data; a seed gives the same ones.

        What `begin` gives stays as it is. A pipeline of augmentation draws nothing. None come from an iterator:
        they would be lost.
        """
        ...

    def sample(self, batch: int, row: int) -> int | None:
        """Return the number of a sample in the data, by its batch of the pass and its place there; None if unknown."""
        ...

    def digest(self) -> str:
        """Return some digits that other data would not have, or "" where nothing can be told without going through."""
        ...

    def prepare(self, put: Callable[[Any], Any]) -> None:
        """Make the next batch of the pass that is under way, and hand its inputs to a device, while that works.

        Where others make the batches, it may do nothing.

        Parameters
        ----------
        put : callable
            Array of the host -> array of the device.
        """

    def close(self) -> None:
        """End the threads of the pass that is under way, if there are any; no more of it is asked for."""

    def on_epoch_begin(self) -> None:
        """Is called before each epoch."""

    def on_epoch_end(self) -> None:
        """Is called after each epoch."""


class ArrayBatches:
    """Batches of arrays.

    Parameters
    ----------
    data : Data
    batch_size : int
    orders : Orders, optional
        Of the epochs of a training. Absent: not for training, and the samples come in their own order.
    shuffles : bool
        Whether samples come in these orders, or in their own all the same.
    """

    is_once = False

    def __init__(self, data: Data, batch_size: int, orders: Orders | None = None, shuffles: bool = True) -> None:
        self._data, self._size, self._orders, self._shuffles = data, batch_size, orders, shuffles
        self._digest = ""
        self._order: Any = None
        self._pass: NextBatch | None = None
        self.samples: int | None = len(data)
        self.batch_size: int | None = batch_size

    @property
    def steps(self) -> int | None:
        """As `Batches.steps`."""
        return -(-len(self._data) // self._size)

    def begin(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """As `Batches.begin`."""
        order = number = None
        if self._orders is not None:
            order, number = self._orders.next(len(self._data), epoch), self._orders.epoch
        self._order = order if self._shuffles else None
        self._pass = NextBatch(self._data.batches(self._size, self._order, skip * self._size, number))
        return self._pass

    def prepare(self, put: Callable[[Any], Any]) -> None:
        """As `Batches.prepare`."""
        if self._pass is not None:
            self._pass.prepare(put)

    def sample(self, batch: int, row: int) -> int | None:
        """As `Batches.sample`."""
        place = batch * self._size + row
        return place if self._order is None else int(self._order[place])

    def get_state(self) -> dict[str, Any]:
        """As `Batches.get_state`."""
        return {} if self._orders is None else {"orders": self._orders.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """As `Batches.set_state`."""
        if self._orders is not None:
            self._orders.set_state(state["orders"])

    def some(self, samples: int, seed: int) -> Iterator[Batch]:
        """As `Batches.some`: whole batches, where there is one."""
        count = max(1, min(-(-samples // self._size), len(self._data) // self._size))
        order = random.generator(seed).permutation(len(self._data))
        return itertools.islice(self._data.batches(self._size, order), count)

    def digest(self) -> str:
        """As `Batches.digest`."""
        if not self._digest:
            self._digest = self._data.digest()
        return self._digest

    def close(self) -> None:
        """As `Batches.close`."""
        if self._pass is not None:
            self._pass.close()

    def on_epoch_begin(self) -> None:
        """As `Batches.on_epoch_begin`."""

    def on_epoch_end(self) -> None:
        """As `Batches.on_epoch_end`."""
