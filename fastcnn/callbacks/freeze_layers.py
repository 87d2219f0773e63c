"""Layers that a training leaves as they are, all of it or its first epochs."""

from collections.abc import Collection, Sequence
from typing import Any

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.errors import ArgumentError
from fastcnn.layers.by_pattern import by_pattern
from fastcnn.layers.held_layers import all_within


class FreezeLayers(Callback):
    """Keeps layers from being trained, for some epochs or for a whole `fit`: for fine-tuning in stages.

    It does what ``layer.trainable = False`` does, so that statistics of normalization stay too, and then lets training
    go on with all of them, as a second ``compile`` and ``fit`` would: the optimizer's moments begin anew, its schedule
    goes on. After `fit` each layer is trainable again that was so before.

    Parameters
    ----------
    layers : str, Layer, or list of them
        Layers, or patterns of their names or paths: "conv*", "features/*".
    epochs : int, optional
        How many, from the first one on. All of them if absent.

    Raises
    ------
    ArgumentError
        Before training, if a pattern means no layer, or if nothing is left to be trained.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(8, name="below"), layers.Dense(2, name="head")])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> x, y, before = np.ones((8, 4)), np.ones((8, 2)), model.layers[0].get_weights()[0]
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=fc.callbacks.FreezeLayers("below"))
    >>> np.array_equal(before, model.layers[0].get_weights()[0])
    True
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=fc.callbacks.FreezeLayers("below", epochs=1))
    >>> np.array_equal(before, model.layers[0].get_weights()[0])
    False
    """

    def __init__(self, layers: Any, epochs: int | None = None) -> None:
        self.layers: Sequence[Any] = list(layers) if isinstance(layers, (list, tuple)) else [layers]
        if epochs is not None and (type(epochs) is not int or epochs < 1):
            raise ArgumentError(f"FreezeLayers: expected epochs to be a positive integer, or None for all, got "
                                f"{epochs!r}")
        self.epochs = epochs
        self._before: list[tuple[Any, bool]] = []  # how layers were, where they are frozen now
        self._run: Any = None

    def set_run(self, run: Any) -> None:
        self._run = run

    def check(self, names: Collection[str]) -> None:
        found = self._found()
        left = {id(p) for p in self.model.trainable_weights} - {id(p) for one in found for p in one.weights}
        if not left:
            raise ArgumentError(f"FreezeLayers: expected something that is left to be trained, got all of {self.model} "
                                f"frozen; leave out its last layer")

    def on_train_begin(self, logs: Logs) -> None:
        if self.epochs is None or self.params["initial_epoch"] < self.epochs:
            self._before = [(one, one.trainable) for _, one in all_within(self.model)]
            with self._run.other_layers_trained():
                for layer in self._found():
                    layer.trainable = False

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        if self._before and self.epochs is not None and epoch >= self.epochs:
            with self._run.other_layers_trained():
                self._give_back()
            if epoch == self.epochs:  # else a training that goes on was there before
                self.model.optimizer.restart()

    def on_train_end(self, logs: Logs) -> None:
        self._give_back()

    def on_train_interrupted(self, error: BaseException) -> None:
        self._give_back()

    def _found(self) -> list[Any]:
        patterns = [one for one in self.layers if isinstance(one, str)]
        known = by_pattern(self.model, patterns, "FreezeLayers")
        own = {id(one) for _, one in all_within(self.model)}
        for one in self.layers:
            if not isinstance(one, str) and id(one) not in own:
                raise ArgumentError(f"FreezeLayers: expected layers of {self.model}, or patterns of their names, got "
                                    f"{one!r}")
        return [layer for one in self.layers for layer in (known[one] if isinstance(one, str) else [one])]

    def _give_back(self) -> None:
        before, self._before = self._before, []
        for layer, trainable in before:  # a layer before those that it holds, which have their own word
            layer.trainable = trainable
