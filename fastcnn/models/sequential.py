"""Sequential: a chain of layers, walked forward and back."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastcnn import layers, losses, metrics, optimizers, random, training
from fastcnn.callbacks import Callback, History, ProgressLine
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.layers import Input, Layer
from fastcnn.layers.base import Backward, Call
from fastcnn.models.summary import summary
from fastcnn.parameters import Parameter


class Sequential:
    """A model whose layers follow one another.

    Parameters
    ----------
    layers : list of Layer, optional
        The first may be an `Input`, which fixes the shapes; else they are fixed by the first data or by `build`.
    name : str, optional

    Attributes
    ----------
    layers : list of Layer
        Without the `Input`.
    input_shape, output_shape : tuple
        With None for the batch.
    stop_training : bool
        Set by a callback to end `fit` after the current step.
    """

    def __init__(self, layers: Iterable[Layer] = (), name: str | None = None) -> None:
        self.name = name or "sequential"
        self.layers: list[Layer] = []
        self.input_shape: Any = None
        self.seed = random.next_seed()
        self.stop_training = False
        self.loss: Any = None
        self.optimizer: Any = None
        self.metrics: list[metrics.Metric] = []
        for layer in layers:
            self.add(layer)

    # --- structure --------------------------------------------------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises
        ------
        ArgumentError
            If it is no layer, its name is taken, or its input does not fit.
        """
        if not isinstance(layer, Layer):
            raise ArgumentError(f'Sequential "{self.name}": expected a layer, got {layer!r}')
        if isinstance(layer, Input):
            if self.layers or self.input_shape is not None:
                raise ArgumentError(f'Sequential "{self.name}": expected Input as the first entry and only once')
            self.input_shape, self._input = layer.output_shape, layer
            return
        if any(layer.name == other.name for other in self.layers):
            raise ArgumentError(f'Sequential "{self.name}": expected layers with different names, '
                                f'got two "{layer.name}"')
        if self.layers and layer.dtype != self.dtype:
            raise ArgumentError(f'Sequential "{self.name}": expected layers of one dtype, {self.dtype.name}, '
                                f"got {layer} of {layer.dtype.name}")
        if self.input_shape is not None:
            layer.build(self.output_shape)
        self.layers.append(layer)

    def build(self, input_shape: Any) -> None:
        """Fix the shapes and make the parameters, for an input (None, H, W, C)."""
        if self.input_shape is not None:
            if tuple(input_shape[1:]) != tuple(self.input_shape[1:]):
                raise ArgumentError(f'Sequential "{self.name}": expected input {self.input_shape}, for which it was '
                                    f"built, got {tuple(input_shape)}")
            return
        shape: Any = (None, *input_shape[1:])
        for layer in self.layers:
            layer.build(shape)
            shape = layer.output_shape
        self.input_shape = (None, *input_shape[1:])

    @property
    def built(self) -> bool:
        return self.input_shape is not None

    @property
    def dtype(self) -> np.dtype:
        return self.layers[0].dtype if self.layers else np.dtype("float32")

    @property
    def output_shape(self) -> Any:
        return self.layers[-1].output_shape if self.layers else self.input_shape

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of a name, or at an index.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(unknown(f'Sequential "{self.name}": layer', name if index is None else index,
                                    [layer.name for layer in self.layers]))

    @property
    def weights(self) -> list[Parameter]:
        return [p for layer in self.layers for p in layer.weights]

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [p for layer in self.layers for p in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        return [p for layer in self.layers for p in layer.non_trainable_weights]

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameters' values, in Keras's order."""
        return [p.numpy() for p in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Set all parameters, in Keras's order and shapes; nothing changes unless all fit.

        Raises
        ------
        ArgumentError
            If their number or a shape differs.
        """
        own, given = self.weights, [np.asarray(w) for w in weights]
        if len(own) != len(given):
            raise ArgumentError(f'Sequential "{self.name}": expected {len(own)} weights, got {len(given)}')
        wrong = [f"{p.path} {p.shape} got {w.shape}" for p, w in zip(own, given, strict=True) if p.shape != w.shape]
        if wrong:
            raise ArgumentError(f'Sequential "{self.name}": expected weights of its shapes, but {", ".join(wrong)}')
        for parameter, value in zip(own, given, strict=True):
            parameter.assign(value)

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn: Callable[[str], Any] | None = None) -> None:
        """Print the layers with output shapes, parameters and multiply-adds."""
        self._require_built("summary")
        summary(self, print_fn)

    # --- the two verbs ----------------------------------------------------------------------------------------------

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """Train: return the output and backward(dy) -> dx; dx is None unless the call wants it.

        A layer computes the gradient of its input only if something before it learns.
        """
        steps: list[Backward] = []
        wanted = call.wants_dx
        for layer in self.layers:
            x, step = layer.forward(x, Call(call.seed, call.step, wanted))
            wanted = wanted or bool(layer.trainable_weights)
            if wanted:
                steps.append(step)

        def backward(dy: np.ndarray | None) -> np.ndarray | None:
            while steps:
                dy = steps.pop()(dy)  # popped, so that what the step kept can be used again
            return dy if call.wants_dx else None

        return x, backward

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Return the output of one batch; nothing is kept."""
        for layer in self.layers:
            x = layer.predict(x)
        return x

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the output of one batch: of `forward` if `training`, else of `infer`."""
        x = np.asarray(x, self.dtype)
        return self.forward(x)[0] if training else self.infer(x)

    # --- training ---------------------------------------------------------------------------------------------------

    def compile(self, optimizer: Any = "sgd", loss: Any = None, metrics: Iterable[Any] | None = None) -> None:
        """Choose optimizer, loss and metrics.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str or Loss
        metrics : list of str or Metric, optional
            "accuracy" is the one that suits the loss.

        Raises
        ------
        ArgumentError
            If a name is not known.
        """
        if loss is None:
            raise ArgumentError(f'Sequential "{self.name}": compile expected a loss, such as '
                                f'"sparse_categorical_crossentropy"')
        self.optimizer, self.loss = optimizers.get(optimizer), losses.get(loss)
        self._wanted_metrics = list(metrics or ())
        self._ready_for: Any = None

    def fit(self, x: Any, y: Any, batch_size: int = 32, epochs: int = 1, verbose: int | str = "auto",
            callbacks: list[Callback] | None = None, validation_split: float = 0.0,
            validation_data: tuple[Any, Any] | None = None, shuffle: bool = True, initial_epoch: int = 0) -> History:
        """Train for `epochs` passes over the data.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type
        y : (N, ...) array
        batch_size, epochs, initial_epoch : int
        verbose : int or "auto"
            0 nothing, 1 a moving line, 2 a line an epoch; "auto" is 1 on a terminal, else 2.
        callbacks : list of Callback, optional
        validation_split : float
            This part of the data, the last of it, is not trained on but evaluated after each epoch.
        validation_data : (x, y), optional
            Evaluated after each epoch.
        shuffle : bool
            Draw another order for each epoch.

        Returns
        -------
        History
            ``history.history["loss"]`` and the like: one entry an epoch.

        Raises
        ------
        ArgumentError, DataError
            If an argument or the data does not fit, before anything is trained.
        """
        who = f'Sequential "{self.name}".fit'
        _positive(who, batch_size=batch_size, epochs=epochs)
        if not 0 <= validation_split < 1:
            raise ArgumentError(f"{who}: expected 0 <= validation_split < 1, got {validation_split}")
        x, y = np.asarray(x), np.asarray(y)
        self._prepare(x, who)
        if validation_split and validation_data is None:
            cut = int(len(x) * (1 - validation_split))
            x, y, validation_data = x[:cut], y[:cut], (x[cut:], y[cut:])
        data = self._data(x, y, who)
        validation = None if validation_data is None else self._data(*validation_data, f"{who}: validation_data")
        if verbose == "auto":
            verbose = 1 if sys.stdout.isatty() else 2
        each = [*(callbacks or ()), *([ProgressLine(verbose == 1)] if verbose else ())]
        return training.fit(self, data, batch_size, epochs, each, validation, shuffle, initial_epoch)

    def evaluate(self, x: Any, y: Any, batch_size: int = 32, verbose: int | str = 0, return_dict: bool = False) -> Any:
        """Return the mean loss, or [loss, *metrics], or both by name in a dict.

        Parameters
        ----------
        x, y : arrays
        batch_size : int
        verbose : int
            0 prints nothing.
        return_dict : bool
        """
        who = f'Sequential "{self.name}".evaluate'
        _positive(who, batch_size=batch_size)
        self._prepare(np.asarray(x), who)
        logs = training.evaluate(self, self._data(x, y, who), batch_size)
        if verbose and verbose != "auto":
            print(" - ".join(f"{name}: {value:.4f}" for name, value in logs.items()))
        return _as_keras(logs, return_dict)

    def predict(self, x: Any, batch_size: int = 32, verbose: int | str = 0) -> np.ndarray:
        """Return the outputs for all samples, as a new array.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type
        batch_size : int
        verbose : int
            Nothing is printed in any case.
        """
        who = f'Sequential "{self.name}".predict'
        _positive(who, batch_size=batch_size)
        x = np.asarray(x)
        self.build((None, *x.shape[1:])) if not self.built else None
        data = training.Data(x, None, self.input_shape, self.dtype, who)
        return training.predict(self, data, batch_size)

    def train_on_batch(self, x: Any, y: Any, return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        who = f'Sequential "{self.name}".train_on_batch'
        self._prepare(np.asarray(x), who)
        data = self._data(x, y, who)
        running = training.Running(self)
        for xs, ys in data.batches(len(data)):
            losses, y_pred = training.train_step(self, xs, ys)
            running.update(losses, ys, y_pred)
        return _as_keras(running.result(), return_dict)

    def test_on_batch(self, x: Any, y: Any, return_dict: bool = False) -> Any:
        """Evaluate one batch; return as `evaluate`."""
        return self.evaluate(x, y, batch_size=max(1, len(x)), return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Return the outputs for one batch."""
        return self.predict(x, batch_size=max(1, len(x)))

    def _prepare(self, x: np.ndarray, who: str) -> None:
        """Build, gather the parameters and choose the metrics, once for a compile."""
        if self.loss is None:
            raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")
        if not self.built:
            self.build((None, *x.shape[1:]))
        trained = self.trainable_weights
        key = [id(p) for p in trained]
        if self._ready_for != key:
            self.optimizer.build(trained)
            outputs = self.output_shape[-1]
            self.metrics = [metrics.get(m, self.loss.name, outputs) for m in self._wanted_metrics]
            self._ready_for = key

    def _data(self, x: Any, y: Any, who: str) -> training.Data:
        data = training.Data(x, y, self.input_shape, self.dtype, who)
        if not len(data):
            raise DataError(f"{who}: expected at least one sample, got none")
        self.loss.check(data.y, self.output_shape[-1])
        return data

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise ArgumentError(f'Sequential "{self.name}": {what} expected a built model; begin with '
                                f"fc.Input(shape), or call build((None, *shape))")

    # --- files ------------------------------------------------------------------------------------------------------

    def save(self, path: Any, overwrite: bool = True) -> None:
        """Write structure and parameters to one safetensors file (`fastcnn.saving.save_model`).

        Parameters
        ----------
        path : str or Path
            Ends in ``.safetensors``.
        overwrite : bool
            Replace a file that is there; else refuse.
        """
        from fastcnn import saving

        saving.save_model(self, path, overwrite=overwrite)

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it."""
        self._require_built("get_config")
        entry = {"class_name": "Input", "config": {"shape": list(self.input_shape[1:]), "name": "input"}}
        return {"name": self.name, "layers": [entry] + [
            {"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self.layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> "Sequential":
        """Make a built model from `get_config`; classes are found in `custom_objects`, then in `fastcnn.layers`.

        Raises
        ------
        ArgumentError
            If there are classes that are not known: all of them are named.
        """
        known = {name: getattr(layers, name) for name in layers.__all__} | (custom_objects or {})
        strange = sorted({entry["class_name"] for entry in config["layers"]} - set(known))
        if strange:
            raise ArgumentError(f"Sequential.from_config: expected layers of fastcnn or of custom_objects, "
                                f"got {', '.join(strange)}")
        return cls([known[entry["class_name"]].from_config(entry["config"]) for entry in config["layers"]],
                   name=config.get("name"))

    def __repr__(self) -> str:
        return f'<Sequential "{self.name}", {len(self.layers)} layers, input {self.input_shape}>'


def _positive(who: str, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ArgumentError(f"{who}: expected {name} to be a positive integer, got {value!r}")


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
