"""Whether probabilities mean what they say: reliability, the expected calibration error, and a temperature."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError
from fastcnn.report.arguments import classified
from fastcnn.report.intervals import wilson

_TINY = 1e-12  # of a probability, so that its logarithm is finite
_COLDEST, _HOTTEST, _STEPS = 0.05, 20.0, 60
_GOLDEN = (5**0.5 - 1) / 2


class Calibration(NamedTuple):
    """How often a network is right, by how sure it says it is.

    Attributes
    ----------
    edges : (B + 1,) array
        Of the bins of confidence.
    counts : (B,) array of int
    confidence, accuracy, low, high : (B,) arrays
        The means of a bin, and the interval of the accuracy; NaN in empty bins.
    ece : float
        The expected calibration error: the mean of |accuracy - confidence| over the examples.

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.8, 0.2]])
    >>> round(fc.report.calibration(p, np.array([0, 1])).ece, 2)
    0.3
    """

    edges: NDArray[Any]
    counts: NDArray[Any]
    confidence: NDArray[Any]
    accuracy: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    ece: float


def calibration(probabilities: Any, labels: Any, bins: int = 10) -> Calibration:
    """Compare how sure a network is with how often it is right, in bins of equal width.

        ECE = sum over bins of (examples in the bin / all) |accuracy - mean confidence|

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) array of int
    bins : int

    Raises
    ------
    ArgumentError
        If the shapes do not fit.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks, 2017, equation 3.

    Examples
    --------
    >>> fc.report.calibration(np.array([[0.95, 0.05]]), np.array([0])).counts.tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    """
    p, y = classified("calibration", probabilities, labels)
    return of_confidence(p.max(axis=1), p.argmax(axis=1) == y, bins)


def of_confidence(confidence: Any, is_right: Any, bins: int = 10) -> Calibration:
    """Return the calibration of what was said with some confidence (N,) and is right or not (N,)."""
    if not isinstance(bins, int) or bins < 1:
        raise ArgumentError(f"calibration: expected a number of bins from 1, got {bins!r}")
    sure, right = np.asarray(confidence, np.float64), np.asarray(is_right, bool)
    place = np.clip((sure * bins).astype(int), 0, bins - 1)
    counts, hits, sums = (np.bincount(place, weights, bins) for weights in (None, right, sure))
    with np.errstate(divide="ignore", invalid="ignore"):
        accuracy, mean = hits / counts, sums / counts
    low, high = wilson(hits, counts)
    gap = np.abs(hits - sums).sum() / max(len(sure), 1)
    return Calibration(np.linspace(0, 1, bins + 1), counts, mean, accuracy, low, high, float(gap))


def fit_temperature(probabilities: Any, labels: Any) -> float:
    """Return the temperature that makes probabilities most likely, found on dev.

        p_T = softmax(log p / T),  T = argmin of the mean of -log p_T[label]

    Above 1 the network was too sure. It changes no answer, only how sure each is.

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) array of int

    Returns
    -------
    float
        From 0.05 to 20.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks, 2017, section 4.2.

    Examples
    --------
    >>> p = np.repeat([[0.99, 0.01]], 10, axis=0)
    >>> fc.report.fit_temperature(p, np.arange(10) >= 7) > 1  # it is right in 7 of 10 cases
    True
    """
    p, y = classified("fit_temperature", probabilities, labels)
    logs, rows = np.log(np.maximum(p, _TINY)), np.arange(len(y))

    def loss(log_of_t: float) -> float:
        scaled = logs / np.exp(log_of_t)
        top = scaled.max(axis=1)
        return float((np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top - scaled[rows, y]).mean())

    low, high = float(np.log(_COLDEST)), float(np.log(_HOTTEST))
    for _ in range(_STEPS if len(y) else 0):  # convex in 1 / T, so that one valley is all there is
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(a) <= loss(b):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2)) if len(y) else 1.0


def with_temperature(probabilities: Any, temperature: float) -> NDArray[Any]:
    """Return probabilities (N, K) as they are at a temperature.

    Parameters
    ----------
    probabilities : (N, K) array
    temperature : float

    Examples
    --------
    >>> np.round(fc.report.with_temperature(np.array([[0.9, 0.1]]), 2.0), 2).tolist()
    [[0.75, 0.25]]
    """
    if not temperature > 0:
        raise ArgumentError(f"with_temperature: expected a temperature above 0, got {temperature!r}")
    scaled = np.log(np.maximum(np.asarray(probabilities, np.float64), _TINY)) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    found: NDArray[Any] = powers / powers.sum(axis=1, keepdims=True)
    return found
