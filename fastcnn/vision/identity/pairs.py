"""Pairs of pictures, half of them of one person: what verification is chosen, trained and measured on."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.utils import PyDataset


class Pairs(NamedTuple):
    """Rows of pictures, two by two.

    Attributes
    ----------
    first, second : (N,) int64 array
        Which pictures are compared.
    same : (N,) array of bool
        Whether both show one person.
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


def balanced_pairs(labels: Any, count: int, seed: int = 0, groups: Any = None) -> Pairs:
    """Return pairs of pictures, every other of one person, and the rest of two.

    First pictures are drawn of all whose person has another picture, the second one among those that fit.

    Parameters
    ----------
    labels : (M,) array
        Who is shown.
    count : int
        Pairs.
    seed : int
    groups : (M,) array, optional
        Of each picture its group, an alphabet say: then two persons are of one group, which makes them hard to tell.

    Raises
    ------
    DataError
        If nobody has two pictures, or there are not two persons (of one group).

    Examples
    --------
    >>> pairs = fc.vision.identity.balanced_pairs([0, 0, 1, 1], 4)
    >>> pairs.same.tolist()
    [True, False, True, False]
    """
    (count,) = positive("balanced_pairs", count=count)
    labels = np.asarray(labels).reshape(-1)
    among = np.zeros(len(labels), np.int64) if groups is None else np.asarray(groups).reshape(-1)
    if among.shape != labels.shape:
        raise ArgumentError(f"balanced_pairs: expected a group for each of {len(labels)} pictures, got {among.shape}")
    _, persons = np.unique(labels, return_inverse=True)
    many = np.bincount(persons, minlength=1)[persons]
    whole = np.bincount(among, minlength=1)[among] if len(among) else among
    starts = (np.flatnonzero(many > 1), np.flatnonzero(whole > many))
    if not len(starts[0]) or not len(starts[1]):
        what = "a person with two pictures" if not len(starts[0]) else "two persons" + (
            "" if groups is None else " in a group")
        raise DataError(f"balanced_pairs: expected {what}, got none among {len(labels)} pictures")
    draw = np.random.default_rng(seed)
    same = np.arange(count) % 2 == 0
    first, second = np.empty(count, np.int64), np.empty(count, np.int64)
    rows = np.arange(len(labels))
    for k in range(count):
        row = first[k] = draw.choice(starts[0] if same[k] else starts[1])
        alike = labels == labels[row]
        second[k] = draw.choice(rows[alike & (rows != row) if same[k] else ~alike & (among == among[row])])
    return Pairs(first, second, same)


class PairBatches(PyDataset):
    """Batches of pairs of pictures, for `fit` of a model of two inputs, such as `siamese` makes.

    Which pairs are in a batch is a function of (seed, epoch, batch).

    Parameters
    ----------
    x : (M, ...) array
    y : (M,) or (M, 1) array
        Who is shown.
    batch_size : int
        Pairs.
    batches : int, optional
        In an epoch; as many as see each picture once on average, without it.
    seed : int
    groups : (M,) array, optional
        As of `balanced_pairs`.
    workers, max_queue_size : as in `fastcnn.utils.PyDataset`

    Examples
    --------
    >>> batches = fc.vision.identity.PairBatches(np.zeros((6, 8, 8, 1), "float32"), [0, 0, 1, 1, 2, 2], batch_size=4)
    >>> (a, b), same = batches[0]
    >>> a.shape, b.shape, same.ravel().tolist()
    ((4, 8, 8, 1), (4, 8, 8, 1), [1.0, 0.0, 1.0, 0.0])
    """

    def __init__(self, x: Any, y: Any, batch_size: int = 64, batches: int | None = None, seed: int = 0,
                 groups: Any = None, *, workers: int = 1, max_queue_size: int = 10) -> None:
        super().__init__(workers, max_queue_size=max_queue_size)
        self.x, self.y, self.groups = x, np.asarray(y).reshape(-1), groups
        if len(self.x) != len(self.y):
            raise DataError(f"PairBatches: expected a person for each of {len(self.x)} pictures, got {len(self.y)}")
        (self.batch_size,) = positive("PairBatches", batch_size=batch_size)
        balanced_pairs(self.y, 2, 0, groups)  # there are some
        self.batches = max(1, len(self.y) // (2 * batch_size)) if batches is None else batches
        self.seed, self._epoch = seed, 0

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> Any:
        seed = int(np.random.SeedSequence((self.seed, self._epoch, index)).generate_state(1)[0])
        pairs = balanced_pairs(self.y, self.batch_size, seed, self.groups)
        return (self.x[pairs.first], self.x[pairs.second]), pairs.same[:, None].astype(np.float32)

    def on_epoch_end(self) -> None:
        self._epoch += 1

    def get_state(self) -> dict[str, int]:
        """Return the epoch, so that a training that is resumed goes on with its batches."""
        return {"epoch": self._epoch}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on where `get_state` was.

        Parameters
        ----------
        state : dict
        """
        self._epoch = int(state["epoch"])
