"""The networks that see, of peers.py: a YOLO as examples/yolo_cells.py trains it, and a small U-Net. Plain NumPy."""

import zlib
from typing import Any, NamedTuple

import numpy as np

YOLO_SIZE, YOLO_STRIDE, YOLO_CLASSES, YOLO_FILTERS = (288, 384), 16, 3, 16
#: Width and height of the prior boxes: what k-means finds for blood cells.
YOLO_PRIORS = ((38.0, 36.0), (76.0, 74.0), (112.0, 108.0))
YOLO_GAINS = {"box": 1.0, "objectness": 10.0, "class": 0.25}
YOLO_RATIO = 2.0

UNET_SIZE, UNET_FILTERS, UNET_CLASSES = 256, 12, 2

_BATCHES, _OBJECTS = 4, 15


class SeenBatch(NamedTuple):
    """Images (N, H, W, 3), and what is in them: rows x1, y1, x2, y2, class (N, M, 5), or a class of each pixel."""

    x: np.ndarray
    y: np.ndarray


def yolo_batches(n: int) -> list[SeenBatch]:
    """Return photographs with objects: numbers of 0 to 255, and boxes of a cell's size.

    Parameters
    ----------
    n : int
        Images of a batch.
    """
    draw, (height, width), found = np.random.default_rng(2), YOLO_SIZE, []
    for _ in range(_BATCHES):
        sides = draw.uniform(30, 120, (n, _OBJECTS, 2))
        corner = draw.random((n, _OBJECTS, 2)) * ((width, height) - sides)
        kinds = draw.integers(0, YOLO_CLASSES, (n, _OBJECTS, 1))
        found.append(SeenBatch(draw.uniform(0, 255, (n, height, width, 3)).astype(np.float32),
                               np.concatenate([corner, corner + sides, kinds], 2).astype(np.float32)))
    return found


def unet_batches(n: int) -> list[SeenBatch]:
    """Return standardized images, and whether each pixel is in a disc.

    Parameters
    ----------
    n : int
        Images of a batch.
    """
    draw, found = np.random.default_rng(2), []
    rows, columns = np.mgrid[:UNET_SIZE, :UNET_SIZE]
    for _ in range(_BATCHES):
        middle, radius = draw.uniform(0, UNET_SIZE, (n, 2, 1, 1)), draw.uniform(40, 90, (n, 1, 1))
        disc = np.hypot(rows - middle[:, 0], columns - middle[:, 1]) < radius
        x = draw.standard_normal((n, UNET_SIZE, UNET_SIZE, 3), dtype=np.float32) + disc[..., None].astype(np.float32)
        found.append(SeenBatch(x, disc.astype(np.int64)))
    return found


def parameter(number: int, kind: str, shape: tuple[int, ...]) -> Any:
    """Return a parameter of the layer of this number, counted over those that have any, in Keras's layout.

    Parameters
    ----------
    number : int
    kind : str
        "kernel", "bias", "gamma" or "beta".
    shape : tuple of int
    """
    draw = np.random.default_rng(zlib.crc32(f"{number}/{kind}".encode()))
    if kind == "kernel":
        return draw.standard_normal(shape, dtype=np.float32) * np.float32((2 / np.prod(shape[:-1])) ** 0.5)
    return draw.uniform(-0.1, 0.1, shape).astype(np.float32) + np.float32(kind == "gamma")
