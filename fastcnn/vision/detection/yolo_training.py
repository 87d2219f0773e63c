"""A YOLO from a part of a data set of boxes: prior boxes, network, loss, pictures changed on their way."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastcnn.augmentation import Pipeline
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.geometry.arguments import positive
from fastcnn.random import set_random_seed
from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.detector import Detector
from fastcnn.vision.detection.letterboxing import letterboxed
from fastcnn.vision.detection.mirrored_views import FLIPS
from fastcnn.vision.detection.recipe_parts import changes, check_parts, fitting_size, prior_sides
from fastcnn.vision.detection.yolo_loss import YoloLoss
from fastcnn.vision.detection.yolo_network import yolo
from fastcnn.vision.recipe import Recipe, optimizer_for


def yolo_recipe(train: BoxedImages, dev: BoxedImages | None = None, *, seed: int = 0,
                size: tuple[int, int] | None = None, epochs: int = 40, batch_size: int = 4, optimizer: Any = "adamw",
                learning_rate: float = 2e-3, weight_decay: float | None = 0.01, augment: bool | Pipeline = True,
                begin: Detector | None = None, filters: int = 16, blocks: int = 1, block: str = "residual",
                strides: Sequence[int] = (8, 16, 32), anchors: int = 3,
                flips: str | None = "horizontal_and_vertical") -> Recipe:
    """Return the training of a YOLO on pictures with boxes, from nothing.

    Prior boxes are found among those of `train` by k-means on IoU. Pictures are put into one size, their shape kept,
    and are mirrored, zoomed, moved and coloured anew in each epoch; boxes follow.

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
    flips : {"horizontal_and_vertical", "horizontal", "vertical", None}
        Which mirror images are as likely as pictures: training shows them, and the detector looks at them, too, which
        takes four, two, two or one times as long a picture.

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
    >>> pictures = fc.datasets.BoxedImages([np.zeros((32, 64, 3), "uint8")], [[4, 4, 20, 24]], [0, 1], [0],
    ...                                    names=("cat",), files=("a.png",), sizes=[[32, 64]])
    >>> recipe = fc.vision.detection.yolo_recipe(pictures, epochs=2, anchors=1, filters=4)
    >>> recipe.x.shape, recipe.notes[0]
    ((1, 32, 64, 3), 'prior boxes 16x20, which cover boxes with a mean IoU of 1.000')
    """
    if flips not in FLIPS:
        raise ArgumentError(unknown("yolo_recipe: flips", flips, [one for one in FLIPS if one]))
    check_parts("yolo_recipe", train, dev, begin)
    epochs, batch_size, anchors = positive("yolo_recipe", epochs=epochs, batch_size=batch_size, anchors=anchors)
    set_random_seed(seed)
    if begin is not None:
        size = begin.cells.size
    x, rows = letterboxed(train, fitting_size(train.sizes, max(strides)) if size is None else size)
    notes = list[str]()
    if begin is None:
        sides, told = prior_sides(rows.rows[:, :4], anchors * len(strides), seed, "prior boxes")
        each: Any = sides if len(sides) >= len(strides) else [sides] * len(strides)
        cells = YoloCells((x.shape[1], x.shape[2]), each, strides)
        model = yolo(cells, len(train.names), channels=x.shape[3], filters=filters, blocks=blocks, block=block)
        notes.append(told)
    else:
        cells, model = begin.cells, begin.model
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay), YoloLoss(cells))

    chosen: dict[Any, float] = {}  # by the versions of the weights: who asks twice need not wait twice

    def finish() -> Detector:
        detector = Detector(model, cells, train.names, flips=flips)
        versions = tuple(weight.version for weight in model.weights)
        if dev is not None and versions not in chosen:
            with suppress(DataError):  # without objects there, or boxes found, the threshold stays
                detector.choose_threshold(dev)
            chosen.clear()
            chosen[versions] = detector.score_threshold
        detector.score_threshold = chosen.get(versions, detector.score_threshold)
        return detector

    pipeline = augment if isinstance(augment, Pipeline) else changes(seed, flips) if augment else None
    if pipeline is not None:
        notes.append(f"boxes are dropped of which less than {pipeline.least_share:.0%} stays on a changed picture")
    return Recipe(model, x, finish, rows, batch_size, epochs, pipeline,
                  None if dev is None else letterboxed(dev, cells.size), notes=tuple(notes), samples=train.files)
