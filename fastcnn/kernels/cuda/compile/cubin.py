"""Kernels compiled for a card without a card: Numba makes PTX or LTO-IR of them, NVIDIA's linker a cubin.

PTX is never handed to the driver: one that is older than the compiler refuses it, while it loads a cubin of its own
major version.
"""

import re
import types as modules
from typing import Any

import numba
import numpy as np
from numba import cuda, types
from numba.cuda import dispatcher

from fastcnn.kernels.cuda.compile.shim import f32, f64, i32, i64

#: What a kernel is compiled for, if nothing else is said: the oldest with tensor cores for TF32, Hopper, Blackwell.
ARCHITECTURES = ("sm_80", "sm_90", "sm_120")

_NUMBERS = {i32: types.int32, i64: types.int64, f32: types.float32, f64: types.float64}


def capability(architecture: str) -> tuple[int, int]:
    """Return ``sm_90`` as (9, 0)."""
    number = int(re.sub(r"\D", "", architecture))
    return number // 10, number % 10


def signature_of(kernel: Any, dtypes: tuple[np.dtype, ...]) -> Any:
    """Return the Numba signature of a variant of a kernel: pointers to numbers of these types, and its numbers."""
    pointers = [types.CPointer(numba.from_dtype(dtype)) for dtype in dtypes]
    return types.void(*pointers, *(_NUMBERS[kind] for kind in kernel.numbers))


def compiled(kernel: Any, dtypes: tuple[np.dtype, ...], architecture: str, output: str) -> Any:
    """Return a variant of a kernel as ``"ptx"``, a text, or ``"ltoir"``, bytes.

    Parameters
    ----------
    kernel : Kernel
    dtypes : tuple of dtype
        Of its pointers.
    architecture : str
        ``sm_90``.
    output : str
    """
    target = capability(architecture)
    before = dispatcher.get_current_device  # which Numba asks about inlined functions, and needs a card for
    dispatcher.get_current_device = lambda: modules.SimpleNamespace(compute_capability=target)
    try:
        return cuda.compile(kernel.function, signature_of(kernel, dtypes), cc=target, device=False, abi="numba",
                            output=output)[0]
    finally:
        dispatcher.get_current_device = before
