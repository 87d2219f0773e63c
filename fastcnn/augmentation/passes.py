"""Changes gathered into passes over the pictures: where pixels lie is one matrix, what becomes of colours another.

    flip, rotate, move | brighten, contrast | turn the hue | gray          ->  one pass
    M = M1 M2 M3         A2 (A1 x + b1) + b2   hue, saturation   A3 x + b3

Maps of colours are affine, and sampling is a mean with weights that sum to 1, so it does not matter which comes first.
Colours are kept within their bounds once, at the end. What fits none of this is a change by itself, between two passes.
"""

import numpy as np

from fastcnn import device
from fastcnn.geometry.warp import CONSTANT, identities, sampling
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor, Turn, channel_means
from fastcnn.operations.augmentation.frame import Frame
from fastcnn.operations.augmentation.warp import FREE, NO_MAPS, NO_SCALES, NO_TURNS, Warp

_FLOAT32 = np.dtype(np.float32)


class Pass:
    """Some changes of N images, done at once.

    Attributes
    ----------
    warp : Warp or None
        Where pixels lie.
    before, after : list of Recolor
        Affine maps of colours, before and after hue and saturation.
    turn : Turn or None
        Hue and saturation.
    """

    def __init__(self) -> None:
        self.warp: Warp | None = None
        self.before: list[Recolor] = []
        self.turn: Turn | None = None
        self.after: list[Recolor] = []

    def takes(self, change: Change) -> bool:
        """Take a change in, if it can be done in this pass after what is there; return whether it can."""
        if isinstance(change, Warp):
            return self._takes_warp(change)
        if isinstance(change, Recolor):
            if self.turn is not None and change.of_mean is not None:
                return False  # the mean behind another hue is not known beforehand
            (self.before if self.turn is None else self.after).append(change)
            return True
        if isinstance(change, Turn):
            if self.after:
                return False
            if self.turn is not None:
                turns = np.stack([self.turn.turns[:, 0] + change.turns[:, 0],
                                  self.turn.turns[:, 1] * change.turns[:, 1]], axis=1)
                change = Turn(turns, (max(self.turn.bounds[0], change.bounds[0]), np.inf))
            self.turn = change
            return True
        return False

    def _takes_warp(self, change: Warp) -> bool:
        colored = bool(self.before or self.turn or self.after)
        if change.displacements is not None or (colored and (self.turn is not None or _fills(change))):
            return False  # a constant would be coloured, and another hue is no affine map
        joined = change if self.warp is None else self.warp.then(change)
        if joined is None:
            return False
        self.warp = joined
        return True

    def images(self, x: np.ndarray, scales: np.ndarray = NO_SCALES) -> np.ndarray:
        """Return float32 images, of uint8 or float32 ones, brought to scales (s, t) at the end: (2, C) array."""
        d, (n, h, w, c) = device.of(x), x.shape
        warp = self.warp or Warp(identities(n), (h, w), sampling(), inside=Warp.EXACT)
        y = d.empty((n, *warp.size, c), _FLOAT32)
        means = channel_means(d.lend(x)) if any(one.of_mean is not None for one in self.before) else None
        turns = NO_TURNS if self.turn is None else self.turn.turns
        matrices, before, turns, after, scales = map(d.put, (
            np.ascontiguousarray(warp.matrices).reshape(-1, 9), _composed(self.before, means), np.ascontiguousarray(
                turns), _composed(self.after, None), scales))
        d.kernels.augment(y, d.lend(x), matrices, d.empty((0, 0, 0, 2), _FLOAT32), before, turns, after,
                          self._bounds(), scales, warp.geometry)
        return y

    def _bounds(self) -> np.ndarray:
        bounds = [one.bounds for one in (*self.before, *self.after)]
        if self.turn is not None:
            bounds.append(self.turn.bounds)
        if not bounds:
            return FREE
        return np.array([max(low for low, _ in bounds), min(high for _, high in bounds)])


def passes(changes: list[Change], count: int) -> list["Pass | Change"]:
    """Return changes of `count` images as passes, with those between that are none."""
    done: list[Pass | Change] = []
    for change in changes:
        if isinstance(change, Frame):
            change = change.as_warp(count) or change
        if not (done and isinstance(done[-1], Pass) and done[-1].takes(change)):
            fresh = Pass()
            done.append(fresh if fresh.takes(change) else change)
    return done


def _fills(warp: Warp) -> bool:
    return warp.inside == Warp.NO and bool(warp.geometry[0]["fill_mode"] == CONSTANT)


def _composed(maps: list[Recolor], means: np.ndarray | None) -> np.ndarray:
    """Return affine maps one after the other as one, (N, C, C + 1); `means` are those of the images before all."""
    whole: np.ndarray | None = None
    for one in maps:
        new = one.maps(means)
        c = new.shape[1]
        if whole is None:
            whole = new
        else:
            factors = new[..., :c] @ whole[..., :c]
            whole = np.concatenate([factors, new[..., :c] @ whole[..., c:] + new[..., c:]], axis=2)
        if means is not None:
            means = (new[..., :c] @ means[..., None])[..., 0] + new[..., c]
    return NO_MAPS if whole is None else np.ascontiguousarray(whole)
