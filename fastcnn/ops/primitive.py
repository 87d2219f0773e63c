"""A primitive: what runs on arrays at once, and is a node of the graph where one of its operands is symbolic.

::

    ops.maximum(x, 0.5)      arrays alone:          the primitive runs, and the result is an array
                             a symbolic tensor:     a node, `fastcnn.layers.Operation`, whose two verbs run it later

All other operations are put together of primitives. Each is a row of `PRIMITIVES`, by the name of which files know it.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn import device, symbolic
from fastcnn.errors import ArgumentError, unknown
from fastcnn.layers.operation import Operation
from fastcnn.ops import types
from fastcnn.parameters import Parameter

Gradients = Callable[[np.ndarray], tuple[Any, ...]]

#: Those of which files know the name.
PRIMITIVES: dict[str, "Primitive"] = {}


@dataclass(frozen=True)
class Primitive:
    """An operation on arrays with its shape, its type and its way back.

    Attributes
    ----------
    name : str
    run : callable
        (*arrays, **arguments) -> (y, backward), and backward(dy) -> a gradient for each array, or None for one that has
        none. `backward` is None where no operand has any.
    shape : callable
        (*shapes, **arguments) -> shape.
    dtype : callable
        (*dtypes, **arguments) -> dtype of the result.
    replayable : bool
        Whether it only calls kernels.
    onnx : callable, optional
        (writer, names, shapes, **arguments) -> name.
    """

    name: str
    run: Callable[..., tuple[Any, Gradients | None]]
    shape: Callable[..., Any]
    dtype: Callable[..., np.dtype]
    replayable: bool = False
    onnx: Callable[..., str] | None = None

    def __call__(self, *operands: Any, **arguments: Any) -> Any:
        """Return the result for arrays and numbers; a tensor if an operand is one.

        Parameters
        ----------
        *operands : Tensor, Parameter, array or number
        **arguments
            As JSON can hold them.
        """
        given = [x if types.is_tensor(x) else types.array(x, f"ops.{self.name}") for x in operands]
        traced = symbolic.tracing()
        if any(isinstance(x, symbolic.Tensor) or (traced and isinstance(x, Parameter)) for x in given):
            return Operation.between(self, given, arguments)
        arrays = [x.numpy() if isinstance(x, Parameter) else device.current().put(x) if isinstance(x, np.ndarray) else x
                  for x in given]
        self.shape(*[x.shape for x in arrays], **arguments)  # which says what does not fit
        return self.run(*arrays, **arguments)[0]


def known(name: str) -> Primitive:
    """Return the primitive of a name, which a file tells.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    importlib.import_module("fastcnn.ops")  # whose files make them
    if name not in PRIMITIVES:
        raise ArgumentError(unknown("operation", name, PRIMITIVES))
    return PRIMITIVES[name]


def primitive(shape: Callable[..., Any], dtype: Callable[..., np.dtype], name: str | None = None,
              replayable: bool = False, onnx: Callable[..., str] | None = None) -> Callable[[Any], Primitive]:
    """Return a decorator that makes a row of `PRIMITIVES` of a function as `Primitive.run`.

    Parameters
    ----------
    shape, dtype, replayable, onnx
        As `Primitive`.
    name : str, optional
        The function's own name, without its underscores, if absent.
    """
    def made(run: Callable[..., Any]) -> Primitive:
        known = name or run.__name__.strip("_")
        PRIMITIVES[known] = Primitive(known, run, shape, dtype, replayable, onnx)
        return PRIMITIVES[known]

    return made


def on_host(function: Callable[..., Any], *arrays: Any) -> Any:
    """Return what a function of NumPy's makes of arrays of any device: for integers, truth values and places.

    Parameters
    ----------
    function : callable
    *arrays : array
    """
    d = device.of(arrays[0])
    found = np.asarray(function(*map(device.get, arrays)))
    return d.put(np.require(found, requirements=["C"]))  # ascontiguousarray would give one number a dimension


def same(*kinds: np.dtype, **_: Any) -> np.dtype:
    """Return the type of the first operand."""
    return kinds[0]


def truth(*_: np.dtype, **__: Any) -> np.dtype:
    """Return the type of truth values."""
    return types.BOOL


def unchanged(shape: Any, *_: Any, **__: Any) -> Any:
    """Return the shape of the first operand."""
    return shape


def is_floating(x: Any) -> bool:
    """Return whether kernels take an array."""
    return x.dtype in types.FLOATS
