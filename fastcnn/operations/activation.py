"""Activations: objects with a forward and a backward pass, which products and layers apply.

`fastcnn.activations` has their names. A *clamp*, such as ReLU, only keeps results between two bounds. The kernels of
convolutions apply one before they store a result, at no cost.
"""

import functools
import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fastcnn import device, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.kernels import codes
from fastcnn.operations import Backward
from fastcnn.operations.layout import from_rows, rows_along
from fastcnn.operations.saved import saved
from fastcnn.traits import NONE, Trait, kept, of

Clamp = tuple[float, float]  # the lowest and the highest result

LINEAR: Clamp = (-math.inf, math.inf)
_ABOVE_ZERO: Clamp = (0.0, math.inf)


class _Called:
    """What all activations have in common: they can be called, as in ``activations.get("relu")(x)``.

    Attributes
    ----------
    clamp : (float, float), or None
        The bounds, if keeping results between them is all that the function does.
    """

    clamp: Clamp | None = None

    traits: ClassVar[Trait] = NONE
    replayable: ClassVar[bool] = False  # as for layers: classes of users do not promise it

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.traits = kept(cls)
        if "replayable" not in vars(cls):
            cls.replayable = cls.__module__.startswith("fastcnn.")

    name: str

    @property
    def __name__(self) -> str:
        """The name, as functions have it."""
        return self.name

    def __call__(self, x: Any) -> Any:
        """Return the output for an array, or what NumPy makes one of, or for a symbolic tensor."""
        return applied(self, x)


def applied(function: Any, x: Any) -> Any:
    """Return what a function makes of an array, of type float32 unless it is float64, or of a symbolic tensor.

    Parameters
    ----------
    function : Function or None
        None is the identity.
    x : array, or what NumPy makes one of, or Tensor
    """
    if symbolic.is_symbolic(x):
        return symbolic.operators["activate"](function, x)
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "buif":
        raise ArgumentError(f"{'linear' if function is None else function.name}: expected an array or a symbolic "
                            f"tensor, got {type(x).__name__}; convert it with numpy.array(x, 'float32')")
    if function is None:
        return x if isinstance(x, np.ndarray) else array
    floating = isinstance(x, (np.ndarray, np.generic)) and array.dtype in (np.float32, np.float64)
    kind = array.dtype if floating else np.dtype(np.float32)  # of integers and lists, too
    array = np.require(array, kind, ["C", "W"])
    if isinstance(function, SoftmaxFunction):  # as a sample of a batch, since its axes are a sample's
        axes = tuple(axis + 1 if axis >= 0 else axis for axis in function.axis)
        return replace(function, axis=axes).predict(array[None])[0]
    return function.predict(array)


@dataclass(frozen=True)
class Elementwise(_Called):
    """A function of one number, named by its code in the kernels. What `alpha` and `beta` mean depends on the code.

    Parameters
    ----------
    name : str
    code : int
        Of `fastcnn.kernels.codes`.
    alpha, beta : float
    """

    traits = Trait.BY_CODE

    name: str
    code: int
    alpha: float = 0.0
    beta: float = 0.0

    def __post_init__(self) -> None:
        known = {codes.RELU: _ABOVE_ZERO, codes.CLIP: (self.beta, self.alpha)}
        object.__setattr__(self, "clamp", known.get(self.code))  # the dataclass is frozen

    def forward(self, x: np.ndarray, in_place: bool = False) -> tuple[np.ndarray, Backward]:
        """Return the output and its backward pass; with `in_place` the output may overwrite `x`."""
        saves_input = codes.saves_input(self.code)
        y = self.predict(x, in_place and not saves_input)
        again = saved(x if saves_input else y)
        return y, lambda dy: self.backward(again())(dy)

    def predict(self, x: np.ndarray, in_place: bool = False) -> np.ndarray:
        """Return the output alone."""
        d = device.of(x)
        y = x if in_place else d.empty(x.shape, x.dtype)
        d.kernels.activation_forward(y.reshape(-1), x.reshape(-1), self.code, self.alpha, self.beta)
        return y

    def backward(self, saved: np.ndarray) -> Backward:
        """Return dy -> dx, given the output, or the input for the codes that save it."""
        def backward(dy: np.ndarray) -> np.ndarray:
            d = device.of(dy)
            dx = d.empty(dy.shape, dy.dtype)
            d.kernels.activation_backward(dx.reshape(-1), dy.reshape(-1), saved.reshape(-1), self.code, self.alpha,
                                          self.beta)
            return dx

        return backward


RELU = Elementwise("relu", codes.RELU)


