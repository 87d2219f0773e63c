"""What a network says of a request, as JSON holds it. Nothing is kept from one request to the next."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets.rgb import read_rgb
from fastcnn.report import feature_maps
from fastcnn.report.inline_pictures import data_uri, for_the_eye
from fastcnn.serving.bodies import picture_in, pixels_in
from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

_LAYERS, _MAPS = 4, 24  # that are shown
_SIDE = 96  # pixels of a map, at most
_LARGE = 960  # pixels of a picture with what was found


class Question(NamedTuple):
    """A request that has come whole.

    Attributes
    ----------
    body : bytes
    is_json : bool
        Pixels, in place of a picture's file.
    with_maps : bool
        Whether feature maps are wanted, or the picture with what was found on it.
    """

    body: bytes
    is_json: bool = False
    with_maps: bool = False


class Answering(Protocol):
    """A trained network that answers.

    Attributes
    ----------
    facts : dict
        What the page and programs are told of it.
    """

    facts: dict[str, Any]

    def answer(self, asked: Question, limits: Limits) -> dict[str, Any]:
        """Return the answer to a request.

        Raises
        ------
        Refusal, DataError
            What was sent is none that it can answer.
        """


class ImageAnswers:
    """A network that tells classes, labels or numbers of an image.

    Parameters
    ----------
    model : Model
    read : function
        A picture's file -> the image (H, W, C) of values from 0 to 1, and in words what was done to it.
    inputs : function
        Such images (N, H, W, C) -> what the network takes.
    tell : function
        The outputs of an image -> a list of dicts, the surest first.
    facts : dict
    """

    def __init__(self, model: Any, read: Callable[[io.BytesIO], tuple[NDArray[Any], list[str]]],
                 inputs: Callable[[NDArray[Any]], NDArray[Any]], tell: Callable[[NDArray[Any]], list[dict[str, Any]]],
                 facts: dict[str, Any]) -> None:
        self.facts = facts
        self._model, self._read, self._inputs, self._tell = model, read, inputs, tell
        self._has_maps = True

    def begin(self) -> None:
        """Answer to a black image, so that all is compiled; a network whose layers show no maps is left without."""
        x = self._inputs(np.zeros((1, *self._model.input_shape[1:]), np.float32))
        self._model.predict(x, batch_size=1, verbose=0)
        try:
            feature_maps(self._model, x[0], _LAYERS)
        except Exception:  # layers of bytes, of one's own ...: answers are worth more than their pictures
            self._has_maps = False

    def answer(self, asked: Question, limits: Limits) -> dict[str, Any]:
        """Return ``predictions``, and in ``steps`` what was done to the picture; perhaps ``input`` and ``maps``."""
        if asked.is_json:
            image, steps = pixels_in(asked.body, tuple(self._model.input_shape[1:])), list[str]()
        else:
            image, steps = self._read(picture_in(asked.body, limits))
        x = self._inputs(image[None])
        found = {"predictions": self._tell(self._model.predict(x, batch_size=1, verbose=0)[0]), "steps": steps}
        if asked.with_maps:
            found["input"] = data_uri(for_the_eye(image[None], 1.0)[0], _SIDE)
            maps = feature_maps(self._model, x[0], _LAYERS) if self._has_maps else []
            found["maps"] = [_drawn(one.layer, one.maps) for one in maps]
        return found


class SeenAnswers:
    """A detector of boxes, or a segmenter of pixels.

    Parameters
    ----------
    find : function
        A picture (H, W, 3) of 8 bits -> what was found, for JSON, and a function that draws it on the picture.
    facts : dict
    """

    def __init__(self, find: Callable[[NDArray[np.uint8]], tuple[dict[str, Any], Callable[[Any], NDArray[np.uint8]]]],
                 facts: dict[str, Any]) -> None:
        self.facts, self._find = facts, find

    def answer(self, asked: Question, limits: Limits) -> dict[str, Any]:
        """Return what was found, and with maps ``drawn``: the picture with it."""
        if asked.is_json:
            raise Refusal(415, "predict: expected a picture's file for a network that takes any size, got JSON; send "
                               "a PNG")
        picture = read_rgb(picture_in(asked.body, limits))
        found, draw = self._find(picture)
        if asked.with_maps:
            found["drawn"] = data_uri(draw(picture), _LARGE)
        return found


def _drawn(layer: str, maps: NDArray[Any]) -> dict[str, Any]:
    """Return the first feature maps of a layer as pictures, dark where a map is zero or least."""
    height, width, count = maps.shape
    shown = [maps[..., k] for k in range(min(count, _MAPS))]
    return {"layer": layer, "height": height, "width": width, "count": count,
            "pictures": [data_uri(_grey(one), _SIDE) for one in shown]}


def _grey(one: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(min(one.min(), 0)), float(one.max())
    scaled = (one - low) / (high - low) if high > low else np.zeros_like(one)
    return for_the_eye(scaled[None, ..., None], 1.0)[0]
