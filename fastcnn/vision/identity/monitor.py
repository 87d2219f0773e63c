"""How far embeddings are apart while they are learned, and a warning where all have become one."""

from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.callbacks import Callback
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number, positive
from fastcnn.losses import Triplet
from fastcnn.vision.identity.embedding import squared_distances

_COLLAPSED = 1e-3  # of what is usual


class EmbeddingMonitor(Callback):
    """Tells in the log of each epoch how far embeddings are apart, and warns when they collapse to one point.

    ==================  ============================================================================================
    ``same_distance``   mean squared distance of two pictures of one person
    ``other_distance``  of two persons: about 2 for embeddings of length 1 that have learned nothing yet
    ``active``          share of all triplets whose loss is above 0
    ==================  ============================================================================================

    It looks at the same pictures of the training data after each epoch, unchanged by augmentation, which costs one
    prediction. Collapsed are embeddings of which two persons are a thousandth of what is usual apart: the loss then
    stays at its margin, and no gradient leads away.

    Parameters
    ----------
    samples : int
        Pictures, at least; whole batches are taken.
    margin : float, optional
        Of the triplets; that of the model's loss if absent.

    Raises
    ------
    ArgumentError
        In `fit`: the model gives no embeddings, or its targets are no classes.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(3), layers.UnitNormalization()])
    >>> model.compile(optimizers.SGD(0.01), losses.Triplet(0.2))
    >>> x = np.arange(16, dtype="float32").reshape(8, 2) ** 2 % 7
    >>> batches = fc.vision.identity.ClassBatches(x, np.arange(8) // 2, 2, 2)
    >>> history = model.fit(batches, verbose=0, callbacks=[fc.vision.identity.EmbeddingMonitor()])
    >>> sorted(history.history)
    ['active', 'loss', 'other_distance', 'same_distance']
    """

    reports = ("same_distance", "other_distance", "active")

    def __init__(self, samples: int = 128, margin: float | None = None) -> None:
        (self.samples,) = positive("EmbeddingMonitor", samples=samples)
        self.margin = None if margin is None else number(margin, "EmbeddingMonitor", "a margin of at least 0",
                                                         lambda n: n >= 0)
        self._run: Any = None
        self._has_warned = False

    def set_run(self, run: Any) -> None:
        self._run, self._has_warned = run, False

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        same, other, active, usual = self._looked()
        logs |= dict(zip(self.reports, (same, other, active), strict=True))
        if other < _COLLAPSED * usual and not self._has_warned:
            self._has_warned = True
            warn(f"{self.model}: the embeddings have collapsed: two persons are {other:.2g} apart on average, where "
                 f"{usual:.2g} is usual, and the loss stays at its margin; train with a lower rate, with mining "
                 f"\"semi-hard\" or \"all\", or end the model in UnitNormalization")

    def _looked(self) -> tuple[float, float, float, float]:
        """Return the three figures, and the distance of two persons that is usual for the length of embeddings."""
        xs, ys = list[np.ndarray](), list[np.ndarray]()
        for batch in self._run.data.batches.some(self.samples, 0):
            xs.append(np.array(batch.xs[0]))
            ys.append(np.array(batch.ys[0]).reshape(-1))
        x = np.asarray(self.model.predict(np.concatenate(xs), verbose=0), np.float64)
        labels = np.concatenate(ys)
        if x.ndim != 2 or len(labels) != len(x):
            raise ArgumentError(f"EmbeddingMonitor: expected a model with embeddings (N, C) and a class for each, got "
                                f"{x.shape} and targets of {len(labels)} numbers")
        distances, alike = squared_distances(x, x), labels[:, None] == labels
        pairs = alike & ~np.eye(len(x), dtype=bool)
        return (_mean(distances[pairs]), _mean(distances[~alike]), self._active(distances, pairs, alike),
                2 * float((x * x).sum(1).mean()))

    def _active(self, distances: np.ndarray, pairs: np.ndarray, alike: np.ndarray) -> float:
        loss = self.model.loss
        margin = self.margin if self.margin is not None else loss.margin if isinstance(loss, Triplet) else 0.0
        active = count = 0
        for row, positive_ones, own in zip(distances, pairs, alike, strict=True):
            gaps = row[positive_ones][:, None] - row[~own] + margin
            active, count = active + int((gaps > 0).sum()), count + gaps.size
        return active / count if count else 0.0


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
