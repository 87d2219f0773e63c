"""What a Mask R-CNN found on a picture: boxes, and the pixels of each."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.segmentation.segmented import Segmentation


@dataclass(frozen=True, eq=False)
class MaskedDetections(Detections):
    """`fastcnn.vision.detection.Detections` with a mask of each box.

    Parameters
    ----------
    boxes, scores, classes, names : as of `Detections`
    masks : (K, S, S) float32 array
        How likely it is, from 0 to 1, that a pixel of the box belongs to the object.
    image_size : (int, int)
        Height and width of the picture.

    Examples
    --------
    >>> found = fc.vision.rcnn.MaskedDetections(
    ...     np.array([[1, 0, 3, 2]], "float32"), np.array([0.9], "float32"), np.array([0]), ("cat",),
    ...     np.array([[[1, 0], [1, 1]]], "float32"), (3, 4))
    >>> found.instances()
    array([[0, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]], dtype=int32)
    """

    masks: np.ndarray
    image_size: tuple[int, int]

    def instances(self, threshold: float = 0.5) -> np.ndarray:
        """Return a map of the picture: 0, or 1 + the number of the detection that a pixel belongs to.

        Of several the best has it.

        Parameters
        ----------
        threshold : float
            From which share on a pixel belongs to the object.
        """
        whole = np.zeros(self.image_size, np.int32)
        for k in reversed(range(len(self))):
            (top, left), pasted = paste(self.masks[k], self.boxes[k], self.image_size)
            part = whole[top:top + pasted.shape[0], left:left + pasted.shape[1]]
            part[pasted >= threshold] = k + 1
        return whole

    def segmentation(self, threshold: float = 0.5) -> Segmentation:
        """Return the same as pixels and objects: each pixel is the best detection's that has it.

        Parameters
        ----------
        threshold : float
            As of `instances`.
        """
        found = self.instances(threshold)
        chance = np.zeros((*self.image_size, 1 + len(self.names)), np.float32)
        chance[..., 0] = 1
        for k in range(len(self)):
            (top, left), pasted = paste(self.masks[k], self.boxes[k], self.image_size)
            bottom, right = top + pasted.shape[0], left + pasted.shape[1]
            own = found[top:bottom, left:right] == k + 1
            part = chance[top:bottom, left:right]
            part[own, 0], part[own, 1 + self.classes[k]] = 1 - pasted[own], pasted[own]
        kinds = np.append(0, self.classes + 1).astype(np.int32)[found]
        seen, objects = np.unique(found, return_inverse=True)  # one that others hide wholly is none
        shift = 0 if len(seen) and seen[0] == 0 else 1
        return Segmentation(kinds, chance, (objects.reshape(found.shape) + shift).astype(np.int32), self.names)

    def draw(self, picture: Any, path: Any = None, line: int = 2) -> np.ndarray:
        """Return the picture with the objects in colour and their boxes drawn; see `Detections.draw`."""
        from fastcnn.vision.detection.letterboxing import picture_of

        shaded = picture_of(picture, 3, "MaskedDetections.draw").astype(np.float32)
        found = self.instances()
        colors = np.array([(0, 0, 0), *(_color(k) for k in range(len(self)))], np.float32)
        shaded[found > 0] = 0.5 * shaded[found > 0] + 0.5 * colors[found[found > 0]]
        return super().draw(shaded.astype(np.uint8), path, line)


def paste(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> tuple[tuple[int, int], np.ndarray]:
    """Return where a mask lies on a picture (row, column), and what each pixel there has of it.

    Pixels whose middle lies within the box are interpolated between the four pixels of the mask around it.

    Parameters
    ----------
    mask : (S, S) array
    box : (4,) array
    size : (int, int)
        Height and width of the picture.
    """
    (left, across, x), (top, down, y) = (_axis(box[k], box[k + 2], mask.shape[1 - k], size[1 - k]) for k in (0, 1))
    rows = mask[down] * (1 - y)[:, None] + mask[np.minimum(down + 1, mask.shape[0] - 1)] * y[:, None]
    return (top, left), rows[:, across] * (1 - x) + rows[:, np.minimum(across + 1, mask.shape[1] - 1)] * x


def _axis(low: float, high: float, side: int, pixels: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the first pixel of a picture within, the pixels of the mask before each, and how far beyond it is."""
    begin, end = max(0, int(np.ceil(low - 0.5))), min(pixels, int(np.ceil(high - 0.5)))
    middles = np.arange(begin, max(begin, end)) + 0.5
    at = ((middles - low) * (side / max(high - low, 1e-9)) - 0.5).clip(0, side - 1)
    before = np.floor(at).astype(np.int64)
    return begin, before, at - before


def _color(number: int) -> tuple[int, int, int]:
    """Return one of many colours that neighbouring numbers do not share."""
    turn = (number * 0.618034 + 0.1) % 1 * 6
    ramp = [max(0.0, min(1.0, abs((turn + shift) % 6 - 3) - 1)) for shift in (0, 4, 2)]
    return int(80 + 175 * ramp[0]), int(80 + 175 * ramp[1]), int(80 + 175 * ramp[2])
