"""The batches of each epoch: a pass over the data, or a number of steps."""

import itertools
from collections.abc import Iterator

from fastcnn._warnings import warn
from fastcnn.array_data import Batch
from fastcnn.errors import DataError
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
        self.steps = whole if steps is None else steps
        self._limit = None if steps == whole else steps
        self._pass: Iterator[Batch] | None = None  # the pass that is under way
        self._is_begun = False
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
        begun = self.batches.begin(epoch)
        first = next(begun, None)
        if first is None:
            raise DataError(f"{self._who}: expected at least one batch, got none")
        self._pass, self._is_begun = itertools.chain([first], begun), True

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
            self.batches.on_epoch_end()

    def _whole_pass(self, epoch: int) -> Iterator[Batch]:
        begun, self._pass = self._pass, None
        yield from self.batches.begin(epoch) if begun is None else begun
        self.is_over = self.batches.is_once

    def _some(self, limit: int) -> Iterator[Batch]:
        taken = 0
        while taken < limit and not self.is_over:
            is_new = self._pass is None
            if self._pass is None:
                self._pass = self.batches.begin(0)
            batch = next(self._pass, None)
            if batch is not None:
                taken += 1
                yield batch
                continue
            self._pass, self.is_over = None, self.batches.is_once
            if taken or is_new or self.is_over:  # otherwise the last epoch ended exactly with a pass
                ends = "it ends" if self.is_over else "the epoch ends"
                warn(f"{self._who}: the data ran out after {taken} of {limit} batches of an epoch; {ends}")
                return
