"""A grid of threads on the host: the kernels of CUDA run as plain Python, one simulated thread at a time.

Numba has a simulator too, but its barrier takes 300 microseconds a thread, a hundred times as long as this one, and it
lets pass what this one refuses:

- an index past the end of an array, and below zero in global or shared memory;
- memory that is read before it was written: shared and local arrays begin as NaN;
- a race: two threads of a block at one element of shared memory, one of them writing, without a barrier between;
- a barrier that some threads of a block never reach.

Blocks run one after another. In a block the threads take turns at barriers alone; those that meet none run on the
caller's own thread. What it cannot show is what a card does within a warp, and how long anything takes.
"""

import threading
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError


class GlobalArray:
    """A flat array behind a pointer, whose bounds are checked."""

    __slots__ = ("numbers", "size")

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers, self.size = numbers, numbers.size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self.size:
            raise IndexError(f"read of element {index} of {self.size}")
        return self.numbers[index]

    def __setitem__(self, index: int, value: Any) -> None:
        if not 0 <= index < self.size:
            raise IndexError(f"write to element {index} of {self.size}")
        self.numbers[index] = value


class SharedArray:
    """A block's array, which remembers who touched each element since the last barrier."""

    def __init__(self, block: "_Block", size: int, kind: Any) -> None:
        self._block = block
        self._numbers = [_unwritten(kind)] * size
        self._wrote, self._read = [-1] * size, [-1] * size  # phase * threads + thread

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            raise IndexError(f"read of element {index} of a shared array")
        now, wrote = self._block.now, self._wrote[index]
        if wrote >= self._block.begin and wrote != now:
            raise RuntimeError(f"a race: element {index} of a shared array is read, and written by another thread, "
                               f"without a barrier between")
        before = self._read[index]
        self._read[index] = now if before < self._block.begin or before == now else self._block.many
        return self._numbers[index]

    def __setitem__(self, index: int, value: Any) -> None:
        if index < 0:
            raise IndexError(f"write to element {index} of a shared array")
        block, now = self._block, self._block.now
        for other in (self._wrote[index], self._read[index]):
            if other >= block.begin and other != now:
                raise RuntimeError(f"a race: element {index} of a shared array is written, and used by another thread, "
                                   f"without a barrier between")
        self._wrote[index] = now
        self._numbers[index] = value


def _unwritten(kind: Any) -> Any:
    return kind(np.nan) if np.dtype(kind).kind == "f" else None  # no integer is none; arithmetic on None fails


class _Ended(BaseException):
    """Unwinds the threads of a block of which one has failed."""


