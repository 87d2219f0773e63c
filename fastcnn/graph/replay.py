"""Capture and replay: the prediction of a small batch as a recorded list of kernel calls.

For one small image a model spends most of its time finding out what to do: shapes, geometry, memory, which kernel. All
of that is the same every time. So the second prediction of a shape is followed by a rehearsal, in which its kernel
calls are written down but not made, the third one is compared with what the calls give, and later ones just make them::

    layers:   check, geometry, memory, kernel | check, geometry, memory, kernel | ...
    replay:   kernel, kernel, ...,  copy ys out

All intermediate arrays lie in one arena (`fastcnn.graph.arena`). An array lives there from the first call that uses it
to the last. In the rehearsal all live at once, on pages that nobody touches and that take no memory. A capture is valid
until a parameter changes its version or moves; packed weights are part of it. Arrays are moved by their addresses, so a
device whose arrays have none captures nothing (`Device.replays`).
"""

import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.graph.arena import offsets
from fastcnn.graph.columns import without_copies
from fastcnn.graph.rehearsal import rehearsing
from fastcnn.parameters import Parameter

_LARGEST_BATCH = 8
_MEMORY = 1 << 30  # bytes between the layers, each with memory of its own, beyond which nothing is captured
_SHAPES = 4  # captures that a model keeps
_RELEASED = 1 << 24  # bytes between the layers from which on memory that predictions took goes back to the system
_COPIED = 1 << 16  # bytes of an input below which a copy is cheaper than to put it in the place of the capture's own
_VERSION = operator.attrgetter("version")  # in a third of a comprehension's time, at every prediction

Infer = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


def entry_of(kernel: Any, args: tuple[Any, ...]) -> Any:
    """Return the compiled code of a kernel for the types of some arguments, or what is called if it has none."""
    entry = getattr(kernel, "entry", None)  # what is no kernel, such as np.copyto, has none
    return kernel if entry is None else entry(args)


