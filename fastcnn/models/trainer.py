"""Trainer: what a user does with a model: compile, fit, evaluate, predict."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import losses, optimizers, random, training
from fastcnn.callbacks import Callback, History, ProgressLine
from fastcnn.errors import ArgumentError, DataError
from fastcnn.objective import Objective, Running, spread


class Trainer:
    """The half of `fastcnn.Model` that trains; the other half says what it computes.

    Attributes
    ----------
    loss, optimizer
        As given to `compile`, as objects.
    metrics : list of Metric
        Of all outputs; known once training begins.
    stop_training : bool
        Set by a callback to end `fit` after the current step.
    """

    # What the other half has.
    built: Any
    dtype: np.dtype
    build: Callable[..., None]
    infer_all: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    infer_one: Callable[[np.ndarray], np.ndarray]
    is_plain: bool
    input_shape: Any
    trainable_weights: Any
    input_names: Any
    output_names: Any
    input_shapes: Any
    output_shapes: Any
    as_given: Callable[[Sequence[Any]], Any]

    def _begin(self) -> None:
        self.seed = random.next_seed()
        self.stop_training = False
        self.loss: Any = None
        self.optimizer: Any = None
        self.objective: Any = None
        self._compiled: dict[str, Any] = {}
        self._ready_for: Any = None

    @property
    def metrics(self) -> list[Any]:
        return [] if self.objective is None else self.objective.metrics

    def compile(self, optimizer: Any = "sgd", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
                weighted_metrics: Any = None) -> None:
        """Choose optimizer, losses and metrics.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str or Loss, or a list or dict (by output name) of them
            None for an output that nothing is asked of.
        loss_weights : float, list or dict, optional
            Factors of the losses of several outputs.
        metrics, weighted_metrics : list of str or Metric, or a list or dict of such lists, optional
            "accuracy" is the one that suits the loss. Weighted ones see the samples' weights.

        Raises
        ------
        ArgumentError
            If a name is not known.
        """
        who = f"{self}.compile"
        if loss is None or (isinstance(loss, (list, tuple, dict)) and not loss):
            raise ArgumentError(f"{self}: compile expected a loss, such as "
                                f'"sparse_categorical_crossentropy"')
        self.optimizer = optimizers.get(optimizer)
        self.loss = _each(losses.get, loss)
        self._compiled = {"loss": self.loss, "loss_weights": loss_weights, "metrics": _listed(metrics),
                          "weighted_metrics": _listed(weighted_metrics)}
        self._ready_for = self.objective = None
        if self.built:
            self.objective = Objective(self.output_names, self.output_shapes, **self._compiled, who=who)

    def fit(self, x: Any, y: Any = None, batch_size: int = 32, epochs: int = 1, verbose: int | str = "auto",
            callbacks: list[Callback] | None = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True, class_weight: dict[int, float] | None = None,
            sample_weight: Any = None, initial_epoch: int = 0) -> History:
        """Train for `epochs` passes over the data.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them
        y : (N, ...) array, or a list or dict (by output name) of them
        batch_size, epochs, initial_epoch : int
        verbose : int or "auto"
            0 nothing, 1 a moving line, 2 a line an epoch; "auto" is 1 on a terminal, else 2.
        callbacks : list of Callback, optional
        validation_split : float
            This part of the data, the last of it, is not trained on but evaluated after each epoch.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch.
        shuffle : bool
            Draw another order for each epoch.
        class_weight : dict, optional
            A factor of the loss for each class; classes that are not named have 1.
        sample_weight : (N,) array, or a list or dict (by output name) of them, optional
            A factor of the loss for each sample.

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
        given, validation = self._arranged(x, y, sample_weight, class_weight, who), None
        if validation_split and validation_data is None:
            cut = int(len(given[0][0]) * (1 - validation_split))
            validation = self._data(*_part(given, slice(cut, None)), f"{who}: validation_split")
            given = _part(given, slice(None, cut))
        elif validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise ArgumentError(f"{who}: expected validation_data (x, y) or (x, y, sample_weight), "
                                    f"got {type(validation_data).__name__}")
            vx, vy, *vw = validation_data
            validation = self._data(*self._arranged(vx, vy, vw[0] if vw else None, None, f"{who}: validation_data"),
                                    f"{who}: validation_data")
        data = self._data(*given, who)
        if verbose == "auto":
            verbose = 1 if sys.stdout.isatty() else 2
        each = [*(callbacks or ()), *([ProgressLine(verbose == 1)] if verbose else ())]
        return training.fit(self, data, batch_size, epochs, each, validation, shuffle, initial_epoch)  # type: ignore[arg-type]

    def evaluate(self, x: Any, y: Any = None, batch_size: int = 32, verbose: int | str = 0, sample_weight: Any = None,
                 return_dict: bool = False) -> Any:
        """Return the mean loss, or [loss, *metrics], or both by name in a dict.

        Parameters
        ----------
        x, y : arrays, or lists or dicts of them
        batch_size : int
        verbose : int
            0 prints nothing.
        sample_weight : array, optional
        return_dict : bool
        """
        who = f"{self}.evaluate"
        _positive(who, batch_size=batch_size)
        data = self._data(*self._arranged(x, y, sample_weight, None, who), who)
        logs = training.evaluate(self, data, batch_size)  # type: ignore[arg-type]
        if verbose and verbose != "auto":
            print(" - ".join(f"{name}: {value:.4f}" for name, value in logs.items()))
        return _as_keras(logs, return_dict)

    def predict(self, x: Any, batch_size: int = 32, verbose: int | str = 0) -> Any:
        """Return the outputs for all samples, as a new array, or a list of them.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them
        batch_size : int
        verbose : int
            Nothing is printed in any case.
        """
        if self.is_plain and type(x) is np.ndarray and x.dtype == self.dtype and x.shape[1:] == self.input_shape[1:] \
                and 0 < len(x) <= batch_size:
            y = self.infer_one(x)  # one batch of the model's own type: nothing to gather
            return y.copy() if np.may_share_memory(x, y) else y
        who = f"{self}.predict"
        _positive(who, batch_size=batch_size)
        data = training.Data(self._inputs(x, who), [], self.input_shapes, self.dtype, who)
        return self.as_given(training.predict(self, data, batch_size))  # type: ignore[arg-type]

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        who = f"{self}.train_on_batch"
        data = self._data(*self._arranged(x, y, sample_weight, class_weight, who), who)
        running = Running(self.objective)
        for batch in data.batches(len(data)):
            step = training.train_step(self, batch)  # type: ignore[arg-type]
            running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
        return _as_keras(running.result(), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch; return as `evaluate`."""
        first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, (list, tuple)) else x
        return self.evaluate(x, y, batch_size=max(1, len(first)), sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, (list, tuple)) else x
        return self.predict(x, batch_size=max(1, len(first)))

    def _inputs(self, x: Any, who: str) -> list[np.ndarray]:
        """Return the inputs as a list of arrays, building the model on its first sight of data."""
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
        names = self.input_names
        if isinstance(x, dict):
            missing = [name for name in names if name not in x]
            if missing:
                raise ArgumentError(f"{who}: expected inputs {', '.join(names)}, got none for {', '.join(missing)}")
            return [np.asarray(x[name]) for name in names]
        if len(names) == 1:
            listed = isinstance(x, (list, tuple)) and len(x) == 1 and np.ndim(x[0]) == len(self.input_shapes[0])
            return [np.asarray(x[0] if listed else x)]
        if not isinstance(x, (list, tuple)) or len(x) != len(names):
            got = f"{len(x)} of them" if isinstance(x, (list, tuple)) else type(x).__name__
            raise ArgumentError(f"{who}: expected a list of {len(names)} inputs, {', '.join(names)}, got {got}")
        return [np.asarray(one) for one in x]

    def _arranged(self, x: Any, y: Any, sample_weight: Any, class_weight: Any, who: str) -> tuple[list, list, list]:
        """Return inputs, targets and weights as lists, with an entry for each input or output; the model is ready."""
        if self.loss is None:
            raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")
        xs = self._inputs(x, who)
        self._prepare(who)
        names = self.output_names
        ys = [y] if len(names) == 1 and not isinstance(y, dict) else spread(y, names, f"{who}: y")
        if len(names) > 1 and not isinstance(y, (list, tuple, dict)):
            raise ArgumentError(f"{who}: expected a list or dict of {len(names)} targets, {', '.join(names)}, "
                                f"got {type(y).__name__}")
        ys = [None if one is None else np.asarray(one) for one in ys]
        for target, one in zip(self.objective.targets, ys, strict=True):
            if (one is None) != (target.loss is None):
                raise ArgumentError(f'{who}: expected targets for output "{target.name}" if and only if it has a loss, '
                                    f"got {'none' if one is None else 'some'}")
        weights = [sample_weight] * len(names) if np.ndim(sample_weight) == 1 and not isinstance(
            sample_weight, list) else spread(sample_weight, names, f"{who}: sample_weight")
        weights = [None if one is None else np.asarray(one) for one in weights]
        if class_weight is not None:
            if len(names) > 1:
                raise ArgumentError(f"{who}: class_weight is not offered for a model of several outputs; "
                                    f"use sample_weight")
            if weights[0] is not None:
                raise ArgumentError(f"{who}: expected class_weight or sample_weight, got both")
            weights = [_of_classes(ys[0], class_weight, who)]
        return xs, ys, weights

    def _prepare(self, who: str) -> None:
        """Gather the parameters and choose the metrics, once for a compile."""
        if self.objective is None:
            self.objective = Objective(self.output_names, self.output_shapes, **self._compiled, who=who)
        trained = self.trainable_weights
        key = [id(p) for p in trained]
        if self._ready_for != key:
            self.optimizer.build(trained)
            self._ready_for = key

    def _data(self, xs: list, ys: list, weights: list, who: str) -> training.Data:
        data = training.Data(xs, ys, self.input_shapes, self.dtype, who, weights)
        if not len(data):
            raise DataError(f"{who}: expected at least one sample, got none")
        self.objective.check(data.ys, self.output_shapes)
        return data


def _part(given: tuple[list, list, list], part: slice) -> tuple[list, list, list]:
    xs, ys, weights = ([None if one is None else one[part] for one in arrays] for arrays in given)
    return xs, ys, weights


def _of_classes(y: np.ndarray, weights: dict[int, float], who: str) -> np.ndarray:
    """Return the weight of each sample: that of its class, from integer labels or rows with a one at the label."""
    strange = [key for key in weights if not isinstance(key, (int, np.integer)) or key < 0]
    if strange:
        raise ArgumentError(f"{who}: expected class_weight {{class: factor}} with classes from 0, got {strange[0]!r}")
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y)).astype(np.int64)
    if labels.ndim != 1:
        raise ArgumentError(f"{who}: expected one class for a sample with class_weight, got targets {y.shape}; "
                            f"use sample_weight")
    table = np.ones(max(int(labels.max(initial=0)), *weights) + 1)
    for label, factor in weights.items():
        table[label] = factor
    return table[labels]


def _positive(who: str, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ArgumentError(f"{who}: expected {name} to be a positive integer, got {value!r}")


def _each(get: Callable[[Any], Any], value: Any) -> Any:
    """Apply `get` to one name, or to each of a list or dict."""
    if isinstance(value, dict):
        return {name: None if one is None else get(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [None if one is None else get(one) for one in value]
    return get(value)


def _listed(metrics: Any) -> Any:
    return metrics if metrics is None or isinstance(metrics, dict) else list(metrics)


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
