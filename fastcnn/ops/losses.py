"""Cross-entropies as operations: a number for each position; `fastcnn.losses` has losses to train with."""

import copy
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.operations import division
from fastcnn.ops import types
from fastcnn.ops.activation_settings import log_softmax
from fastcnn.ops.arithmetic import add, clip, divide, maximum, multiply, subtract
from fastcnn.ops.casting import cast, floating, meet
from fastcnn.ops.creation import one_hot
from fastcnn.ops.elementary import abs as absolute
from fastcnn.ops.elementary import exp, log, log1p, negative
from fastcnn.ops.primitive import primitive
from fastcnn.ops.reduction import sum as total
from fastcnn.ops.shaping import squeeze


def _loss_shape(target: Any, output: Any, *weights: Any, loss: Any) -> Any:
    return () if loss.reduction not in ("none", None) else tuple(
        n for k, n in enumerate(output) if k not in [axis % len(output) for axis in loss.axes])


@primitive(_loss_shape, lambda target, output, *weights, loss: output)
def _loss(target: Any, output: Any, *weights: Any, loss: Any) -> Any:
    """Run a loss of `fastcnn.losses`, whose kernel gives value and gradient in one pass."""
    told = device.get(weights[0]) if weights else None
    nothing = (None,) * len(weights)
    if loss.reduction in ("none", None):
        found = loss(device.get(target), output)
        whole = copy.copy(loss)
        whole.reduction = "sum"
        backward = lambda dy: (None, whole.forward(target, output, True, device.get(dy))[1], *nothing)
        return device.of(output).put(np.asarray(found, output.dtype)), backward
    values, slope = loss.forward(target, output, True, told)
    mean = np.asarray(device.get(values).mean(dtype=np.float64) if len(values) else 0.0, output.dtype)
    one = lambda dy: device.of(output).put(np.asarray(dy).reshape((1,) * output.ndim))
    return device.of(output).put(mean), lambda dy: (None, division.times(slope, one(device.get(dy))), *nothing)


@primitive(lambda *shapes, loss, targets, outputs: (), lambda *kinds, loss, targets, outputs: kinds[targets])
def _joint_loss(*given: Any, loss: Any, targets: int, outputs: int) -> Any:
    """Run a loss over all outputs, `fastcnn.losses.JointLoss`: operands are targets, outputs and, if any, weights."""
    true, pred, weights = given[:targets], list(given[targets : targets + outputs]), given[targets + outputs :]
    told = device.get(weights[0]) if weights else None
    values, slopes = loss.forward(list(map(device.get, true)), pred, True, told)
    mean = np.asarray(device.get(values).mean(dtype=np.float64) if len(values) else 0.0, pred[0].dtype)

    def backward(dy: Any) -> tuple[Any, ...]:
        scales = [device.of(y).put(np.asarray(device.get(dy)).reshape((1,) * y.ndim)) for y in pred]
        each = [None if one is None else division.times(one, scale) for one, scale in zip(slopes, scales, strict=True)]
        return *(None,) * targets, *each, *(None,) * len(weights)

    return device.of(pred[0]).put(mean), backward


_EPSILON = 1e-7  # as Keras has it: no logarithm of 0


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Return -t log(y) - (1 - t) log(1 - y), number by number.

    Parameters
    ----------
    target, output : arrays or tensors of one shape
    from_logits : bool
        Whether y is the sigmoid of `output`.

    Examples
    --------
    >>> fc.ops.binary_crossentropy([0.0, 1.0], [0.5, 0.5]).round(3)
    array([0.693, 0.693], dtype=float32)
    """
    t, y = meet("ops.binary_crossentropy", target, output, floating=True)
    if len(t.shape) != len(y.shape) or any(a != b and None not in (a, b) for a, b in zip(t.shape, y.shape,
                                                                                         strict=True)):
        raise ArgumentError(f"ops.binary_crossentropy: expected target and output of one shape, got {tuple(t.shape)} "
                            f"and {tuple(y.shape)}")
    if from_logits:  # max(y, 0) - y t + log(1 + exp(-|y|)), which does not overflow
        return add(subtract(maximum(y, 0.0), multiply(y, t)), log1p(exp(negative(absolute(y)))))
    y = clip(y, _EPSILON, 1 - _EPSILON)
    missed, false = multiply(t, log(y)), multiply(subtract(1.0, t), log(subtract(1.0, y)))
    return negative(add(missed, false))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Return -sum t log(y) along the classes; without logits, y is divided by its sum first.

    Parameters
    ----------
    target, output : arrays or tensors of one shape
    from_logits : bool
        Whether y is the softmax of `output`.
    axis : int
        Of the classes.

    Examples
    --------
    >>> fc.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
    array([0.693], dtype=float32)
    """
    t, y = meet("ops.categorical_crossentropy", target, output, floating=True)
    return negative(total(multiply(t, _logarithms(y, from_logits, axis, "ops.categorical_crossentropy")), axis))


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """As `categorical_crossentropy`, of labels.

    Parameters
    ----------
    target : array or tensor of integers
        Of the output's shape without the classes, or with 1 in their place.
    output : array or tensor
    from_logits : bool
    axis : int

    Examples
    --------
    >>> fc.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3)
    array([0.693], dtype=float32)
    """
    y = floating(output, "ops.sparse_categorical_crossentropy")
    (t,) = meet("ops.sparse_categorical_crossentropy", target)
    at = from_front(axis, y.ndim, "ops.sparse_categorical_crossentropy")
    if t.ndim == y.ndim and t.shape[at] == 1:
        t = squeeze(t, at)
    if t.ndim != y.ndim - 1:
        raise ArgumentError(f"ops.sparse_categorical_crossentropy: expected labels of {y.ndim - 1} dimensions for "
                            f"outputs {tuple(y.shape)}, got {tuple(t.shape)}")
    rows = one_hot(cast(t, "int32"), y.shape[at], axis=at, dtype=types.dtype_of(y))
    return negative(total(multiply(rows, _logarithms(y, from_logits, axis, "ops")), axis))


def _logarithms(y: Any, from_logits: bool, axis: int, who: str) -> Any:
    from_front(axis, y.ndim, who)
    if from_logits:
        return log_softmax(y, axis)
    return log(clip(divide(y, total(y, axis, keepdims=True)), _EPSILON, 1 - _EPSILON))
