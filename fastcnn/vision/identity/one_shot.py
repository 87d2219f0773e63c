"""One-shot recognition: each query is named by the nearest of one example of each class."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastcnn.models import Model
from fastcnn.vision.identity.gallery import squared_distances


def one_shot_accuracy(model: Model, runs: Iterable[Any], prepare: Callable[[np.ndarray], np.ndarray] = np.asarray
                      ) -> np.ndarray:
    """Return the share of queries that are named right, of each run.

    Parameters
    ----------
    model : Model
        From pictures to embeddings (N, C).
    runs : iterable of OneShotRun
        Those of ``fc.datasets.load("omniglot").runs``.
    prepare : callable
        Makes pictures as the model takes them.

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
    found = []
    for run in runs:
        examples = model.predict(prepare(run.examples), verbose=0)
        queries = model.predict(prepare(run.queries), verbose=0)
        found.append(float((squared_distances(queries, examples).argmin(1) == run.answers).mean()))
    return np.array(found)
