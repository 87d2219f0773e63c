"""The compile policy: how every kernel of the package is compiled, cached, and spread over threads.

Nothing else in the package spells a Numba flag. There are three decorators:

====================  ==========================================================================================
``@kernel``           a public kernel with a parallel region: ``prange`` over the chunks of a problem
``@serial_kernel``    a public kernel without one, for work that a launch would only slow down
``@inlined``          a piece of arithmetic that kernels call; it is compiled into them and never on its own
====================  ==========================================================================================

The floating-point flags keep NaN and infinity (``nnan`` and ``ninf`` are absent, so a test for NaN is not deleted)
and permit fused multiply-adds and vectorized sums. ``@inlined(exact=True)`` takes away the re-association: a
two-part range reduction such as ``(x - n * high) - n * low`` would otherwise be folded into one part.
"""

from collections.abc import Callable
from typing import Any

from numba import njit, prange, types
from numba.extending import overload

from fastcnn.kernels.cpu import _threads
from fastcnn.kernels.cpu._cache import KernelCache

__all__ = ["WORK_THRESHOLD", "by_type", "chunk_of", "chunks_for", "inlined", "kernel", "prange", "py",
           "registry", "serial_kernel"]

_EXACT = {"nsz", "arcp", "contract"}
_FLAGS = _EXACT | {"afn", "reassoc"}

#: Elements of work below which a launch costs more than a second thread saves (a launch takes 2 to 10 microseconds,
#: in which one core passes over about this many float32 values).
WORK_THRESHOLD = 32768

#: Every kernel by name: the table that tests and ``fastcnn warmup`` read.
registry: dict[str, Any] = {}

_threads.start()


def kernel(function: Callable) -> Any:
    """Compile `function` as a kernel with a parallel region, cached on disk by type signature."""
    return _compiled(function, parallel=True)


def serial_kernel(function: Callable) -> Any:
    """Compile `function` as a kernel without a parallel region, cached on disk by type signature."""
    return _compiled(function, parallel=False)


def _compiled(function: Callable, parallel: bool) -> Any:
    # Of the parallel passes only prange is wanted: turning array expressions into regions of their own costs compile
    # time, and a reduction that Numba splits by itself would depend on the number of threads.
    options = {"parallel": {"prange": True, "reduction": False, "setitem": False, "numpy": False, "stencil": False,
                            "fusion": False, "inplace_binop": False, "comprehension": False}} if parallel else {}
    dispatcher = njit(error_model="numpy", fastmath=_FLAGS, boundscheck=False, **options)(function)
    if hasattr(dispatcher, "signatures"):  # absent when NUMBA_DISABLE_JIT leaves plain Python
        dispatcher._cache = KernelCache(function)
    registry[f"{function.__module__.rpartition('.')[2]}.{function.__name__}"] = dispatcher
    return dispatcher


def inlined(function: Callable | None = None, *, exact: bool = False) -> Any:
    """Compile `function` as a part of the kernels that call it; `exact` forbids re-ordering its sums."""
    if function is None:
        return lambda f: inlined(f, exact=exact)
    return njit(error_model="numpy", fastmath=_EXACT if exact else _FLAGS, boundscheck=False)(function)


def by_type(float32: Callable, float64: Callable) -> Callable:
    """Return one name for two formulas: `float32` where the argument is a float32, else `float64`.

    Both are compiled exactly. Called from plain Python the result takes the float64 formula.
    """
    single, double = inlined(float32, exact=True), inlined(float64, exact=True)

    def choose(x):
        return float64(x)

    @overload(choose, jit_options={"fastmath": _EXACT}, inline="never")
    def _choose(x):
        if x == types.float32:
            return lambda x: single(x)
        return lambda x: double(x)

    choose.__name__, choose.__doc__ = float64.__name__, float64.__doc__
    return choose


@inlined
def chunks_for(work, most):
    """Return into how many chunks `work` elements are cut: one below the threshold, never more than `most`.

    A function of the problem's shape alone, so that sums over chunks give the same bits on any number of threads.
    """
    return max(1, min(most, work // WORK_THRESHOLD))


@inlined
def chunk_of(index, chunks, length):
    """Return begin and end of chunk `index` when `length` items are cut into `chunks` nearly equal ones."""
    return index * length // chunks, (index + 1) * length // chunks


def py(function: Any) -> Callable:
    """Return the plain Python function behind an inlined one, for the few that Python itself calls."""
    return getattr(function, "py_func", function)