class _Block:
    """The threads of a block: where they stand, and the arrays they share.

    Attributes
    ----------
    begin, now, many : int
        Numbers of the phase's first thread, of the running one, and one that stands for several threads.
    """

    def __init__(self, run: Callable[[], None], index: tuple[int, ...], shape: tuple[int, ...]) -> None:
        self._run, self._index = run, index
        self._places = [(x, y, z) for z, y, x in product(*map(range, reversed(shape)))]
        self._threads = len(self._places)
        self._begun, self._waiting, self._finished = 0, list[int](), 0
        self._turns: dict[int, threading.Lock] = {}
        self._runners: list[threading.Thread] = []
        self._shared: list[Any] = []
        self._asked = [0] * self._threads
        self._next: list[int] = []
        self._done = threading.Event()
        self.failure: tuple[int, BaseException] | None = None
        self.begin, self.now, self.many = 0, 0, self._threads

    def run(self) -> None:
        """Run all threads to their end."""
        self._runner()
        self._done.wait()
        for runner in self._runners:
            runner.join()
        if self.failure:
            thread, error = self.failure
            error.add_note(f"in block {self._index}, thread {self._places[thread]}")
            raise error

    def _enter(self, thread: int) -> None:
        self.now = self.begin + thread
        grid.threadIdx.x, grid.threadIdx.y, grid.threadIdx.z = self._places[thread]

    def _runner(self) -> None:
        """Begin threads, one after the other, until one of them must wait or none is left."""
        while self._begun < self._threads and not self.failure:
            thread = self._begun
            self._begun += 1
            self._enter(thread)
            try:
                with np.errstate(all="ignore"):  # each thread of the host has its own
                    self._run()
            except _Ended:
                return
            except BaseException as error:
                self.failure = thread, error
                break
            self._finished += 1
        self._pass_on()

    def _pass_on(self) -> None:
        """Let another thread go on: the next of this phase, or the first of the next one."""
        if self.failure:
            for turn in self._turns.values():
                if turn.locked():
                    turn.release()
            self._done.set()
        elif self._begun < self._threads:
            runner = threading.Thread(target=self._runner, daemon=True)
            self._runners.append(runner)
            runner.start()
        elif self._next:
            self._turns[self._next.pop()].release()
        elif self._waiting:
            if self._finished:
                self.failure = self._waiting[0], RuntimeError(
                    f"a barrier that {self._finished} of {self._threads} threads of a block never reach")
                self._pass_on()
                return
            self.begin += 2 * self._threads
            self.many = self.begin + self._threads
            # Now up, now down: what goes wrong without a barrier goes wrong one way or the other.
            self._next = sorted(self._waiting, reverse=bool(self.begin // (2 * self._threads) % 2))
            self._waiting = []
            self._turns[self._next.pop()].release()
        else:
            self._done.set()

    def barrier(self) -> None:
        """Wait until all threads of the block are here."""
        thread = self.now - self.begin
        turn = self._turns.get(thread)
        if turn is None:
            turn = self._turns[thread] = threading.Lock()
            turn.acquire()
        self._waiting.append(thread)
        self._pass_on()
        turn.acquire()
        if self.failure:
            raise _Ended
        self._enter(thread)

    def shared_array(self, size: int, kind: Any) -> Any:
        """Return the array that this call, the thread's first, second, .., stands for."""
        thread = self.now - self.begin
        place = self._asked[thread]
        self._asked[thread] += 1
        if place == len(self._shared):
            self._shared.append(SharedArray(self, size, kind) if grid.looks_for_races else [_unwritten(kind)] * size)
        return self._shared[place]


class Grid:
    """What kernels find under the name ``cuda``: places, arrays and the barrier.

    Attributes
    ----------
    recorded : list of callable, or None
        Where launches are written down instead of done: a graph is captured.
    looks_for_races : bool
        Whether shared arrays remember who touched them, and indices below zero are refused. Without it a product
        takes half the time: for tests of whole networks, whose kernels have tests of their own.
    """

    def __init__(self) -> None:
        self.threadIdx, self.blockIdx, self.blockDim, self.gridDim = (SimpleNamespace(x=0, y=0, z=0) for _ in range(4))
        self.shared = SimpleNamespace(array=lambda size, kind: self._block.shared_array(size, kind))
        self.local = SimpleNamespace(array=lambda size, kind: [_unwritten(kind)] * size)
        self.looks_for_races = True
        self.recorded: list[Callable[[], None]] | None = None
        self._block: Any = None
        self._lock = threading.Lock()

    def syncthreads(self) -> None:
        """Wait until all threads of the block are here, and see what they wrote."""
        self._block.barrier()

    def grid(self, dimensions: int) -> int:
        """Return the thread's number in the grid, along x."""
        assert dimensions == 1
        return self.blockIdx.x * self.blockDim.x + self.threadIdx.x

    def gridsize(self, dimensions: int) -> int:
        """Return how many threads the grid has, along x."""
        assert dimensions == 1
        return self.gridDim.x * self.blockDim.x

    def launch(self, function: Callable[..., None], blocks: tuple[int, ...], threads: tuple[int, ...],
               arguments: list[Any]) -> None:
        """Run a kernel on all threads of all blocks.

        Parameters
        ----------
        function : callable
        blocks, threads : tuple of three int
            The shape of the grid and of a block, along x, y, z.
        arguments : list
            Pointers as `GlobalArray`, and numbers.
        """
        if max(threads) > 1024 or min(*blocks, *threads) < 1:
            raise ArgumentError(f"cuda: expected a grid of blocks of at most 1024 threads, got {blocks} of {threads}")
        if self.recorded is not None:
            self.recorded.append(lambda: self.launch(function, blocks, threads, arguments))
            return
        with self._lock:
            self.gridDim.x, self.gridDim.y, self.gridDim.z = blocks
            self.blockDim.x, self.blockDim.y, self.blockDim.z = threads
            for z, y, x in product(*map(range, reversed(blocks))):
                self.blockIdx.x, self.blockIdx.y, self.blockIdx.z = x, y, z
                self._block = _Block(lambda: function(*arguments), (x, y, z), threads)
                self._block.run()


#: The one grid of the process.
grid = Grid()
