"""A trained R-CNN of any generation with all that makes boxes on pictures of its numbers."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastcnn import layers, ops, saving
from fastcnn.errors import ArgumentError, unknown
from fastcnn.layers.base import names
from fastcnn.models import Model
from fastcnn.vision.detection.best_boxes import best_boxes
from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.detection.picture_detector import PictureDetector
from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.decoding import decode_regions
from fastcnn.vision.rcnn.masked_detections import MaskedDetections
from fastcnn.vision.rcnn.region_loss import numbers_of
from fastcnn.vision.rcnn.searched_proposals import selective_search

_SEARCH = "selective_search"
_MASKS = "mask_head"


class RegionDetector(PictureDetector):
    """A network that looks at regions, and the names of its classes: from pictures of any size to boxes on them.

    Parameters
    ----------
    model : Model
        As `faster_rcnn`, `mask_rcnn`, `fast_rcnn` or `rcnn` makes it.
    classes : sequence of str
        Their names.
    proposals : "selective_search" or callable, optional
        For a network that does not propose regions by itself: from a picture (H, W, C) of uint8, as the network sees
        it, to boxes (R, 4), the likeliest first. A function of your own is not saved.
    grid : AnchorGrid, optional
        The anchors of a network that has some: predictions do not need them, a training that goes on does.
    score_threshold, iou_threshold, max_detections : as of `fastcnn.vision.detection.Detector`

    Raises
    ------
    ArgumentError
        If they do not belong together.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((64, 64), [[16, 16]])
    >>> model = fc.vision.rcnn.faster_rcnn(grid, classes=2, filters=4, regions=8, hidden=16)
    >>> detector = fc.vision.rcnn.RegionDetector(model, ("cat", "dog"), score_threshold=0.9)
    >>> len(detector.detect(np.zeros((100, 80, 3), "uint8")))  # it has learned nothing
    0
    """

    key = "region_detector"

    def __init__(self, model: Model, classes: Sequence[str], *, proposals: str | Callable[[Any], Any] | None = None,
                 grid: AnchorGrid | None = None, score_threshold: float = 0.5, iou_threshold: float = 0.5,
                 max_detections: int = 100) -> None:
        super().__init__(model, classes, score_threshold, iou_threshold, max_detections)
        if "regions" not in model.output_names:
            raise ArgumentError(f"RegionDetector: expected a model with the output regions, got "
                                f"{', '.join(model.output_names)}")
        told = model.output_shapes[model.output_names.index("regions")]
        if told[-1] != numbers_of(len(self.classes)):
            raise ArgumentError(f"RegionDetector: expected a model of {len(self.classes)} classes, "
                                f"{numbers_of(len(self.classes))} numbers a region, got {told}")
        asks = len(model.input_shapes) > 1
        if asks and proposals is None:
            raise ArgumentError(f'RegionDetector: expected proposals="{_SEARCH}" or a function for {model}, which '
                                f"proposes no regions by itself, got none")
        if proposals is not None and not asks:
            raise ArgumentError(f"RegionDetector: expected no proposals for {model}, which makes its own, got "
                                f"{proposals!r}")
        if isinstance(proposals, str) and proposals != _SEARCH:
            raise ArgumentError(unknown("RegionDetector: proposals", proposals, [_SEARCH]))
        self.grid = AnchorGrid(**grid) if isinstance(grid, Mapping) else grid
        if self.grid is not None and (None, len(self.grid), 5) not in [tuple(one) for one in model.output_shapes]:
            raise ArgumentError(f"RegionDetector: expected the grid of {model}, got {self.grid}")
        self.proposals, self.regions = proposals, int(told[1])
        masked = any(layer.name == _MASKS for layer in model.layers)
        outputs = [model.get_layer("regions").output] + ([model.get_layer("features").output] if masked else [])
        self._reads = Model(model.inputs, outputs)
        self._masks = model.get_layer(_MASKS) if masked else None

    @property
    def has_masks(self) -> bool:
        """Whether what it finds has masks: `detect` returns `MaskedDetections` then."""
        return self._masks is not None

    def prediction_model(self, suppress: bool = False) -> Model:
        """Return a model from images of the network's size to boxes: what goes into an ONNX file for others.

        A network that proposes nothing takes the boxes of proposals as well.

        Parameters
        ----------
        suppress : bool
            Whether the last step is `fastcnn.layers.NonMaxSuppression` with the thresholds of the detector.

        Returns
        -------
        Model
            To boxes (N, R classes, 4), one of each region and class, and scores (N, R classes, classes), which are 0
            for the other classes; or to rows x1, y1, x2, y2, score, class (N, most, 6).
        """
        kinds = len(self.classes)
        names.reserve(layer.name for layer in self.model.layers)
        boxes, scores = decode_regions(self.model.get_layer("regions").output, kinds)
        flat = [layers.Reshape((self.regions * kinds, 4))(boxes), layers.Reshape((self.regions * kinds, kinds))(
            ops.reshape(scores, (-1, self.regions, 1, kinds)) * np.eye(kinds, dtype=str(scores.dtype)))]
        if not suppress:
            return Model(self.model.inputs, flat, name="detector")
        best = layers.NonMaxSuppression(self.max_detections, self.iou_threshold, self.score_threshold)(flat)
        return Model(self.model.inputs, best, name="detector")

    def get_config(self) -> dict[str, Any]:
        """Return the settings; a function that proposes has no place in them."""
        if callable(self.proposals):
            raise ArgumentError(f'RegionDetector: expected proposals="{_SEARCH}" to save, got a function of your own; '
                                f"save the model, and make the detector anew")
        grid = None if self.grid is None else self.grid.get_config()
        return super().get_config() | {"proposals": self.proposals, "grid": grid}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RegionDetector":
        """Return a detector that `save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        DataError
            If the file is a model alone.
        """
        told = cls._told(path)
        return cls(saving.load_model(path, compile=False), told.pop("classes"), **told)

    def _found(self, pictures: Sequence[Any], lowest: float) -> list[Detections]:
        if not pictures:
            return []
        x, places = self._placed(pictures)
        given = [x]
        if self.proposals is not None:
            propose: Any = selective_search if isinstance(self.proposals, str) else self.proposals
            given.append(np.stack([filled(propose(one), self.regions) for one in x]))
        told = self._reads.predict(given if len(given) > 1 else x, batch_size=min(8, len(x)), verbose=0)
        numbers, features = (told[0], told[1]) if self._masks is not None else (told, None)
        boxes, scores = (np.asarray(one) for one in decode_regions(self._finite(numbers), len(self.classes)))
        found = []
        for k, place in enumerate(places):
            rows = best_boxes(place.invert(boxes[k]), scores[k], place.image_size, lowest, self.iou_threshold,
                              self.max_detections)
            if features is None:
                found.append(Detections(*rows, self.classes))
                continue
            rows = tuple(one[:self.regions] for one in rows)  # type: ignore[assignment]
            masks = self._masks_of(features[k:k + 1], place.apply(rows[0]), rows[2])
            found.append(MaskedDetections(*rows, self.classes, masks, place.image_size))
        return found

    def _masks_of(self, features: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return the mask of each box, (K, S, S), from 0 to 1: that of its class."""
        assert self._masks is not None
        logits = np.asarray(self._masks.predict([features, filled(boxes, self.regions)[None]], verbose=0))[0]
        own = logits[np.arange(len(boxes)), :, :, classes]
        shares: np.ndarray = 1 / (1 + np.exp(-own.clip(-60, 60)))
        return shares


def filled(boxes: Any, count: int) -> np.ndarray:
    """Return the first `count` boxes, (count, 4) float32; boxes of zeros fill up.

    Parameters
    ----------
    boxes : (R, 4) array
    count : int
    """
    given = np.asarray(boxes, np.float32).reshape(-1, 4)[:count]
    whole = np.zeros((count, 4), np.float32)
    whole[:len(given)] = given
    return whole
