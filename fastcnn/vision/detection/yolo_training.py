"""A YOLO from a part of a data set of boxes: prior boxes, network, loss, pictures changed on their way."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.random import set_random_seed
from fastcnn.vision import boxes
from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.detector import Detector
from fastcnn.vision.detection.letterboxing import letterboxed
from fastcnn.vision.detection.yolo_loss import YoloLoss
from fastcnn.vision.detection.yolo_network import yolo
from fastcnn.vision.recipe import Recipe, optimizer_for

_LONG_SIDE = 384  # pixels, of the network's pictures where nobody says a size


def yolo_recipe(train: BoxedImages, dev: BoxedImages | None = None, *, seed: int = 0,
                size: tuple[int, int] | None = None, epochs: int = 60, batch_size: int = 4, optimizer: Any = "adamw",
                learning_rate: float = 2e-3, weight_decay: float | None = 0.01, augment: bool | Pipeline = True,
                begin: Detector | None = None, filters: int = 16, blocks: int = 1, block: str = "residual",
                strides: Sequence[int] = (16,), anchors: int = 3) -> Recipe:
    """Return the training of a YOLO on pictures with boxes, from nothing.

    Prior boxes are found among those of `train` by k-means on IoU. Pictures are put into one size, their shape kept,
    and are flipped, zoomed, moved and coloured anew in each epoch; boxes follow.

    Parameters
    ----------
    train : BoxedImages
    dev : BoxedImages, optional
        Their loss is told after each epoch, and `Detector.choose_threshold` chooses on them which boxes are told.
    seed : int
        Of first weights, prior boxes and changes.
    size : (int, int), optional
        Height and width that the network sees, multiples of the last stride. Without it the most common size of the
        pictures, made smaller until its long side is 384.
    epochs, batch_size : int
    optimizer : str or Optimizer
        One that was made has a rate and a weight decay of its own.
    learning_rate : float
        The highest.
    weight_decay : float or None
        Of kernels.
    augment : bool or Pipeline
        Whether pictures are changed, or what changes them in place of the recipe's own.
    begin : Detector, optional
        Its network is trained on, in place of a new one: its cells and its size stay.
    filters, blocks, block : as of `yolo`
    strides : sequence of int
        Of the grids, as of `YoloCells`.
    anchors : int
        Prior boxes of each grid.

    Returns
    -------
    Recipe
        Whose `finish` returns a `Detector`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be, a size that is no multiple of the strides.
    DataError
        Pictures without a single box; others than boxes; dev pictures of other classes.

    Examples
    --------
    >>> pictures = fc.datasets.BoxedImages([np.zeros((32, 48, 3), "uint8")], [[4, 4, 20, 24]], [0, 1], [0],
    ...                                    names=("cat",), files=("a.png",), sizes=[[32, 48]])
    >>> recipe = fc.vision.detection.yolo_recipe(pictures, epochs=2, anchors=1, filters=4)
    >>> recipe.x.shape, recipe.notes
    ((1, 32, 48, 3), ('prior boxes 16x20, which cover boxes with a mean IoU of 1.000',))
    """
    for name, part in (("train", train), ("dev", dev)):
        if part is not None and not isinstance(part, BoxedImages):
            raise ArgumentError(f"yolo_recipe: expected BoxedImages as {name}, a part of a data set of boxes, got "
                                f"{type(part).__name__}")
    if begin is not None and begin.classes != train.names:
        raise DataError(f"yolo_recipe: expected pictures of the classes that the detector knows, "
                        f"{', '.join(begin.classes)}, got {', '.join(train.names)}")
    if dev is not None and dev.names != train.names:
        raise DataError(f"yolo_recipe: expected dev pictures of the classes {', '.join(train.names)}, got "
                        f"{', '.join(dev.names)}")
    epochs, batch_size, anchors = positive("yolo_recipe", epochs=epochs, batch_size=batch_size, anchors=anchors)
    if not len(train.boxes):
        raise DataError(f"yolo_recipe: expected boxes to learn, got {len(train)} pictures without a single one")
    set_random_seed(seed)
    if begin is not None:
        size = begin.cells.size
    x, rows = letterboxed(train, fitting_size(train.sizes, max(strides)) if size is None else size)
    notes: tuple[str, ...] = ()
    if begin is None:
        sides, mean = boxes.anchor_sides(rows.rows[:, :4], _fewer(anchors * len(strides), rows), seed)
        cells = YoloCells((x.shape[1], x.shape[2]), sides, strides)
        model = yolo(cells, len(train.names), channels=x.shape[3], filters=filters, blocks=blocks, block=block)
        told = ", ".join(f"{width:.0f}x{height:.0f}" for width, height in sides)
        notes = (f"prior boxes {told}, which cover boxes with a mean IoU of {mean:.3f}",)
    else:
        cells, model = begin.cells, begin.model
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay), YoloLoss(cells))

    def finish() -> Detector:
        detector = Detector(model, cells, train.names)
        if dev is not None:
            with suppress(DataError):  # without objects there, or boxes found, the threshold stays
                detector.choose_threshold(dev)
        return detector

    pipeline = augment if isinstance(augment, Pipeline) else changes(seed) if augment else None
    return Recipe(model, x, finish, rows, batch_size, epochs, pipeline,
                  None if dev is None else letterboxed(dev, cells.size), notes=notes)


def fitting_size(sizes: np.ndarray, stride: int) -> tuple[int, int]:
    """Return a size for pictures: the most common of theirs, its long side at most 384, in multiples of a stride.

    Parameters
    ----------
    sizes : (N, 2) array
        Height and width.
    stride : int

    Examples
    --------
    >>> fc.vision.detection.yolo_recipe.__globals__["fitting_size"](np.array([[480, 640], [480, 640], [90, 90]]), 16)
    (288, 384)
    """
    each, counts = np.unique(sizes, axis=0, return_counts=True)
    height, width = each[np.argmax(counts)].tolist()
    share = min(1.0, _LONG_SIDE / max(height, width))
    return max(stride, round(height * share / stride) * stride), max(stride, round(width * share / stride) * stride)


def changes(seed: int) -> Pipeline:
    """Return what pictures with boxes go through on their way into a batch.

    Parameters
    ----------
    seed : int
    """
    return Pipeline([layers.RandomFlip(), layers.RandomZoom((-0.25, 0.25), fill_mode="constant"),
                     layers.RandomTranslation(0.1, 0.1, fill_mode="constant"), layers.RandomBrightness(0.15),
                     layers.RandomContrast(0.2)], seed=seed)


def _fewer(count: int, rows: RaggedRows) -> int:
    """Return how many prior boxes there can be: no more than boxes of different sides."""
    sides = rows.rows[:, 2:4] - rows.rows[:, :2]
    return min(count, len(np.unique(sides, axis=0)))
