"""Who it is: embeddings of known persons, and whose is the nearest, or nobody's."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.metrics import Verification
from fastcnn.models import Model

NOT_RECOGNIZED = "not recognized"


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


def squared_distances(a: Any, b: Any) -> np.ndarray:
    """Return the squared distances (N, M) of embeddings (N, C) and (M, C), in float64.

        |a - b|^2, the difference first, so that equal ones have the distance 0

    Parameters
    ----------
    a, b : array

    Examples
    --------
    >>> fc.vision.identity.squared_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]])
    array([[25.,  0.]])
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ArgumentError(f"squared_distances: expected embeddings (N, C) and (M, C), got {a.shape} and {b.shape}")
    return np.stack([((one - b) ** 2).sum(1) for one in a]) if len(a) else np.zeros((0, len(b)))


class Gallery:
    """Known persons by their embeddings (1:K recognition).

    Parameters
    ----------
    model : Model
        From pictures to embeddings (N, C).
    threshold : float, optional
        The largest squared distance at which somebody is recognized. Without it the nearest is always the answer;
        `choose_threshold` finds one.

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

    def __init__(self, model: Model, threshold: float | None = None) -> None:
        if len(model.output_shapes) != 1 or len(model.output_shape) != 2:
            raise ArgumentError(f"Gallery: expected a model from pictures to embeddings (N, C), got {model} with "
                                f"output {model.output_shape}")
        self.model, self.threshold = model, threshold
        self.names: list[str] = []
        self._known = np.zeros((0, model.output_shape[-1]))

    def __len__(self) -> int:
        return len(self.names)

    def enroll(self, persons: Mapping[str, Any]) -> None:
        """Add pictures of persons, by name; a person may have several, and more may follow.

        Parameters
        ----------
        persons : dict of (n, H, W, C) arrays
        """
        # All, before anything changes.
        added = [(name, _embedded(self.model, pictures)) for name, pictures in persons.items()]
        for name, embeddings in added:
            self.names += [name] * len(embeddings)
            self._known = np.concatenate([self._known, embeddings])

    def identify(self, pictures: Any) -> list[Identified]:
        """Return who is in each picture; of equal distances the person who was enrolled first.

        Parameters
        ----------
        pictures : (N, H, W, C) array
        """
        if not self.names:
            raise DataError("Gallery: expected persons to look among, got none; enroll some first")
        distances = squared_distances(_embedded(self.model, pictures), self._known)
        found = []
        for row in distances:
            best = int(row.argmin())
            known = self.threshold is None or row[best] <= self.threshold
            found.append(Identified(self.names[best] if known else NOT_RECOGNIZED, float(row[best]), self.names[best]))
        return found


def choose_threshold(distances: Any, same: Any) -> float:
    """Return the threshold of the largest accuracy on pairs, half-way between two distances.

    Parameters
    ----------
    distances : (N,) array
        Of pairs of other persons than those that will be verified.
    same : (N,) array
        1 where a pair shows one person.

    Examples
    --------
    >>> fc.vision.identity.choose_threshold([0.1, 0.3, 0.7, 0.5, 0.8], [1, 1, 1, 0, 0])
    0.4
    """
    metric = Verification()
    metric.update_state(np.asarray(same), np.asarray(distances))
    return float(metric.results()["threshold"])


def verify(model: Model, a: Any, b: Any, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return whether pictures show the same person pair by pair, and their squared distances (1:1 verification).

        |f(a) - f(b)|^2 <= threshold

    Parameters
    ----------
    model : Model
        From pictures to embeddings (N, C).
    a, b : (N, H, W, C) array
    threshold : float

    Returns
    -------
    same : (N,) array of bool
    distances : (N,) array

    References
    ----------
    Schroff, Kalenichenko, Philbin: FaceNet, 2015, section 4.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2, 2, 1)), layers.Flatten()])
    >>> same, distances = fc.vision.identity.verify(model, np.zeros((1, 2, 2, 1)), np.ones((1, 2, 2, 1)), 1.0)
    >>> same.tolist(), distances.tolist()
    ([False], [4.0])
    """
    Gallery(model)  # refuses what gives no embeddings
    first, second = _embedded(model, a), _embedded(model, b)
    if len(first) != len(second):
        raise ArgumentError(f"verify: expected as many pictures in a as in b, got {len(first)} and {len(second)}")
    distances = ((first - second) ** 2).sum(1)
    return distances <= threshold, distances


def _embedded(model: Model, pictures: Any) -> np.ndarray:
    x = np.asarray(pictures)
    x = x[None] if x.ndim == 3 else x
    embeddings = np.asarray(model.predict(x, verbose=0), np.float64)
    if not np.isfinite(embeddings).all():
        raise DataError(f"{model}: expected finite embeddings, got NaN or infinity; train it with a lower rate")
    return embeddings
