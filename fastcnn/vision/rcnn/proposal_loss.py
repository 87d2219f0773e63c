"""What a region proposal network learns: which anchors have an object, and where it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.objects import Objects
from fastcnn.vision.rcnn.sampled_loss import SampledLoss, box_loss, overlaps_of, sigmoid
from fastcnn.vision.rcnn.sampling import balanced


class ProposalLoss(SampledLoss):
    """The loss of a region proposal network: objectness by cross-entropy, boxes by smooth L1, of some of the anchors.

    The targets are rows x1, y1, x2, y2, class [, kind] of each image, or maps of instances; the outputs those of an
    `AnchorGrid`, (N, A, 5). An anchor has an object if it overlaps with one by at least `positive`, or is the one that
    overlaps with an object most; none if it overlaps with all by less than `negative`. `count` anchors of an image are
    drawn, at most the `share` of them with an object::

        mean over drawn of the cross-entropy + box_gain (sum over those with an object of smooth L1) / drawn

    What is drawn is a function of the training's seed, the step and the place in the batch. An image without objects
    is background.

    Parameters
    ----------
    grid : AnchorGrid
    count : int
    share : float
        1/2: as many without an object as with one.
    positive, negative : float
        IoU.
    box_gain : float
    name : str
    reduction : str
        "sum_over_batch_size": the mean over images. Nothing else is offered.
    dtype : as in `Loss`

    References
    ----------
    Ren, He, Girshick, Sun: Faster R-CNN, 2015, section 3.1.2.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((32, 32), [[16, 16]], stride=16)
    >>> loss = fc.vision.rcnn.ProposalLoss(grid)
    >>> nothing = np.full((1, 1, 5), -1.0, "float32")
    >>> round(loss(nothing, np.zeros((1, 4, 5), "float32")), 4)  # log 2
    0.6931
    """

    def __init__(self, grid: Any, *, count: int = 256, share: float = 0.5, positive: float = 0.7, negative: float = 0.3,
                 box_gain: float = 1.0, name: str = "proposals", reduction: str = "sum_over_batch_size",
                 dtype: Any = None) -> None:
        super().__init__(count, share, name, reduction, dtype)
        self.grid = AnchorGrid(**grid) if isinstance(grid, Mapping) else grid
        if not isinstance(self.grid, AnchorGrid):
            raise ArgumentError(f"ProposalLoss: expected an AnchorGrid, got {type(grid).__name__}")
        self.positive, self.negative = (number(value, "ProposalLoss", f"a {what} from 0 to 1", lambda n: 0 <= n <= 1)
                                        for what, value in (("positive", positive), ("negative", negative)))
        if self.negative > self.positive:
            raise ArgumentError(f"ProposalLoss: expected negative <= positive, got {negative} and {positive}")
        self.box_gain = number(box_gain, "ProposalLoss", "a box_gain of at least 0", lambda n: n >= 0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"grid": self.grid.get_config()}

    def require(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or shape[1:] != (len(self.grid), 5):
            raise ArgumentError(f"{self.name}: expected outputs (N, {len(self.grid)}, 5) for {self.grid}, got {shape}; "
                                f"fc.vision.rcnn.faster_rcnn makes such a model")

    def of_image(self, x: np.ndarray, objects: Objects, target: np.ndarray, generator: np.random.Generator,
                 dx: np.ndarray | None) -> float:
        anchors = self.grid.boxes.astype(x.dtype, copy=False)
        object_of, overlap_of, best_of_objects, crowded = overlaps_of(anchors, objects)
        own = overlap_of >= self.positive
        own[best_of_objects] = True
        none = (overlap_of < self.negative) & ~own & ~crowded
        drawn = balanced(np.flatnonzero(own), np.flatnonzero(none), self.count, self.share, generator)
        places, count = np.concatenate(drawn), max(1, sum(map(len, drawn)))
        goal = np.zeros(len(places), x.dtype)
        goal[:len(drawn[0])] = 1
        t = x[places, 4]
        entropy = np.maximum(t, 0) - t * goal + np.log1p(np.exp(-np.abs(t)))
        away, slopes = box_loss(x[drawn[0], :4], objects.boxes[object_of[drawn[0]]], anchors[drawn[0]], count)
        if dx is not None:
            dx[places, 4] = (sigmoid(t) - goal) / x.dtype.type(count)
            dx[drawn[0], :4] = x.dtype.type(self.box_gain) * slopes
        return float(entropy.sum(dtype=np.float64)) / count + self.box_gain * away