@dataclass(frozen=True)
class SoftmaxFunction(_Called):
    """exp(x) / sum exp(x), or its logarithm, over one axis or several together.

    Parameters
    ----------
    name : str
    log : bool
        Whether it is the logarithm.
    axis : tuple of int
    """

    traits = Trait.SOFTMAX

    name: str
    log: bool
    axis: tuple[int, ...] = (-1,)

    def forward(self, x: np.ndarray, in_place: bool = False) -> tuple[np.ndarray, Backward]:
        """As `Elementwise.forward`."""
        d, shape, log, who = device.of(x), x.shape, self.log, self.name
        axes = tuple(self.axes(x.ndim, who))
        rows = rows_along(x, axes, who)
        y = d.empty(rows.shape, x.dtype)
        d.kernels.softmax_forward(y, rows, log)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(y.shape, dy.dtype)
            d.kernels.softmax_backward(dx, rows_along(dy, axes, who), y, log)
            return from_rows(dx, shape, axes, who)

        return from_rows(y, shape, axes, who), backward

    def predict(self, x: np.ndarray, in_place: bool = False) -> np.ndarray:
        """As `Elementwise.predict`."""
        return self.forward(x)[0]

    def axes(self, rank: int, who: Any) -> list[int]:
        """Return the axes of an array of `rank` dimensions, counted from the front; `who` asks, for the message."""
        axes = sorted({k + rank if k < 0 else k for k in self.axis})
        if not axes or axes[0] < 1 or axes[-1] >= rank:
            raise ArgumentError(f"{who}: expected an axis in 1..{rank - 1}, or counted from the end, for input of "
                                f"{rank} dimensions, got {', '.join(map(str, self.axis))}")
        return axes


@dataclass(frozen=True)
class Composed(_Called):
    """One function after the other.

    Parameters
    ----------
    name : str
    functions : tuple of Elementwise
        The first of them first.
    """

    traits = Trait.COMPOSED

    name: str
    functions: tuple[Elementwise, ...]

    def forward(self, x: np.ndarray, in_place: bool = False) -> tuple[np.ndarray, Backward]:
        """As `Elementwise.forward`."""
        steps = []
        for step in self.functions:
            x, back = step.forward(x, in_place)
            steps.append(back)
            in_place = codes.saves_input(step.code)  # otherwise its backward pass needs its output

        def backward(dy: np.ndarray) -> np.ndarray:
            for back in reversed(steps):
                dy = back(dy)
            return dy

        return x, backward

    def predict(self, x: np.ndarray, in_place: bool = False) -> np.ndarray:
        """As `Elementwise.predict`."""
        for step in self.functions:
            x, in_place = step.predict(x, in_place), True  # what the first returned is nobody else's
        return x


Function = Elementwise | SoftmaxFunction | Composed


def activate(y: np.ndarray, activation: Function | None) -> tuple[np.ndarray, Backward]:
    """Return the activation of `y`, which it may overwrite, and the backward pass.

    Parameters
    ----------
    y : array
        An operation's own result, that nothing else reads.
    """
    if activation is None:
        return y, lambda dy: dy
    return activation.forward(y, in_place=True)


def activate_only(y: np.ndarray, activation: Function | None) -> np.ndarray:
    """As `activate`, for prediction.

    Parameters
    ----------
    y : array
        An operation's own result, that nothing else reads.
    """
    return y if activation is None else activation.predict(y, in_place=True)


def clamp_of(activation: Function | None) -> Clamp | None:
    """Return the bounds of an activation that is a clamp, infinite ones for no activation, None for any other."""
    return LINEAR if activation is None else activation.clamp


def ends_of(activation: Function | None, d: device.Device, g: np.ndarray, dtype: np.dtype
            ) -> tuple[float, ...] | None:
    """Return bounds, and behind them maybe the code of a function, in which a convolution ends; None if it must not.

    Parameters
    ----------
    activation : Function, optional
        Of the convolution.
    d : Device
    g : array
        The convolution's geometry.
    dtype : dtype
        Of what it returns.
    """
    clamp = clamp_of(activation)
    if clamp is not None or not isinstance(activation, Elementwise) or Trait.BY_CODE not in of(activation):
        return clamp
    code = activation.code
    return (*LINEAR, code) if d.library.epilogue_activation_suits(g, code, dtype) else None


@functools.lru_cache(maxsize=256)
def clamp_array(clamp: tuple[float, ...], dtype: np.dtype) -> np.ndarray:
    """Return two bounds, and the code of a function behind them, as kernels take them."""
    return np.array(clamp, dtype)
