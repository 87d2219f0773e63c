"""What the losses of a two-stage detector have in common: images one by one, with their objects and their draws."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import number, positive
from fastcnn.losses import Loss
from fastcnn.losses.finite_parts import require_finite
from fastcnn.operations import boxes as operations
from fastcnn.vision.boxes.anchoring import SCALES
from fastcnn.vision.rcnn.objects import Objects, check_objects, objects_of
from fastcnn.vision.rcnn.sampling import draws

_SCALES = np.array(SCALES)


class SampledLoss(Loss):
    """The base of losses that are the mean over images of something that is drawn anew in each step.

    Parameters
    ----------
    count : int
        How many places of an image are drawn.
    share : float
        Of them that may have an object.
    name, reduction, dtype : as in `Loss`
    """

    draws = True

    def __init__(self, count: int, share: float, name: str, reduction: str, dtype: Any) -> None:
        super().__init__(name, reduction, dtype)
        who = type(self).__name__
        if reduction != "sum_over_batch_size":
            raise ArgumentError(f"{who}: expected reduction 'sum_over_batch_size', got {reduction!r}")
        (self.count,) = positive(who, count=count)
        self.share = number(share, who, "a share from 0 to 1", lambda n: 0 <= n <= 1)

    def forward(self, y_true: Any, y_pred: Any, wants_gradient: bool = True, sample_weight: Any = None,
                draw: tuple[int, int] = (0, 0)) -> tuple[Any, Any]:
        """As `fastcnn.losses.Loss.forward`, for what a seed and a step draw."""
        self.require(tuple(y_pred.shape))
        d, n = device.of(y_pred), len(y_pred)
        targets, x = device.get(y_true), device.get(y_pred)
        if len(targets) != n:
            raise DataError(f"{self.name}: expected the objects of each of {n} images, got those of {len(targets)}")
        weights = np.ones(n) if sample_weight is None else np.asarray(device.get(sample_weight), np.float64)
        if weights.shape != (n,):
            raise ArgumentError(f"{self.name}: expected a sample_weight for each image, ({n},), got {weights.shape}")
        losses = np.zeros(n, x.dtype)
        dx = d.zeros(x.shape if wants_gradient else (0, *x.shape[1:]), x.dtype)
        gradient = device.get(dx)
        for k in range(n):
            losses[k] = weights[k] * self.of_image(x[k], objects_of(targets[k], x.dtype), targets[k],
                                                   draws(*draw, k), gradient[k] if wants_gradient else None)
            if wants_gradient:
                gradient[k] *= x.dtype.type(weights[k] / n)
        require_finite(self.name, (self.name,), losses[None])
        return d.put(losses), (d.put(gradient) if wants_gradient else None)

    def require(self, shape: tuple[int, ...]) -> None:
        """Raise ArgumentError for outputs of another shape than the loss is for."""
        raise NotImplementedError

    def of_image(self, x: np.ndarray, objects: Objects, target: np.ndarray, generator: np.random.Generator,
                 dx: np.ndarray | None) -> float:
        """Return the loss of an image; its gradient is written into `dx`, which holds zeros."""
        raise NotImplementedError

    def check(self, y_true: Any, outputs: int) -> None:
        check_objects(y_true, self.classes_of(outputs), self.name)

    def classes_of(self, outputs: int) -> int | None:
        """Return how many classes there are for so many outputs a place; None if they do not matter."""
        return None


def overlaps_of(boxes: np.ndarray, objects: Objects) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each box its best object and their IoU, the best boxes of objects, and which lie in a crowd.

    An object with which nothing overlaps has no best box.

    Parameters
    ----------
    boxes : (B, 4) array
    objects : Objects
    """
    d = device.current()
    object_of, overlap_of, box_of, best_of = map(d.get, operations.match_boxes(d.put(boxes), d.put(objects.boxes)))
    crowded = np.zeros(len(boxes), bool)
    if len(objects.crowds):
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        for x1, y1, x2, y2 in objects.crowds:
            crowded |= (middles >= (x1, y1)).all(1) & (middles < (x2, y2)).all(1)
    return object_of, overlap_of, box_of[best_of > 0], crowded


def box_loss(t: np.ndarray, boxes: np.ndarray, anchors: np.ndarray, divisor: float
             ) -> tuple[float, np.ndarray]:
    """Return the smooth L1 loss of offsets from anchors to boxes, summed and divided, and its gradient.

    With d the difference of a number from `fastcnn.vision.boxes.encode`: d^2 / 2 where |d| < 1, else |d| - 1/2
    (Girshick, "Fast R-CNN", 2015, equation 3).

    Parameters
    ----------
    t, boxes, anchors : (P, 4) arrays
    divisor : float
    """
    d = device.current()
    away = t - d.get(operations.encode_boxes(d.put(boxes), d.put(anchors), _SCALES))
    size = np.abs(away)
    values = np.where(size < 1, away * away / 2, size - 0.5)
    return float(values.sum(dtype=np.float64)) / divisor, np.clip(away, -1, 1) / t.dtype.type(divisor)


def sigmoid(t: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-t)), which never overflows."""
    away = np.exp(-np.abs(t))
    return np.where(t >= 0, 1, away) / (1 + away)
