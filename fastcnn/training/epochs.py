"""The batches of each epoch: a pass over the data, or a number of steps."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from fastcnn._warnings import warn
from fastcnn.array_data import Batch
from fastcnn.errors import ArgumentError, DataError
from fastcnn.training.batches import Batches


class Epochs:
    """Hands out the batches of one epoch after another.

    Parameters
    ----------
    batches : Batches
    steps : int, optional
        Batches of an epoch, however many a pass has. Each epoch then continues where the last one ended, as in Keras.
        If absent, an epoch is a pass.
    who : str
        For warnings and errors.

    Attributes
    ----------
    steps : int or None
        Batches of an epoch, where that is known.
    is_over : bool
        Whether an iterator has given its last batch: no more epochs follow.
    """

    def __init__(self, batches: Batches, steps: int | None = None, who: str = "fit") -> None:
        self.batches, self._who = batches, who
        whole = batches.steps
        self._whole = None if batches.is_once else whole  # batches of a pass
        self.steps = whole if steps is None else steps
        self._limit = None if steps == whole else steps
        self._pass: Iterator[Batch] | None = None  # the pass that is under way
        self._before: dict[str, Any] = {}  # what that pass depends on
        self._order_of, self._taken = 0, 0  # which epoch's order it has, and how many batches of it were taken
        self._is_begun = False
        self._done = 0  # epochs
        self._passed_over = 0  # batches of the next epoch
        self.is_over = False

    @property
    def samples(self) -> int | None:
        """How many samples an epoch has, where that is known."""
        whole, size = self.batches.samples, self.batches.batch_size
        return whole if whole is None or size is None or self._limit is None else min(whole, self._limit * size)

    def begin(self, epoch: int = 0) -> None:
        """Begin the first epoch and take its first batch, so that errors in it are raised before training.

        Raises
        ------
        DataError
            If there is no batch.
        """
        self.batches.on_epoch_begin()
        begun = self._begin_pass(epoch)
        first = next(begun, None)
        if first is None:
            raise DataError(f"{self._who}: expected at least one batch, got none")
        self._pass, self._is_begun = itertools.chain([first], begun), True

    def _begin_pass(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        if not self.batches.is_once and self.batches.steps != self._whole:
            raise DataError(f"{self._who}: expected {self._whole} batches of a pass, as at the beginning, got "
                            f"{self.batches.steps} now; a source keeps its length while it is trained on")
        self._before, self._order_of, self._taken = self.batches.get_state(), epoch, skip
        return self.batches.begin(epoch, skip)

    def restart(self) -> None:
        """Make the next epoch begin with the first batch again, as each evaluation does. An iterator cannot."""
        if not self._is_begun and not self.batches.is_once:
            self._pass = None

    def next(self, epoch: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        if not self._is_begun:
            self.batches.on_epoch_begin()
        self._is_begun = False
        try:
            yield from self._whole_pass(epoch) if self._limit is None else self._some(self._limit)
        finally:
            self._done += 1
            self.batches.on_epoch_end()

    def _whole_pass(self, epoch: int) -> Iterator[Batch]:
        if self._pass is None:
            self._pass = self._begin_pass(epoch)
        try:
            for batch in self._pass:
                self._taken += 1
                yield batch
            self._require_whole_pass()
            self.is_over = self.batches.is_once
        finally:
            self._pass = None

    def _some(self, limit: int) -> Iterator[Batch]:
        taken, self._passed_over = self._passed_over, 0
        while taken < limit and not self.is_over:
            is_new = self._pass is None
            if self._pass is None:
                self._pass = self._begin_pass(0)
            batch = next(self._pass, None)
            if batch is not None:
                taken += 1
                self._taken += 1
                yield batch
                continue
            self._require_whole_pass()
            self._pass, self.is_over = None, self.batches.is_once
            if taken or is_new or self.is_over:  # otherwise the last epoch ended exactly with a pass
                ends = "it ends" if self.is_over else "the epoch ends"
                warn(f"{self._who}: the data ran out after {taken} of {limit} batches of an epoch; {ends}")
                return

    def _require_whole_pass(self) -> None:
        """Raise DataError where a source has ended before the length that it tells."""
        if self._whole is not None and self._taken < self._whole:
            raise DataError(f"{self._who}: expected {self._whole} batches, as the length of the data says, got "
                            f"{self._taken}, and no more")

    def sample(self, row: int) -> int | None:
        """Return the number in the data of a sample of the batch that was taken last, by its place there."""
        return self.batches.sample(self._taken - 1, row)

    def prepare(self, put: Callable[[Any], Any]) -> None:
        """Make the next batch while the step before runs, where a device has one to run by itself."""
        self.batches.prepare(put)

    def close(self) -> None:
        """End the threads that make batches, if there are any. No more batches follow."""
        self.batches.close()

    def get_state(self) -> dict[str, Any]:
        """Return where the data stand: between two batches of an epoch, or between two epochs."""
        is_open = self._pass is not None
        return {"before": self._before if is_open else self.batches.get_state(), "order_of": self._order_of,
                "taken": self._taken if is_open else 0, "is_open": is_open, "done": self._done,
                "is_over": self.is_over, "digest": self.batches.digest()}

    def set_state(self, state: dict[str, Any], batch: int = 0) -> None:
        """Go on where `get_state` was called; the next epoch is the rest of the one that was under way then.

        Parameters
        ----------
        state : dict
        batch : int
            Batches that this epoch had.

        Raises
        ------
        ArgumentError
            If the data are others.
        """
        if state["digest"] != self.batches.digest():
            raise ArgumentError(f"{self._who}: expected the data that the training to go on with began with, got "
                                f"others; begin a new one, in another folder")
        for _ in range(state["done"] - self._done):  # what changes batches between epochs does so again
            if not self._is_begun:
                self.batches.on_epoch_begin()
            self.batches.on_epoch_end()
            self._is_begun = False
        self._done, self.is_over, self._passed_over = state["done"], state["is_over"], batch
        if self.batches.is_once and self._pass is not None:  # its first batch is taken already
            self._pass = itertools.islice(self._pass, state["taken"], None)
            self._taken = state["taken"]
            return
        self.batches.set_state(state["before"])
        self._pass = self._begin_pass(state["order_of"], state["taken"]) if state["is_open"] else None
