"""Views of an image whose predictions are averaged: ``--tta``, test-time augmentation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

VIEWS = ("mirror", "10crop")
_SHARE = 8  # of a side: how far crops are moved


def views(x: NDArray[Any], kind: str | None) -> Iterator[NDArray[Any]]:
    """Yield views of images (N, H, W, C), one after the other.

    Parameters
    ----------
    x : array
    kind : {"mirror", "10crop"} or None
        As they are, and mirrored; or ten crops of images that have an eighth of their sides more at each border, whose
        pixels are repeated: the four corners and the middle, each mirrored, too. None is the images alone.

    References
    ----------
    Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks, NIPS 2012, section
    4.1.
    """
    if kind is None:
        yield x
        return
    if kind == "mirror":
        yield x
        yield x[:, :, ::-1]
        return
    height, width = x.shape[1:3]
    down, across = max(1, height // _SHARE), max(1, width // _SHARE)
    wide = np.pad(x, ((0, 0), (down, down), (across, across), (0, 0)), mode="edge")
    for top, left in ((0, 0), (0, 2 * across), (2 * down, 0), (2 * down, 2 * across), (down, across)):
        crop = wide[:, top:top + height, left:left + width]
        yield crop
        yield crop[:, :, ::-1]


def mean_prediction(predict: Any, x: Any, kind: str | None, rows: int = 1024) -> NDArray[Any]:
    """Return the mean of the predictions of all views; so many images at a time are held in all their views.

    Parameters
    ----------
    predict : function
        Of images.
    x : array, or what is read by rows
    kind : as of `views`
    rows : int
    """
    if kind is None:
        return np.asarray(predict(x))
    found = []
    for begin in range(0, len(x), rows):
        images = np.asarray(x[begin:begin + rows])
        some = [np.asarray(predict(np.ascontiguousarray(view))) for view in views(images, kind)]
        found.append(np.mean(some, axis=0, dtype=np.float64).astype(some[0].dtype))
    return np.concatenate(found)
