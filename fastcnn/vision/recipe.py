"""What a training of a task of seeing is made of: the same for the command line, a script and a notebook."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastcnn.callbacks import History, StopAtStep
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.models import Model, step_budget
from fastcnn.optimizers import Optimizer, schedules
from fastcnn.optimizers import get as optimizer_of

#: Parameters that no weight decay is for: there are few of them, and a network needs them of any size.
_SPARED = ("bias", "gamma", "beta")


class Recipe(NamedTuple):
    """A training before its first step: what learns from what, for how long, and what comes of it.

    A function such as `fastcnn.vision.detection.yolo_recipe` makes it of a part of an annotated data set. Its keywords
    are what a person may choose, and their defaults are the defaults of the command line::

        recipe(train, dev=None, *, seed, size, epochs, batch_size, optimizer, learning_rate, weight_decay, ...)

    Attributes
    ----------
    model : Model
        Compiled; the rate of its optimizer is a number, the highest of the schedule.
    x : array, or batches
        As `fastcnn.Model.fit` takes it.
    finish : callable without arguments
        Returns the trained thing that makes answers of the model's numbers, with ``evaluate``, ``draw`` and ``save``:
        a `fastcnn.vision.detection.Detector`, say. It may be called at any time, with the weights as they are then.
    y : array, `fastcnn.data.RaggedRows` or None
        Targets; None where `x` is batches.
    batch_size : int or None
        None where `x` is batches.
    epochs : int
        How long it learns where nobody says.
    augmentation : Pipeline or None
    validation_data : (x, y), batches, or None
        Of what decides.
    sample_weight : array or None
    notes : tuple of str
        What a person should know: what was chosen, and by what.
    callbacks : tuple of Callback
        That belong to the training, whoever starts it.
    samples : tuple of str
        What each of `x` is called, where it is the picture of a file: a loss that is not finite is told with it.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
    >>> model.compile(optimizers.SGD(0.1), "mse")
    >>> recipe = fc.vision.Recipe(model, np.ones((64, 2)), lambda: model, np.ones((64, 1)), batch_size=16, epochs=3)
    >>> recipe.steps_per_epoch, recipe.fit(verbose=0).epoch, model.optimizer.learning_rate < 1e-9
    (4, [0, 1, 2], True)
    """

    model: Model
    x: Any
    finish: Callable[[], Any]
    y: Any = None
    batch_size: int | None = None
    epochs: int = 1
    augmentation: Any = None
    validation_data: Any = None
    sample_weight: Any = None
    notes: tuple[str, ...] = ()
    callbacks: tuple[Any, ...] = ()
    samples: tuple[str, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        """How many batches a pass over the data has."""
        return len(self.x) if self.batch_size is None else -(-len(self.x) // self.batch_size)

    def data(self) -> dict[str, Any]:
        """Return the data and how they are taken, as arguments of `fastcnn.Model.fit`."""
        return {"x": self.x, "y": self.y, "batch_size": self.batch_size, "augmentation": self.augmentation,
                "validation_data": self.validation_data, "sample_weight": self.sample_weight}

    def fit(self, epochs: int | None = None, *, minutes: float | None = None, verbose: int | str = "auto",
            callbacks: Any = None) -> History:
        """Train the model; the rate falls to 0 along half a wave of a cosine, with the last step.

        Parameters
        ----------
        epochs : int, optional
            In place of `epochs`.
        minutes : float, optional
            Train so long in place of a number of epochs: the speed is measured, and tells the steps.
        verbose, callbacks : as `fastcnn.Model.fit`

        Returns
        -------
        History

        Raises
        ------
        ArgumentError
            If both lengths are given.
        """
        if epochs is not None and minutes is not None:
            raise ArgumentError(f"Recipe.fit: expected epochs or minutes, got both, {epochs} and {minutes}")
        optimizer = self.model.optimizer
        assert optimizer is not None  # it is compiled
        (epochs,) = positive("Recipe.fit", epochs=self.epochs if epochs is None else epochs)
        steps, rate = epochs * self.steps_per_epoch, optimizer.learning_rate
        each = list(callbacks) if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
        each = [*self.callbacks, *each]
        if minutes is not None:
            budget = step_budget(self.model, **self.data(), minutes=minutes)
            steps, epochs = budget.steps, budget.epochs
            each.append(StopAtStep(steps))
        optimizer.learning_rate = schedules.CosineDecay(rate, steps)
        return self.model.fit(**self.data(), epochs=epochs, verbose=verbose, callbacks=each)


def optimizer_for(optimizer: str | Optimizer, learning_rate: float, weight_decay: float | None = None) -> Optimizer:
    """Return the optimizer of a recipe: one that was made stays as it is; a weight decay is that of kernels alone.

    Parameters
    ----------
    optimizer : str or Optimizer
    learning_rate : float
    weight_decay : float, optional

    Examples
    --------
    >>> fc.vision.recipe.optimizer_for("adamw", 2e-3, 0.01).weight_decay
    0.01
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    decay = {} if weight_decay is None else {"weight_decay": weight_decay}
    made = optimizer_of(optimizer, learning_rate=learning_rate, **decay)
    if made.weight_decay:
        made.exclude_from_weight_decay(var_names=_SPARED)
    return made
