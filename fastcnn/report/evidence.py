"""What a page is made of: parts with what the network answers to them, its history, and what is known of the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError, unknown
from fastcnn.report.found_in_pictures import FoundPart
from fastcnn.report.tagging import Tags

TASKS = ("classification", "multilabel", "regression", "detection", "segmentation", "identity")


class Answered(NamedTuple):
    """Examples of a part, and what the network answers to them in inference mode.

    Attributes
    ----------
    x : (N, H, W, C) or (N, F) array, or what gives such arrays by index
        As the data set has them, unchanged.
    y : (N,) or (N, K) array
        Labels; of several labels 1, 0 or -1 where nobody knows; numbers.
    outputs : (N, K) array
        Probabilities of classes or labels, or numbers.
    names : sequence of N str
        What the examples are called.
    groups : sequence of N str, or None
    whole : int
        How many examples the part has, where these are drawn from it; 0 where these are all.

    Examples
    --------
    >>> len(fc.report.Answered(np.zeros((1, 8, 8, 1)), np.array([0]), np.array([[0.9, 0.1]]), ["7.png"]).outputs)
    1
    """

    x: Any
    y: NDArray[Any]
    outputs: NDArray[Any]
    names: Sequence[str]
    groups: Sequence[str] | None = None
    whole: int = 0


class AsTrained(NamedTuple):
    """A model as it is trained, for a look at its gradients.

    Attributes
    ----------
    model : Model
        Compiled. Nothing of what is done with it stays.
    targets : function
        From labels as a part has them to what its loss takes.
    batch_size : int

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> fc.report.AsTrained(model, lambda y: y, 32).batch_size
    32
    """

    model: Any
    targets: Callable[[NDArray[Any]], Any]
    batch_size: int


@dataclass(frozen=True)
class Evidence:
    """All that a page tells of.

    Parameters
    ----------
    name : str
        Of the run.
    task : {"classification", "multilabel", "regression", "detection", "segmentation", "identity"}
    classes : sequence of str
        Names of the outputs.
    parts : dict of str to Answered
        By "train", "train_dev", "dev" and "test", those that there are; none where things are found in pictures.
    model : Model, optional
        What answers.
    inputs : function, optional
        From `Answered.x` to what the model takes; they are the same without it.
    scale : float
        The largest value of a pixel in `Answered.x`.
    features : sequence of str
        Names of the columns of `Answered.x` where those are no pictures.
    history : sequence of dict
        A dict an epoch, as in ``history.jsonl``.
    trainable : AsTrained, optional
        For the health of training.
    crossed : Answered, optional
        Examples with cross-fitted probabilities: each of a network that was not trained on it.
    seen : dict of str to FoundPart
        The same where things are found in pictures.
    class_figures : dict of str to dict of str to float
        Then: by the name of a figure its value of each class, on dev.
    human_error : float, optional
        What people reach.
    tags : Tags, optional
        Of mistakes.
    facts : dict of str to str
        Told at the top: the data set, the network, ...
    notes : sequence of str
        What a reader should know.

    Raises
    ------
    ArgumentError
        If there is no such task or part, or a part has unequal numbers.

    Examples
    --------
    >>> dev = fc.report.Answered(np.zeros((1, 8, 8, 1)), np.array([0]), np.array([[0.9, 0.1]]), ["7.png"])
    >>> fc.report.Evidence("first", "classification", ("cat", "dog"), {"dev": dev}).errors("dev").tolist()
    [False]
    """

    name: str
    task: str
    classes: Sequence[str]
    parts: Mapping[str, Answered]
    model: Any = None
    inputs: Callable[[Any], Any] = np.asarray
    scale: float = 1.0
    features: Sequence[str] = ()
    history: Sequence[Mapping[str, Any]] = ()
    trainable: AsTrained | None = None
    crossed: Answered | None = None
    seen: Mapping[str, FoundPart] = field(default_factory=dict)
    class_figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    human_error: float | None = None
    tags: Tags | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ArgumentError(unknown("report: task", self.task, TASKS))
        for name, part in self.parts.items():
            numbers = len(part.x), len(part.y), len(part.outputs), len(part.names)
            if len(set(numbers)) > 1:
                raise ArgumentError(f"report: expected as many of x, y, outputs and names in {name}, got {numbers}")
        if self.human_error is not None and not self.human_error >= 0:
            raise ArgumentError(f"report: expected a human error from 0, got {self.human_error!r}")

    def errors(self, part: str) -> NDArray[Any]:
        """Return the error of each example of a part.

        Parameters
        ----------
        part : str

        Returns
        -------
        (N,) array
            Whether it is wrong; of labels the share of known ones that are wrong; of numbers the distance in standard
            deviations of the training part's, the mean of several; of boxes 1 - AP, of masks 1 - Dice, of persons
            whether the nearest other picture shows somebody else.
        """
        if part in self.seen:
            return self.seen[part].errors
        own = self.parts[part]
        if self.task == "classification":
            wrong: NDArray[Any] = own.outputs.argmax(axis=1) != own.y
            return wrong
        if self.task == "multilabel":
            known = own.y >= 0
            found: NDArray[Any] = (((own.outputs > 0.5) != (own.y == 1)) & known).sum(axis=1) / np.maximum(
                known.sum(axis=1), 1)
            return found
        distance: NDArray[Any] = (np.abs(own.outputs - columns(own.y)) / self._spread()).mean(axis=1)
        return distance

    def _spread(self) -> NDArray[Any]:
        """Return the standard deviations of numbers in the training part, or in the first that there is."""
        spread = columns((self.parts.get("train") or next(iter(self.parts.values()))).y).std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    @property
    def all_errors(self) -> dict[str, NDArray[Any]]:
        """The errors of all parts, as `gaps` takes them."""
        return {name: self.errors(name) for name in (*self.parts, *self.seen)}

    @property
    def wholes(self) -> dict[str, int]:
        """How many examples the parts have that these are drawn from; 0 where these are all."""
        return {name: part.whole for name, part in self.parts.items()} | {
            name: part.whole for name, part in self.seen.items()}

    @property
    def unit(self) -> str:
        """What the errors are measured in, as `gaps` takes it."""
        return "deviations" if self.task == "regression" else "%"

    @property
    def has_pictures(self) -> bool:
        """Whether the examples can be looked at."""
        return any(len(part.x.shape) == 4 for part in self.parts.values())


def columns(y: NDArray[Any]) -> NDArray[Any]:
    """Return numbers to learn as (N, K) of float64."""
    return np.asarray(y, np.float64).reshape(len(y), -1)