class Capture:
    """The kernel calls of one prediction.

    A replay only makes kernel calls: whatever else wrote to an array during the rehearsal is missing from it. So each
    capture is rehearsed on other inputs, tested once in memory full of NaN (`check`), and must give what `infer` gives.

    Parameters
    ----------
    infer : callable
        xs -> ys, lists of arrays, by kernels and views alone. It was called before, and packed the weights, so that the
        calls need not.
    xs : sequence of (N, ...) arrays

    Attributes
    ----------
    bytes : int
        Of the arena.
    """

    def __init__(self, infer: Infer, xs: Sequence[np.ndarray]) -> None:
        self.device = device.of(xs[0])
        self._move_into_arena(self._rehearse(infer, xs))

    def check(self, xs: Sequence[np.ndarray], ys: Sequence[np.ndarray]) -> None:
        """Raise ArgumentError unless the calls alone make of some inputs what the prediction made of them.

        Parameters
        ----------
        xs, ys : sequence of arrays
            What `infer` got, and what it returned.
        """
        self._arena.fill(255)  # read as floats: NaN, so that an element no kernel writes is noticed
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(self(xs), ys, strict=True)):
            raise ArgumentError("replay: expected a prediction that does nothing but call kernels, got one that does "
                                "something else, too; a layer that does may not say replayable = True")

    def _rehearse(self, infer: Infer, xs: Sequence[np.ndarray]) -> set[int]:
        """Write the calls down, and return the blocks of memory of the arrays that they made."""
        with rehearsing(self.device) as (self.calls, blocks), np.errstate(all="ignore"):
            d = device.of(xs[0])
            self.xs = [d.empty(x.shape, x.dtype) for x in xs]
            for own, x in zip(self.xs, xs, strict=True):
                # Other numbers than those of the test: what is computed of them outside of kernels would differ.
                own.reshape(-1)[...] = x.reshape(-1)[::-1]
                own += 1
            self.ys = infer(self.xs)
        mine = set(map(id, blocks))
        self.calls = without_copies(self.calls, self.device.library.copy_columns, mine, [*self.xs, *self.ys])
        found = [self._reading(x) for x in self.xs]
        self._copied = [reads is None for reads in found]
        last = max((at for reads in found for at, _, _ in reads or ()), default=-1)
        self._readers: list[list[tuple[int, int, tuple[int, ...]]]] = [[] for _ in range(last + 1)]
        for which, reads in enumerate(found):
            for at, k, shape in reads or ():
                self._readers[at].append((which, k, shape))
        return mine

    def _reading(self, x: np.ndarray) -> list[tuple[int, int, tuple[int, ...]]] | None:
        """Return which arguments of which calls are a whole input, and in what shape: (call, argument, shape).

        None if the input must be copied instead: a call reads only a part of it, an output is a view of it, or it is so
        small that copying takes no time.
        """
        block = x.base
        if x.nbytes < _COPIED or any(y.base is block for y in self.ys):
            return None
        readers = []
        for at, (_, args) in enumerate(self.calls):
            for k, array in enumerate(args):
                if isinstance(array, np.ndarray) and array.base is block:
                    if array.size != x.size or not array.flags.c_contiguous:
                        return None
                    readers.append((at, k, array.shape))
        return readers

    def _arrays(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield all arrays of this prediction, each with the number of the call that uses it."""
        yield from ((-1, x) for x in self.xs)
        for at, (_, args) in enumerate(self.calls):
            yield from ((at, array) for array in args if isinstance(array, np.ndarray))
        yield from ((len(self.calls), y) for y in self.ys)

    def _move_into_arena(self, mine: set[int]) -> None:
        """Move the arrays in blocks of memory that this prediction alone took to places in one arena."""
        parts: dict[int, list[int]] = {}  # for each block: first and last call, first and last address
        for at, array in self._arrays():
            if id(array.base) in mine:
                begin = array.ctypes.data
                part = parts.setdefault(id(array.base), [at, at, begin, begin])
                part[1], part[2], part[3] = at, min(part[2], begin), max(part[3], begin + array.nbytes)
        same = self._in_place(parts)
        roots = [key for key in parts if key not in same]
        places, self.bytes = offsets([parts[key][3] - parts[key][2] for key in roots],
                                     [(parts[key][0], parts[key][1]) for key in roots])
        arena = self._arena = self.device.lasting((self.bytes,), np.uint8)
        place = dict(zip(roots, places, strict=True))
        shift = {key: place[same.get(key, key)] - part[2] for key, part in parts.items()}

        def moved(array: Any) -> Any:
            if not isinstance(array, np.ndarray) or id(array.base) not in shift:
                return array
            return np.ndarray(array.shape, array.dtype, arena, shift[id(array.base)] + array.ctypes.data, array.strides)

        self.calls = [(entry_of(kernel, args), args) for kernel, args in
                      [(kernel, tuple(map(moved, args))) for kernel, args in self.calls]]
        self.xs, self.ys = list(map(moved, self.xs)), list(map(moved, self.ys))

    def _in_place(self, parts: dict[int, list[int]]) -> dict[int, int]:
        """Return the blocks that share another's place: outputs that overwrite an input nobody reads afterwards.

        The kernel tells which inputs it may overwrite. This is faster, since the input is in the caches already. The
        shared place then lives as long as the output.
        """
        same: dict[int, int] = {}
        for at, (kernel, args) in enumerate(self.calls):
            for k in getattr(kernel, "in_place", ()):
                blocks = [id(getattr(one, "base", None)) for one in args]
                y, x = blocks[0], blocks[k]
                if {y, x} <= parts.keys() and blocks.count(y) == blocks.count(x) == 1:
                    root = same.get(x, x)
                    whole = all(parts[one][3] - parts[one][2] == args[0].nbytes for one in (y, x, root))
                    if whole and parts[y][0] == at == parts[root][1]:
                        same[y], parts[root][1] = root, parts[y][1]
                        break
        return same

    def __call__(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        calls = self.calls
        if self._readers:
            there = list(map(self._placed, self.xs, xs, self._copied))
            for (kernel, args), reads in zip(calls, self._readers):
                given = list(args)
                for which, k, shape in reads:
                    given[k] = there[which].reshape(shape)
                kernel(*given)
            calls = calls[len(self._readers):]
        elif len(xs) == 1:
            self.xs[0][...] = xs[0]
        else:
            for own, x in zip(self.xs, xs):
                own[...] = x
        for kernel, args in calls:
            kernel(*args)
        # Copies, since the next replay writes to the same memory.
        if len(self.ys) == 1:
            return [self._copy(self.ys[0])]
        return [self._copy(own) for own in self.ys]

    def _copy(self, own: np.ndarray) -> np.ndarray:
        y = self.device.empty(own.shape, own.dtype)
        y[...] = own
        return y

    @staticmethod
    def _placed(own: np.ndarray, x: np.ndarray, copied: bool) -> np.ndarray:
        """Return the array from which calls read an input: `x` itself, or the capture's own memory with its copy."""
        if not copied and x.flags.carray and x.dtype == own.dtype:
            return x
        own[...] = x
        return own


class Replay:
    """The captured predictions of a model, by the shape of the batch.

    Parameters
    ----------
    infer : callable
        xs -> ys, lists of arrays, by kernels and views alone.
    parameters : list of Parameter
        Captures are dropped when one of them changes its version.
    sample : int
        Bytes of the intermediate arrays of one sample, before any share memory.
    is_replayable : callable
        Batch size -> whether its prediction does nothing but call kernels.
    share : int
        How many share the memory that there is for captures.
    """

    def __init__(self, infer: Infer, parameters: Sequence[Parameter], sample: int,
                 is_replayable: Callable[[int], bool], share: int = 1) -> None:
        self.infer, self.parameters, self.sample = infer, list(parameters), sample
        self._memory = _MEMORY // share
        self.is_replayable = is_replayable
        self._state: Any = None
        self._captures: dict[Any, Capture | None] = {}
        self._untested: dict[Any, Capture] = {}
        self._seen: Any = None
        self._before: set[int] = set()  # blocks of memory that there were before the shape came for the first time
        self._busy = threading.Lock()

    def __call__(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the prediction, by a capture if there is one. A shape that comes twice in a row is captured."""
        batch = len(xs[0])
        if batch > _LARGEST_BATCH or not self._busy.acquire(blocking=False):  # another thread uses the arena
            return self.infer(xs)
        try:
            state = (config.switches.state, list(map(_VERSION, self.parameters)))
            if state != self._state:
                self._forget()  # first: an interrupt after it must not leave old captures under the new state
                self._state, self._seen = state, None
            shapes: Any = xs[0].shape if len(xs) == 1 else tuple([x.shape for x in xs])
            capture = self._captures.get(shapes)
            if capture is not None:
                return capture(xs)
            if shapes in self._untested:
                return self._tested(shapes, xs)
            before, self._seen = self._seen, shapes
            if shapes in self._captures:  # for which there may be none
                return self.infer(xs)
            if before == shapes:
                return self._planned(shapes, xs)
            self._before = device.of(xs[0]).blocks()
            return self._inferred(xs)
        finally:
            self._busy.release()

    def _forget(self) -> None:
        self._captures.clear()
        self._untested.clear()

    def _planned(self, shapes: Any, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the prediction, and write down its calls if there may be a capture."""
        if len(self._captures) == _SHAPES:
            self._forget()
        # If it fails below, it is not tried again.
        self._captures[shapes] = None
        batch = len(xs[0])
        if batch * self.sample > self._memory or not self.is_replayable(batch):
            return self.infer(xs)
        ys = self._inferred(xs)
        self._untested[shapes] = Capture(self.infer, xs)
        return ys

    def _tested(self, shapes: Any, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the prediction, and use the capture from now on if that gives the same.

        That takes twice the time of a replay, as packing weights and the rehearsal did. So no call takes both.
        """
        capture = self._untested.pop(shapes)
        ys = self._inferred(xs)
        try:
            capture.check(xs, ys)
        except ArgumentError as error:
            warn(str(error))
        else:
            self._captures[shapes] = capture
        return ys

    def _inferred(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the prediction; what memory it took goes back to the system, since later ones have the arena."""
        kept = self._before if len(xs[0]) * self.sample > _RELEASED else None  # what others took stays
        with device.of(xs[0]).sparing(kept):
            return self.infer(xs)
