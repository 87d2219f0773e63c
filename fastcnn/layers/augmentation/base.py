"""What layers that change pictures have in common: draws, the call with masks, boxes and labels, the two verbs."""

from typing import Any

import numpy as np

from fastcnn import random, symbolic
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import integer
from fastcnn.layers import taking
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws

_KEYS = ("images", "labels", "segmentation_masks", "bounding_boxes")
_BOXES = ("xyxy", "rel_xyxy", "xywh", "center_xywh")


class PictureLayer(Layer):
    """A layer whose output is images, changed one by one: what its `changes` say.

    Called with an array it takes images of any type of numbers, several or one, and acts as in training unless
    ``training=False``, as Keras's do. Called with a dict it changes what goes with the images, too: "labels",
    "segmentation_masks" (sampled at the nearest pixel), "bounding_boxes" ({"boxes": (N, K, 4) array, ...}).

    Parameters
    ----------
    data_format : str, optional
        "channels_last", the only order that is offered.
    bounding_box_format : str, optional
        "xyxy", "rel_xyxy" (shares of width and height), "xywh" or "center_xywh".

    Attributes
    ----------
    seed : int
        Where draws count from, with the step and the place in the batch.
    """

    more_arguments = ("bounding_box_format",)
    seed = 0

    def __init__(self, data_format: str | None = None, bounding_box_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        if bounding_box_format is not None and bounding_box_format not in _BOXES:
            raise ArgumentError(unknown(f"{self}: bounding_box_format", bounding_box_format, _BOXES))
        self.bounding_box_format = bounding_box_format

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        """Return what becomes of images in training, one change after the other.

        Parameters
        ----------
        draws : Draws
            For each image.
        shape : (int, int, int)
            H, W and C of the images.
        """
        raise NotImplementedError

    def changes_at_rest(self, shape: tuple[int, int, int]) -> list[Change]:
        """Return what becomes of images in inference."""
        return []

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, 2)
        return input_shape

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return _changed(x, self._drawn(x.shape, call) if call.training else self.changes_at_rest(x.shape[1:]))

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return _changed(x, self.changes_at_rest(x.shape[1:]))[0]

    def _drawn(self, shape: tuple[int, ...], call: Call) -> list[Change]:
        n, h, w, c = shape
        return self.changes(Draws(call.key(self.seed), np.arange(n)), (h, w, c))

    def __call__(self, x: Any = None, training: Any = True, **named: Any) -> Any:
        if named or x is None:
            x = taking.named(self, x, named)
        if isinstance(x, dict) and "images" in x and not symbolic.is_symbolic(x):
            return self._of_dict(dict(x), training)
        if not isinstance(x, np.ndarray):
            return super().__call__(x, None if training is True and symbolic.is_symbolic(x) else training)
        y = super().__call__(self._images(x), bool(training))
        return y[0] if x.ndim == 3 else y

    def _images(self, x: Any) -> np.ndarray:
        """Return images of the layer's type, (N, H, W, C), of one or several of any type of numbers."""
        x = np.asarray(x)
        if x.dtype.kind not in "buif" or x.ndim not in (3, 4):
            raise ArgumentError(f"{self}: expected images (N, H, W, C) or one image (H, W, C), "
                                f"got {x.dtype} of shape {x.shape}")
        return np.ascontiguousarray(x if x.ndim == 4 else x[None], self.array_dtype)

    def _of_dict(self, data: dict[str, Any], training: Any) -> dict[str, Any]:
        strange = [key for key in data if key not in _KEYS]
        if strange:
            raise ArgumentError(unknown(f"{self}: key", strange[0], _KEYS))
        is_one = np.ndim(data["images"]) == 3
        data = {key: _batched(value) if is_one else value for key, value in data.items()}
        x = self.checked(self._images(data["images"]))
        call = Call(step=next(self._draws))
        done = self._drawn(x.shape, call) if training else self.changes_at_rest(x.shape[1:])
        size, out = x.shape[1:3], {"images": _changed(x, done)[0]}
        for key in data.keys() - {"images"}:
            out[key] = self._beside(key, data[key], done, size, out["images"].shape[1:3])
        return {key: _alone(value) if is_one else value for key, value in out.items()}

    def _beside(self, key: str, value: Any, changes: list[Change], size: Any, new: Any) -> Any:
        """Return masks, labels or boxes as the changes leave them."""
        if key == "bounding_boxes":
            if self.bounding_box_format is None:
                raise ArgumentError(f"{self}: expected bounding_box_format such as 'xyxy' where there are boxes")
            edges = list(_as_edges(np.asarray(value["boxes"], np.float64), self.bounding_box_format, size))
            for change in changes:
                edges = change.boxes(edges)
            boxes = _from_edges(np.array(edges).reshape(np.shape(value["boxes"])), self.bounding_box_format, new)
            return value | {"boxes": boxes}
        value = np.asarray(value)
        for change in changes:
            value = change.labels(value) if key == "labels" else change.masks(value)
        return value


class Augmentation(PictureLayer):
    """A layer that changes images at random in training, and hands them on as they are in inference.

    What it draws is a function of (seed, step, place in the batch) alone.

    Parameters
    ----------
    seed : int, optional
        The next of the sequence if absent.
    data_format, bounding_box_format : as `PictureLayer`
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None,
                 bounding_box_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, bounding_box_format, **kwargs)
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")


def _changed(x: np.ndarray, changes: list[Change]) -> tuple[np.ndarray, Backward]:
    """Return images after changes, and the way back through all of them."""
    ways: list[Backward] = []
    for change in changes:
        x, way = change.images(x)
        ways.append(way)

    def backward(dy: np.ndarray) -> np.ndarray:
        for way in reversed(ways):
            dy = way(dy)
        return dy

    return x, backward


def _batched(value: Any) -> Any:
    return {key: _batched(one) for key, one in value.items()} if isinstance(value, dict) else np.asarray(value)[None]


def _alone(value: Any) -> Any:
    return {key: _alone(one) for key, one in value.items()} if isinstance(value, dict) else value[0]


def _as_edges(boxes: np.ndarray, kind: str, size: Any) -> np.ndarray:
    """Return boxes as left, top, right and bottom edge, in pixels."""
    if kind == "rel_xyxy":
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]])
        return boxes
    if kind == "xyxy":
        return boxes
    corner, extent = boxes[..., :2], boxes[..., 2:]
    corner = corner - extent / 2 if kind == "center_xywh" else corner
    return np.concatenate([corner, corner + extent], axis=-1)


def _from_edges(edges: np.ndarray, kind: str, size: Any) -> np.ndarray:
    if kind == "rel_xyxy":
        edges = edges / np.array([size[1], size[0], size[1], size[0]])
        return edges
    if kind == "xyxy":
        return edges
    corner, extent = edges[..., :2], edges[..., 2:] - edges[..., :2]
    return np.concatenate([corner + extent / 2 if kind == "center_xywh" else corner, extent], axis=-1)
