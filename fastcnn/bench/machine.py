"""What this machine can do at most, measured: multiply-adds a second, and bytes a second from each level of memory."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastcnn import device

_ROW = 12 * 64  # floats: whole blocks of accumulators for vectors of every width
#: Seconds of a call, in turn: a short one falls into a moment in which nothing else runs, a long one outlasts the
#: waking of the threads.
_BURSTS = (4e-4, 4e-3)


class Level(NamedTuple):
    """A level of memory.

    Attributes
    ----------
    name : str
        L2, L3 or memory.
    size : int
        Bytes up to which the arrays of a work are taken to come from here.
    bandwidth : float
        Bytes a second, each byte read or written counted once.
    """

    name: str
    size: int
    bandwidth: float


class Machine(NamedTuple):
    """What all threads reach together.

    Attributes
    ----------
    threads : int
    flops, one_thread : dict
        float32 and float64 to floating-point operations a second of all threads, and of one; a multiply-add is two.
    levels : tuple of Level
        From the nearest to the main memory.
    """

    threads: int
    flops: dict[str, float]
    one_thread: dict[str, float]
    levels: tuple[Level, ...]

    def level(self, size: int) -> Level:
        """Return the nearest level that holds so many bytes."""
        return next(level for level in self.levels if size <= level.size)

    def floor(self, flops: float, size: int, dtype: str) -> float:
        """Return the seconds that so many operations on so many bytes take at least."""
        return max(flops / self.flops[dtype], size / self.level(size).bandwidth)


def measure(seconds: float = 0.3) -> Machine:
    """Measure the machine.

    Parameters
    ----------
    seconds : float
        For each of the numbers.
    """
    import numba

    threads = numba.get_num_threads()
    near, far = cache_sizes()
    per_thread = ((threads * near, near // 2), (far, min(far // 2 // threads, 4 * near)), (0, 2 * far // threads))
    levels = []
    for name, (size, working_set) in zip(("L2", "L3", "memory"), per_thread, strict=True):
        levels.append(Level(name, size or 1 << 62, bandwidth(working_set, threads, seconds)))
    together, alone = ({kind: flops(kind, count, seconds) for kind in ("float32", "float64")} for count in (threads, 1))
    return Machine(threads, together, alone, tuple(levels))


def flops(dtype: str, threads: int, seconds: float = 0.3) -> float:
    """Return the floating-point operations a second of multiply-adds between registers.

    Parameters
    ----------
    dtype : str
        float32 or float64.
    threads : int
    seconds : float
        How long to look for the best.
    """
    kind = np.dtype(dtype).type
    x = np.ones((threads, _ROW), kind)
    y = np.empty_like(x)
    best = 0.0
    for burst in _BURSTS:
        steps = int(burst * 1e11 / 2 / _ROW)  # at 100 GFLOP/s a thread

        def run(steps: int = steps) -> None:
            device.of(y).kernels.multiply_add_chain(y, x, kind(0.5), kind(0.1), steps)

        best = max(best, 2 * threads * _ROW * steps / _least(run, seconds / len(_BURSTS)))
    return best


def bandwidth(working_set: int, threads: int, seconds: float = 0.3) -> float:
    """Return the bytes a second of the faster of a copy and a triad, y = a + s b.

    Parameters
    ----------
    working_set : int
        Bytes of all arrays of one thread: they stay in the level that holds them.
    threads : int
    seconds : float
        How long to look for the best of each.
    """
    best = 0.0
    for arrays, burst in itertools.product((2, 3), _BURSTS):
        length = working_set // 4 // arrays
        y, *inputs = (np.ones((threads, length), np.float32) for _ in range(arrays))
        repeats = max(1, int(burst * 5e10 / working_set))  # at 50 GB/s a thread

        def run(y: np.ndarray = y, inputs: list[np.ndarray] = inputs, repeats: int = repeats) -> None:
            if len(inputs) == 1:
                device.of(y).kernels.repeated_copy(y, inputs[0], repeats)
            else:
                device.of(y).kernels.triad(y, *inputs, np.float32(0.5), repeats)

        best = max(best, 4 * arrays * length * threads * repeats / _least(run, seconds / 2 / len(_BURSTS)))
    return best


def cache_sizes() -> tuple[int, int]:
    """Return the bytes of a core's second-level cache and of the last level; common sizes where nobody tells."""
    sizes = {2: 1 << 20, 3: 1 << 25}
    for index in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level, size = int((index / "level").read_text()), (index / "size").read_text().strip()
        except (OSError, ValueError):
            continue
        if level in sizes and size.endswith("K"):
            sizes[level] = 1024 * int(size[:-1])
    return sizes[2], max(sizes[3], 4 * sizes[2])


def _least(run: Callable[[], None], seconds: float) -> float:
    """Return the least seconds of a call."""
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
