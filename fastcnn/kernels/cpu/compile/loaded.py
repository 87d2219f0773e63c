"""The code of kernels, for others to copy; out of the disk cache their bitcode is read only if somebody does.

Numba reads the bitcode of each kernel that it finds in a cache, since another function may call and copy it. Hardly any
does, and it is half of the time and of the memory that a kernel takes. So files have the bitcode apart, and where Numba
looks for it a module that names what the code defines, since it asks for those names.

Other people's functions that call kernels are kept in no cache of Numba's: it would not see that a kernel has changed,
and would not bring the functions that kernels call by name (`shared`), so that a later process jumped to nowhere.
"""

from typing import Any

import llvmlite.binding as llvm
from numba.core import compiler
from numba.core.codegen import JITCodeLibrary

from fastcnn.kernels.cpu.compile import claims

# By the beginning of this name Numba knows code that holds for one process; nobody discards what is weak.
_NOT_TO_BE_CACHED = '@"numba.dynamic.globals.fastcnn" = weak global i8 0'
_OWN = {"internal", "private"}  # linkages of what nobody else sees


def reduced(result: Any) -> tuple[tuple[Any, ...], bytes]:
    """Return what Numba writes of a compiled function, without its bitcode, and that.

    Parameters
    ----------
    result : CompileResult
    """
    (name, kind, (machine_code, bitcode)), *more = result._reduce()
    return ((name, kind, (machine_code, _names(result.library._get_module_for_linking()))), *more), bitcode


def rebuilt(target_context: Any, parts: tuple[Any, ...], bitcode: bytes) -> Any:
    """Return the compiled function of what `reduced` returned.

    Parameters
    ----------
    target_context : CPUContext
    parts : tuple
    bitcode : bytes
    """
    result = compiler.CompileResult._rebuild(target_context, *parts)
    result.library.__class__ = _LoadedLibrary
    result.library.bitcode = bitcode
    return result


class KernelLibrary(JITCodeLibrary):
    """Code that no cache of Numba's keeps where others copy it."""

    def _get_module_for_linking(self) -> Any:
        module = super()._get_module_for_linking()
        if claims.are_kept():  # a kernel of ours
            return module
        module = module.clone()
        module.link_in(llvm.parse_assembly(f'target triple = "{module.triple}"\n{_NOT_TO_BE_CACHED}'))
        return module


class _LoadedLibrary(KernelLibrary):
    """Code whose bitcode is read when something links it."""

    bitcode: bytes | None = None

    def _get_module_for_linking(self) -> Any:
        if self.bitcode is not None:
            self._shared_module, self.bitcode = llvm.parse_bitcode(self.bitcode), None
        return super()._get_module_for_linking()


def _names(module: Any) -> bytes:
    """Return the bitcode of a module that defines what another one does, for everybody to see, without its contents."""
    functions, variables = ([one.name for one in some if not one.is_declaration and one.linkage.name not in _OWN]
                            for some in (module.functions, module.global_variables))
    lines = [f'target triple = "{module.triple}"', *(f'@"{name}" = global i8 0' for name in variables),
             *(f'define void @"{name}"() {{ unreachable }}' for name in functions)]
    return llvm.parse_assembly("\n".join(lines)).as_bitcode()
