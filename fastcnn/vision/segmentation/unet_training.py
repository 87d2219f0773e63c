"""A U-Net from a part of a data set of masks: squares about its objects, network, loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers, losses
from fastcnn.augmentation import Pipeline
from fastcnn.datasets import MaskedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.random import set_random_seed
from fastcnn.vision.recipe import Recipe, optimizer_for
from fastcnn.vision.segmentation.mask_batches import MaskBatches
from fastcnn.vision.segmentation.segmenter import Segmenter
from fastcnn.vision.segmentation.unet_network import unet

# Within which changes leave pixels. Scaled ones are between 0 and 1 but for a few; a change of brightness by 0.015 of
# the range is 0.09 there.
_SCALED, _BYTES = (-2.0, 4.0), (0.0, 255.0)


def unet_recipe(train: MaskedImages, dev: MaskedImages | None = None, *, seed: int = 0, size: int = 128,
                epochs: int = 36, batch_size: int = 8, optimizer: Any = "adamw", learning_rate: float = 3e-3,
                weight_decay: float | None = 0.01, augment: bool = True, begin: Segmenter | None = None,
                filters: int | Sequence[int] = (16, 32, 64, 96), depth: int | None = None, w0: float = 0.0,
                sigma: float = 5.0, percentiles: tuple[float, float] | None = (1.0, 99.8),
                classes: Sequence[str] | None = None, flips: bool = False) -> Recipe:
    """Return the training of a U-Net on pictures with masks, from nothing.

    Squares are cut out of the pictures by `MaskBatches`, mirrored and coloured anew in each epoch; masks follow.
    Objects are learned as `pixel_shares`, with cross-entropy. The network takes pictures of any size.

    Parameters
    ----------
    train : MaskedImages
        Of objects or of classes.
    dev : MaskedImages, optional
        Their loss is told after each epoch.
    seed : int
        Of first weights and changes.
    size : int
        Of the squares, in pixels.
    epochs, batch_size : int
    optimizer : str or Optimizer
        One that was made has a rate and a weight decay of its own.
    learning_rate : float
        The highest.
    weight_decay : float or None
        Of kernels.
    augment : bool
        Whether squares are mirrored and coloured.
    begin : Segmenter, optional
        Its network is trained on, in place of a new one.
    filters, depth : int
        As of `unet`.
    w0, sigma : float
        As of `border_weights`, for masks of objects.
    percentiles : (float, float), optional
        As of `Segmenter`.
    classes : sequence of str, optional
        Names of the classes, background left out; without it "object", or "class 1" and so on.
    flips : bool
        Whether the segmenter looks at mirror images, too, which takes four times as long.

    Returns
    -------
    Recipe
        Whose `finish` returns a `Segmenter`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be.
    DataError
        Masks in which there is nothing, or classes without a name; masks of another size than their pictures.

    Examples
    --------
    >>> mask = np.zeros((40, 50), "int32")
    >>> mask[5:20, 8:30] = 1
    >>> part = fc.datasets.MaskedImages([(mask * 200).astype("uint8")[..., None]], [mask], ("a.png",),
    ...                                 np.array([[40, 50]]))
    >>> recipe = fc.vision.segmentation.unet_recipe(part, size=32, filters=4, depth=1)
    >>> recipe.x[0][0].shape, recipe.model.output_shape
    ((8, 32, 32, 1), (None, None, None, 3))
    """
    for name, part in (("train", train), ("dev", dev)):
        if not isinstance(part, MaskedImages) and (part is not None or part is train):
            raise ArgumentError(f"unet_recipe: expected MaskedImages as {name}, a part of a data set of masks, got "
                                f"{type(part).__name__}")
    size, epochs, batch_size = positive("unet_recipe", size=size, epochs=epochs, batch_size=batch_size)
    of_objects = train.kind == "instances"
    how: dict[str, Any] = {"percentiles": percentiles, "w0": w0, "sigma": sigma, "seed": seed}
    x = MaskBatches(train, size, batch_size, **how, augmentation=changes(
        seed, _BYTES if percentiles is None else _SCALED) if augment else None)
    if not x.objects:
        raise DataError(f"unet_recipe: expected objects to learn, got {len(train)} pictures without a single one")
    most = 1 if of_objects else max(int(mask.max()) for mask in train.masks)
    names = tuple(classes) if classes is not None else ("object",) if most == 1 else tuple(
        f"class {k}" for k in range(1, most + 1))
    if len(names) < most:
        raise DataError(f"unet_recipe: expected classes up to {len(names)}, {', '.join(names)}, got {most} in a mask")
    set_random_seed(seed)
    if begin is None:
        model = unet(1 + len(names) + of_objects, channels=x.channels, filters=filters, depth=depth)
    else:
        model = begin.model
        wanted = (x.channels, 1 + len(names) + of_objects)
        if (model.input_shape[3], model.output_shape[3]) != wanted:
            raise DataError(f"unet_recipe: expected pictures and masks as those that the segmenter knows, from "
                            f"{model.input_shape[3]} channels to {model.output_shape[3]} outputs, got {wanted[0]} to "
                            f"{wanted[1]}")
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay),
                  losses.CategoricalCrossentropy() if of_objects else losses.SparseCategoricalCrossentropy())
    smallest = _smallest(train)
    return Recipe(model, x, lambda: Segmenter(model, names, percentiles=percentiles, smallest=smallest, flips=flips),
                  epochs=epochs,
                  validation_data=None if dev is None else MaskBatches(dev, size, batch_size, **how, anew=False))


def changes(seed: int, value_range: tuple[float, float] = _SCALED) -> Pipeline:
    """Return what squares go through on their way into a batch.

    Parameters
    ----------
    seed : int
    value_range : (float, float)
        Of pixels.
    """
    return Pipeline([layers.RandomFlip(), layers.RandomContrast(0.4, value_range),
                     layers.RandomBrightness(0.015, value_range), layers.RandomNoise(0.005, value_range)], seed=seed)


def _smallest(train: MaskedImages) -> int:
    """Return how many pixels an object has at least: as many as all but a hundredth of those of the masks have."""
    if train.kind != "instances":
        return 1
    areas = np.concatenate([np.bincount(np.maximum(mask, 0).reshape(-1))[1:] for mask in train.masks])
    areas = areas[areas > 0]
    return max(1, int(np.percentile(areas, 1))) if len(areas) else 1
