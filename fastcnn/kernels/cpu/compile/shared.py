"""Functions that are compiled once for each type, and that kernels call through a symbol.

Numba compiles a function that another one calls into it, and again into everything that calls that: five or six copies
in one kernel. For a function that is large and called seldom, the call costs nothing and the copies cost seconds. So
it is compiled by itself, on bare pointers, and its address published to LLVM's linker under a name; a kernel that
comes from the disk cache finds the names that its code calls because `KernelCache` publishes them before loading.
"""

import functools
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types

from fastcnn.kernels.cpu.compile import cache
from fastcnn.kernels.cpu.compile.policy import FLAGS, Compiled

i64 = ir.IntType(64)
_TYPES = types.float32, types.float64


class Shared:
    """One function behind one symbol for each floating type.

    Parameters
    ----------
    function : callable
        On pointers, int64 and records of numbers; it returns nothing.
    arguments : callable
        Numba's floating type -> the types of the arguments.
    """

    def __init__(self, function: Callable, arguments: Callable[[Any], tuple[Any, ...]]) -> None:
        self.name = f"fastcnn{function.__name__}"
        self.arguments = arguments
        self.dispatcher = njit(error_model="numpy", fastmath=FLAGS, boundscheck=False,
                               no_cpython_wrapper=True)(function)
        self._published: set[Any] = set()
        if not hasattr(self.dispatcher, "_cache"):
            return  # NUMBA_DISABLE_JIT
        self.dispatcher.__class__ = Compiled
        self.dispatcher._cache = cache.KernelCache(function)
        for dtype in _TYPES:
            cache.publish[self._symbol(dtype)] = functools.partial(self.publish, dtype)
            # A user's own cached function may come from Numba's cache before any kernel of ours.
            if self.dispatcher._cache.holds(self.arguments(dtype), self.dispatcher.targetctx):
                self.publish(dtype)

    def publish(self, dtype: Any) -> None:
        """Compile the function for a type, or read it from the cache, and give its address to the linker."""
        if dtype in self._published:
            return
        signature = types.void(*self.arguments(dtype))
        self.dispatcher.compile(signature)
        compiled = self.dispatcher.overloads[signature.args]
        address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)
        llvm.add_symbol(self._symbol(dtype), address)
        self._published.add(dtype)  # at the end: whoever is stopped before begins again

    def call(self, builder: Any, dtype: Any, values: list[Any]) -> None:
        """Emit a call of the function."""
        name, kind = self._symbol(dtype), ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(function, values)

    def intrinsic(self, *given: Any) -> tuple[Any, Callable]:
        """Return what an ``@intrinsic`` returns that calls the function from a kernel.

        `given` are Numba's types of the intrinsic's arguments: an array and an offset for each pointer, integers and
        records.
        """
        dtype = next(t.dtype for t in given if isinstance(t, types.Array))
        self.publish(dtype)
        signature = types.void(*(t if isinstance(t, (types.Array, types.BaseTuple)) else types.int64 for t in given))

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values, pairs = [], iter(zip(signature.args, args, strict=True))
            for kind, value in pairs:
                if isinstance(kind, types.Array):
                    data = context.make_array(kind)(context, builder, value).data
                    value = builder.gep(data, [next(pairs)[1]])
                values.append(value)
            self.call(builder, dtype, values)
            return context.get_dummy_value()

        return signature, codegen

    def _symbol(self, dtype: Any) -> str:
        return f"{self.name}_{dtype}"
