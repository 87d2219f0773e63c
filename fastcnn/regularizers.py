"""Penalties on weights and outputs, with Keras's names: a value that is added to the loss, and its gradient."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import _hooks, device, unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.unsupported import ExplainsUnsupported

_NONE = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


class Regularizer(ExplainsUnsupported):
    """The base of regularizers: one of your own has `value`, `add_gradient` and `get_config`.

    Examples
    --------
    >>> layers.Dense(10, kernel_regularizer="l2").kernel_regularizer
    'l2'
    """

    unsupported = "regularizer"

    def value(self, array: np.ndarray) -> float:
        """Return the penalty of an array, a sum over its elements."""
        raise NotImplementedError

    def add_gradient(self, gradient: np.ndarray, array: np.ndarray) -> float:
        """Add the gradient of the penalty to `gradient`, in the pass that finds the penalty, and return that.

        Parameters
        ----------
        gradient : array
            Of the shape and type of `array`, C-contiguous; added to.
        array : array
            float32 or float64, C-contiguous.
        """
        raise NotImplementedError

    def __call__(self, x: Any) -> float:
        """Return the penalty of an array."""
        x = np.asarray(x)
        kind = x.dtype if x.dtype in _NONE else np.float32
        return self.value(np.array(x, kind, order="C"))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        """Make a regularizer from `get_config`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regularizer) and type(self) is type(other) and self.get_config() == other.get_config()

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class L1L2(Regularizer):
    """l1 sum|w| + l2 sum w^2.

    Where w is 0, the slope of |w| is taken as 0. The name "l1_l2" means both factors 0.01; in the constructor, both are
    0 by default.

    Parameters
    ----------
    l1, l2 : float
        At least 0.

    Raises
    ------
    ArgumentError
        If a factor is negative or not finite.

    Examples
    --------
    >>> regularizers.L1L2(l1=0.1, l2=0.1)(np.array([1, -2], "float32"))
    0.8
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor(self, "l1", l1), _factor(self, "l2", l2)

    def value(self, array: np.ndarray) -> float:
        return _penalty(array, None, *self._factors())

    def add_gradient(self, gradient: np.ndarray, array: np.ndarray) -> float:
        return _penalty(array, gradient, *self._factors())

    def _factors(self) -> tuple[float, float]:
        return self.l1, self.l2


class L1(L1L2):
    """l1 sum|w|, which drives weights to zero; the lasso: Tibshirani, 1996.

    Parameters
    ----------
    l1 : float
        At least 0.

    Examples
    --------
    >>> round(regularizers.L1(0.1)(np.array([1, -2], "float32")), 3)
    0.3
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(self, "l1", l1)

    def _factors(self) -> tuple[float, float]:
        return self.l1, 0.0


