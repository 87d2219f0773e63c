"""Which anchors and regions a step learns from: some with an object and some of background, drawn at random."""

import numpy as np
from numpy.typing import NDArray

_WORD = 0xFFFFFFFFFFFFFFFF


def draws(seed: int, step: int, image: int) -> np.random.Generator:
    """Return what draws for an image of a batch: a function of these three numbers alone.

    Parameters
    ----------
    seed, step, image : int
    """
    return np.random.Generator(np.random.Philox(key=np.array([seed & _WORD, step & _WORD], np.uint64),
                                                counter=np.array([0, 0, 0, image], np.uint64)))


def balanced(positive: NDArray[np.int64], negative: NDArray[np.int64], count: int, share: float,
             generator: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return some of the places with an object and some without, each in rising order, in all `count` if there are.

    At most `share` of them have an object; what is missing of these is filled up with others (Ren et al., "Faster
    R-CNN", 2015, section 3.1.3: 256 anchors, 1:1).

    Parameters
    ----------
    positive, negative : (P,) and (Q,) int64 arrays
    count : int
    share : float
    generator : numpy.random.Generator

    Examples
    --------
    >>> from fastcnn.vision.rcnn.sampling import balanced, draws
    >>> own, others = balanced(np.arange(3), np.arange(3, 100), 8, 0.5, draws(0, 1, 0))
    >>> own, len(others)
    (array([0, 1, 2]), 5)
    """
    own = _some(positive, min(len(positive), int(count * share)), generator)
    return own, _some(negative, min(len(negative), count - len(own)), generator)


def _some(places: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    if count == len(places):
        return places
    return np.sort(generator.choice(places, count, replace=False, shuffle=False))
