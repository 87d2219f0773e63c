"""What a data set asks of a network, for the commands: its last layer, loss and metrics, and how good it is.

A network is trained without its *end*: on logits, and on targets of mean 0 and variance 1. What is saved has the end,
so that its outputs are probabilities, or numbers in the unit of the table.
"""

from typing import Any, Protocol

from numpy.typing import NDArray

from fastcnn.cli._augmentation import mixes
from fastcnn.cli._config import Config
from fastcnn.cli._examples import Examples
from fastcnn.datasets import AnnotatedDataset, Dataset
from fastcnn.errors import ArgumentError


class Score(Protocol):
    """How good a model is on some examples.

    Attributes
    ----------
    figures : dict of str to float
        By the words for people; the last one decides.
    examples : int
        Of the examples.
    """

    @property
    def figures(self) -> dict[str, float]: ...

    @property
    def examples(self) -> int: ...

    def show(self, console: Any, names: tuple[str, ...]) -> None:
        """Print a line for each class, label or number."""


class Task(Protocol):
    """What is learned.

    Attributes
    ----------
    activation : str or None
        What the trained network ends in.
    """

    activation: str | None

    def compiled(self) -> dict[str, Any]:
        """Return loss and metrics, as `compile` takes them."""

    def targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return what the trained network is compared with."""

    def trained(self, model: Any) -> Any:
        """Return a saved model without its end."""

    def finished(self, model: Any) -> Any:
        """Return a trained model with its end; it shares the layers."""

    def measure(self, outputs: NDArray[Any], y: NDArray[Any]) -> Score:
        """Compare outputs of a finished model with targets as the data set has them."""


def task_of(data: Dataset, config: Config | None = None, train: Examples | None = None, begun: Any = None) -> Task:
    """Return what a data set asks.

    Parameters
    ----------
    data : Dataset
    config : Config or None
    train : Examples or None
        The training part. Both are None where nothing is trained.
    begun : Model or None
        What training goes on from: its end stays.

    Raises
    ------
    ArgumentError
        A loss, or what else was asked for, of another task.
    """
    loss = None if config is None else config.loss
    if config is not None:
        _require_fit(data, config)
    if loss is not None and (loss == "crossentropy") != (data.task != "regression"):
        raise ArgumentError(f"--loss {loss}: expected a loss for {data.task} of {', '.join(data.outputs[:3])}, as "
                            f"{data.name} is, got another; leave it out")  # fmt: skip
    if data.task == "classification":
        from fastcnn.cli._classification import Classification

        return Classification(len(data.classes), 0.0 if config is None else config.label_smoothing,
                              config is not None and mixes(config.augment))  # fmt: skip
    if data.task == "multilabel":
        from fastcnn.cli._multilabel import Multilabel

        return Multilabel(0.0 if config is None else config.label_smoothing)
    from fastcnn.cli._regression import Regression, unit_of

    return Regression(loss or "mse", unit_of(None if train is None else train.y, begun, data.outputs))


def _require_fit(data: Dataset, config: Config) -> None:
    if config.augment and data.features:
        raise ArgumentError(f"--augment: expected images, which it changes, got the features of {data.name}; leave "
                            "it out")  # fmt: skip
    if config.class_weight is not None and data.task != "classification":
        raise ArgumentError(f"--class-weight: expected classes, got the {data.task} that {data.name} is; leave it out")
    if config.label_smoothing and data.task == "regression":
        raise ArgumentError(f"--label-smoothing: expected labels, got numbers to learn of {data.name}; leave it out")
    if mixes(config.augment) and data.task == "multilabel":
        raise ArgumentError("--augment: expected layers that do not mix images, as labels may be unknown, got MixUp or "
                            "CutMix; leave it out")  # fmt: skip


def of_what(data: Dataset | AnnotatedDataset) -> str:
    """Return what the examples are and what is learned of them, for a line."""
    if not isinstance(data, Dataset):
        return of_pictures(data)
    shape = data.x_train.shape[1:]
    examples = f"rows of {shape[0]} features" if data.features else f"images of {'x'.join(map(str, shape))}"
    what = {"classification": "classes", "multilabel": "labels"}.get(data.task)
    return f"{examples}, {len(data.classes)} {what}" if what else f"{examples}, to tell {', '.join(data.targets)}"


def of_pictures(data: AnnotatedDataset) -> str:
    """Return what annotated pictures have, for a line."""
    what = {"detection": f"boxes of {', '.join(data.classes)}", "identity": "each of somebody"}
    return f"pictures, {what.get(data.task, 'masks of ' + ', '.join(data.classes))}"


def told(figure: str, value: float) -> str:
    """Return the value of a figure as text: errors have the unit of the table, and so any size."""
    return f"{value:.6g}" if figure in ("MAE", "RMSE") else f"{value:.4f}"
