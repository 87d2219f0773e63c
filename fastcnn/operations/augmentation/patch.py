"""Boxes of pictures filled with a colour or with noise, pictures mixed with others, and blurred ones."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import DataError
from fastcnn.geometry.warp import Size
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.warp import FREE


class Patch(Change):
    """Within a box of each image min(max(kept x + color + stddev z, low), high), with normal z.

    Parameters
    ----------
    boxes : (N, 4) int64 array
        Top, left, bottom and right, the last two beyond it.
    words : (N, 2) int64 array
        Of 32 bits, from which noise counts.
    colors : (C,) array
    stddevs : (N,) array
    kept : float
    bounds : (float, float)
        Where something is kept none: its gradient is not looked at for them.
    """

    def __init__(self, boxes: np.ndarray, words: np.ndarray, colors: np.ndarray, stddevs: np.ndarray,
                 kept: float = 0.0, bounds: tuple[float, float] = (-np.inf, np.inf)) -> None:
        self.boxes_filled, self.words, self.colors, self.stddevs = boxes, words, colors, stddevs
        self.kept, self.bounds = kept, bounds

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        d, bounds = device.of(x), np.array(self.bounds, np.float64)
        boxes, words, colors, stddevs = map(d.put, (self.boxes_filled, self.words, self.colors, self.stddevs))
        y = d.empty(x.shape, x.dtype)
        d.kernels.fill_boxes(y, x, boxes, words, colors, stddevs, self.kept, bounds)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(x.shape, dy.dtype)
            d.kernels.fill_boxes(dx, dy, boxes, words, d.put(0 * self.colors), d.put(0 * self.stddevs), self.kept, FREE)
            return dx

        return y, backward


class Mixture(Change):
    """Each image mixed with its partner: a x + (1 - a) x_partner, but within a box the partner alone.

    Parameters
    ----------
    partners : (N,) int64 array
        A permutation.
    weights : (N,) array
        a.
    boxes : (N, 4) int64 array
    size : (int, int)
        Height and width of the images: how much of them a box is.
    """

    def __init__(self, partners: np.ndarray, weights: np.ndarray, boxes: np.ndarray, size: Size) -> None:
        self.partners, self.weights, self.pasted = partners, weights, boxes
        top, left, bottom, right = boxes.T
        self.shares = weights * (1 - (bottom - top) * (right - left) / (size[0] * size[1]))

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        d = device.of(x)
        weights, boxes, partners, sources = map(d.put, (self.weights, self.pasted, self.partners,
                                                        np.argsort(self.partners)))
        y = d.empty(x.shape, x.dtype)
        d.kernels.mix_images(y, x, partners, weights, boxes)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(x.shape, dy.dtype)
            d.kernels.mix_images_backward(dx, dy, sources, weights, boxes)
            return dx

        return y, backward

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Return masks with the partner's in the box; by weights only shares can be mixed, no integers."""
        if (self.weights != 1).any() and masks.dtype.kind != "f":
            raise DataError(f"MixUp: expected masks of shares, one-hot floats, got {masks.dtype}; classes by number "
                            f"cannot be mixed")
        y = masks.copy()
        for n, (top, left, bottom, right) in enumerate(self.pasted):
            a, other = self.weights[n], masks[self.partners[n]]
            if a != 1:
                y[n] = a * masks[n] + (1 - a) * other
            y[n, top:bottom, left:right] = other[top:bottom, left:right]
        return y

    def boxes(self, boxes: list[Any]) -> list[Any]:
        raise DataError("MixUp, CutMix: expected no boxes, since a mixture has those of two images; mix after training "
                        "targets are made of them, or leave the layer out")

    def labels(self, labels: np.ndarray) -> np.ndarray:
        """Return labels mixed as much as the images: by the weight, and by the part that the box leaves."""
        if labels.size == len(labels) and labels.dtype.kind in "iu":
            raise DataError("MixUp, CutMix: expected one-hot labels, which can be mixed, got classes by number; "
                            "make them with fc.utils.to_categorical(labels)")
        share = self.shares.reshape(-1, *(1,) * (labels.ndim - 1))
        kind = labels.dtype if labels.dtype.kind == "f" else np.dtype(np.float32)
        mixed: np.ndarray = (share * labels + (1 - share) * labels[self.partners]).astype(kind)
        return mixed


class Blur(Change):
    """Images blurred by a window along rows and one along columns, each its own mirror image.

    Parameters
    ----------
    vertical, horizontal : (N, R), (N, S) arrays
        R and S are odd.
    """

    def __init__(self, vertical: np.ndarray, horizontal: np.ndarray) -> None:
        self.vertical, self.horizontal = vertical, horizontal

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        return self._blurred(x), self._blurred

    def _blurred(self, x: np.ndarray) -> np.ndarray:
        d = device.of(x)
        y, scratch = d.empty(x.shape, x.dtype), d.empty(x.shape, x.dtype)
        vertical, horizontal = (d.put(np.ascontiguousarray(one, x.dtype)) for one in (self.vertical, self.horizontal))
        d.kernels.blur(y, scratch, x, vertical, horizontal)
        return y


def gaussian_windows(size: int, stddevs: np.ndarray) -> np.ndarray:
    """Return for each standard deviation, (N,), a window of a size that sums to 1, (N, size); of 0 the pixel itself."""
    places = np.arange(size) - (size - 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        windows = np.where(places == 0, 1.0, np.exp(-0.5 * (places / stddevs[:, None]) ** 2))
    windows = np.where(np.isfinite(windows), windows, 0.0)
    normed: np.ndarray = windows / windows.sum(axis=1, keepdims=True)
    return normed
