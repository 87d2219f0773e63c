"""Functions that are compiled once for each type, and that kernels call through a symbol.

Numba compiles a called function into its caller, and again into everything that calls that: five or six copies in one
kernel. For a large function that is called seldom, a real call costs nothing, while the copies cost seconds. So such a
function is compiled by itself, on bare pointers, and LLVM's linker gets its address under a name. For a kernel from the
disk cache, `KernelCache` publishes the names that its code calls before it loads it.
"""

import functools
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from fastcnn.kernels.cpu.compile import cache
from fastcnn.kernels.cpu.compile.operands import converted, dtype_of, is_operand, unpacked
from fastcnn.kernels.cpu.compile.policy import FLAGS, Dispatcher

i64 = ir.IntType(64)
_TYPES = types.float32, types.float64


class Shared:
    """One function behind one symbol for each type of numbers.

    Parameters
    ----------
    function : callable
        On pointers, int64 and records of numbers; it returns nothing.
    arguments : callable
        Numba's type -> the types of the arguments.
    kinds : tuple of types, optional
        For which there may be one.
    """

    def __init__(self, function: Callable, arguments: Callable[[Any], tuple[Any, ...]],
                 kinds: tuple[Any, ...] = _TYPES) -> None:
        self.name = f"fastcnn{function.__name__}"
        self.arguments = arguments
        self.dispatcher = njit(error_model="numpy", fastmath=FLAGS, boundscheck=False,
                               no_cpython_wrapper=True)(function)
        self._published: set[Any] = set()
        if not hasattr(self.dispatcher, "_cache"):
            return  # NUMBA_DISABLE_JIT
        self.dispatcher.__class__ = Dispatcher
        self.dispatcher._cache = cache.KernelCache(function)
        for dtype in kinds:
            cache.publish[self._symbol(dtype)] = functools.partial(self.publish, dtype)

    def publish(self, dtype: Any) -> None:
        """Compile the function for a type, or read it from the cache, and give its address to the linker."""
        if dtype in self._published:
            return
        signature = types.void(*self.arguments(dtype))
        self.dispatcher.compile(signature)
        compiled = self.dispatcher.overloads[signature.args]
        address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)
        llvm.add_symbol(self._symbol(dtype), address)
        self._published.add(dtype)  # last, so that an interrupted call is repeated from the start

    def call(self, builder: Any, dtype: Any, values: list[Any]) -> None:
        """Emit a call of the function."""
        name, kind = self._symbol(dtype), ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(function, values)

    def intrinsic(self, *given: Any) -> tuple[Any, Callable]:
        """Return what an ``@intrinsic`` returns that calls the function from a kernel.

        `given` are Numba's types of the intrinsic's arguments: numbers and records as the function has them, an operand
        (`operands`) for each pointer, or for a pointer and the tuple of strides behind it, and a tuple of operands for
        a tuple of pointers.
        """
        dtype = next(dtype_of(kind) for kind in given if is_operand(kind))
        self.publish(dtype)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values: list[Any] = []
            wanted = iter(self.arguments(dtype))
            for kind, value in zip(signature.args, args, strict=True):
                expected = next(wanted)
                if is_operand(kind):
                    pointer, steps = unpacked(context, builder, kind, value)
                    values.append(pointer)
                    if steps:
                        values.append(context.make_tuple(builder, next(wanted), steps))
                elif isinstance(kind, types.BaseTuple) and is_operand(kind.types[0]):
                    parts = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
                    pointers = [unpacked(context, builder, *part)[0] for part in parts]
                    values.append(context.make_tuple(builder, expected, pointers))
                else:
                    values.append(converted(context, builder, kind, value, expected))
            self.call(builder, dtype, values)
            return context.get_dummy_value()

        return types.void(*given), codegen

    def _symbol(self, dtype: Any) -> str:
        return f"{self.name}_{dtype}"
