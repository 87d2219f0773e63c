"""How good a model is on images it has not seen: a line for each class, and the accuracy."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

_TINY = 1e-12  # of a probability, so that a loss stays finite


class Report(NamedTuple):
    """Results on a test set.

    Attributes
    ----------
    loss, accuracy : float
        Mean cross-entropy in nats, and the share of images whose most probable class is right.
    precision, recall, f1 : ndarray of float64, (classes,)
        Of each class; NaN where nothing was called so, or nothing is so.
    images : ndarray of int64, (classes,)
    rates : dict of str to float
        What comes of a threshold of the probability of one of two classes, where one was chosen.
    """

    loss: float
    accuracy: float
    precision: NDArray[Any]
    recall: NDArray[Any]
    f1: NDArray[Any]
    images: NDArray[Any]
    rates: dict[str, float] = {}  # noqa: RUF012  (never written to)

    @property
    def figures(self) -> dict[str, float]:
        """What is told in a line; the last one decides."""
        return {"loss": self.loss, **self.rates, "accuracy": self.accuracy}

    @property
    def examples(self) -> int:
        """How many images there are."""
        return int(self.images.sum())

    def show(self, console: Console, names: tuple[str, ...]) -> None:
        """Print a line for each class."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("class", overflow="fold")
        for name in ("precision", "recall", "F1", "images"):
            table.add_column(name, justify="right")
        for name, precision, recall, f1, images in zip(names, *self[2:6], strict=True):
            table.add_row(name, *map(share, (precision, recall, f1)), f"{images:,}")
        console.print(table, soft_wrap=False)


def measure(probabilities: NDArray[Any], y: NDArray[Any], called: NDArray[Any] | None = None) -> Report:
    """Compare probabilities (N, classes) with labels (N,).

        precision = right / called so,  recall = right / are so,  F1 = 2 right / (called so + are so)

    Parameters
    ----------
    probabilities, y : ndarray
    called : (N,) array of int, optional
        What each was called; by default the most probable class.
    """
    classes = probabilities.shape[1]
    called = probabilities.argmax(axis=1) if called is None else called
    right, called_so, are_so = (np.bincount(part, minlength=classes) for part in (y[called == y], called, y))
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN here, and shown as such
        precision, recall, f1 = right / called_so, right / are_so, 2 * right / (called_so + are_so)
    own = probabilities[np.arange(len(y)), y].astype(np.float64)
    loss = float(-np.log(np.maximum(own, _TINY)).mean())
    return Report(loss, float((called == y).mean()), precision, recall, f1, are_so)


def as_probabilities(outputs: NDArray[Any]) -> NDArray[Any]:
    """Return a model's outputs (N, classes) as they are if they are probabilities, else their softmax."""
    if np.all(outputs >= 0) and np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def share(value: float) -> str:
    """Return a share as text; a dash for NaN."""
    return "-" if np.isnan(value) else f"{value:.4f}"
