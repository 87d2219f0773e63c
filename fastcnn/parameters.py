"""Parameters: arrays that layers own. Training keeps them in flat blocks (`fastcnn.parameter_blocks`)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, StatefulCallError
from fastcnn.finite import whole_numbers
from fastcnn.symbolic import is_symbolic
from fastcnn.tensor_operators import OperatorMethods
from fastcnn.unsupported import explain_unsupported


@explain_unsupported("parameter")
class Parameter(OperatorMethods):
    """An array that a layer owns: a weight that is trained, or a statistic.

    Parameters
    ----------
    value : ndarray
        Its first value, C-contiguous; the parameter owns it from now on.
    name : str
        ``kernel``, ``bias``, ``gamma``, ...
    path : str
        The layer's name and its own: ``conv2d_1/kernel``.
    trainable : bool
        Whether an optimizer changes it.
    regularizer : Regularizer, optional
        A penalty on the value, which training adds to the loss.
    constraint : Constraint or function, optional
        What an optimizer brings the value to after each step.
    rounds : bool
        Whether products take it rounded to bfloat16 (`fastcnn.operations.bfloat16`).

    Attributes
    ----------
    version : int
        Raised whenever the value changes or moves, so that what was derived from it (packed weights, plans) can be told
        to be stale.
    derived : dict
        What layers derived from the value and keep, with the versions it was made from.

    Examples
    --------
    >>> p = fc.parameters.Parameter(np.zeros(2, "float32"), "bias", "dense/bias")
    >>> p.assign([1, 2])
    >>> p.value, p.version
    (array([1., 2.], dtype=float32), 1)
    """

    __array_priority__ = 100.0  # an array before an operator leaves the operation to the parameter

    def __init__(self, value: np.ndarray, name: str, path: str, trainable: bool = True,
                 regularizer: Any = None, constraint: Any = None, rounds: bool = False) -> None:
        self.array = value  # for kernels; users see `value`
        self.name, self.path, self.trainable = name, path, trainable
        self.regularizer, self.constraint, self.rounds = regularizer, constraint, rounds
        self.version = 0
        self.derived: dict[Any, Any] = {}
        self.block: Any = None  # that of `fastcnn.parameter_blocks` in which it lies
        self.stored: Any = None  # the file of `fastcnn.stored_parameters` that has the value, too
        self._gradient: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The value's type."""
        return self.array.dtype

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.array.size

    @property
    def value(self) -> np.ndarray:
        """The value, as a read-only view; `assign` changes it."""
        return _read_only(device.get(self.array))

    @property
    def grad(self) -> np.ndarray:
        """The gradient that backward passes have added up since it was last cleared, as a read-only view."""
        return _read_only(device.get(self.gradient))

    @property
    def gradient(self) -> np.ndarray:
        """The gradient for kernels, made on first use."""
        if self._gradient is None:
            self._gradient = state_like(self.array)
        return self._gradient

    @property
    def home(self) -> device.Device:
        """The device on which it lives."""
        return device.of(self.array)

    def fetched(self, memory: np.ndarray) -> np.ndarray:
        """Return the value on the host, to read: where only a file has it, `memory` of its shape and type, with it."""
        return device.get(self.array)

    @property
    def trains(self) -> bool:
        """Whether a training has begun that changes it, or may."""
        return self.block is not None

    def numpy(self) -> np.ndarray:
        """Return a copy of the value."""
        return device.get(self.array).copy()

    def assign(self, value: Any) -> None:
        """Set the value.

        Raises
        ------
        ArgumentError
            If the shape is another, or there are other things than numbers.
        StatefulCallError
            If it is a symbolic tensor: `call` is asked, and there is no value yet.
        """
        if is_symbolic(value):
            raise StatefulCallError(
                f'parameter "{self.path}": expected numbers, got a symbolic tensor; a layer that assigns in call is '
                f"called with arrays alone, and makes its parameters in __init__; write forward and predict else")
        value = _numbers(f'parameter "{self.path}"', value)
        if value.shape != self.shape:
            raise ArgumentError(f'parameter "{self.path}": expected a value of shape {self.shape}, got {value.shape}')
        value = value if self.dtype.kind == "f" else whole_numbers(value, self.dtype, f'parameter "{self.path}"')
        self.hold()
        try:
            device.of(self.array).copy(self.array, value)
        finally:  # Ctrl-C is heard when the copying is done
            self.version += 1

    def assign_add(self, value: Any) -> None:
        """Add to the value, as `assign`."""
        self.assign(value if is_symbolic(value) else self.value + np.asarray(value))

    def assign_sub(self, value: Any) -> None:
        """Subtract from the value, as `assign`."""
        self.assign(value if is_symbolic(value) else self.value - np.asarray(value))

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return self.array.ndim

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if copy is False and (dtype is None or dtype == self.dtype):
            return self.value
        return np.array(self.value, dtype)

    def zero_grad(self) -> None:
        """Clear the gradient."""
        if self._gradient is not None:
            device.of(self._gradient).fill(self._gradient, 0)

    def let_go(self) -> None:
        """Forget the value until somebody asks for it, where it can be had again."""
        if self.stored is not None:
            self.stored.let_go(self)

    def hold(self) -> None:
        """Have the value in memory from now on, since it is going to change."""
        if self.stored is not None:
            self.stored.hold(self)

    def move(self, value: np.ndarray, gradient: np.ndarray, block: Any) -> None:
        """Move to other memory: the values are copied there, and the gradient starts at zero."""
        self.hold()
        d = device.of(value)
        d.copy(value, self.array)
        d.fill(gradient, 0)
        self.array, self._gradient, self.block = value, gradient, block
        self.version += 1

    def place(self, d: device.Device) -> None:
        """Move the value to memory of its own on a device; the gradient is dropped, and what was derived."""
        self.hold()
        self.array, self._gradient, self.block, self.derived = d.put(self.numpy()), None, None, {}
        self.version += 1

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __repr__(self) -> str:
        return f"<Parameter {self.path} {self.shape} {self.dtype.name}>"


def assign_all(who: str, parameters: list[Parameter], values: list[Any]) -> None:
    """Set several parameters. Nothing changes unless all values fit.

    Parameters
    ----------
    who : str
        Who asks, for the message of an error.
    parameters : list of Parameter
    values : list of arrays

    Raises
    ------
    ArgumentError
        If their number or a shape differs.
    """
    if not isinstance(values, (list, tuple)):
        raise ArgumentError(f"{who}: expected a list of {len(parameters)} weights, got {type(values).__name__}")
    given = [_numbers(who, value) for value in values]
    if len(given) != len(parameters):
        raise ArgumentError(f"{who}: expected {len(parameters)} weights, got {len(given)}")
    wrong = [f"{p.path} {p.shape} got {v.shape}" for p, v in zip(parameters, given, strict=True) if p.shape != v.shape]
    if wrong:
        raise ArgumentError(f"{who}: expected weights of its own shapes, but {', '.join(wrong)}")
    for parameter, value in zip(parameters, given, strict=True):
        parameter.assign(value)


def _numbers(who: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "buif":
        raise ArgumentError(f"{who}: expected arrays of numbers, got {array.dtype}")
    return array


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def entered(value: np.ndarray) -> np.ndarray:
    """Return a parameter's first value on the device where new ones live (`fastcnn.device.use`).

    Parameters
    ----------
    value : array
    """
    return device.current().put(value)


def state_like(array: np.ndarray) -> np.ndarray:
    """Return zeros for an optimizer's state, of the shape and type of `array`, on its device.

    Parameters
    ----------
    array : array
    """
    return device.of(array).zeros(array.shape, array.dtype)