class L2(L1L2):
    """l2 sum w^2, which keeps weights small; ridge regression: Hoerl and Kennard, 1970. There is no half in front.

    Parameters
    ----------
    l2 : float
        At least 0.

    Examples
    --------
    >>> regularizers.L2(0.1)(np.array([1, -2], "float32"))
    0.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(self, "l2", l2)

    def _factors(self) -> tuple[float, float]:
        return 0.0, self.l2


class OrthogonalRegularizer(Regularizer):
    """factor times the mean size of the cosines between the rows of a matrix, or its columns; 0 for one alone.

    Parameters
    ----------
    factor : float
        At least 0.
    mode : str
        "rows" or "columns".

    Raises
    ------
    ArgumentError
        If an argument is none of these; later, if the weights are no matrix.

    Examples
    --------
    >>> round(regularizers.OrthogonalRegularizer(0.1)(np.array([[1, 0], [1, 1]], "float32")), 3)
    0.071
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(self, "factor", factor)
        if mode not in ("rows", "columns"):
            raise ArgumentError(unknown("OrthogonalRegularizer: mode", mode, ("rows", "columns")))
        self.mode = mode

    def value(self, array: np.ndarray) -> float:
        return self._cosines(array)[0]

    def add_gradient(self, gradient: np.ndarray, array: np.ndarray) -> float:
        value, unit, lengths, signs, share = self._cosines(array)
        d = device.of(array)
        slopes = device.get(_hooks.hooks["product"](d.put(signs), d.put(unit))) * (2 * share)
        slopes = (slopes - unit * (slopes * unit).sum(axis=1, keepdims=True)) / lengths
        total = device.get(gradient) + (slopes if self.mode == "rows" else slopes.T)
        d.copy(gradient, total.astype(array.dtype))
        return value

    def _cosines(self, array: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, float]:
        """Return the penalty, the vectors of length 1, the lengths, the signs of all cosines, and a pair's share."""
        if len(array.shape) != 2:
            raise ArgumentError(f"OrthogonalRegularizer: expected a matrix, as the kernel of a dense layer, got "
                                f"weights of shape {array.shape}")
        d = device.of(array)
        numbers = device.get(array)
        rows = np.ascontiguousarray(numbers if self.mode == "rows" else numbers.T)
        lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1, keepdims=True))
        lengths = np.maximum(lengths, 1e-12).astype(array.dtype)
        unit = rows / lengths
        cosines = device.get(_hooks.hooks["product"](d.put(unit), d.put(np.ascontiguousarray(unit.T)))).copy()
        np.fill_diagonal(cosines, 0)
        share = self.factor / max(1, len(unit) * (len(unit) - 1))
        return float(np.abs(cosines).sum(dtype=np.float64) * share), unit, lengths, np.sign(cosines), share


def _factor(who: Regularizer, name: str, value: float) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ArgumentError(f"{type(who).__name__}: expected {name} to be a finite number of at least 0, got {value!r}")
    return float(value)


def _penalty(array: np.ndarray, gradient: np.ndarray | None, l1: float, l2: float) -> float:
    d = device.of(array)
    size = d.kernels.penalty_scratch(array.size, array.dtype)
    total, scratch = d.empty((1,), np.float64), d.empty((size,), np.float64)
    slopes = _NONE[array.dtype] if gradient is None else gradient.reshape(-1)
    d.kernels.penalty(total, slopes, scratch, array.reshape(-1), l1, l2)
    return float(d.get(total)[0])


_CLASSES: dict[str, type[Any]] = {"L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer}
_NAMES: dict[str, Callable[[], Regularizer]] = {
    "l1": L1, "l2": L2, "l1l2": L1L2, "l1_l2": lambda: L1L2(0.01, 0.01),
    "orthogonal_regularizer": OrthogonalRegularizer, **_CLASSES}


def get(identifier: str | dict | Regularizer | None) -> Regularizer | None:
    """Return the regularizer for a name ("l2"), a configuration, or a regularizer itself; None for None.

    Parameters
    ----------
    identifier : str, dict, Regularizer or None

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> regularizers.get("l2").get_config()
    {'l2': 0.01}
    """
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    if isinstance(identifier, dict) and identifier.get("class_name") in _CLASSES:
        return _CLASSES[identifier["class_name"]](**identifier.get("config", {}))
    if isinstance(identifier, str) and identifier in _NAMES:
        return _NAMES[identifier]()
    raise ArgumentError(unknown("regularizer", identifier, _NAMES))


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """Return a configuration of a regularizer, which `get` understands and JSON can hold.

    Parameters
    ----------
    regularizer : Regularizer or None

    Examples
    --------
    >>> regularizers.serialize(regularizers.L1(0.5))["class_name"]
    'L1'
    """
    if regularizer is None:
        return None
    return {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}


def deserialize(config: dict[str, Any], custom_objects: dict[str, type[Regularizer]] | None = None
                ) -> Regularizer | None:
    """Return the regularizer that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> regularizers.deserialize(regularizers.serialize(regularizers.L1(0.5))).l1
    0.5
    """
    own = (custom_objects or {}).get(config.get("class_name", "")) if isinstance(config, dict) else None
    return get(config) if own is None else own.from_config(config.get("config", {}))


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras's other names of the classes


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("regularizers")
