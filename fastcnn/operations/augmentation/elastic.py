"""Pictures whose pixels move by smooth noise."""

import itertools

import numpy as np

from fastcnn import device
from fastcnn.geometry.warp import Size, identities
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.patch import Blur, Patch, gaussian_windows
from fastcnn.operations.augmentation.warp import Warp

_ROUNDS = 8  # of a fixed point


class Elastic(Change):
    """Places move by strength * smoothed noise, normal with a standard deviation of that of the smoothing.

    Parameters
    ----------
    strengths : (N,) array
    smooth : (N,) array
        The standard deviation of the smoothing, in pixels.
    words : (N, 2) int64 array
        Of 32 bits, from which noise counts.
    size : (int, int)
        Height and width of the images.
    geometry : SAMPLING array
    """

    def __init__(self, strengths: np.ndarray, smooth: np.ndarray, words: np.ndarray, size: Size,
                 geometry: np.ndarray) -> None:
        self.strengths, self.smooth, self.words, self.size, self.geometry = strengths, smooth, words, size, geometry
        self._warp: Warp | None = None

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        self._warp = Warp(identities(len(x)), self.size, self.geometry, self._displacements(x))
        return self._warp.images(x)

    def masks(self, masks: np.ndarray) -> np.ndarray:
        return self._warp_of(len(masks)).masks(masks)

    def boxes(self, boxes: list[np.ndarray]) -> list[np.ndarray]:
        """Return what holds the pixels that are sampled within each box; of no width and height without any."""
        moved = device.get(self._warp_of(len(boxes)).displacements)
        return [some if not strength else _held(some, shifts) for some, strength, shifts
                in zip(boxes, self.strengths, moved, strict=True)]  # fmt: skip

    def points(self, points: list[np.ndarray]) -> list[np.ndarray]:
        """Return points p with p + shift(p) = the given ones, to a small part of a pixel where shifts are smooth."""
        moved = device.get(self._warp_of(len(points)).displacements)
        return [some if not strength else _found(some, shifts) for some, strength, shifts
                in zip(points, self.strengths, moved, strict=True)]  # fmt: skip

    def _warp_of(self, count: int) -> Warp:
        if self._warp is None:
            like = np.empty((count, *self.size, 1), np.float32)
            self._warp = Warp(identities(count), self.size, self.geometry, self._displacements(like))
        return self._warp

    def _displacements(self, x: np.ndarray) -> np.ndarray:
        """Return (N, H, W, 2) numbers in the type of x: strength times noise, smoothed."""
        d, n, (h, w) = device.of(x), len(self.words), self.size
        still, whole = d.zeros((n, h, w, 2), x.dtype), np.broadcast_to(np.array([0, 0, h, w]), (n, 4)).copy()
        noise = Patch(whole, self.words, np.zeros(2), self.smooth)
        widths = (6 * self.smooth).astype(np.int64) | 1
        windows = np.zeros((n, int(widths.max(initial=1))))
        for k, width in enumerate(widths):
            begin = (windows.shape[1] - width) // 2
            windows[k, begin:begin + width] = gaussian_windows(int(width), self.smooth[k:k + 1])[0]
        smoothed = Blur(windows, windows * self.strengths[:, None])
        moved: np.ndarray = smoothed.images(noise.images(still)[0])[0]
        return moved


def _found(points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return where points (K, 2) are seen on an image whose pixels are sampled at places shifted by (H, W, 2)."""
    there = np.asarray(points, np.float64)
    for _ in range(_ROUNDS):
        there = points - _shift_at(there, shifts)
    return there


def _shift_at(points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return the shifts at points, mixed of those of the four pixels around each."""
    limits = np.array([shifts.shape[1], shifts.shape[0]])
    place = np.clip(points - 0.5, 0, limits - 1)
    low = np.minimum(place.astype(np.int64), np.maximum(limits - 2, 0))
    high, share = np.minimum(low + 1, limits - 1), place - low
    mixed = np.zeros(points.shape)
    for (x, of_x), (y, of_y) in itertools.product(
            *(((low[:, k], 1 - share[:, k]), (high[:, k], share[:, k])) for k in range(2))):
        mixed += (of_x * of_y)[:, None] * shifts[y, x]
    return mixed


def _held(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return boxes (K, 4) on an image whose pixels are sampled at places shifted by (H, W, 2)."""
    rows, columns = np.mgrid[: shifts.shape[0], : shifts.shape[1]] + 0.5  # the middles of pixels
    x, y = columns + shifts[..., 0], rows + shifts[..., 1]
    found = np.zeros(boxes.shape)
    for k, (left, top, right, bottom) in enumerate(boxes):
        at = np.nonzero((left <= x) & (x < right) & (top <= y) & (y < bottom))
        if at[0].size:
            found[k] = at[1].min(), at[0].min(), at[1].max() + 1, at[0].max() + 1
    return found
