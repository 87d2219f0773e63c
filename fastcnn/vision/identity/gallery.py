"""Who it is: embeddings of known persons, and whose is the nearest, or nobody's."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import DataError
from fastcnn.models import Model
from fastcnn.vision.identity.embedding import embedded, in_one_size, require_embeddings, squared_distances
from fastcnn.vision.identity.recognizer import Recognizer

NOT_RECOGNIZED = "not recognized"

_TILE, _TEXT = 112, 28  # pixels of a picture, and of the lines under it


class Identified(NamedTuple):
    """An answer of `Gallery.identify`.

    Attributes
    ----------
    name : str
        Of the person, or "not recognized".
    distance : float
        Squared, to the nearest known picture.
    nearest : str
        Whose that picture is, whether it is near enough or not.
    """

    name: str
    distance: float
    nearest: str


class Gallery:
    """Known persons by their embeddings (1:K recognition).

    Parameters
    ----------
    model : Recognizer or Model
        A recognizer takes pictures of any size, and files; a model from pictures to embeddings (N, C) takes arrays as
        it was trained on.
    threshold : float, optional
        The largest squared distance at which somebody is recognized. Without it that of the recognizer; of a model the
        nearest is always the answer: `choose_threshold` finds one.

    Raises
    ------
    ArgumentError
        If the model gives no embeddings.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2, 2, 1)), layers.Flatten()])
    >>> gallery = fc.vision.identity.Gallery(model, threshold=0.5)
    >>> gallery.enroll({"white": np.ones((1, 2, 2, 1)), "black": np.zeros((1, 2, 2, 1))})
    >>> [one.name for one in gallery.identify(np.array([0.1, 0.5, 0.9])[:, None, None, None] * np.ones((1, 2, 2, 1)))]
    ['black', 'not recognized', 'white']
    """

    def __init__(self, model: Recognizer | Model, threshold: float | None = None) -> None:
        if not isinstance(model, Recognizer):
            require_embeddings(model, "Gallery")
        elif threshold is None:
            threshold = model.threshold
        self.model, self.threshold = model, threshold
        self.names: list[str] = []
        self._known = self._embedded([])
        self._pictures: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self.names)

    def enroll(self, persons: Mapping[str, Any]) -> None:
        """Add pictures of persons, by name; a person may have several, and more may follow.

        Parameters
        ----------
        persons : dict of (n, H, W, C) arrays
            Or, for a recognizer, of what `Recognizer.embed` takes, such as lists of files.
        """
        # All, before anything changes.
        added = [(name, self._embedded(pictures), pictures) for name, pictures in persons.items()]
        for name, embeddings, pictures in added:
            self.names += [name] * len(embeddings)
            self._known = np.concatenate([self._known, embeddings])
            self._pictures += _each(pictures)

    def identify(self, pictures: Any) -> list[Identified]:
        """Return who is in each picture; of equal distances the person who was enrolled first.

        Parameters
        ----------
        pictures : (N, H, W, C) array
            Or, for a recognizer, what `Recognizer.embed` takes.
        """
        return [self._answer(row) for row in self._distances(pictures)]

    def draw(self, pictures: Any, path: str | os.PathLike[str] | None = None) -> np.ndarray:
        """Return each picture beside the nearest known one, with the name and the distance, and write it if asked.

        Parameters
        ----------
        pictures : as `identify` takes them
            Of 8 bits.
        path : path, optional
            Its ending says the format.

        Returns
        -------
        (H, W, 3) uint8 array

        Raises
        ------
        ImportError
            Pillow is not installed.
        """
        try:
            from PIL import Image, ImageDraw
        except ImportError:
            raise ImportError('drawing needs Pillow: pip install "fastcnn[image]"') from None
        from fastcnn.datasets.rgb import write_picture

        distances = self._distances(pictures)
        given, across = _each(pictures), min(4, max(1, len(distances)))
        down = -(-len(distances) // across)
        sheet = np.full((down * (_TILE + _TEXT + 8), across * (2 * _TILE + 16), 3), 255, np.uint8)
        corners = [(k // across * (_TILE + _TEXT + 8), k % across * (2 * _TILE + 16)) for k in range(len(distances))]
        for (top, left), picture, row in zip(corners, given, distances, strict=True):
            pair = in_one_size([picture, self._pictures[int(row.argmin())]], (_TILE, _TILE, 3), "Gallery.draw")
            sheet[top : top + _TILE, left : left + 2 * _TILE] = np.hstack(list(pair))
        image = Image.fromarray(sheet)
        pen = ImageDraw.Draw(image)
        for (top, left), row in zip(corners, distances, strict=True):
            answer = self._answer(row)
            color = (180, 40, 30) if answer.name == NOT_RECOGNIZED else (0, 110, 60)
            lines = (answer.name, f"{answer.distance:.3f} to {answer.nearest}")
            for k, line in enumerate(lines):
                pen.text((left + 2, top + _TILE + 1 + 12 * k), line.encode("latin-1", "replace").decode("latin-1"),
                         fill=color)
        drawn = np.asarray(image)
        if path is not None:
            write_picture(path, drawn)
        return drawn

    def _distances(self, pictures: Any) -> np.ndarray:
        """Return the squared distances of pictures to all known ones."""
        if not self.names:
            raise DataError("Gallery: expected persons to look among, got none; enroll some first")
        return squared_distances(self._embedded(pictures), self._known)

    def _answer(self, distances: np.ndarray) -> Identified:
        best = int(distances.argmin())
        known = self.threshold is None or distances[best] <= self.threshold
        return Identified(self.names[best] if known else NOT_RECOGNIZED, float(distances[best]), self.names[best])

    def _embedded(self, pictures: Any) -> np.ndarray:
        if isinstance(self.model, Recognizer):
            return self.model.embed(pictures)
        return embedded(self.model, pictures) if len(pictures) else np.zeros((0, self.model.output_shape[-1]))


def _each(pictures: Any) -> list[Any]:
    """Return pictures one by one."""
    if isinstance(pictures, np.ndarray):
        return list(pictures) if pictures.ndim == 4 else [pictures]
    return list(pictures) if isinstance(pictures, Sequence) and not isinstance(pictures, str) else [pictures]
