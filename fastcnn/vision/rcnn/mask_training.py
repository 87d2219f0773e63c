"""A Mask R-CNN from a part of a data set of objects: anchors, network, losses, pictures changed on their way."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.datasets import MaskedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.random import set_random_seed
from fastcnn.vision.detection.letterboxing import fitted
from fastcnn.vision.detection.recipe_parts import fitting_size, prior_sides
from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.mask_loss import MaskLoss
from fastcnn.vision.rcnn.networks import mask_rcnn
from fastcnn.vision.rcnn.objects import objects_of
from fastcnn.vision.rcnn.proposal_loss import ProposalLoss
from fastcnn.vision.rcnn.region_detector import RegionDetector
from fastcnn.vision.rcnn.region_loss import RegionLoss
from fastcnn.vision.rcnn.region_segmenter import RegionSegmenter, stretched
from fastcnn.vision.recipe import Recipe, optimizer_for
from fastcnn.vision.segmentation.scaling import checked_percentiles


def mask_rcnn_recipe(train: MaskedImages, dev: MaskedImages | None = None, *, seed: int = 0,
                     size: tuple[int, int] | None = None, epochs: int = 12, batch_size: int = 4,
                     optimizer: Any = "adamw", learning_rate: float = 2e-3, weight_decay: float | None = 0.01,
                     augment: bool = True, begin: RegionSegmenter | None = None, filters: int = 16, stride: int = 4,
                     anchors: int = 3, regions: int = 128, hidden: int = 128, mask_filters: int = 16,
                     proposal_iou: float = 0.5, percentiles: tuple[float, float] | None = (1.0, 99.8),
                     name: str = "object") -> Recipe:
    """Return the training of a Mask R-CNN on pictures with masks of objects, from nothing: all heads together.

    The sides of anchors are found among the boxes around objects by k-means on IoU. Pictures are put into one size,
    their shape kept, and are mirrored, turned, zoomed and changed in contrast anew in each epoch; masks follow. At most
    `regions` objects of a picture are found.

    Parameters
    ----------
    train : MaskedImages
        Of objects.
    dev : MaskedImages, optional
        Their losses are told after each epoch.
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
    augment : bool
        Whether pictures are changed.
    begin : RegionSegmenter, optional
        Its network is trained on, in place of a new one: its anchors, its size and how it stretches stay.
    filters, regions, hidden, mask_filters, proposal_iou : as of `mask_rcnn`
    stride : int
        Of the features, as of `AnchorGrid`.
    anchors : int
        How many of a cell.
    percentiles : (float, float), optional
        As of `RegionSegmenter`.
    name : str
        Of the objects.

    Returns
    -------
    Recipe
        Whose `finish` returns a `RegionSegmenter`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be, a size that is no multiple; a segmenter to begin with that has no anchors.
    DataError
        Pictures without a single object; masks of classes.

    Examples
    --------
    >>> mask = np.zeros((32, 48), "int32")
    >>> mask[5:20, 8:30] = 1
    >>> part = fc.datasets.MaskedImages([(mask * 200).astype("uint8")[..., None]], [mask], ("a.png",),
    ...                                 np.array([[32, 48]]))
    >>> recipe = fc.vision.rcnn.mask_rcnn_recipe(part, anchors=1, filters=4, regions=8, hidden=8)
    >>> recipe.x.shape, recipe.notes
    ((1, 32, 48, 1), ('anchors 22x15, which cover boxes with a mean IoU of 1.000',))
    """
    who = "mask_rcnn_recipe"
    for word, part in (("train", train), ("dev", dev)):
        if part is not None and not isinstance(part, MaskedImages):
            raise ArgumentError(f"{who}: expected MaskedImages as {word}, a part of a data set of masks, got "
                                f"{type(part).__name__}")
    epochs, batch_size, anchors, regions, stride = positive(who, epochs=epochs, batch_size=batch_size, anchors=anchors,
                                                            regions=regions, stride=stride)
    percentiles = checked_percentiles(percentiles, who)
    if not len(train.boxed(name).boxes):
        raise DataError(f"{who}: expected objects to learn, got {len(train)} pictures without a single one")
    set_random_seed(seed)
    if begin is not None:
        if begin.detector.grid is None:
            raise ArgumentError(f"{who}: expected a segmenter with anchors, got {begin}")
        grid, model, notes = begin.detector.grid, begin.model, list[str]()
        percentiles, name, regions = begin.percentiles, begin.classes[0], begin.detector.regions
        x, maps = arrays(train, grid.size, percentiles)
    else:
        x, maps = arrays(train, fitting_size(train.sizes, 2 * stride) if size is None else size, percentiles)
        around = np.concatenate([objects_of(one, np.float32).boxes for one in maps])
        sides, *notes = prior_sides(around, anchors, seed, "anchors")
        grid = AnchorGrid((x.shape[1], x.shape[2]), sides, stride)
        model = mask_rcnn(grid, 1, channels=x.shape[3], filters=filters, regions=regions, hidden=hidden,
                          proposal_iou=proposal_iou, mask_filters=mask_filters)
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay), {
        "proposals": ProposalLoss(grid, positive=0.6), "regions": RegionLoss(count=regions, share=0.5),
        "masks": MaskLoss(count=regions)})

    def finish() -> RegionSegmenter:
        detector = RegionDetector(model, (name,), grid=grid, max_detections=regions)
        return RegionSegmenter(detector, percentiles=percentiles)

    held = None
    if dev is not None:
        pictures, known = arrays(dev, grid.size, percentiles)
        held = pictures, dict.fromkeys(model.output_names, known)
    return Recipe(model, x, finish, dict.fromkeys(model.output_names, maps), batch_size, epochs,
                  changes(seed) if augment else None, held, notes=tuple(notes))


def changes(seed: int) -> Pipeline:
    """Return what pictures with masks of objects go through on their way into a batch.

    Parameters
    ----------
    seed : int
    """
    return Pipeline([layers.RandomFlip(), layers.RandomRotation(0.5, fill_mode="constant"),
                     layers.RandomZoom((-0.25, 0.25), fill_mode="constant"), layers.RandomContrast(0.2)], seed=seed)


def arrays(part: MaskedImages, size: tuple[int, int], percentiles: tuple[float, float] | None
           ) -> tuple[np.ndarray, np.ndarray]:
    """Return stretched pictures in one size, uint8 (N, H, W, C), and their maps there, int32 (N, H, W).

    Parameters
    ----------
    part : MaskedImages
    size : (int, int)
        Height and width.
    percentiles : (float, float), optional
    """
    each = [fitted(stretched(one.image, percentiles), size) for one in part]
    maps = np.zeros((len(part), *each[0][0].shape[:2]), np.int32)
    for whole, (_, place), one in zip(maps, each, part, strict=True):
        height, width = place.new_size
        rows, columns = (((np.arange(new) + 0.5) * old / new).astype(np.int64)
                         for new, old in zip(place.new_size, one.mask.shape, strict=True))
        whole[place.top:place.top + height, place.left:place.left + width] = one.mask[rows[:, None], columns]
    return np.stack([picture for picture, _ in each]), maps
