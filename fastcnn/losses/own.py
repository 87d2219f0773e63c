"""Losses of a user's own, a function of targets and outputs or a class with `call`: both say with tensors what they do.

::

    def distance(y_true, y_pred):                         class Distance(losses.Loss):
        return ops.mean(ops.abs(y_true - y_pred), -1)         def call(self, y_true, y_pred): ...

What they return, a number for each sample, for each position of a sample or for the whole batch, is reduced as other
losses are. They are asked once for each shape; the graph gives value and gradient.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import _hooks, device, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.geometry.positions import broadcast_weights

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

_KEPT = 8  # graphs of a loss, by shapes


class TracedLoss:
    """A loss as a graph, by the shapes of targets and outputs.

    Parameters
    ----------
    call : callable
        (y_true, y_pred) -> tensor; both are lists.
    who : str
    """

    def __init__(self, call: Callable[[Any, Any], Any], who: str) -> None:
        self._call, self._who = call, who
        self._known: dict[Any, Any] = {}

    def graph(self, y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray]) -> Any:
        """Return what runs for targets and outputs of these shapes and this type.

        Raises
        ------
        ArgumentError
            If the loss returns something else than a floating tensor made of both or one of them.
        """
        kind = y_pred[0].dtype
        key = tuple(y.shape[1:] for y in y_true), tuple(y.shape[1:] for y in y_pred), kind
        if key in self._known:
            return self._known[key]
        _hooks.hooks["operation"]("sum")  # the room of operations fills the table of tensors' operators
        trues, preds = (_inputs(shapes, kind, name) for shapes, name in ((key[0], "y_true"), (key[1], "y_pred")))
        found = self._call(trues, preds)
        if not isinstance(found, symbolic.Tensor) or found.dtype != kind:
            got = str(found.dtype) if isinstance(found, symbolic.Tensor) else type(found).__name__
            raise ArgumentError(f"{self._who}: expected a loss that returns a tensor of {kind.name} made of "
                                f"y_true and y_pred by fc.ops and operators, got {got}")
        while len(self._known) >= _KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[key] = _hooks.hooks["graph"]([*trues, *preds], [found], kind, self._who)
        return self._known[key]


def _inputs(shapes: Sequence[Any], kind: np.dtype, name: str) -> list[Any]:
    return [symbolic.operators["input"](shape, kind.name, f"{name}_{k}" if k else name)
            for k, shape in enumerate(shapes)]


def forward(loss: Any, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool, sample_weight: Any
            ) -> tuple[np.ndarray, np.ndarray | None]:
    """As `Loss.forward`, of a loss with `call`.

    Parameters
    ----------
    loss : Loss
    y_true, y_pred, wants_gradient, sample_weight
        As `Loss.forward`.
    """
    losses, gradients = forward_of_all(loss, [y_true], [y_pred], wants_gradient, sample_weight)
    return losses, None if gradients is None else gradients[0]


def forward_of_all(loss: Any, y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray], wants_gradient: bool,
                   sample_weight: Any) -> tuple[np.ndarray, list[Any] | None]:
    """As `JointLoss.forward`, of a loss with `call`.

    Parameters
    ----------
    loss : Loss
    y_true, y_pred, wants_gradient, sample_weight
        As `JointLoss.forward`.
    """
    if loss.reduction in ("none", None):
        raise ArgumentError(f"{loss.name}: reduction={loss.reduction!r} leaves no number to train with; "
                            f'make the loss with reduction="sum_over_batch_size"')
    values, weights, divisor, back = _values(loss, y_true, y_pred, wants_gradient, sample_weight)
    kind, samples, d, scale = y_pred[0].dtype, len(y_pred[0]), device.of(y_pred[0]), 1.0 / divisor if divisor else 0.0
    weighted = values if weights is None else values * weights
    if values.ndim and len(values) == samples:
        each = weighted.reshape(samples, -1).sum(1) * (samples * scale)
    else:
        each = np.full(samples, weighted.sum() * scale)
    losses = d.put(np.require(each, kind, ["C", "W"]))
    if back is None:
        return losses, None
    slopes = np.full(values.shape, scale) if weights is None else weights * scale
    gradients = back([d.put(np.require(slopes, kind, ["C", "W"]))])[len(y_true):]
    return losses, [d.zeros(y.shape, kind) if dy is None else dy for y, dy in zip(y_pred, gradients, strict=True)]


def called(loss: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """As `Loss.__call__`, of a loss with `call`.

    Parameters
    ----------
    loss : Loss
    y_true, y_pred : array
    sample_weight : array, optional
    """
    y_pred = np.ascontiguousarray(y_pred, y_pred.dtype if y_pred.dtype in FLOATS else np.float32)
    values, weights, divisor, _ = _values(loss, [y_true], [y_pred], False, sample_weight)
    values = values if weights is None else values * weights
    if loss.reduction in ("none", None):
        return np.array(values)
    return float(values.sum(dtype=np.float64) / divisor) if divisor else 0.0


def _values(loss: Any, y_true: Sequence[Any], y_pred: Sequence[Any], wants_gradient: bool, sample_weight: Any
            ) -> tuple[np.ndarray, Any, float, Any]:
    """Return the losses of all positions, their weights, what the sum is divided by, and the way back."""
    d, kind = device.of(y_pred[0]), y_pred[0].dtype
    y_pred = [d.ready(y) for y in y_pred]
    y_true = [d.put(np.require(y, kind, ["C", "W"])) for y in y_true]
    if loss._traced is None:
        loss._traced = TracedLoss(loss.call if loss.joint else lambda t, y: loss.call(t[0], y[0]), loss.name)
    graph, back = loss._traced.graph(y_true, y_pred), None
    if wants_gradient:
        (found,), back = graph.with_gradients([*y_true, *y_pred])
    else:
        (found,) = graph.infer([*y_true, *y_pred])
    values = device.get(found)
    weights = None if sample_weight is None else _weights(loss, sample_weight, values.shape)
    if loss.reduction == "sum":
        return values, weights, 1.0, back
    if loss.reduction == "mean_with_sample_weight" and weights is not None:
        return values, weights, float(weights.sum()), back
    return values, weights, float(values.size), back


def _weights(loss: Any, sample_weight: Any, shape: tuple[int, ...]) -> np.ndarray:
    if not shape:
        raise ArgumentError(f"{loss.name}: expected no sample_weight for a loss that is one number for the whole "
                            f"batch, got {np.shape(sample_weight)}; return one for each sample")
    return np.asarray(broadcast_weights(sample_weight, shape, np.float64, loss.name))
