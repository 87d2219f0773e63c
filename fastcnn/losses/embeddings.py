"""Losses of embeddings: what is alike lies together, what is not lies apart."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.geometry.arguments import number
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import Loss

_MINING = {"all": codes.ALL_TRIPLETS, "semi-hard": codes.SEMI_HARD, "hard": codes.HARD}


class Triplet(Loss):
    """mean of max(|a - p|^2 - |a - n|^2 + margin, 0) over triplets of a batch: p is of the anchor's class, n is not.

    The targets are the classes (N,) or (N, 1), whole numbers; the outputs embeddings (N, C), of length 1 as a rule
    (`fastcnn.layers.UnitNormalization`). A batch without any triplet, of one class say, has the loss and the gradient
    0: `fastcnn.vision.identity.ClassBatches` makes batches of several images of each of several classes.

    Parameters
    ----------
    margin : float
        How much nearer the anchor's own class shall be.
    mining : {"semi-hard", "all", "hard"}
        "all": the mean over all triplets whose loss is above 0. "semi-hard": for each anchor and one of its class the
        nearest of another class that is further away, or the furthest if none is. "hard": for each anchor the
        furthest of its class and the nearest of another.
    name : str
    reduction : str
        "sum_over_batch_size": the mean over triplets. Nothing else is offered, since triplets are no samples.
    dtype : as in `Loss`

    References
    ----------
    Schroff, Kalenichenko, Philbin: FaceNet, 2015, equation 3; Hermans, Beyer, Leibe: In defense of the triplet loss for
    person re-identification, 2017, equations 5 and 6.

    Examples
    --------
    >>> embeddings = np.array([[0, 0], [1, 0], [0, 2]], "float32")
    >>> losses.Triplet(margin=5.0, mining="hard")(np.array([0, 0, 1]), embeddings)      # 1 - 4 + 5, and 1 - 5 + 5
    1.5
    """

    def __init__(self, margin: float = 0.3, mining: str = "semi-hard", name: str = "triplet",
                 reduction: str = "sum_over_batch_size", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        if mining not in _MINING:
            raise ArgumentError(unknown("Triplet: mining", mining, _MINING))
        if reduction != "sum_over_batch_size":
            raise ArgumentError(f"Triplet: expected reduction 'sum_over_batch_size', since triplets are no samples, "
                                f"got {reduction!r}")
        self.margin, self.mining = number(margin, "Triplet: margin", "a margin of at least 0", lambda n: n >= 0), mining

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: expected no sample_weight, since triplets are no samples; give classes "
                                f"more images in ClassBatches")
        if y_pred.ndim != 2:
            raise ArgumentError(f"{self.name}: expected embeddings (N, C), got {y_pred.shape}")
        d, n = device.of(y_pred), len(y_pred)
        labels = d.put(self._labels(device.get(y_true), n))
        losses = d.empty((n,), y_pred.dtype)
        dx = d.empty(y_pred.shape if wants_gradient else (0, y_pred.shape[1]), y_pred.dtype)
        distances, slopes = d.empty((n, n), np.float64), d.empty((n, n), np.float64)
        d.kernels.triplet_loss(losses, dx, distances, slopes, y_pred, labels, _MINING[self.mining], self.margin)
        return losses, dx if wants_gradient else None

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        self._labels(np.asarray(y_true), len(y_true))

    def _labels(self, y_true: np.ndarray, n: int) -> np.ndarray:
        """Return classes as whole numbers.

        Raises
        ------
        DataError
            If they are something else.
        """
        flat = y_true.reshape(-1)
        whole = flat.dtype.kind in "biu" or (flat.dtype.kind == "f" and bool((flat == np.round(flat)).all()))
        if flat.size != n or not whole:
            raise DataError(f"{self.name}: expected a class for each sample, a whole number, got {y_true.dtype} of "
                            f"shape {y_true.shape}")
        return np.ascontiguousarray(flat, np.int64)


class Contrastive(Loss):
    """y d^2 + (1 - y) max(margin - d, 0)^2 of the distance d of a pair: y is 1 for the same, 0 for others.

    Parameters
    ----------
    margin : float
        How far apart others shall be.
    name : str
    reduction, dtype : as in `Loss`

    References
    ----------
    Hadsell, Chopra, LeCun: Dimensionality reduction by learning an invariant mapping, 2006, equation 4, without its
    half and with its y turned round.

    Examples
    --------
    >>> losses.Contrastive(margin=1.0)(np.array([[1], [0]]), np.array([[0.5], [0.5]], "float32"))
    0.25
    """

    def __init__(self, margin: float = 1.0, name: str = "contrastive", reduction: str | None = "sum_over_batch_size",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.margin = number(margin, "Contrastive: margin", "a margin of at least 0", lambda n: n >= 0)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each pair, as a tensor."""
        apart = (self.margin - y_pred + abs(self.margin - y_pred)) / 2
        return (y_true * y_pred * y_pred + (1 - y_true) * apart * apart)[:, 0]
