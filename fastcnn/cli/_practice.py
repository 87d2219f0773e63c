"""The training part as a configuration wants it: fewer images, and weights that balance the classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn import random
from fastcnn.cli._examples import Examples
from fastcnn.data._dealing import deal
from fastcnn.data.strata import strata


def limited(part: Examples, limit: int | None, seed: int) -> Examples:
    """Return so many examples of a part, of every class its share, and one at least; all of them without a limit."""
    number = len(part.y)
    if limit is None or limit >= number:
        return part
    kinds = np.unique(strata(part.y), return_inverse=True)[1]
    dealt = deal(kinds, [limit / number, 1 - limit / number], random.generator(seed))
    return part.some(np.flatnonzero(dealt == 0))


def images_of_step(config: Any, part: Examples) -> int:
    """Return how many images a step sees."""
    return len(part.y) if config.batch_size == "all" else int(config.batch_size)


def weights_of(part: Examples, class_weight: str | None) -> NDArray[Any] | None:
    """Return the weights of training examples: their own, times what makes the classes count alike.

    weight = examples / (classes * examples of the class)
    """
    if class_weight is None:
        return part.weights
    counts = np.bincount(part.y)
    balanced = (len(part.y) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[part.y].astype(np.float32)
    return balanced if part.weights is None else part.weights * balanced
