"""Several models from one training: the rate falls to 0 again and again, and the model is kept each time."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastcnn._warnings import warn
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.rate import require_number
from fastcnn.errors import ArgumentError
from fastcnn.formats import file_kinds
from fastcnn.formats.files import user_path


class Snapshots(Callback):
    """Trains in cycles, in each of which the learning rate falls along a cosine, and saves the model at their ends.

        rate of step t, the first being 0, in a cycle of L steps that began with step b:
        learning_rate / 2 (cos(pi (t - b) / L) + 1)

    Each end is another minimum, and together they are an ensemble for the price of one training::

        models = [fc.saving.load_model(path) for path in snapshots.paths]
        fc.models.ensemble(models)

    Parameters
    ----------
    filepath : path-like
        Ends in ``.safetensors``, or in ``.keras`` or ``.h5`` for Keras, and names the cycle, counted from 1:
        ``"snapshot-{cycle}.safetensors"``.
    cycles : int
        Of equal length, but for a step. They end within an epoch where they have to.
    learning_rate : float, optional
        The one that each cycle begins with; the optimizer's if absent.
    steps : int, optional
        In all, after which training ends; those of all epochs if absent.

    Attributes
    ----------
    paths : list of Path
        The files of the cycles that have ended.

    Raises
    ------
    ArgumentError
        Before training: an optimizer with a schedule of its own, or fewer steps than cycles, or nobody knows how many.

    References
    ----------
    Huang, Li, Pleiss, Liu, Hopcroft, Weinberger: Snapshot ensembles: train 1, get M for free, ICLR 2017, equation 2.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> snapshots = fc.callbacks.Snapshots("snapshot-{cycle}.safetensors", cycles=2)
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=6, verbose=0, callbacks=snapshots)
    >>> [path.name for path in snapshots.paths]
    ['snapshot-1.safetensors', 'snapshot-2.safetensors']
    """

    changes = ("_step",)

    def __init__(self, filepath: Any, cycles: int, learning_rate: float | None = None, steps: int | None = None
                 ) -> None:
        self.filepath = str(user_path(filepath, "Snapshots"))
        if type(cycles) is not int or cycles < 2:
            raise ArgumentError(f"Snapshots: expected cycles to be an integer from 2, got {cycles!r}")
        if learning_rate is not None and not (isinstance(learning_rate, (int, float)) and 0 < learning_rate < math.inf):
            raise ArgumentError(f"Snapshots: expected learning_rate to be a positive number, got {learning_rate!r}")
        self.cycles, self.learning_rate, self.steps = cycles, learning_rate, steps
        self._step, self._ends, self._highest = 0, list[int](), learning_rate or 0.0
        self._require_names()

    def _require_names(self) -> None:
        try:
            names = {self.filepath.format(cycle=cycle) for cycle in (1, 2)}
        except (KeyError, IndexError, ValueError):
            names = set()
        if len(names) < 2 or file_kinds.suffix_of(Path(self.filepath)) not in file_kinds.SUFFIXES:
            raise ArgumentError(f"Snapshots: expected a filepath with the cycle, such as "
                                f"'snapshot-{{cycle}}.safetensors', got {self.filepath!r}")

    @property
    def paths(self) -> list[Path]:
        """The files of the cycles that have ended."""
        ended = [self.path(cycle) for cycle, end in enumerate(self._ends, 1) if self._step >= end]
        return [path for path in ended if path.exists()]

    def path(self, cycle: int) -> Path:
        """Return the file of a cycle, counted from 1."""
        return Path(self.filepath.format(cycle=cycle))

    def save(self, cycle: int) -> None:
        """Write the model at the end of a cycle; for classes that derive from this one."""
        path = self.path(cycle)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(path)

    def check(self, names: Collection[str]) -> None:
        require_number(self, self.model.optimizer)
        steps, epochs = self.params["steps"], self.params["epochs"] - self.params["initial_epoch"]
        if self.steps is None and steps is None:
            raise ArgumentError("Snapshots: expected data whose number of batches is known, got batches without; say "
                                "steps_per_epoch")
        total = self.steps or steps * epochs
        if total < self.cycles:
            raise ArgumentError(f"Snapshots: expected at least a step for each of {self.cycles} cycles, got {total}")
        self._ends = [round(total * cycle / self.cycles) for cycle in range(1, self.cycles + 1)]

    def on_train_begin(self, logs: Logs) -> None:
        self._step = 0
        self._highest = self.learning_rate or float(self.model.optimizer.learning_rate)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, the first being 0."""
        begin = max((end for end in self._ends if end <= step), default=0)
        end = next((end for end in self._ends if end > step), step + 1)
        return self._highest / 2 * (math.cos(math.pi * (step - begin) / (end - begin)) + 1)

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        self.model.optimizer.learning_rate = self.rate(self._step)
        self._step += 1

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if self._step in self._ends:
            cycle = self._ends.index(self._step) + 1
            try:
                self.save(cycle)
            except OSError as error:  # the training is worth more than one file of it
                warn(f"Snapshots: the model at the end of cycle {cycle} could not be saved, training goes on: {error}")
        if self.steps is not None and self._step >= self.steps:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs) -> None:
        self.model.optimizer.learning_rate = self._highest  # not where it fell to

    def on_train_interrupted(self, error: BaseException) -> None:
        if self._highest:
            self.on_train_end({})
