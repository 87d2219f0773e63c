"""How crowded the places are where embeddings lie: what is near in a crowd may be another one."""

from typing import Any

import numpy as np

from fastcnn.errors import DataError
from fastcnn.geometry.arguments import positive
from fastcnn.vision.identity.embedding import squared_distances


def local_scales(embeddings: Any, cohort: Any, neighbours: int = 50) -> np.ndarray:
    """Return the mean squared distance of each embedding to its nearest ones of others, (N,) float64.

        |f - f'|^2 / sqrt(s s')      with the scales s and s' of both: a distance that means the same everywhere

    A drawing of few strokes has many near it, an odd one has none; one threshold suits both once distances are divided
    by their scales. The cohort is of nobody who is verified: those that the network has learned are at hand.

    Parameters
    ----------
    embeddings : (N, C) array
    cohort : (M, C) array
        Of other persons.
    neighbours : int
        How many of the cohort count, at most: more than there are pictures of one person.

    Raises
    ------
    DataError
        If nobody is in the cohort.

    References
    ----------
    Zelnik-Manor, Perona: Self-tuning spectral clustering, 2004, section 2.

    Examples
    --------
    >>> fc.vision.identity.local_scales([[0.0], [3.0]], [[1.0], [2.0], [9.0]], neighbours=2)
    array([2.5, 2.5])
    """
    (neighbours,) = positive("local_scales", neighbours=neighbours)
    distances = squared_distances(embeddings, cohort)
    if not distances.shape[1]:
        raise DataError("local_scales: expected a cohort of other persons, got nobody")
    nearest = np.sort(distances, axis=1)[:, :neighbours].mean(1)
    return np.maximum(nearest, np.finfo(np.float64).tiny)
