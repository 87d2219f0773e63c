"""What a mask head learns: which part of a region belongs to its object."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import number
from fastcnn.geometry.arguments import positive as whole
from fastcnn.vision.rcnn.objects import Objects, is_rows
from fastcnn.vision.rcnn.sampled_loss import SampledLoss, overlaps_of, sigmoid
from fastcnn.vision.rcnn.sampling import balanced

_NOBODY = np.empty(0, np.int64)


class MaskLoss(SampledLoss):
    """The loss of the mask head of Mask R-CNN: a cross-entropy of each pixel, of the masks of some regions.

    The targets are maps of instances, (N, H, W) of int, 0 for background, or (N, H, W, 2) with the classes as second
    channel. The outputs are (N, R, 4 + S S K): of each region its box and the logits of masks of S x S pixels for each
    of K classes. A region that overlaps with an object by at least `positive` learns the mask of its class, and no
    other; a pixel of it belongs to the object where the map's pixel at its middle does. `count` such regions of an
    image are drawn; the loss is the mean over their pixels, 0 for an image without any.

    Parameters
    ----------
    classes : int
    count : int
    positive : float
        IoU.
    name : str
    reduction : str
        "sum_over_batch_size": the mean over images. Nothing else is offered.
    dtype : as in `Loss`

    References
    ----------
    He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, section 3.

    Examples
    --------
    >>> instances = np.zeros((1, 8, 8), int)
    >>> instances[0, 2:6, 2:6] = 1
    >>> numbers = np.zeros((1, 1, 4 + 4), "float32")
    >>> numbers[0, 0, :4] = 2, 2, 6, 6
    >>> round(fc.vision.rcnn.MaskLoss()(instances, numbers), 4)  # log 2
    0.6931
    """

    def __init__(self, classes: int = 1, *, count: int = 32, positive: float = 0.5, name: str = "masks",
                 reduction: str = "sum_over_batch_size", dtype: Any = None) -> None:
        super().__init__(count, 1.0, name, reduction, dtype)
        (self.classes,) = whole("MaskLoss", classes=classes)
        self.positive = number(positive, "MaskLoss", "a positive above 0 and up to 1", lambda n: 0 < n <= 1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: value for name, value in super().get_config().items() if name != "share"}

    def classes_of(self, outputs: int) -> int:
        return self.classes

    def require(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or self.side(shape[2]) < 1:
            raise ArgumentError(f"{self.name}: expected outputs (N, regions, 4 + S S {self.classes}), got {shape}; "
                                f"fc.vision.rcnn.mask_rcnn makes such a model")

    def side(self, outputs: int) -> int:
        """Return S for so many numbers of a region; 0 if there is none."""
        side = math.isqrt(max(0, outputs - 4) // self.classes)
        return side if side * side * self.classes + 4 == outputs else 0

    def of_image(self, x: np.ndarray, objects: Objects, target: np.ndarray, generator: np.random.Generator,
                 dx: np.ndarray | None) -> float:
        if is_rows(target):
            raise DataError(f"{self.name}: expected maps of instances (N, H, W) of int, got rows of boxes")
        side, boxes = self.side(x.shape[1]), np.ascontiguousarray(x[:, :4])
        object_of, overlap_of, _, _ = overlaps_of(boxes, objects)
        own, _ = balanced(np.flatnonzero(overlap_of >= self.positive), _NOBODY, self.count, 1.0, generator)
        best = object_of[own]
        inside = masks_within(target if target.ndim == 2 else target[..., 0], boxes[own], objects.numbers[best], side)
        goal = inside.reshape(len(own), side * side).astype(x.dtype)
        pixels = 4 + np.arange(side * side) * self.classes + objects.classes[best][:, None]
        t = x[own[:, None], pixels]
        entropy = np.maximum(t, 0) - t * goal + np.log1p(np.exp(-np.abs(t)))
        if dx is not None:
            dx[own[:, None], pixels] = (sigmoid(t) - goal) / x.dtype.type(max(1, t.size))
        return float(entropy.sum(dtype=np.float64)) / max(1, t.size)


def masks_within(instances: np.ndarray, boxes: np.ndarray, numbers: np.ndarray, side: int) -> np.ndarray:
    """Return which pixels of a grid over each box are the instance's: (B, side, side) of bool.

    Parameters
    ----------
    instances : (H, W) array of int
    boxes : (B, 4) array
    numbers : (B,) array of int
        Of the instance of each box.
    side : int
    """
    middles = (np.arange(side) + 0.5) / side
    across = np.floor(boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * middles).astype(np.int64)
    down = np.floor(boxes[:, 1:2] + (boxes[:, 3:] - boxes[:, 1:2]) * middles).astype(np.int64)
    height, width = instances.shape
    found = instances[down.clip(0, height - 1)[:, :, None], across.clip(0, width - 1)[:, None, :]]
    inside: np.ndarray = found == numbers[:, None, None]
    return inside
