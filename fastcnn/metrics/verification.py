"""Metrics of embeddings: whether two are of the same person, and whether the nearest ones are."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.metrics import state
from fastcnn.metrics.base import Metric
from fastcnn.metrics.kept import Kept

_MEASURES = ("accuracy", "equal_error_rate", "true_accept_rate", "area")
_BLOCK = 256  # rows of a matrix of distances


class _OfAll(Metric):
    """The base of metrics that look at all samples together."""

    direction: str | None = "up"
    _kept: Kept

    def merge_state(self, metrics: Iterable[Metric]) -> None:
        """As `Metric.merge_state`; the samples of this one come first."""
        others: list[Any] = list(metrics) if isinstance(metrics, Iterable) else [metrics]
        state.check(self, others, ())
        for other in others:
            if len(other._kept.arrays()[0]):
                self._add(*other._kept.arrays())

    def get_state(self) -> dict[str, Any]:
        """As `Metric.get_state`."""
        return {"kept": self._kept.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """As `Metric.set_state`."""
        self._kept = Kept(*state["kept"])

    def _add(self, *arrays: np.ndarray) -> None:
        self._kept.add(*arrays)

    def _checked(self, sample_weight: Any, labels: Any, outputs: np.ndarray) -> np.ndarray:
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: expected no sample_weight, since every sample counts once; leave it out")
        labels = np.asarray(labels).reshape(-1)
        if len(labels) != len(outputs):
            raise ArgumentError(f"{self.name}: expected a target for each output, got {len(labels)} for {len(outputs)}")
        if not np.isfinite(outputs).all():
            raise ArgumentError(f"{self.name}: expected finite outputs, got NaN or infinity; a network that diverged "
                                f"recognizes nobody")
        return labels


class Verification(_OfAll):
    """Whether two pictures show the same person, by a threshold of their distance.

    A pair is accepted if its distance is at most the threshold::

        TAR = accepted pairs of one person / pairs of one person             true accept rate
        FAR = accepted pairs of two persons / pairs of two persons           false accept rate
        EER = FAR where it is 1 - TAR, in a line between the points          equal error rate

    Parameters
    ----------
    measure : {"accuracy", "equal_error_rate", "true_accept_rate", "area"}
        What `result` returns: the share of right answers at the threshold; EER; the largest TAR whose FAR is at most
        `far`; the area under TAR over FAR. `results` has all of them.
    threshold : float, optional
        That of the accuracy. Absent, the one of the largest accuracy, half-way between two distances: choose it on
        other persons than those it is tested with.
    far : float
    similarity : bool
        Whether outputs are larger where two are alike; the threshold is one of these numbers then.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> same, distances = np.array([1, 1, 1, 0, 0, 0]), np.array([0.1, 0.3, 0.7, 0.5, 0.8, 0.9])
    >>> metric = metrics.Verification()
    >>> round(metric(same, distances), 3), metric.results()["threshold"]
    (0.833, 0.4)
    >>> round(metric.results()["equal_error_rate"], 3)
    0.333
    """

    def __init__(self, measure: str = "accuracy", threshold: float | None = None, far: float = 0.001,
                 similarity: bool = False, name: str | None = None, dtype: Any = None) -> None:
        who = type(self).__name__
        if measure not in _MEASURES:
            raise ArgumentError(unknown(f"{who}: measure", measure, _MEASURES))
        if not 0 <= far <= 1:
            raise ArgumentError(f"{who}: expected far from 0 to 1, got {far!r}")
        self.measure, self.threshold, self.far, self.similarity = measure, threshold, far, bool(similarity)
        super().__init__(name, dtype)
        self.direction = "down" if measure == "equal_error_rate" else "up"

    def get_config(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("measure", "threshold", "far", "similarity", "name", "dtype")}

    def reset_state(self) -> None:
        self._kept = Kept(np.zeros(0, bool), np.zeros(0))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        """Count a batch of pairs.

        Parameters
        ----------
        y_true : (N,) or (N, 1) array
            1 for the same person, 0 for two.
        y_pred : (N,) or (N, 1) array
            Distances, or similarities.
        sample_weight : None
        """
        outputs = np.asarray(y_pred, np.float64).reshape(-1)
        same = self._checked(sample_weight, y_true, outputs)
        if not np.isin(same, (0, 1)).all():
            raise ArgumentError(f"{self.name}: expected targets of 1 for the same and 0 for another person, got others")
        self._add(same.astype(bool), outputs)

    def results(self) -> dict[str, float]:
        """Return all numbers by name, and the ``threshold`` of the accuracy; NaN of pairs of one kind alone."""
        same, outputs = self._kept.arrays()
        distances = -outputs if self.similarity else outputs
        order = np.argsort(distances, kind="stable")
        values, last = distances[order], np.flatnonzero(np.append(np.diff(distances[order]) > 0, True)[: len(order)])
        right = np.append(0, same[order].cumsum()[last])  # accepted, of one person; behind each distance
        wrong = np.append(0, (~same[order]).cumsum()[last])
        ones, twos = right[-1], wrong[-1]
        found = {"threshold": float("nan"), **dict.fromkeys(_MEASURES, float("nan"))}
        if len(same):
            limit, found["accuracy"] = self._decided(values[last], right, wrong)
            found["threshold"] = -limit if self.similarity else limit
        if ones and twos:
            tar, far = right / ones, wrong / twos
            found["true_accept_rate"] = float(tar[far <= self.far].max())
            found["area"] = float(((tar[1:] + tar[:-1]) * np.diff(far)).sum() / 2)
            found["equal_error_rate"] = _equal_error(tar, far)
        return found

    def result(self) -> float:
        """Return the number that `measure` names."""
        return self.results()[self.measure]

    def _decided(self, values: np.ndarray, right: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
        """Return a threshold of the distance and its accuracy, for the counts in front of and behind each distance."""
        shares = (right + wrong[-1] - wrong) / (right[-1] + wrong[-1])
        if self.threshold is None:
            best = int(shares.argmax())
            ends = np.concatenate([values[:1], values, values[-1:]])
            return float((ends[best] + ends[best + 1]) / 2) if best else float(np.nextafter(values[0], -np.inf)), float(
                shares[best])
        limit = -self.threshold if self.similarity else self.threshold
        return float(limit), float(shares[np.searchsorted(values, limit, "right")])


class RecallAtK(_OfAll):
    """The share of samples that have one of their class among their K nearest others, by their embeddings.

    Samples that are alone in their class do not count. Of equal distances those of the earlier sample are nearer.

    Parameters
    ----------
    k : int
    cosine : bool
        Whether distances are those of embeddings brought to length 1; otherwise Euclid's as they are.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> classes, embeddings = np.array([0, 0, 1, 1]), np.array([[0.0], [0.4], [0.5], [0.9]])
    >>> metrics.RecallAtK()(classes, embeddings), metrics.RecallAtK(2)(classes, embeddings)
    (0.5, 1.0)
    """

    def __init__(self, k: int = 1, cosine: bool = False, name: str | None = None, dtype: Any = None) -> None:
        if not isinstance(k, (int, np.integer)) or k < 1:
            raise ArgumentError(f"{type(self).__name__}: expected k to be a positive integer, got {k!r}")
        self.k, self.cosine = int(k), bool(cosine)
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        self._kept = Kept(np.zeros(0, np.int64), np.zeros((0, 0)))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        """Count a batch.

        Parameters
        ----------
        y_true : (N,) or (N, 1) array of int
            Classes.
        y_pred : (N, F) array
            Embeddings.
        sample_weight : None
        """
        embeddings = np.asarray(y_pred, np.float64)
        if embeddings.ndim != 2:
            raise ArgumentError(f"{self.name}: expected embeddings (N, F), got {embeddings.shape}")
        self._add(self._checked(sample_weight, y_true, embeddings).astype(np.int64), embeddings)

    def _add(self, *arrays: np.ndarray) -> None:
        classes, embeddings = self._kept.arrays()
        if not len(classes):
            self._kept = Kept(*arrays)
        elif embeddings.shape[1] != arrays[1].shape[1]:
            raise ArgumentError(f"{self.name}: expected embeddings of {embeddings.shape[1]} numbers as before, got "
                                f"{arrays[1].shape[1]}")
        else:
            self._kept.add(*arrays)

    def result(self) -> float:
        """Return the share; 0 before anything was counted."""
        classes, x = self._kept.arrays()
        if self.cosine:
            x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        squares, hits, counted = (x * x).sum(axis=1), 0, 0
        for begin in range(0, len(x), _BLOCK):
            rows = np.arange(begin, min(begin + _BLOCK, len(x)))
            distances = squares - 2 * x[rows] @ x.T
            distances[np.arange(len(rows)), rows] = np.inf
            like = classes[rows][:, None] == classes
            like[np.arange(len(rows)), rows] = False
            nearest = np.where(like, distances, np.inf).min(axis=1)  # of the class
            first = np.where(like & (distances == nearest[:, None]), np.arange(len(x)), len(x)).min(axis=1)
            nearer = (distances < nearest[:, None]) | ((distances == nearest[:, None]) & (
                np.arange(len(x)) < first[:, None]))
            paired = like.any(axis=1)
            hits += int((paired & (nearer.sum(axis=1) < self.k)).sum())
            counted += int(paired.sum())
        return hits / counted if counted else 0.0


def _equal_error(tar: np.ndarray, far: np.ndarray) -> float:
    """Return FAR where it is 1 - TAR, in a line between two points."""
    gap = far - (1 - tar)  # rises from -1 to 1
    k = int(np.argmax(gap >= 0))
    before = gap[k - 1]
    return float(far[k - 1] + (far[k] - far[k - 1]) * -before / (gap[k] - before))
