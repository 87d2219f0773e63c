"""A launch in the simulator: arguments are checked as a card never would, and become what `simulator` runs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.kernels.cuda.compile.host_memory import bytes_at
from fastcnn.kernels.cuda.compile.shim import i32, i64
from fastcnn.kernels.cuda.compile.simulator import GlobalArray, grid


def launch(kernel: Any, blocks: tuple[int, int, int], threads: tuple[int, int, int]) -> Callable[..., None]:
    """Return what runs a kernel on a grid of blocks of threads.

    Parameters
    ----------
    kernel : Kernel
    blocks, threads : tuple of three int
    """
    count = len(kernel.pointers)

    def run(*arguments: Any) -> None:
        assert len(arguments) == count + len(kernel.numbers), f"{kernel.name}: {len(arguments)} arguments"
        memory = [_behind(kernel, *pair) for pair in zip(kernel.pointers, arguments, strict=False)]
        numbers = [_number(kernel, *pair) for pair in zip(kernel.numbers, arguments[count:], strict=True)]
        try:
            grid.launch(kernel.function, blocks, threads, memory + numbers)
        except BaseException as error:
            error.add_note(f"of kernel {kernel.name}, a grid of {blocks} blocks of {threads} threads")
            raise

    return run


def _behind(kernel: Any, pointer: Any, array: Any) -> Any:
    """Return the memory behind an array's pointer."""
    assert array.dtype in pointer.dtypes, f"{kernel.name}: expected {pointer}, got an array of {array.dtype}"
    if array.size == 0:
        return GlobalArray(np.empty(0, array.dtype))
    numbers = bytes_at(array.pointer, array.size * array.dtype.itemsize).view(array.dtype)
    return GlobalArray(numbers) if grid.looks_for_races else numbers


def _number(kernel: Any, kind: Any, value: Any) -> Any:
    """Return a number as the device gets it."""
    if kind not in (i32, i64):
        return kind(value)
    whole, bits = int(value), 31 if kind is i32 else 63
    assert whole == value, f"{kernel.name}: expected a whole number, got {value}"
    assert -2**bits <= whole < 2**bits, f"{kernel.name}: {whole} has more than {bits + 1} bits"
    return whole
