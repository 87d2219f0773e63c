"""Batches on their way into a training: by number, in a thread ahead, packed into tuples and unpacked."""

from collections.abc import Iterable
from typing import Any

from fastcnn.errors import ArgumentError


class PyDataset:
    """Batches by number: the base of what `fit` takes in the place of arrays, where one of your own makes them.

    It has ``__getitem__(self, index)``, which returns (x, y) or (x, y, sample_weight), and ``__len__``, or a
    `num_batches` that is None where there is no end.

    Parameters
    ----------
    workers : int
        Above 1, a thread makes batches ahead of the training step.
    use_multiprocessing : bool
        As more workers: no process is started.
    max_queue_size : int
        How many batches are made ahead at most.

    Examples
    --------
    >>> class Noise(fc.utils.PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return np.full((4, 2), index, "float32"), np.zeros((4, 1), "float32")
    ...
    >>> Noise(workers=2)[1][0].shape
    (4, 2)
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: expected __getitem__(self, index), which returns batch "
                                  f"`index`, got none")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None where they have no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__}: expected __len__(self), or a num_batches that is None "
                                  f"where there is no end, got neither")

    def on_epoch_begin(self) -> None:
        """Is called before each epoch."""

    def on_epoch_end(self) -> None:
        """Is called after each epoch."""


Sequence = PyDataset  # Keras 2's name


def prefetch(batches: Iterable[Any], size: int = 1) -> Iterable[Any]:
    """Return the same batches, made in a thread ahead of the training step.

        model.fit(prefetch(batches), epochs=3)

    It pays where batches wait for a disk or a network, or come from NumPy or Pillow. Where pure Python makes them, it
    may cost time. See `fastcnn.training.prefetch`.

    Parameters
    ----------
    batches : iterable of (x, y) or (x, y, sample_weight)
        Each in memory of its own.
    size : int
        How many batches may be there beside the one that is trained on.

    Examples
    --------
    >>> batches = [(np.ones((8, 2)), np.ones((8, 1)))] * 3
    >>> len(list(fc.utils.prefetch(batches)))
    3
    """
    from fastcnn import training

    return training.prefetch(batches, size)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return what a batch is: x, (x, y) or (x, y, sample_weight).

    Parameters
    ----------
    x : array, or list, tuple or dict of arrays
    y, sample_weight : as much, optional

    Examples
    --------
    >>> fc.utils.pack_x_y_sample_weight([1], [2])
    ([1], [2])
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x  # else a list of inputs would be taken for a batch
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample_weight of a batch, None for what it has not.

    Parameters
    ----------
    data : x, (x,), (x, y) or (x, y, sample_weight)

    Raises
    ------
    ArgumentError
        If a tuple has more.

    Examples
    --------
    >>> fc.utils.unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    given = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if not 1 <= len(given) <= 3:
        raise ArgumentError(f"unpack_x_y_sample_weight: expected x, (x,), (x, y) or (x, y, sample_weight), got "
                            f"{len(given)} things")
    x, y, sample_weight = (*given, None, None)[:3]
    return x, y, sample_weight
