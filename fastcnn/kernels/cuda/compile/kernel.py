"""Kernels and their launchers: ``@kernel`` runs on the device, ``@launcher`` is what the rest of the package calls.

A *kernel* takes pointers, each annotated with its kind, and after them numbers (`i32`, `i64`, `f32`, `f64`). It is
launched as Numba's are, ``scale[blocks, threads](y, x, y.size, 0.5)``: arrays of the device go in for pointers. A
*launcher* has the name, the arguments and the contract of the CPU's kernel (`fastcnn.kernels`)::

    @launcher(in_place=("x",))
    def scaled(y, x, factor):
        scale[blocks_for(y.size), THREADS](y, x, y.size, factor)

    @kernel
    def scale(y: floats, x: floats, size: i32, factor: f32):
        for i in range(cuda.grid(1), size, cuda.gridsize(1)):
            y[i] = factor * load1(x, i)
"""

import importlib
import inspect
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from fastcnn.kernels.cuda.compile.pointers import Pointer
from fastcnn.kernels.cuda.compile.shim import SIMULATED, f32, f64, i32, i64, sized

#: Threads of a block of a kernel that goes over elements, and how many blocks are worth starting.
THREADS, _BLOCKS = sized(256, 4), sized(4096, 2)

#: Every public launcher, and every kernel, by room, file and name: ``elementwise.merge.merge_forward``.
launchers: dict[str, Any] = {}
registry: dict[str, "Kernel"] = {}

_ROOM = "fastcnn.kernels.cuda."


def name_of(function: Callable[..., Any]) -> str:
    """Return room, file and name of a function of `fastcnn.kernels.cuda`."""
    return f"{function.__module__.removeprefix(_ROOM)}.{function.__name__}"


def launcher(function: Callable[..., Any] | None = None, *, in_place: tuple[str, ...] = ()) -> Any:
    """List a function in `launchers`, under the name of the CPU's kernel.

    Parameters
    ----------
    function : callable
    in_place : tuple of str
        As of the CPU's decorator `kernel`: inputs that the output, its first argument, may overwrite.
    """
    if function is None:
        return lambda f: launcher(f, in_place=in_place)
    made: Any = function
    made.in_place = tuple(map(list(inspect.signature(function).parameters).index, in_place))
    launchers[name_of(function)] = made
    return made


def blocks_for(size: int, threads: int = THREADS) -> int:
    """Return how many blocks go over `size` elements in strides of the whole grid."""
    return max(1, min(-(-size // threads), _BLOCKS))


class Kernel:
    """A function that the device runs. It is compiled for a card when it is first launched there.

    Attributes
    ----------
    function : callable
    pointers : tuple of Pointer
        Of its first arguments.
    numbers : tuple of type
        Of those that follow: i32, i64, f32 or f64.
    loaded : dict
        The driver's handles of what was compiled, by the types of the pointers, or None where there is one alone.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.function, self.name = function, name_of(function)
        kinds = list(inspect.get_annotations(function).values())
        parameters = list(inspect.signature(function).parameters)
        assert len(kinds) == len(parameters), f"{self.name}: every argument is annotated"
        self.pointers = tuple(kind for kind in kinds if isinstance(kind, Pointer))
        self.numbers = tuple(kinds[len(self.pointers):])
        assert all(kind in (i32, i64, f32, f64) for kind in self.numbers), f"{self.name}: pointers come first"
        self.loaded: dict[Any, Any] = {}
        self._shaped: dict[Any, Callable[..., None]] = {}

    def variants(self) -> list[tuple[np.dtype, ...]]:
        """Return the types of pointers that it is compiled for, each a tuple."""
        return list(product(*(pointer.dtypes for pointer in self.pointers)))

    def __getitem__(self, shape: tuple[Any, Any]) -> Callable[..., None]:
        """Return what launches it with a grid of blocks of threads, each a number or up to three."""
        found = self._shaped.get(shape)
        if found is None:
            if len(self._shaped) >= 1024:
                self._shaped.clear()
            found = self._shaped[shape] = _launch()(self, *map(_three, shape))
        return found


def _launch() -> Any:
    """Return what launches: in the simulator, or on a card, which nothing asks for to compile a kernel."""
    name = "simulated_launch" if SIMULATED else "launch"
    return importlib.import_module(f"fastcnn.kernels.cuda.compile.{name}").launch


def _three(size: Any) -> tuple[int, int, int]:
    sizes = size if isinstance(size, tuple) else (size,)
    x, y, z = (*map(int, sizes), 1, 1)[:3]
    return x, y, z


def kernel(function: Callable[..., None]) -> Kernel:
    """Make a function a kernel, and list it in `registry`.

    Parameters
    ----------
    function : callable
    """
    made = Kernel(function)
    registry[made.name] = made
    return made
