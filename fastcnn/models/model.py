"""Model: what every arrangement of layers can do: hold parameters, be compiled, fitted, evaluated, saved."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastcnn import losses, metrics, optimizers, random, training
from fastcnn.callbacks import Callback, History, ProgressLine
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.layers import Layer
from fastcnn.layers.base import Backward, Call
from fastcnn.models.summary import summary
from fastcnn.parameters import Parameter, assign_all


class Model:
    """The base of models; how the layers are connected is the subclass's.

    Parameters
    ----------
    name : str

    Attributes
    ----------
    layers : list of Layer
    input_shape, output_shape : tuple
        With None for the batch.
    stop_training : bool
        Set by a callback to end `fit` after the current step.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.layers: list[Layer] = []
        self.input_shape: Any = None
        self.seed = random.next_seed()
        self.stop_training = False
        self.loss: Any = None
        self.optimizer: Any = None
        self.metrics: list[metrics.Metric] = []

    # --- what a subclass says ---------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Fix the shapes and make the parameters, for an input (None, H, W, C)."""
        raise NotImplementedError

    @property
    def output_shape(self) -> Any:
        raise NotImplementedError

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """Train on one batch: return the output and backward(dy) -> dx; dx is None unless the call wants it."""
        raise NotImplementedError

    def forward_with_loss(self, x: np.ndarray, y: np.ndarray, call: Call
                          ) -> tuple[np.ndarray, np.ndarray, Callable[[], Any]]:
        """Return the loss of each sample, the outputs, and the backward pass of the mean loss."""
        y_pred, backward = self.forward(x, call)
        losses, gradient = self.loss.forward(y, y_pred)
        return losses, y_pred, lambda: backward(gradient)

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Return the output of one batch; nothing is kept."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it."""
        raise NotImplementedError

    # --- parameters -------------------------------------------------------------------------------------------------

    @property
    def built(self) -> bool:
        return self.input_shape is not None

    @property
    def dtype(self) -> np.dtype:
        return self.layers[0].dtype if self.layers else np.dtype("float32")

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
        raise ArgumentError(unknown(f"{self}: layer", name if index is None else index,
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
        assign_all(str(self), self.weights, weights)

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn: Callable[[str], Any] | None = None) -> None:
        """Print the layers with output shapes, parameters and multiply-adds."""
        self._require_built("summary")
        summary(self, print_fn)

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
            raise ArgumentError(f"{self}: compile expected a loss, such as "
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
        who = f"{self}.fit"
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
        who = f"{self}.evaluate"
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
        who = f"{self}.predict"
        _positive(who, batch_size=batch_size)
        x = np.asarray(x)
        self.build((None, *x.shape[1:])) if not self.built else None
        if 0 < len(x) <= batch_size and x.dtype == self.dtype and x.shape[1:] == self.input_shape[1:]:
            y = self.infer(x)  # one batch of the model's own type: nothing to gather
            return y.copy() if np.may_share_memory(x, y) else y
        data = training.Data(x, None, self.input_shape, self.dtype, who)
        return training.predict(self, data, batch_size)

    def train_on_batch(self, x: Any, y: Any, return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        who = f"{self}.train_on_batch"
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
            raise ArgumentError(f"{self}: {what} expected a built model; begin with "
                                f"fc.Input(shape), or call build((None, *shape))")

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

    def __str__(self) -> str:
        return f'{type(self).__name__} "{self.name}"'

    def __repr__(self) -> str:
        return f"<{self}, {len(self.layers)} layers, input {self.input_shape}>"


def _positive(who: str, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ArgumentError(f"{who}: expected {name} to be a positive integer, got {value!r}")


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
