"""Constraints with Keras's names: on the lengths of vectors of weights, and on signs."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.constraints.base import Constraint
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.kernels import codes

_EPSILON = 1e-7  # Keras's


class _InPlace(Constraint):
    """A constraint that kernels apply where the weights lie."""

    def __call__(self, w: Any) -> np.ndarray:
        w = np.asarray(w)
        value = np.array(w, w.dtype if w.dtype in (np.float32, np.float64) else np.float32, order="C")
        self._change(value)
        return value

    def apply(self, parameter: Any) -> None:
        self._change(parameter.array)

    def _change(self, array: np.ndarray) -> None:
        raise NotImplementedError


class NonNeg(_InPlace):
    """w <- max(w, 0).

    Examples
    --------
    >>> constraints.NonNeg()(np.array([-1, 2], "float32"))
    array([0., 2.], dtype=float32)
    """

    def _change(self, array: np.ndarray) -> None:
        flat = array.reshape(-1)
        device.of(array).kernels.activation_forward(flat, flat, codes.RELU, 0.0, 0.0)


class _Norms(_InPlace):
    """What constraints on lengths have in common: the axes of a vector, and the kernel."""

    axis: Any

    def _bounds(self) -> tuple[float, float, float]:
        """Return the least and the largest length, and the rate."""
        raise NotImplementedError

    def _change(self, array: np.ndarray) -> None:
        d, axes = device.of(array), _axes(self, len(array.shape))
        first, last = axes[0], axes[-1] + 1
        if len(axes) == last - first:  # they lie side by side, as nearly always
            shape = math.prod(array.shape[:first]), math.prod(array.shape[first:last]), math.prod(array.shape[last:])
            scratch = d.empty((d.kernels.bound_norms_scratch(shape[0] * shape[2], array.dtype),), np.float64)
            d.kernels.bound_norms(array.reshape(shape), scratch, *self._bounds(), _EPSILON)
            return
        order = [*axes, *(k for k in range(len(array.shape)) if k not in axes)]
        moved = np.ascontiguousarray(d.get(array).transpose(order))
        of_moved = d.put(moved)
        within = of_moved.reshape(1, math.prod(moved.shape[:len(axes)]), math.prod(moved.shape[len(axes):]))
        scratch = d.empty((d.kernels.bound_norms_scratch(within.shape[2], array.dtype),), np.float64)
        d.kernels.bound_norms(within, scratch, *self._bounds(), _EPSILON)
        d.copy(array, d.get(of_moved).transpose(np.argsort(order)))


class MaxNorm(_Norms):
    """Vectors of weights stay at most so long: w <- w min(|w|, max_value) / (|w| + 1e-7).

    Srivastava et al., "Dropout", 2014, section 5.1.

    Parameters
    ----------
    max_value : float
    axis : int or sequence of int
        Along which a vector lies: 0 for the inputs of a unit of `Dense`, (0, 1, 2) for a filter of `Conv2D`.

    Examples
    --------
    >>> constraints.MaxNorm(1.0)(np.array([[3], [4]], "float32")).round(3)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value, self.axis = _length(self, "max_value", max_value), _checked_axis(self, axis)

    def _bounds(self) -> tuple[float, float, float]:
        return 0.0, float(self.max_value), 1.0


class UnitNorm(_Norms):
    """Vectors of weights have the length 1: w <- w / (|w| + 1e-7).

    Parameters
    ----------
    axis : int or sequence of int
        As of `MaxNorm`.

    Examples
    --------
    >>> constraints.UnitNorm(1)(np.array([[3, 4]], "float32")).round(3)
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = _checked_axis(self, axis)

    def _bounds(self) -> tuple[float, float, float]:
        return 1.0, 1.0, 1.0


class MinMaxNorm(_Norms):
    """Vectors of weights move to a length between two: n = |w| becomes rate min(max(n, min), max) + (1 - rate) n.

    Parameters
    ----------
    min_value, max_value : float
    rate : float
        1 goes all the way in each step.
    axis : int or sequence of int
        As of `MaxNorm`.

    Examples
    --------
    >>> constraints.MinMaxNorm(0.0, 1.0, rate=0.5)(np.array([[3], [4]], "float32")).round(3)
    array([[1.8],
           [2.4]], dtype=float32)
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0,
                 axis: int | Sequence[int] = 0) -> None:
        self.min_value, self.max_value = _length(self, "min_value", min_value), _length(self, "max_value", max_value)
        self.rate, self.axis = rate, _checked_axis(self, axis)
        if min_value > max_value:
            raise ArgumentError(f"MinMaxNorm: expected min_value of at most max_value, got {min_value!r} and "
                                f"{max_value!r}")
        if not isinstance(rate, (int, float, np.number)) or not 0 <= rate <= 1:
            raise ArgumentError(f"MinMaxNorm: expected 0 <= rate <= 1, got {rate!r}")

    def _bounds(self) -> tuple[float, float, float]:
        return float(self.min_value), float(self.max_value), float(self.rate)


def _length(who: Constraint, name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
        raise ArgumentError(f"{type(who).__name__}: expected {name} to be a finite number of at least 0, got {value!r}")
    return value


def _checked_axis(who: Constraint, axis: Any) -> Any:
    several = isinstance(axis, (list, tuple))
    if not (all(map(is_integer, axis)) and len(set(axis)) == len(axis) > 0 if several else is_integer(axis)):
        raise ArgumentError(f"{type(who).__name__}: expected axis to be an integer or several, got {axis!r}")
    return [int(one) for one in axis] if several else int(axis)  # a list, as JSON gives it


def _axes(who: Any, rank: int) -> list[int]:
    given = who.axis if isinstance(who.axis, list) else [who.axis]
    axes = sorted(one + rank if one < 0 else one for one in given)
    if axes[0] < 0 or axes[-1] >= rank or len(set(axes)) < len(axes):
        raise ArgumentError(f"{type(who).__name__}: expected axes of weights with {rank} dimensions, "
                            f"got axis={who.axis}")
    return axes
