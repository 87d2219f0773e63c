"""Windows that move over the last dimensions of (N, C, ...): their places, and a view of what each one sees."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size

Ints = Sequence[int] | None


class WindowGrid(NamedTuple):
    """Where windows lie, one entry for each dimension they move along.

    Attributes
    ----------
    kernel, strides, dilations : tuple of int
        Size of the window, its steps, the steps between its elements.
    before, after : tuple of int
        The padding.
    outputs : tuple of int
        How many windows there are.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def extent(self) -> tuple[int, ...]:
        """The window's size as it lies on the input."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations))

    def end_padding(self, size: Sequence[int]) -> tuple[int, ...]:
        """Return the padding behind that lets the last window fit: more than `after` where a size was rounded up."""
        return tuple(max((o - 1) * s + e - n - b, 0)
                     for o, s, e, n, b in zip(self.outputs, self.strides, self.extent, size, self.before))


def windows(who: str, size: Sequence[int], kernel: Sequence[int], strides: Ints, pads: Ints, dilations: Ints,
            auto_pad: str, ceil_mode: int = 0) -> WindowGrid:
    """Return where the windows of a node lie.

    Parameters
    ----------
    who : str
        The operator, for the error.
    size : sequence of int
        The input's, along the dimensions that the windows move in.
    kernel, strides, pads, dilations, auto_pad, ceil_mode
        The node's attributes.
    """
    rank = len(size)
    steps, gaps = tuple(strides or [1] * rank), tuple(dilations or [1] * rank)
    borders = tuple(pads or [0] * (2 * rank))
    if not len(kernel) == len(steps) == len(gaps) == rank or len(borders) != 2 * rank or min(
            (*kernel, *steps, *gaps), default=1) < 1:
        raise ModelFileError(f"{who}: expected a window, strides and dilations of {rank} positive numbers and "
                             f"{2 * rank} pads, got {list(kernel)}, {list(steps)}, {list(gaps)} and {list(borders)}")
    before, after = list(borders[:rank]), list(borders[rank:])
    outputs = []
    for axis, (n, k, s, d) in enumerate(zip(size, kernel, steps, gaps)):
        extent = (k - 1) * d + 1
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            total = max(0, (-(-n // s) - 1) * s + extent - n)
            small, large = total // 2, total - total // 2
            before[axis], after[axis] = (small, large) if auto_pad == "SAME_UPPER" else (large, small)
        elif auto_pad == "VALID":
            before[axis] = after[axis] = 0
        room = n + before[axis] + after[axis] - extent
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + before[axis]:
            count -= 1  # a window that would begin behind the image sees nothing
        if count < 1:
            raise ModelFileError(f"{who}: expected an image that a window of {extent} fits, got {n} pixels and pads "
                                 f"{before[axis]} and {after[axis]}")
        outputs.append(count)
    check_size(who, [n + b + a for n, b, a in zip(size, before, after)], np.float32)
    return WindowGrid(tuple(kernel), steps, gaps, tuple(before), tuple(after), tuple(outputs))


def padded(x: np.ndarray, w: WindowGrid, fill: float) -> np.ndarray:
    """Return (N, C, ...) with the border that lets every window fit."""
    size = x.shape[2:]
    border = [(0, 0), (0, 0), *zip(w.before, w.end_padding(size))]
    check_size("a border", [n + sum(b) for n, b in zip(x.shape, border)], x.dtype)
    return np.pad(x, border, constant_values=fill) if any(map(any, border)) else x


def seen(x: np.ndarray, w: WindowGrid) -> np.ndarray:
    """Return a view (N, C, *outputs, *kernel) of a padded array: what every window sees."""
    rank = len(w.kernel)
    axes = tuple(range(2, 2 + rank))
    view = np.lib.stride_tricks.sliding_window_view(x, w.extent, axis=axes)
    starts = [slice(0, (o - 1) * s + 1, s) for o, s in zip(w.outputs, w.strides)]
    return view[(slice(None), slice(None), *starts, *(slice(None, None, d) for d in w.dilations))]


def taps(w: WindowGrid) -> Iterator[tuple[Any, Any]]:
    """Yield each position in the window, and where it lies for all windows on the padded array."""
    for tap in itertools.product(*map(range, w.kernel)):
        yield tap, tuple(slice(t * d, t * d + (o - 1) * s + 1, s)
                         for t, d, o, s in zip(tap, w.dilations, w.outputs, w.strides))


def area(w: WindowGrid) -> int:
    """Return how many elements a window has."""
    return math.prod(w.kernel)
