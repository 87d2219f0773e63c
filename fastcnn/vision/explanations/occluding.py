"""Which pixels matter, without gradients: a patch covers the picture place by place, and the class's logit falls."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.vision.explanations.passes import Passes


def occlusion(model: Network, x: Any, target: Any = None, window: int = 8, stride: int = 4, value: float = 0.0,
              batch_size: int = 64) -> np.ndarray:
    """Return by how much the logit of a class falls where a patch covers the picture, (N, H, W).

    A pixel under several patches gets the mean of them. The last patches end at the border.

    Parameters
    ----------
    model, x, target : as `saliency`
    window, stride : int
        Side of the patch, and pixels from one to the next.
    value : float
        What the patch shows.
    batch_size : int
        Covered pictures at a time.

    References
    ----------
    Zeiler, Fergus: Visualizing and understanding convolutional networks, 2013, section 4.2.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    >>> fc.vision.explanations.occlusion(model, np.ones((1, 8, 8, 1), "float32")).shape
    (1, 8, 8)
    """
    passes = Passes(model, "occlusion", x)
    x = passes.pictures(x)
    height, width = x.shape[1:3]
    if not 1 <= window <= min(height, width) or stride < 1 or stride > window:
        raise ArgumentError(f"occlusion: expected a window from 1 to {min(height, width)}, and a stride from 1 to the "
                            f"window, got {window} and {stride}")
    tops, lefts = _starts(height, window, stride), _starts(width, window, stride)
    places = [(top, left) for top in tops for left in lefts]
    fall, covered = np.zeros((len(x), height, width)), np.zeros((height, width))
    for top, left in places:
        covered[top:top + window, left:left + window] += 1
    logits = _logits(passes, x)
    targets = passes.targets(logits, target)
    for k, picture in enumerate(x):
        whole = logits.reshape(len(x), -1)[k, targets[k]]
        for start in range(0, len(places), batch_size):
            some = places[start:start + batch_size]
            hidden = np.repeat(picture[None], len(some), 0)
            for one, (top, left) in zip(hidden, some, strict=True):
                one[top:top + window, left:left + window] = value
            left_over = _logits(passes, hidden).reshape(len(some), -1)[:, targets[k]]
            for (top, left), score in zip(some, left_over, strict=True):
                fall[k, top:top + window, left:left + window] += whole - score
    return (fall / covered).astype(x.dtype)


def _starts(length: int, window: int, stride: int) -> list[int]:
    starts = list(range(0, length - window + 1, stride))
    return starts if starts[-1] == length - window else [*starts, length - window]


def _logits(passes: Passes, x: np.ndarray) -> np.ndarray:
    return device.get(passes.forward(x).values[passes.output]).astype(np.float64)
