"""A Faster R-CNN from a part of a data set of boxes: anchors, network, losses, pictures changed on their way."""

from contextlib import suppress
from typing import Any

from fastcnn.augmentation import Pipeline
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.random import set_random_seed
from fastcnn.vision.detection.letterboxing import letterboxed
from fastcnn.vision.detection.recipe_parts import changes, check_parts, fitting_size, prior_sides
from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.networks import faster_rcnn
from fastcnn.vision.rcnn.proposal_loss import ProposalLoss
from fastcnn.vision.rcnn.region_detector import RegionDetector
from fastcnn.vision.rcnn.region_loss import RegionLoss
from fastcnn.vision.recipe import Recipe, optimizer_for


def faster_rcnn_recipe(train: BoxedImages, dev: BoxedImages | None = None, *, seed: int = 0,
                       size: tuple[int, int] | None = None, epochs: int = 24, batch_size: int = 4,
                       optimizer: Any = "adamw", learning_rate: float = 2e-3, weight_decay: float | None = 0.01,
                       augment: bool | Pipeline = True, begin: RegionDetector | None = None, filters: int = 16,
                       stride: int = 8, anchors: int = 3, regions: int = 64, hidden: int = 256) -> Recipe:
    """Return the training of a Faster R-CNN on pictures with boxes, from nothing: both stages together.

    The sides of anchors are found among the boxes of `train` by k-means on IoU. Pictures are put into one size, their
    shape kept, and are flipped, zoomed, moved and coloured anew in each epoch; boxes follow. Half of the regions that a
    step learns from may have an object, where there are so many.

    Parameters
    ----------
    train : BoxedImages
    dev : BoxedImages, optional
        Their losses are told after each epoch, and `RegionDetector.choose_threshold` chooses on them which boxes are
        told.
    seed : int
        Of first weights, anchors, changes and what is drawn.
    size : (int, int), optional
        Height and width that the network sees, multiples of twice the stride. Without it the most common size of the
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
    begin : RegionDetector, optional
        Its network is trained on, in place of a new one: its anchors and its size stay.
    filters, regions, hidden : as of `faster_rcnn`
    stride : int
        Of the features, as of `AnchorGrid`.
    anchors : int
        How many of a cell.

    Returns
    -------
    Recipe
        Whose `finish` returns a `RegionDetector`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be, a size that is no multiple; a detector to begin with that has no anchors.
    DataError
        Pictures without a single box; others than boxes; dev pictures of other classes.

    Examples
    --------
    >>> pictures = fc.datasets.BoxedImages([np.zeros((32, 48, 3), "uint8")], [[4, 4, 20, 24]], [0, 1], [0],
    ...                                    names=("cat",), files=("a.png",), sizes=[[32, 48]])
    >>> recipe = fc.vision.rcnn.faster_rcnn_recipe(pictures, epochs=2, anchors=1, filters=4, hidden=8)
    >>> recipe.x.shape, recipe.notes
    ((1, 32, 48, 3), ('anchors 16x20, which cover boxes with a mean IoU of 1.000',))
    """
    who = "faster_rcnn_recipe"
    check_parts(who, train, dev, begin)
    if begin is not None and begin.grid is None:
        raise ArgumentError(f"{who}: expected a detector with anchors, of a Faster R-CNN, got {begin}")
    epochs, batch_size, anchors, stride = positive(who, epochs=epochs, batch_size=batch_size, anchors=anchors,
                                                   stride=stride)
    set_random_seed(seed)
    if begin is not None:
        size = begin.size
    x, rows = letterboxed(train, fitting_size(train.sizes, 2 * stride) if size is None else size)
    notes: tuple[str, ...] = ()
    if begin is None:
        sides, told = prior_sides(rows.rows[:, :4], anchors, seed, "anchors")
        grid, notes = AnchorGrid((x.shape[1], x.shape[2]), sides, stride), (told,)
        model = faster_rcnn(grid, len(train.names), channels=x.shape[3], filters=filters, regions=regions,
                            hidden=hidden)
    else:
        assert begin.grid is not None
        grid, model = begin.grid, begin.model
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay),
                  {"proposals": ProposalLoss(grid), "regions": RegionLoss(count=regions, share=0.5)})

    def finish() -> RegionDetector:
        detector = RegionDetector(model, train.names, grid=grid)
        if dev is not None:
            with suppress(DataError):  # without objects there, or boxes found, the threshold stays
                detector.choose_threshold(dev)
        return detector

    pipeline = augment if isinstance(augment, Pipeline) else changes(seed) if augment else None
    held = None
    if dev is not None:
        pictures, objects = letterboxed(dev, grid.size)
        held = pictures, _both(objects)
    return Recipe(model, x, finish, _both(rows), batch_size, epochs, pipeline, held, notes=notes,
                  samples=train.files)


def _both(rows: Any) -> dict[str, Any]:
    """Return the targets of both stages, which are the same."""
    return {"proposals": rows, "regions": rows}
