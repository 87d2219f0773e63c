"""What the heads of an R-CNN learn: which class a region is of, and where its object really is."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.vision.rcnn.objects import Objects
from fastcnn.vision.rcnn.sampled_loss import SampledLoss, box_loss, overlaps_of
from fastcnn.vision.rcnn.sampling import balanced


def numbers_of(classes: int) -> int:
    """Return how many numbers a region has: its box, a logit for background and each class, four offsets of each."""
    return 5 + 5 * classes


class RegionLoss(SampledLoss):
    """The loss of the heads of Fast and Faster R-CNN: classes by cross-entropy, boxes by smooth L1, of some regions.

    The targets are rows x1, y1, x2, y2, class [, kind] of each image, or maps of instances. The outputs are
    (N, R, 5 + 5 K) for K classes: of each region its box, the logits of background and of each class, and for each
    class the offsets of the object from the box. A region has the object with which it overlaps most, if by at least
    `positive`; else it is background, but for those in a crowd. `count` regions of an image are drawn, at most the
    `share` of them with an object::

        mean over drawn of the cross-entropy + box_gain (sum over those with an object of smooth L1) / drawn

    Regions without area fill up and are passed over. An image without objects is background; one without regions has
    the loss 0.

    Parameters
    ----------
    count : int
    share : float
    positive : float
        IoU.
    box_gain : float
    name : str
    reduction : str
        "sum_over_batch_size": the mean over images. Nothing else is offered.
    dtype : as in `Loss`

    References
    ----------
    Girshick: Fast R-CNN, 2015, section 2.3.

    Examples
    --------
    >>> loss = fc.vision.rcnn.RegionLoss()
    >>> numbers = np.zeros((1, 2, 10), "float32")
    >>> numbers[0, 0, :4] = 0, 0, 8, 8                               # the other has no area
    >>> round(loss(np.array([[[0, 0, 8, 8, 0]]], "float32"), numbers), 4)  # log 2
    0.6931
    """

    def __init__(self, *, count: int = 64, share: float = 0.25, positive: float = 0.5, box_gain: float = 1.0,
                 name: str = "regions", reduction: str = "sum_over_batch_size", dtype: Any = None) -> None:
        super().__init__(count, share, name, reduction, dtype)
        self.positive = number(positive, "RegionLoss", "a positive above 0 and up to 1", lambda n: 0 < n <= 1)
        self.box_gain = number(box_gain, "RegionLoss", "a box_gain of at least 0", lambda n: n >= 0)

    def classes_of(self, outputs: int) -> int:
        return (outputs - 5) // 5

    def require(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or shape[2] < numbers_of(1) or shape[2] % 5:
            raise ArgumentError(f"{self.name}: expected outputs (N, regions, 5 + 5 classes), got {shape}; "
                                f"fc.vision.rcnn.faster_rcnn makes such a model")

    def of_image(self, x: np.ndarray, objects: Objects, target: np.ndarray, generator: np.random.Generator,
                 dx: np.ndarray | None) -> float:
        kinds, boxes = self.classes_of(x.shape[1]), np.ascontiguousarray(x[:, :4])
        object_of, overlap_of, _, crowded = overlaps_of(boxes, objects)
        own, real = overlap_of >= self.positive, (boxes[:, 2:] > boxes[:, :2]).all(1)
        drawn = balanced(np.flatnonzero(own), np.flatnonzero(real & ~own & ~crowded), self.count, self.share, generator)
        places, count = np.concatenate(drawn), max(1, sum(map(len, drawn)))
        best = object_of[drawn[0]]
        goal = np.zeros(len(places), np.int64)
        goal[:len(best)] = 1 + objects.classes[best]
        logits = x[places, 4:5 + kinds]
        logits = logits - logits.max(1, keepdims=True, initial=-np.inf)
        shares = np.exp(logits)
        total = shares.sum(1, keepdims=True)
        entropy = np.log(total[:, 0]) - logits[np.arange(len(places)), goal]
        offsets = 5 + kinds + 4 * (goal[:len(best), None] - 1) + np.arange(4)
        t = x[drawn[0][:, None], offsets]
        away, slopes = box_loss(t, objects.boxes[best], boxes[drawn[0]], count)
        if dx is not None:
            shares /= total
            shares[np.arange(len(places)), goal] -= 1
            dx[places, 4:5 + kinds] = shares / x.dtype.type(count)
            dx[drawn[0][:, None], offsets] = x.dtype.type(self.box_gain) * slopes
        return float(entropy.sum(dtype=np.float64)) / count + self.box_gain * away
