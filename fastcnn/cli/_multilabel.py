"""Yes or no of several labels, some of which are unknown: sigmoids, and a cross-entropy of the known ones."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._ends import with_end, without_end
from fastcnn.cli._report import share

_END = "probabilities"
_TINY = 1e-12  # of a probability, so that a loss stays finite


class LabelReport(NamedTuple):
    """Results on known labels.

    Attributes
    ----------
    loss, accuracy : float
        Mean cross-entropy in nats, and the share that is told rightly, of all known labels.
    precision, recall, f1, auc : (K,) arrays
        Of each label; NaN where there is nothing to count.
    known, yes : (K,) arrays of int
        How many are known, and are 1.
    examples : int
        Of the examples.
    rates : dict of str to float
        What comes of thresholds, of the worst label, where they were chosen.
    """

    loss: float
    accuracy: float
    precision: NDArray[Any]
    recall: NDArray[Any]
    f1: NDArray[Any]
    auc: NDArray[Any]
    known: NDArray[Any]
    yes: NDArray[Any]
    examples: int
    rates: dict[str, float] = {}  # noqa: RUF012  (never written to)

    @property
    def figures(self) -> dict[str, float]:
        """The mean of F1 over the labels that have one decides: of a rare label, nearly all that say no are right."""
        of_labels = self.f1[~np.isnan(self.f1)]
        mean = float(of_labels.mean()) if of_labels.size else 0.0
        return {"loss": self.loss, "accuracy": self.accuracy, **self.rates, "mean F1": mean}

    def show(self, console: Any, names: tuple[str, ...]) -> None:
        """Print a line for each label."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("label", overflow="fold")
        for name in ("precision", "recall", "F1", "AUC", "known", "yes"):
            table.add_column(name, justify="right")
        for name, *figures, known, yes in zip(names, *self[2:6], self.known, self.yes, strict=True):
            table.add_row(name, *map(share, figures), f"{known:,}", f"{yes:,}")
        console.print(table, soft_wrap=False)


class Multilabel:
    """Each example has each label or not, or nobody knows.

    Parameters
    ----------
    label_smoothing : float
    """

    activation: str | None = None

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def compiled(self) -> dict[str, Any]:
        from fastcnn import losses, metrics

        right = metrics.Masked(metrics.BinaryAccuracy(threshold=0.0), name="accuracy")  # a logit above 0: above 1/2
        loss = losses.MaskedBinaryCrossentropy(from_logits=True, label_smoothing=self.label_smoothing)
        return {"loss": loss, "metrics": [right]}

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        return y

    def trained(self, model: Any) -> Any:
        return without_end(model, _END)

    def finished(self, model: Any) -> Any:
        from fastcnn import layers

        return with_end(model, layers.Activation("sigmoid", name=_END))

    def measure(self, outputs: NDArray[Any], y: NDArray[Any],
                thresholds: NDArray[np.float64] | None = None) -> LabelReport:
        p, known, is_so = outputs.astype(np.float64), y >= 0, y == 1
        called = p > 0.5 if thresholds is None else p >= thresholds
        right, called_so, are_so = ((part & known).sum(axis=0) for part in (called & is_so, called, is_so))
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN here, and shown as such
            precision, recall, f1 = right / called_so, right / are_so, 2 * right / (called_so + are_so)
        own = np.where(is_so, p, 1 - p)[known]
        auc = np.array([area(p[known[:, k], k], is_so[known[:, k], k]) for k in range(y.shape[1])])
        return LabelReport(float(-np.log(np.maximum(own, _TINY)).mean()) if own.size else 0.0,
                           float((called == is_so)[known].mean()) if own.size else 0.0,
                           precision, recall, f1, auc, known.sum(axis=0), are_so, len(y))  # fmt: skip


def area(p: NDArray[Any], is_so: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: how often a 1 has a larger probability than a 0; NaN without one of both."""
    yes, no = np.sort(p[is_so]), np.sort(p[~is_so])
    if not yes.size or not no.size:
        return float("nan")
    below, upto = (np.searchsorted(no, yes, side) for side in ("left", "right"))  # ties count half
    return float((below + upto).sum() / (2 * yes.size * no.size))
