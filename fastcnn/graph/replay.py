"""Capture and replay: the prediction of a small batch, as a list of kernel calls that is made once.

For one small image a model spends most of its time finding out what to do: shapes, geometry, memory, which kernel. All
of that is the same at every call. So the second prediction of a shape captures the calls of kernels, and later ones
only make them::

    layers:   check, geometry, memory, kernel | check, geometry, memory, kernel | ...
    replay:   kernel, kernel, ...,  copy ys out

Everything between lies in one arena (`fastcnn.graph.arena`), in which an array lives from the first call that has it
to the last. A capture holds as long as no parameter changes its version or its place; packed weights are part of it.
Moving arrays takes addresses: where arrays have none (`Device.replays`), nothing is captured.
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
from fastcnn.parameters import Parameter

_LARGEST_BATCH = 8
_MEMORY = 1 << 30  # bytes between the layers, each with memory of its own, beyond which nothing is captured
_SHAPES = 4  # captures that a model keeps
_COPIED = 1 << 16  # bytes of an input below which a copy is cheaper than to put it in the place of the capture's own
_VERSION = operator.attrgetter("version")  # in a third of a comprehension's time, at every prediction

Infer = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


class Capture:
    """The kernel calls of one prediction.

    What a kernel does not fill, a replay does not fill either. So a capture is tried, in memory full of NaN, on numbers
    other than those of the calls it wrote down.

    Parameters
    ----------
    infer : callable
        xs -> ys, lists of arrays, by kernels and views alone.
    xs : sequence of (N, ...) arrays

    Attributes
    ----------
    bytes : int
        Of the arena.

    Raises
    ------
    ArgumentError
        If `infer` does something else than to call kernels.
    """

    def __init__(self, infer: Infer, xs: Sequence[np.ndarray]) -> None:
        self.device = device.of(xs[0])
        infer(xs)  # so that weights are packed, and the calls say so
        before = self.device.blocks_in_use()
        self._record(infer, xs)
        self._move_into_arena(self.device.blocks_in_use() - before)
        others = [np.ascontiguousarray(x.reshape(-1)[::-1]).reshape(x.shape) + 1 for x in xs]
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(self(others), infer(others), strict=True)):
            raise ArgumentError("replay: expected a prediction that does nothing but call kernels, got one that does "
                                "something else, too; a layer that does may not say replayable = True")

    def _record(self, infer: Infer, xs: Sequence[np.ndarray]) -> None:
        self.xs = [self.device.empty(x.shape, x.dtype) for x in xs]
        for own, x in zip(self.xs, xs, strict=True):
            own[...] = x
        with self.device.recording() as self.calls:
            self.ys = infer(self.xs)
        found = [self._reading(x) for x in self.xs]
        self._copied = [reads is None for reads in found]
        last = max((at for reads in found for at, _, _ in reads or ()), default=-1)
        self._readers: list[list[tuple[int, int, tuple[int, ...]]]] = [[] for _ in range(last + 1)]
        for which, reads in enumerate(found):
            for at, k, shape in reads or ():
                self._readers[at].append((which, k, shape))

    def _reading(self, x: np.ndarray) -> list[tuple[int, int, tuple[int, ...]]] | None:
        """Return which arguments of which calls are all of an input, and in what shape.

        None where it is to be copied: a call reads a part of it, an output is a view of it, or copying takes no time.
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
        """Yield the arrays that were made for this prediction, each with the call that has it."""
        yield from ((-1, x) for x in self.xs)
        for at, (_, args) in enumerate(self.calls):
            yield from ((at, array) for array in args if isinstance(array, np.ndarray))
        yield from ((len(self.calls), y) for y in self.ys)

    def _move_into_arena(self, mine: set[int]) -> None:
        """Give what lies in blocks that were nobody's before its place in one piece of memory."""
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
        arena = self.device.empty((self.bytes,), np.uint8)
        arena.fill(255)  # as numbers NaN, so that one that no kernel writes shows
        place = dict(zip(roots, places, strict=True))
        shift = {key: place[same.get(key, key)] - part[2] for key, part in parts.items()}

        def moved(array: Any) -> Any:
            if not isinstance(array, np.ndarray) or id(array.base) not in shift:
                return array
            return np.ndarray(array.shape, array.dtype, arena, shift[id(array.base)] + array.ctypes.data, array.strides)

        self.calls = [(kernel, tuple(map(moved, args))) for kernel, args in self.calls]
        self.xs, self.ys = list(map(moved, self.xs)), list(map(moved, self.ys))

    def _in_place(self, parts: dict[int, list[int]]) -> dict[int, int]:
        """Return the blocks that take another's place: outputs written over an input that nobody reads afterwards.

        The kernel tells which inputs may be written over. Their lines are in the caches already; the other's part lives
        on as long as theirs.
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
        if len(self.ys) == 1:
            return [self._copy(self.ys[0])]
        return [self._copy(own) for own in self.ys]

    def _copy(self, own: np.ndarray) -> np.ndarray:
        y = self.device.empty(own.shape, own.dtype)
        y[...] = own
        return y

    @staticmethod
    def _placed(own: np.ndarray, x: np.ndarray, copied: bool) -> np.ndarray:
        """Return where calls read an input: where it lies, or in the capture's memory, to which it is copied then."""
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
        Whose versions the captures depend on.
    sample : int
        Bytes of the arrays between the layers for one sample, each with memory of its own.
    is_replayable : callable
        Tells of a number of samples whether their prediction does nothing but call kernels.
    """

    def __init__(self, infer: Infer, parameters: Sequence[Parameter], sample: int,
                 is_replayable: Callable[[int], bool]) -> None:
        self.infer, self.parameters, self.sample = infer, list(parameters), sample
        self.is_replayable = is_replayable
        self._state: Any = None
        self._captures: dict[Any, Capture | None] = {}
        self._seen: Any = None
        self._busy = threading.Lock()

    def __call__(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the prediction: by a capture if there is one, and making one when shapes come twice in a row."""
        batch = len(xs[0])
        if batch > _LARGEST_BATCH or not self._busy.acquire(blocking=False):  # another thread is in its memory
            return self.infer(xs)
        try:
            state = (config.switches.state, list(map(_VERSION, self.parameters)))
            if state != self._state:
                self._captures.clear()  # first: who is stopped here must not find the old ones under the new state
                self._state, self._seen = state, None
            shapes: Any = xs[0].shape if len(xs) == 1 else tuple([x.shape for x in xs])
            capture = self._captures.get(shapes)
            if capture is not None:
                return capture(xs)
            if self._seen != shapes or shapes in self._captures:
                self._seen = shapes
                return self.infer(xs)
            if len(self._captures) == _SHAPES:
                self._captures.clear()
            if batch * self.sample > _MEMORY or not self.is_replayable(batch):
                self._captures[shapes] = None
                return self.infer(xs)
            self._captures[shapes] = None
            try:
                capture = self._captures[shapes] = Capture(self.infer, xs)
            except ArgumentError as error:
                warn(str(error))
                return self.infer(xs)
            return capture(xs)
        finally:
            self._busy.release()
