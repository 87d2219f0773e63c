"""The compile policy: how every kernel of the package is compiled, cached, and spread over threads.

Nothing else in the package spells a Numba flag. There are two decorators, and one way to use threads:

==============================  ================================================================================
``@kernel``                     a public kernel; ``@kernel(in_place=("x",))`` may write its output over its x
``@inlined``                    a piece of arithmetic that kernels call, or the task of a parallel kernel
``parallel(task, n, args)``     inside a kernel: task(i, *args) for i in 0..n-1, over the threads
==============================  ================================================================================

The floating-point flags keep NaN and infinity (``nnan`` and ``ninf`` are absent, so a test for NaN is not deleted)
and permit fused multiply-adds and vectorized sums. ``@inlined(exact=True)`` takes away the re-association: a
two-part range reduction such as ``(x - n * high) - n * low`` would otherwise be folded into one part.
"""

import functools
import gc
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba import config, njit, typeof, types
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import CPUDispatcher
from numba.core.typing.templates import infer, infer_global, make_intrinsic_template

from fastcnn import _interrupts
from fastcnn.kernels.cpu.compile import blas, claims, threads
from fastcnn.kernels.cpu.compile.cache import KernelCache, name_of
from fastcnn.kernels.cpu.compile.loaded import KernelLibrary
from fastcnn.kernels.cpu.compile.parallel import parallel, threads_now
from fastcnn.kernels.cpu.compile.pieces import Piece

__all__ = ["FLAGS", "WORK_THRESHOLD", "by_type", "chunk_of", "chunks_for", "inlined", "kernel", "parallel",
           "registry", "threads_now"]

_EXACT = {"nsz", "arcp", "contract"}
FLAGS = _EXACT | {"afn", "reassoc"}

#: Elements of work below which a launch costs more than a second thread saves (a launch takes 2 to 10 microseconds,
#: in which one core passes over about this many float32 values).
WORK_THRESHOLD = 32768

#: Every kernel by its room, file and name: the table that tests and ``fastcnn warmup`` read.
registry: dict[str, Any] = {}

blas.find_only()
threads.start()


def kernel(function: Callable | None = None, *, in_place: tuple[str, ...] = (), wide: tuple[str, ...] = ()) -> Any:
    """Compile `function` as a kernel, cached on disk by type signature, and list it in `registry`.

    Parameters
    ----------
    function : callable
    in_place : tuple of str
        The inputs that its output, the first argument, may overwrite at the same speed and with the same bits, provided
        that sizes are equal and no other argument lies there. The kernel's `in_place` has their positions.
    wide : tuple of str
        Tables that may have further columns, which it leaves alone. The kernel's `wide` has their positions.
    """
    if function is None:
        return lambda f: kernel(f, in_place=in_place, wide=wide)
    dispatcher = njit(error_model="numpy", fastmath=FLAGS, boundscheck=False, no_cfunc_wrapper=True)(function)
    if not config.DISABLE_JIT:
        dispatcher._cache = KernelCache(function)
        dispatcher.__class__ = _OneAtATime if threads.layer() == "workqueue" else Dispatcher
    position = list(inspect.signature(function).parameters).index
    dispatcher.in_place, dispatcher.wide = tuple(map(position, in_place)), tuple(map(position, wide))
    registry[name_of(function)] = dispatcher
    return dispatcher


def inlined(function: Callable | None = None, *, exact: bool = False, always: bool = False) -> Any:
    """Compile `function` as a part of the kernels that call it; `exact` forbids re-ordering its sums.

    LLVM does not inline a large one. That is right for a walk but wrong for a formula in a loop, which needs `always`.
    """
    if function is None:
        return lambda f: inlined(f, exact=exact, always=always)
    dispatcher = njit(error_model="numpy", fastmath=_EXACT if exact else FLAGS, boundscheck=False,
                      no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=always,
                      pipeline_class=Piece)(function)
    if not config.DISABLE_JIT:
        dispatcher.__class__ = _Inlined
    return dispatcher


_compiling = 0  # how many compilations there are, one within another or in several threads
_collects = False  # whether garbage was collected before the first of them
_counting = threading.Lock()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Collect no garbage while something is compiled.

    Numba makes millions of objects that live until the end, and to look through them takes an eighth of the time.
    """
    global _compiling, _collects
    with _counting:
        if _compiling == 0:
            _collects = gc.isenabled()
            gc.disable()
        _compiling += 1
    try:
        yield
    finally:
        with _counting:
            _compiling -= 1
            if _compiling == 0 and _collects:
                gc.enable()


class Dispatcher(CPUDispatcher):
    """A function whose compilation Ctrl-C cannot interrupt half-way."""

    def compile(self, sig):
        with _interrupts.deferred(), _without_garbage_collection(), claims.keeping():
            return super().compile(sig)

    def add_overload(self, cres):
        """Register a compiled kernel."""
        if type(cres.library) is JITCodeLibrary:
            cres.library.__class__ = KernelLibrary
        super().add_overload(cres)

    def entry(self, args):
        """Return what a call with arguments of these types runs: to find it again takes a quarter of a microsecond."""
        found = self.overloads.get(self.types_of(args))
        return self if found is None else found.entry_point

    def types_of(self, args):
        """Return Numba's types of arguments."""
        return tuple(map(self._type_of, args))

    def _type_of(self, value):
        # Numba looks at an array for 10 microseconds, and at a geometry's for 100.
        if isinstance(value, np.ndarray) and value.flags.carray:
            return _array_type(value.dtype, value.ndim)
        return self.typeof_pyval(value)


@functools.cache
def _array_type(dtype, dimensions):
    """Return Numba's type of C-contiguous arrays."""
    return typeof(np.empty((1,) * dimensions, dtype))


class _Inlined(Dispatcher):
    """A function that only kernels call. From Python it runs as Python, so that no wrapper need be compiled."""

    def add_overload(self, cres):
        """Register a compiled piece, which has no entry point that the dispatcher could call."""
        self.overloads[tuple(cres.signature.args)] = cres

    def __call__(self, *args):
        return self.py_func(*args)


class _OneAtATime(Dispatcher):
    """A kernel where Numba's own work queue runs the threads."""

    def entry(self, args):
        """Return itself, since a call wants the lock."""
        return self

    def __call__(self, *args):
        with threads.one_at_a_time:
            return super().__call__(*args)


def by_type(float32: Callable, float64: Callable) -> Callable:
    """Return one name for two formulas: `float32` where the argument is a float32 (or an int32), else `float64`.

    Both are compiled exactly. Called from plain Python the result takes the float64 formula.
    """
    single, double = inlined(float32, exact=True, always=True), inlined(float64, exact=True, always=True)

    def choose(x):  # a float32 would keep the whole formula in float32
        return float64(np.float64(x) if isinstance(x, np.floating) else x)

    def call(typingctx, x):
        formula = single if x in (types.float32, types.int32) else double
        signature = typingctx.resolve_value_type(formula).get_call_type(typingctx, (x,), {})

        def codegen(context, builder, signature, args):
            compiled = formula.get_compile_result(signature)
            context.add_linking_libs([compiled.library])
            return context.call_internal_no_propagate(builder, compiled.fndesc, signature, args)[1]

        return signature, codegen

    # As an `intrinsic`, but one that Python can call: a function around the formula would be compiled, too.
    template = make_intrinsic_template(choose, call, float64.__name__)
    infer(template)
    infer_global(choose, types.Function(template))
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
