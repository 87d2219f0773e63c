"""Four pictures in one, with the boxes of all four."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number, positive
from fastcnn.operations.augmentation.draws import Draws

_PICTURES = 4


class Mosaic:
    """The first step of a `Pipeline`: in training a picture is joined with three others of the data set at a point.

    Each of the four touches the point with a corner, is as large as it was, and cut off at the borders of the picture::

        +-----+---------+
        |  a  |    b    |      a: its lower right part, b: its lower left one,
        +-----+---------+      c: its upper right one,  d: its upper left one
        |  c  |    d    |
        +-----+---------+

    Boxes follow and are cut off at the borders of their part; masks follow, too. Other layers of the pipeline change
    the whole afterwards. Which pictures and which point is a function of (seed, epoch, number of the picture) and of
    how many pictures there are. `fit` has to know all of them: arrays, no batches of whoever's.

    Parameters
    ----------
    share : float
        Of the pictures that are joined; the others stay as they are.
    middle : (float, float)
        Between which shares of width and height the point lies.
    epochs : int, optional
        Only in the first so many: the last ones then train on pictures as they are.

    Raises
    ------
    ArgumentError
        Shares that are not from 0 to 1.

    References
    ----------
    Bochkovskiy, Wang, Liao: YOLOv4, 2020, section 3.3.

    Examples
    --------
    >>> mosaic = fc.augmentation.Mosaic(share=0.5, epochs=40)
    >>> pipeline = fc.augmentation.Pipeline([layers.RandomFlip()], seed=1, mosaic=mosaic)
    """

    def __init__(self, share: float = 1.0, middle: tuple[float, float] = (0.25, 0.75),
                 epochs: int | None = None) -> None:
        self.share = number(share, "Mosaic", "a share from 0 to 1", lambda n: 0 <= n <= 1)
        if not isinstance(middle, (tuple, list)) or len(middle) != 2:
            raise ArgumentError(f"Mosaic: expected a middle (lowest, highest), two shares, got {middle!r}")
        low, high = (number(one, "Mosaic", "shares from 0 to 1 in middle", lambda n: 0 <= n <= 1) for one in middle)
        if low > high:
            raise ArgumentError(f"Mosaic: expected a middle (lowest, highest), got {middle!r}")
        self.middle = low, high
        self.epochs = None if epochs is None else positive("Mosaic", epochs=epochs)[0]

    def tiles(self, draws: Draws, numbers: np.ndarray, count: int, size: tuple[int, int], epoch: int
              ) -> "MosaicTiles | None":
        """Return of what the pictures of a batch are made in an epoch; None where all stay as they are.

        Parameters
        ----------
        draws : Draws
        numbers : (N,) array of int
            Of the pictures.
        count : int
            How many pictures there are.
        size : (int, int)
            Height and width of all.
        epoch : int
        """
        if self.epochs is not None and epoch >= self.epochs:
            return None
        joined = draws.chance(self.share)
        of = np.column_stack([numbers, *(draws.below(count) for _ in range(_PICTURES - 1))])
        at = np.column_stack([np.rint(length * draws.uniform(*self.middle)) for length in size[::-1]]).astype(np.int64)
        of[~joined], at[~joined] = numbers[~joined, None], size[::-1]
        return MosaicTiles(of, at, size)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"share": self.share, "middle": self.middle, "epochs": self.epochs}

    def __repr__(self) -> str:
        return f"Mosaic({', '.join(f'{name}={value!r}' for name, value in self.get_config().items())})"


class MosaicTiles(NamedTuple):
    """Of which pictures each of N is made.

    Attributes
    ----------
    numbers : (N, 4) int64 array
        Pictures at the upper left, upper right, lower left and lower right; the first is the picture itself.
    points : (N, 2) int64 array
        Column and row where they touch; the lower right corner where the picture stays as it is.
    size : (int, int)
        Height and width.
    """

    numbers: np.ndarray
    points: np.ndarray
    size: tuple[int, int]

    def joined(self, own: np.ndarray, read: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return pictures put together.

        Parameters
        ----------
        own : (N, H, W, ...) array
            Pictures as they are, or masks.
        read : function
            From numbers (K,) to such an array.
        """
        parts = [(n, k) for n in range(len(own)) for k in range(1, _PICTURES) if self._area(n, k)]
        if not parts:
            return own
        others = read(np.array([self.numbers[n, k] for n, k in parts]))
        y = device.of(own).empty(own.shape, own.dtype)
        for n in range(len(own)):
            self._paste(y[n], own[n], n, 0)
        for (n, k), other in zip(parts, others, strict=True):
            self._paste(y[n], other, n, k)
        return y

    def boxes(self, rows_of: Callable[[np.ndarray], Sequence[np.ndarray]]) -> tuple[list[np.ndarray], list[Any]]:
        """Return rows of boxes (K, C) of each picture, cut off, and which share of its area is left of each box.

        Parameters
        ----------
        rows_of : function
            From numbers to the rows of these pictures, x1, y1, x2, y2 first.
        """
        each, shares = list[np.ndarray](), list[Any]()
        for n, numbers in enumerate(self.numbers):
            some, left = list[np.ndarray](), list[np.ndarray]()
            for k, rows in enumerate(rows_of(numbers)):
                (top, bottom, down), (begin, end, right) = self._spans(n, k)
                moved = rows.copy()
                whole = np.add(rows[:, :4], (right, down, right, down), dtype=np.float64)
                kept = np.clip(whole, [begin, top, begin, top], [end, bottom, end, bottom])
                before, after = (np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (whole, kept))
                moved[:, :4] = kept
                shown = (kept[:, 2:] > kept[:, :2]).all(axis=1)
                some.append(moved[shown])
                left.append(after[shown] / before[shown])
            each.append(np.concatenate(some))
            shares.append(np.concatenate(left))
        return each, shares

    def _spans(self, n: int, k: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return where a part of picture n begins and ends, and how far its picture is moved: rows, then columns."""
        spans = list[tuple[int, int, int]]()
        for point, length, later in zip(self.points[n, ::-1].tolist(), self.size, (k // 2, k % 2), strict=True):
            spans.append((point, length, point) if later else (0, point, point - length))
        return spans[0], spans[1]

    def _area(self, n: int, k: int) -> int:
        (top, bottom, _), (begin, end, _) = self._spans(n, k)
        return (bottom - top) * (end - begin)

    def _paste(self, y: np.ndarray, picture: np.ndarray, n: int, k: int) -> None:
        (top, bottom, down), (begin, end, right) = self._spans(n, k)
        y[top:bottom, begin:end] = picture[top - down : bottom - down, begin - right : end - right]
