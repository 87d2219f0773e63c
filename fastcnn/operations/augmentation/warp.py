"""Pictures whose pixels come to lie elsewhere."""

import numpy as np

from fastcnn import device
from fastcnn.geometry.warp import EDGE, NEAREST, REFLECT, Size, kept_shares, moved_boxes, moved_points
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change

#: Of size 0: what a picture's colours are not changed by.
NO_TURNS, FREE = np.empty((0, 2)), np.array([-np.inf, np.inf])
NO_MAPS, NO_SCALES = np.empty((0, 0, 1)), np.empty((0, 0))


class Warp(Change):
    """Pixels of the output are sampled at places on the input, found by a matrix.

    Parameters
    ----------
    matrices : (N, 3, 3) array
        As `fastcnn.geometry.warp` makes them.
    size : (int, int)
        Height and width of the output.
    geometry : SAMPLING array
    displacements : (N, height, width, 2) array, optional
        What is added to the places, as (x, y); in the type of the images, on their device.
    inside : int
        Whether the places are pixels of the image (EXACT), within its edges (HALF: half a pixel beyond the middles of
        the outermost), or anywhere (NO). It decides whether what lies outside matters.
    """

    NO, HALF, EXACT = range(3)

    def __init__(self, matrices: np.ndarray, size: Size, geometry: np.ndarray,
                 displacements: np.ndarray | None = None, inside: int = NO) -> None:
        self.matrices, self.size, self.geometry, self.displacements = matrices, size, geometry, displacements
        self.inside = inside

    def size_after(self, size: Size) -> Size:
        return self.size

    def then(self, other: "Warp") -> "Warp | None":
        """Return both in one sampling, or None where that would be another picture: they fill what lies outside alike.

        What one has cut off is still there for the other: of a part that is turned, the corners show the picture.
        """
        if self.displacements is not None or other.displacements is not None:
            return None
        one, two = self.geometry[0], other.geometry[0]
        if self.inside == Warp.EXACT or other.inside == Warp.EXACT or one == two:
            geometry = other.geometry if self.inside == Warp.EXACT else self.geometry
        elif one["interpolation"] == two["interpolation"] and Warp.HALF in (self.inside, other.inside):
            rest = other if self.inside == Warp.HALF else self
            if rest.geometry[0]["fill_mode"] not in (EDGE, REFLECT):
                return None
            geometry = rest.geometry
        else:
            return None
        return Warp(self.matrices @ other.matrices, other.size, geometry, inside=min(self.inside, other.inside))

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        d, shape = device.of(x), x.shape
        matrices = d.put(self.matrices.reshape(-1, 9))
        moved = d.empty((0, 0, 0, 2), x.dtype) if self.displacements is None else self.displacements
        y = d.empty((shape[0], *self.size, shape[3]), x.dtype)
        d.kernels.augment(y, x, matrices, moved, *map(d.put, (NO_MAPS, NO_TURNS, NO_MAPS)), FREE, d.put(NO_SCALES),
                          self.geometry)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(shape, dy.dtype)
            d.kernels.warp_backward(dx, dy, matrices, moved, self.geometry)
            return dx

        return y, backward

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Return masks sampled at the nearest pixel, which invents no class, in their own type."""
        kind = np.dtype(np.float32 if masks.dtype.itemsize < 4 or masks.dtype == np.float32 else np.float64)
        geometry = self.geometry.copy()
        geometry["interpolation"] = NEAREST
        moved = None if self.displacements is None else device.get(self.displacements).astype(kind)
        nearest = Warp(self.matrices, self.size, geometry, moved)
        return device.get(nearest.images(np.ascontiguousarray(masks, kind))[0]).astype(masks.dtype)

    def boxes(self, boxes: list[np.ndarray]) -> list[np.ndarray]:
        """Return what holds the corners of each box, where the matrix takes them."""
        return [moved_boxes(some, matrix, self.size) for some, matrix in zip(boxes, self.matrices, strict=True)]

    def shares_left(self, boxes: list[np.ndarray]) -> list[np.ndarray]:
        return [kept_shares(some, matrix, self.size) for some, matrix in zip(boxes, self.matrices, strict=True)]

    def points(self, points: list[np.ndarray]) -> list[np.ndarray]:
        return [moved_points(some, matrix) for some, matrix in zip(points, self.matrices, strict=True)]


