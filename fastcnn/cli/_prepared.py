"""A training before its first step: data, parts, plan, and what makes the model; and what a model is asked for then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fastcnn.cli._practice import limited
from fastcnn.cli._task import Score


class Learner(Protocol):
    """A model before its first step, and all that the training of a run asks of it.

    Attributes
    ----------
    model : Model
        Compiled: what is trained.
    network : Model
        All of it: a part may be run once, and the rest be trained on that.
    names : tuple of str
        Of classes, labels or numbers, for the lines of a `Score`.
    notes : tuple of str
        What a person should know of how it was made.
    callbacks : tuple of Callback
        That belong to its training.
    """

    @property
    def model(self) -> Any: ...

    @property
    def network(self) -> Any: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def callbacks(self) -> tuple[Any, ...]: ...

    def fitted(self, parts: dict[str, Any], config: Any) -> dict[str, Any]:
        """Return the data and how they are taken, as arguments of `Model.fit`."""

    def called(self, sample: int, parts: dict[str, Any]) -> str:
        """Return what a sample of the training data is called."""

    def save(self, path: Path, known: bool = True) -> None:
        """Write what was trained; without what is known about it, where that cannot be written."""

    def trained_in(self, path: Path) -> "Learner":
        """Return the same with the weights that `save` wrote."""

    def decide(self, parts: dict[str, Any], config: Any, path: Path) -> None:
        """Choose on dev from which probability on yes is said, where that is asked for, and keep it in the file."""

    def measure(self, part: Any) -> Score:
        """Return how good it is on a part."""

    def draw(self, part: Any, folder: Path) -> list[str]:
        """Save pictures of what it finds on a part in a folder; return lines that tell where."""


class Prepared(NamedTuple):
    """A training before its first step.

    Attributes
    ----------
    data : Dataset or AnnotatedDataset
    begun : Saved or None
        What it goes on from.
    parts : dict of str to Examples or AnnotatedExamples
        That are used; without folds, else empty.
    dealt : dict of str to Examples
        The same before --limit, as ``split.csv`` has them.
    groups : dict of str to str
    notes : tuple of str
        What a person should know of the parts.
    config : Config
    make : callable
        Of this and a configuration: returns the `Learner` of them.
    """

    data: Any
    begun: Any
    parts: dict[str, Any]
    dealt: dict[str, Any]
    groups: dict[str, str]
    notes: tuple[str, ...]
    config: Any
    make: Callable[["Prepared", Any], "Learner"]

    def with_parts(self, dealt: dict[str, Any], groups: dict[str, str]) -> "Prepared":
        """Return the same with parts, of which the training part is cut to the limit."""
        cut = {"train": limited(dealt["train"], self.config.limit, self.config.seed)} if dealt else {}
        return self._replace(parts=dealt | cut, dealt=dealt, groups=groups)

    def learner(self, config: Any) -> "Learner":
        """Return a fresh model, or that of the run to train on from, with all that a configuration asks of it."""
        return self.make(self, config)
