"""What the numbers of regions mean: boxes and scores, of arrays and of symbolic tensors."""

from typing import Any

import numpy as np

from fastcnn import ops
from fastcnn.vision.boxes.anchoring import SCALES

_LONGEST = float(np.log(1000 / 16))  # as `fastcnn.vision.boxes.decode` has it: no box is infinite


def decode_regions(x: Any, classes: int) -> tuple[Any, Any]:
    """Return the boxes (N, R, classes, 4) and scores (N, R, classes) of regions: a box for each class, a softmax.

    Parameters
    ----------
    x : (N, R, 5 + 5 classes) array or tensor
        As `RegionLoss` takes them.
    classes : int
    """
    kind = np.dtype(str(x.dtype)).type
    count = x.shape[1]
    sides = ops.reshape(x[..., 2:4] - x[..., :2], (-1, count, 1, 2))
    middles = ops.reshape(x[..., :2], (-1, count, 1, 2)) + sides * kind(0.5)
    offsets = ops.reshape(x[..., 5 + classes:], (-1, count, classes, 4))
    centers = middles + offsets[..., :2] * np.array(SCALES[:2], kind) ** -1 * sides
    halves = ops.exp(ops.minimum(offsets[..., 2:] * kind(1 / SCALES[2]), _LONGEST)) * (sides * kind(0.5))
    return ops.concatenate([centers - halves, centers + halves], axis=-1), ops.softmax(x[..., 4:5 + classes])[..., 1:]
