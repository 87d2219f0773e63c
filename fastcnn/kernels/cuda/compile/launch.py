"""A launch on a card: Numba compiles, we launch. Arguments are packed into memory that was laid out once.

Numba's own launch takes 6 microseconds and 1.4 for each array; this one takes the driver's call and one or two.
"""

import ctypes
import struct
import threading
from collections.abc import Callable
from typing import Any

from fastcnn.kernels.cuda.compile import cubins, launching
from fastcnn.kernels.cuda.compile.shim import f32, f64, i32, i64

_FORMATS = {i32: "i", i64: "q", f32: "f", f64: "d"}
_one_at_a_time = threading.Lock()  # from the packing of arguments until the driver has read them


def launch(kernel: Any, blocks: tuple[int, int, int], threads: tuple[int, int, int]) -> Callable[..., None]:
    """Return what launches a kernel on a grid of blocks of threads, on the card's stream.

    Parameters
    ----------
    kernel : Kernel
    blocks, threads : tuple of three int
    """
    card = launching.card()
    arguments = _Arguments(kernel)
    buffer, pack, places = arguments.buffer, arguments.struct.pack_into, ctypes.addressof(arguments.places)
    count, functions = len(kernel.pointers), kernel.loaded
    several, shape, entered = len(kernel.variants()) > 1, (*blocks, *threads, 0), card.local

    def run(*given: Any, kept: Any = arguments) -> None:  # `kept`: the driver reads the memory at `places`
        arrays = given[:count]
        key = tuple([one.dtype for one in arrays]) if several else None
        function = functions.get(key)
        if function is None:
            function = _loaded(kernel, key, card)
        if not getattr(entered, "entered", False):
            card.enter()
        with _one_at_a_time:
            pack(buffer, 0, *[one.pointer if one.size else 0 for one in arrays], *given[count:])
            status = card.call(function, *shape, card.stream, places, 0)
        if status[0]:
            card.check(status, f"kernel {kernel.name}, a grid of {blocks} blocks of {threads} threads,")

    return run


class _Arguments:
    """Memory for the arguments of a kernel, each aligned as C aligns it, and where each of them lies."""

    def __init__(self, kernel: Any) -> None:
        formats = "P" * len(kernel.pointers) + "".join(_FORMATS[kind] for kind in kernel.numbers)
        self.struct = struct.Struct(f"@{formats}")
        self.buffer = ctypes.create_string_buffer(self.struct.size)
        begin = ctypes.addressof(self.buffer)
        ends = [struct.calcsize(f"@{formats[:k + 1]}") - struct.calcsize(f"@{formats[k]}") for k in range(len(formats))]
        self.places = (ctypes.c_void_p * len(ends))(*(begin + end for end in ends))


def _loaded(kernel: Any, key: Any, card: Any) -> Any:
    """Return the driver's handle of a kernel, compiled for the card; it is kept."""
    function = kernel.loaded[key] = card.load(*cubins.cubin(kernel, key or kernel.variants()[0], card.architecture))
    return function
