"""Batches for losses over pairs and triplets: some images of each of some classes."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.utils import PyDataset


class ClassBatches(PyDataset):
    """Batches of P classes x K images, for `fit`: so that every image has others of its class, and of none.

    Which images are in a batch is a function of (seed, epoch, batch). A class with fewer than K images gives some of
    them twice.

    Parameters
    ----------
    x : (N, ...) array
    y : (N,) or (N, 1) array
        Classes, whole numbers.
    classes_per_batch : int
        P.
    images_per_class : int
        K.
    batches : int, optional
        In an epoch; as many as see each image once on average, without it.
    seed : int
    anew : bool
        Whether each epoch has other batches; for a validation they had better stay.
    workers, max_queue_size : as in `fastcnn.utils.PyDataset`

    Raises
    ------
    ArgumentError
        If a number cannot be.
    DataError
        If there are fewer classes than a batch wants, or `y` is none of the classes of `x`.

    Examples
    --------
    >>> x, y = np.zeros((12, 8, 8, 1), "float32"), np.repeat(np.arange(4), 3)
    >>> batches = fc.vision.identity.ClassBatches(x, y, classes_per_batch=2, images_per_class=3)
    >>> images, classes = batches[0]
    >>> images.shape, len(set(classes))
    ((6, 8, 8, 1), 2)
    """

    def __init__(self, x: Any, y: Any, classes_per_batch: int = 32, images_per_class: int = 4,
                 batches: int | None = None, seed: int = 0, *, anew: bool = True, workers: int = 1,
                 max_queue_size: int = 10) -> None:
        super().__init__(workers, max_queue_size=max_queue_size)
        self.x, self.y = x, np.asarray(y).reshape(-1)
        if len(self.x) != len(self.y) or self.y.dtype.kind not in "iu":
            raise DataError(f"ClassBatches: expected a class, a whole number, for each of {len(self.x)} images, got "
                            f"{self.y.dtype} of {len(self.y)}")
        known, self._of = np.unique(self.y, return_inverse=True)
        self._rows = [np.flatnonzero(self._of == k) for k in range(len(known))]
        if classes_per_batch < 2 or images_per_class < 2:
            raise ArgumentError(f"ClassBatches: expected at least 2 classes a batch and 2 images a class, got "
                                f"{classes_per_batch} and {images_per_class}; a triplet needs them")
        if len(known) < classes_per_batch:
            raise DataError(f"ClassBatches: expected at least {classes_per_batch} classes, got {len(known)}; ask for "
                            f"fewer classes a batch")
        self.classes_per_batch, self.images_per_class, self.seed = classes_per_batch, images_per_class, seed
        self.batches = max(1, len(self.y) // (classes_per_batch * images_per_class)) if batches is None else batches
        self.anew, self._epoch = anew, 0

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> Any:
        rows = self.rows(self._epoch, index)
        return self.x[rows], self.y[rows]

    def rows(self, epoch: int, index: int) -> np.ndarray:
        """Return which images are in a batch, class by class.

        Parameters
        ----------
        epoch, index : int
            From 0.
        """
        draw = np.random.default_rng((self.seed, epoch, index))
        classes = draw.permutation(len(self._rows))[: self.classes_per_batch]
        return np.concatenate([self._some(draw, self._rows[k]) for k in classes])

    def _some(self, draw: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        picked = draw.permutation(rows)[: self.images_per_class]
        missing = self.images_per_class - len(picked)
        return np.concatenate([picked, draw.choice(rows, missing)]) if missing else picked

    def on_epoch_end(self) -> None:
        self._epoch += self.anew

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
