"""Every call of a kernel, noted: which one, for which arrays, how long. For the number of launches and for step.py."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np


class KernelCall(NamedTuple):
    """One call: the kernel's name, its arguments' shapes in words, multiply-adds (of products), seconds."""

    kernel: str
    shapes: str
    multiply_adds: int
    seconds: float


class _Noted:
    """The kernels of a device, each of whose calls is noted."""

    def __init__(self, kernels: Any, calls: list[KernelCall]) -> None:
        self._kernels, self._calls = kernels, calls

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._kernels, name)

        def noted(*args: Any) -> Any:
            start = time.perf_counter()
            result = kernel(*args)
            seconds = time.perf_counter() - start
            if result is None:  # else it told a size, or which kernel suits
                self._calls.append(KernelCall(name, *_described(args, name.endswith("backward")), seconds))
            return result

        return noted


@contextmanager
def noted_kernel_calls() -> Iterator[list[KernelCall]]:
    """Note in the list that is yielded what layers, losses and optimizers call: all of them go through the device."""
    from fastcnn import device

    kernels, calls = device.cpu.kernels, []
    device.cpu.kernels = _Noted(kernels, calls)
    try:
        yield calls
    finally:
        device.cpu.kernels = kernels


def _described(args: tuple[Any, ...], backward: bool) -> tuple[str, int]:
    """Return the shapes of a call in words, and its multiply-adds, from its geometry where it has one."""
    g = args[-1]
    if not (isinstance(g, np.ndarray) and g.dtype.names):
        return "x".join(map(str, max((a.shape for a in args if isinstance(a, np.ndarray)), key=np.prod))), 0
    if "in_at" in g.dtype.names:  # stages in lanes; backward, all but the first give two gradients
        each = [int(row["n"] * row["oh"] * row["ow"] * row["k"] * row["kh"] * row["kw"] * row["c"]) for row in g]
        what = " -> ".join(f"{row['h']}x{row['w']}x{row['c']}" for row in g)
        return f"{g[0]['n']} of {what} -> {g[-1]['k']}", sum(each) + backward * sum(each[1:])
    n, h, w, c, oh, ow, kh, kw = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow", "kh", "kw"))
    if "k" not in g.dtype.names:
        return f"{n}x{h}x{w}x{c}, window {kh}x{kw}", 0
    k, groups = int(g[0]["k"]), int(g[0]["groups"])
    what = f"{w}x{c} -> {k}" if n == h == kh == kw == 1 else f"{n}x{h}x{w}x{c} -> {k}, window {kh}x{kw}"
    return what, n * oh * ow * k * kh * kw * (c // groups)
