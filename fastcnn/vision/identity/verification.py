"""Whether two pictures show one person: by a threshold of the distance of their embeddings."""

import os
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics import Verification
from fastcnn.models import Model
from fastcnn.vision.identity.embedding import embedded, require_embeddings
from fastcnn.vision.identity.recognizer import Recognizer


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


def verify(model: Any, a: Any, b: Any, threshold: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return whether pictures show the same person pair by pair, and their squared distances (1:1 verification).

        |f(a) - f(b)|^2 <= threshold

    Parameters
    ----------
    model : Recognizer, path or Model
        A recognizer, or the file of one, takes pictures of any size, and files; a model from pictures to embeddings
        (N, C) takes arrays as it was trained on.
    a, b : (N, H, W, C) or (H, W, C) array, path, or sequence of them
    threshold : float, optional
        In place of the recognizer's own; a model has none.

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
    >>> same, distances = fc.vision.verify(model, np.zeros((1, 2, 2, 1)), np.ones((1, 2, 2, 1)), 1.0)
    >>> same.tolist(), distances.tolist()
    ([False], [4.0])
    """
    if isinstance(model, (str, os.PathLike)):
        model = Recognizer.load(model)
    if isinstance(model, Recognizer):
        same, distances = model.verify(a, b)
        return same if threshold is None else distances <= threshold, distances
    require_embeddings(model, "verify")
    if threshold is None:
        raise ArgumentError("verify: expected a threshold beside a model, which has none of its own; choose_threshold "
                            "finds one on pairs of other persons")
    assert isinstance(model, Model)
    first, second = embedded(model, a), embedded(model, b)
    if len(first) != len(second):
        raise ArgumentError(f"verify: expected as many pictures in a as in b, got {len(first)} and {len(second)}")
    distances = ((first - second) ** 2).sum(1)
    return distances <= threshold, distances
