"""Batches of any iterable, or of what gives them by number."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from fastcnn import random
from fastcnn.array_data import Batch
from fastcnn.training.prefetching import Ahead
from fastcnn.training.shuffle import Orders


class Stream:
    """Batches of an iterable, or of an object that gives them by number, such as Keras's ``PyDataset``.

    Parameters
    ----------
    source : iterable, or an object with ``__getitem__`` and ``__len__`` (or ``num_batches``, None where it has no end)
        Its ``on_epoch_begin`` and ``on_epoch_end`` are called if there are any. If its ``workers`` is above 1, one
        thread makes batches ahead of the step, up to ``max_queue_size`` of them. Lists are iterated over.
        If it has ``get_state`` and ``set_state``, it is asked for its state before each pass, and given it back where a
        training is resumed; else its passes are taken to be alike, but for what the two hooks change.
    converted : callable
        (a batch as the source gave it, its number) -> Batch, checked.
    orders : Orders, optional
        Orders of the numbers; 0, 1, 2 ... if absent. Without effect on an iterable, unless batches are drawn.
    drawn : callable, optional
        (a batch, its place in the pass, the epoch, its number) -> Batch, in the place of `converted` where batches
        differ from epoch to epoch, as augmented ones do; what `some` gives is at rest. It asks for `orders`, which
        count the epochs. The number is the source's own, or the place.
    shuffles : bool
        Whether numbers come in these orders, or in their own all the same.
    told : str
        What tells how batches are drawn from other ways, for `digest`.
    """

    samples: int | None = None
    batch_size: int | None = None

    def __init__(self, source: Any, converted: Callable[[Any, int], Batch], orders: Orders | None = None,
                 drawn: Callable[[Any, int, int, int], Batch] | None = None, shuffles: bool = True, told: str = ""
                 ) -> None:
        self.source, self._converted, self._orders = source, converted, orders
        self._drawn_batch, self._shuffles, self._told = drawn, shuffles, told
        self.is_once = isinstance(source, Iterator)
        self._is_numbered = is_numbered(source)
        self._ahead: Ahead | None = None

    @property
    def steps(self) -> int | None:
        """As `Batches.steps`."""
        return _length(self.source)

    @property
    def is_endless(self) -> bool:
        """Whether the source says that it has no end. A generator may have none, but cannot tell."""
        return self._is_numbered and self.steps is None

    def begin(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """As `Batches.begin`."""
        numbers = self._numbers(epoch, skip)
        given = self._given(numbers, skip)
        if self._drawn_batch is None or self._orders is None:
            return map(self._converted, given, itertools.count(skip))
        own = itertools.count(skip) if numbers is None else iter(numbers)
        return map(self._drawn_batch, given, itertools.count(skip), itertools.repeat(self._orders.epoch), own)

    def _numbers(self, epoch: int, skip: int) -> list[int] | None:
        """Return the numbers of a pass that are left; None where they are counted without an end, or are no numbers."""
        count = self.steps if self._is_numbered else None
        if self._orders is None or (count is None and self._drawn_batch is None):
            return None if count is None else list(range(count))[skip:]
        order = self._orders.next(1 if count is None else count, epoch)  # of 1 where epochs are counted alone
        return None if count is None else (order.tolist() if self._shuffles else list(range(count)))[skip:]

    def _given(self, numbers: list[int] | None, skip: int) -> Iterator[Any]:
        if not self._is_numbered:
            return itertools.islice(iter(self.source), skip, None)
        batches = map(self.source.__getitem__, itertools.count(skip) if numbers is None else numbers)
        if _workers(self.source) <= 1:
            return batches
        self._ahead = Ahead(batches, max(1, getattr(self.source, "max_queue_size", 1)))
        return self._ahead

    @property
    def has_state(self) -> bool:
        """Whether the source tells where it stands."""
        return hasattr(self.source, "get_state") and hasattr(self.source, "set_state")

    def get_state(self) -> dict[str, Any]:
        """As `Batches.get_state`."""
        state = {} if self._orders is None else {"orders": self._orders.get_state()}
        return state | ({"source": self.source.get_state()} if self.has_state else {})

    def set_state(self, state: dict[str, Any]) -> None:
        """As `Batches.set_state`."""
        if self._orders is not None:
            self._orders.set_state(state["orders"])
        if self.has_state:
            self.source.set_state(state["source"])

    def some(self, samples: int, seed: int) -> Iterator[Batch]:
        """As `Batches.some`."""
        if self.is_once:
            return
        before, taken = self.get_state(), 0
        for number, given in self._drawn(seed):
            batch = self._converted(given, number)
            yield batch
            taken += len(batch.xs[0])
            if taken >= samples:
                break
        self.set_state(before)

    def _drawn(self, seed: int) -> Iterator[tuple[int, Any]]:
        if not self._is_numbered:
            return enumerate(self.source)
        count = self.steps
        numbers = itertools.count() if count is None else random.generator(seed).permutation(count).tolist()
        return ((number, self.source[number]) for number in numbers)

    def sample(self, batch: int, row: int) -> int | None:
        """As `Batches.sample`: nobody knows."""
        return None

    def digest(self) -> str:
        """As `Batches.digest`: batches themselves cannot be told without going through them."""
        return self._told

    def close(self) -> None:
        """As `Batches.close`; a thread of the source's own is the source's."""
        if self._ahead is not None:
            self._ahead.close()

    def on_epoch_begin(self) -> None:
        """As `Batches.on_epoch_begin`."""
        getattr(self.source, "on_epoch_begin", _nothing)()

    def prepare(self, put: Callable[[Any], Any]) -> None:
        """As `Batches.prepare`: nothing; `prefetch` makes these ahead."""

    def on_epoch_end(self) -> None:
        """As `Batches.on_epoch_end`."""
        getattr(self.source, "on_epoch_end", _nothing)()


def is_numbered(source: Any) -> bool:
    """Return whether batches are taken by number; lists are iterated over."""
    has_count = hasattr(source, "__len__") or hasattr(source, "num_batches")
    return has_count and hasattr(source, "__getitem__") and not isinstance(source, (list, tuple))


def _length(source: Any) -> int | None:
    if hasattr(source, "num_batches") and is_numbered(source):
        many: int | None = source.num_batches
        return many
    try:
        return len(source)
    except TypeError:  # a generator, or a wrapper of one
        return None


def _workers(source: Any) -> int:
    many = getattr(source, "workers", 1)
    return many + bool(getattr(source, "use_multiprocessing", False)) if isinstance(many, int) else 1


def _nothing() -> None: ...
