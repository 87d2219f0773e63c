"""One-shot recognition: each query is named by the nearest of one example of each class."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastcnn.models import Model
from fastcnn.vision.identity.embedding import named_right
from fastcnn.vision.identity.recognizer import Recognizer


def one_shot_accuracy(model: Recognizer | Model, runs: Iterable[Any],
                      prepare: Callable[[np.ndarray], np.ndarray] = np.asarray) -> np.ndarray:
    """Return the share of queries that are named right, of each run.

    Parameters
    ----------
    model : Recognizer or Model
        A recognizer takes the drawings as they are; a model from pictures to embeddings (N, C) what `prepare` makes.
    runs : iterable of OneShotRun
        Those of ``fc.datasets.load("omniglot").runs``.
    prepare : callable
        Makes pictures as a model takes them.

    References
    ----------
    Lake, Salakhutdinov, Tenenbaum: Human-level concept learning through probabilistic program induction, 2015.

    Examples
    --------
    >>> from fastcnn.datasets.annotated.identities import OneShotRun
    >>> pictures = np.eye(3, dtype="float32").reshape(3, 3, 1, 1)
    >>> model = fc.Sequential([fc.Input((3, 1, 1)), layers.Flatten()])
    >>> fc.vision.identity.one_shot_accuracy(model, [OneShotRun(pictures, pictures[::-1], np.array([2, 1, 1]))])
    array([0.66666667])
    """
    if isinstance(model, Recognizer):
        embed = model.embed
    else:
        embed = lambda pictures: model.predict(prepare(pictures), verbose=0)
    found = []
    for run in runs:
        examples, queries = embed(run.examples), embed(run.queries)
        found.append(named_right(queries, examples, run.answers))
    return np.array(found)
