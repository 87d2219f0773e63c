"""What quantization costs: of a whole model, and of each layer alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.models import Model


class LayerLoss(NamedTuple):
    """What is lost where one layer alone is quantized.

    Attributes
    ----------
    name, kind : str
        Of the layer: its name and its class.
    error : float
        Of the model's outputs: the norm of their differences over their norm.
    lost : float
        The share of images whose first class is another one; with labels, of accuracy. NaN for outputs that are no
        classes.
    """

    name: str
    kind: str
    error: float
    lost: float


class LayerLosses(list[LayerLoss]):
    """A `LayerLoss` for each layer, the largest error first; as text, a table."""

    def __str__(self) -> str:
        rows = [("layer", "class", "error", "lost")]
        rows += [(one.name, one.kind, f"{one.error:.2%}", "-" if np.isnan(one.lost) else f"{one.lost:.2%}")
                 for one in self]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}"
                         for a, b, c, d in rows)


class Judge:
    """Compares models with one whose outputs for some images are known.

    Parameters
    ----------
    model : Model
    batches : callable
        Begins the batches of inputs from the first one.
    labels : (N,) array, optional
        The classes of the images.
    """

    def __init__(self, model: Model, batches: Callable[[], Iterable[list[np.ndarray]]],
                 labels: np.ndarray | None = None) -> None:
        self._batches, self._labels = batches, labels
        self.outputs = self._of(model)
        self.has_classes = self.outputs[0].ndim == 2 and self.outputs[0].shape[-1] > 1

    def __call__(self, model: Model) -> tuple[float, float]:
        """Return error and loss of a model, as `LayerLoss` has them."""
        outputs = self._of(model)
        return _error(self.outputs, outputs), self._lost(outputs[0])

    def _lost(self, outputs: np.ndarray) -> float:
        if not self.has_classes:
            return float("nan")
        before, now = self.outputs[0].argmax(-1), outputs.argmax(-1)
        if self._labels is None:
            return float(np.mean(before != now))
        return float(np.mean(before == self._labels) - np.mean(now == self._labels))

    def _of(self, model: Model) -> list[np.ndarray]:
        found = [model.infer_all(xs) for xs in self._batches()]
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _error(wanted: Sequence[np.ndarray], got: Sequence[Any]) -> float:
    difference = sum(float(np.sum((a.astype(np.float64) - b) ** 2)) for a, b in zip(wanted, got, strict=True))
    whole = sum(float(np.sum(a.astype(np.float64) ** 2)) for a in wanted)
    return float(np.sqrt(difference / whole)) if whole else float(difference > 0)
