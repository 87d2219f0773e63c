"""Compiled kernels on disk: cubins by content and architecture, beside those of the CPU."""

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn import _interrupts
from fastcnn.formats.files import write_atomically
from fastcnn.kernels.cpu.compile.cache import folder, stamp
from fastcnn.kernels.cuda.compile.card import versions
from fastcnn.kernels.cuda.compile.cubin import compiled

_DIGEST = 32  # bytes of SHA-256 before the cubin


def cubin(kernel: Any, dtypes: tuple[np.dtype, ...], architecture: str) -> tuple[bytes, str]:
    """Return a variant of a kernel as a cubin, and the name of its entry: from the cache, or compiled.

    Parameters
    ----------
    kernel : Kernel
    dtypes : tuple of dtype
        Of its pointers.
    architecture : str
        ``sm_90``.
    """
    path = _path(kernel, dtypes, architecture)
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
            return content[_DIGEST:], _entry(content)
    except OSError:
        pass  # absent: it is compiled
    with _interrupts.deferred():
        made = linked(compiled(kernel, dtypes, architecture, "ltoir"), architecture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, hashlib.sha256(made).digest(), made, lasting=False)
    except OSError:
        pass  # a folder that cannot be written: the CPU's kernels have warned of it
    return made, _entry(made)


def _path(kernel: Any, dtypes: tuple[np.dtype, ...], architecture: str) -> Path:
    source = Path(kernel.function.__code__.co_filename).resolve()
    key = (kernel.name, [one.str for one in dtypes], stamp(source), architecture, sorted(versions().items()))
    return folder() / f"cuda-{kernel.name}-{architecture}-{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.cubin"


def linked(ir: bytes, architecture: str) -> bytes:
    """Return the cubin that nvJitLink makes of LTO-IR."""
    from cuda.bindings import nvjitlink

    handle = nvjitlink.create(3, [f"-arch={architecture}", "-lto", "-O3"])
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.LTOIR, ir, len(ir), "kernel")
        nvjitlink.complete(handle)
        made = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, made)
    finally:
        nvjitlink.destroy(handle)
    return bytes(made)


def _entry(cubin: bytes) -> str:
    """Return the name of the one kernel in a cubin: of its section of code."""
    found = re.search(rb"\0\.text\.([\w$]+)\0", cubin)
    assert found is not None
    return found[1].decode()
