"""Pictures of any size as images of one: a part or the whole with a border, resized."""

import numpy as np

from fastcnn import device
from fastcnn.geometry import framing, warp
from fastcnn.geometry.interpolation import Interpolation, interpolation_taps
from fastcnn.geometry.resize import pad3d
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.warp import Warp
from fastcnn.operations.padding import pad
from fastcnn.operations.resize import resize

_NEAREST = Interpolation("nearest", rounding="round_prefer_ceil")


class Frame(Change):
    """A border around images, or cut off, and then another size.

    Parameters
    ----------
    old, new : (int, int)
        Height and width before and after.
    border : ((int, int), (int, int))
        Of negative numbers where something is cut off.
    how : Interpolation
        Nearest, linear or cubic, at the middles of pixels.
    fill_value : float
        Of the border.
    """

    def __init__(self, old: framing.Size, new: framing.Size, border: framing.Border, how: Interpolation,
                 fill_value: float = 0.0) -> None:
        self.old, self.size, self.border, self.how, self.fill_value = old, new, border, how, fill_value

    def size_after(self, size: framing.Size) -> framing.Size:
        return self.size

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        n, h, w, c = x.shape
        first: Backward | None = None
        if self.border != framing.NO_BORDER:
            geometry = pad3d((n, 1, h, w, c), ((0, 0), *self.border), "zero", "Frame", self.fill_value)
            x, first = pad(x, geometry, (n, *framing.with_border((h, w), self.border), c))
        if x.shape[1:3] == self.size:
            return x, (lambda dy: dy) if first is None else first
        y, second = resize(x, [interpolation_taps(old, new, new / old, self.how, x.dtype.name)
                               for old, new in zip(x.shape[1:3], self.size, strict=True)])
        return y, second if first is None else lambda dy: first(second(dy))

    def masks(self, masks: np.ndarray) -> np.ndarray:
        kind = np.dtype(np.float32 if masks.dtype.itemsize < 4 or masks.dtype == np.float32 else np.float64)
        nearest = Frame(self.old, self.size, self.border, _NEAREST, self.fill_value)
        return device.get(nearest.images(np.ascontiguousarray(masks, kind))[0]).astype(masks.dtype)

    def boxes(self, boxes: list[np.ndarray]) -> list[np.ndarray]:
        return [warp.moved_boxes(some, self.matrix, self.size) for some in boxes]

    def shares_left(self, boxes: list[np.ndarray]) -> list[np.ndarray]:
        return [warp.kept_shares(some, self.matrix, self.size) for some in boxes]

    def points(self, points: list[np.ndarray]) -> list[np.ndarray]:
        return [warp.moved_points(some, self.matrix) for some in points]

    @property
    def matrix(self) -> np.ndarray:
        """The (3, 3) matrix from pixels of the output to those of the input."""
        framed = framing.with_border(self.old, self.border)
        there = warp.translations(*(np.array([float(side[0])]) for side in (self.border[1], self.border[0])))
        both: np.ndarray = there @ warp.resizings(1, framed, self.size)
        one: np.ndarray = both[0]
        return one

    def as_warp(self, count: int) -> Warp | None:
        """Return the same for `count` images as what a matrix does; None where outputs are other mixtures."""
        if self.how.mode == "cubic" or self.how.antialias:
            return None
        interpolation = "nearest" if self.how.mode == "nearest" else "bilinear"
        is_padded = max(map(max, self.border)) > 0
        geometry = warp.sampling(interpolation, "constant" if is_padded else "nearest", self.fill_value)
        if framing.with_border(self.old, self.border) == self.size and not is_padded:
            inside = Warp.EXACT
        else:
            inside = Warp.NO if is_padded else Warp.HALF
        return Warp(np.broadcast_to(self.matrix, (count, 3, 3)), self.size, geometry, inside=inside)
