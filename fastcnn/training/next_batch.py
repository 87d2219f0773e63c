"""The next batch, made and sent to the device while the step before runs there."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from fastcnn.array_data import Batch


class NextBatch(Iterator[Batch]):
    """The batches of a pass, of which one may be prepared ahead.

    Parameters
    ----------
    batches : generator of Batch
    """

    def __init__(self, batches: Generator[Batch]) -> None:
        self._batches = batches
        self._prepared: list[Batch] = []

    def __next__(self) -> Batch:
        return self._prepared.pop() if self._prepared else next(self._batches)

    def prepare(self, put: Callable[[Any], Any]) -> None:
        """Make the next batch now, if there is one, and hand its inputs to a device.

        Parameters
        ----------
        put : callable
            Array of the host -> array of the device.
        """
        if not self._prepared:
            for batch in self._batches:
                self._prepared.append(batch._replace(xs=list(map(put, batch.xs))))
                break

    def close(self) -> None:
        """Make no more."""
        self._prepared.clear()
        self._batches.close()
