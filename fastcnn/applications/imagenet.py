"""The thousand classes of ImageNet, and the names of what a network sees."""

import functools
from importlib import resources
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive


@functools.cache
def classes() -> tuple[tuple[str, str], ...]:
    """Return (number in WordNet, name) of each class of ILSVRC 2012, in the networks' order.

    The classes are those of Russakovsky et al.: ImageNet large scale visual recognition challenge, IJCV 2015; a name is
    the first word of its synset in WordNet 3.0 (Princeton University).
    """
    text = resources.files(__package__).joinpath("imagenet_classes.txt").read_text("ascii")
    lines = (line.split() for line in text.splitlines())
    return tuple((number, name) for number, name in lines)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the most probable classes of ImageNet for each image, the best first.

    Parameters
    ----------
    preds : (N, 1000) array
        What a network with its 1,000 classes predicts.
    top : int
        How many classes an image.

    Returns
    -------
    list of list of (str, str, float)
        The class's number in WordNet, its name, and its score.

    Raises
    ------
    DataError
        If there are not 1,000 scores an image.
    ArgumentError
        If `top` is no integer from 1 to 1,000.

    Examples
    --------
    >>> scores = np.zeros((1, 1000), "float32")
    >>> scores[0, 281] = 0.9
    >>> fc.applications.decode_predictions(scores, top=1)
    [[('n02123045', 'tabby', 0.8999999761581421)]]
    """
    scores = np.asarray(preds)
    names = classes()
    if scores.ndim != 2 or scores.shape[1] != len(names):
        raise DataError(f"decode_predictions: expected scores (N, {len(names)}), of ImageNet's classes, "
                        f"got {scores.shape}; give what a network with include_top=True and its 1,000 classes predicts")
    (top,) = positive("decode_predictions", top=top)
    if top > len(names):
        raise ArgumentError(f"decode_predictions: expected top to be at most {len(names)}, got {top}")
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [[(*names[k], float(row[k])) for k in each] for row, each in zip(scores, best, strict=True)]
