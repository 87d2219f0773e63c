"""A U-Net from a part of a data set of masks: patches, network, loss, pictures changed on their way."""

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
from fastcnn.vision.segmentation.mask_patches import patches
from fastcnn.vision.segmentation.segmenter import Segmenter
from fastcnn.vision.segmentation.unet_network import unet

# Within which changes leave pixels. Scaled ones are between 0 and 1 but for a few; a change of brightness by 0.015 of
# the range is 0.09 there.
_SCALED, _BYTES = (-2.0, 4.0), (0.0, 255.0)


def unet_recipe(train: MaskedImages, dev: MaskedImages | None = None, *, seed: int = 0, size: int = 128,
                epochs: int = 60, batch_size: int = 8, optimizer: Any = "adamw", learning_rate: float = 3e-3,
                weight_decay: float | None = 0.01, augment: bool = True,
                filters: int | Sequence[int] = (16, 32, 64, 96), depth: int | None = None, w0: float = 0.0,
                sigma: float = 5.0, percentiles: tuple[float, float] | None = (1.0, 99.8),
                classes: Sequence[str] | None = None) -> Recipe:
    """Return the training of a U-Net on pictures with masks, from nothing.

    Pictures are scaled by their percentiles and cut into patches of twice the size; of each a square, another one in
    each epoch, is mirrored and coloured anew; masks follow. Objects are learned as `pixel_shares`, with cross-entropy.

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
        Whether squares are mirrored and coloured; they are cut at random all the same.
    filters, depth : int
        As of `unet`.
    w0, sigma : float
        As of `border_weights`, for masks of objects.
    percentiles : (float, float), optional
        As of `Segmenter`.
    classes : sequence of str, optional
        Names of the classes, background left out; without it "object", or "class 1" and so on.

    Returns
    -------
    Recipe
        Whose `finish` returns a `Segmenter`.

    Raises
    ------
    ArgumentError
        Numbers that cannot be.
    DataError
        Masks in which there is nothing; masks of another size than their pictures; others than masks.

    Examples
    --------
    >>> mask = np.zeros((40, 50), "int32")
    >>> mask[5:20, 8:30] = 1
    >>> part = fc.datasets.MaskedImages([(mask * 200).astype("uint8")[..., None]], [mask], ("a.png",),
    ...                                 np.array([[40, 50]]))
    >>> recipe = fc.vision.segmentation.unet_recipe(part, size=32, filters=4, depth=1)
    >>> recipe.x.shape, recipe.model.output_shape
    ((1, 64, 64, 1), (None, None, None, 3))
    """
    for name, part in (("train", train), ("dev", dev)):
        if not isinstance(part, MaskedImages) and (part is not None or part is train):
            raise ArgumentError(f"unet_recipe: expected MaskedImages as {name}, a part of a data set of masks, got "
                                f"{type(part).__name__}")
    size, epochs, batch_size = positive("unet_recipe", size=size, epochs=epochs, batch_size=batch_size)
    of_objects = train.kind == "instances"
    found = patches(train, 2 * size, percentiles, w0=w0, sigma=sigma)
    most = 1 if of_objects else int(found.y.max(initial=0))
    if not (found.y[..., 0] < 1).any() if of_objects else most == 0:
        raise DataError(f"unet_recipe: expected objects to learn, got {len(train)} pictures without a single one")
    names = tuple(classes) if classes is not None else ("object",) if most == 1 else tuple(
        f"class {k}" for k in range(1, most + 1))
    set_random_seed(seed)
    model = unet(1 + len(names) + of_objects, channels=found.x.shape[3], filters=filters, depth=depth)
    model.compile(optimizer_for(optimizer, learning_rate, weight_decay),
                  losses.CategoricalCrossentropy() if of_objects else losses.SparseCategoricalCrossentropy())
    validation = None
    if dev is not None:
        held = patches(dev, 2 * size, percentiles, w0=w0, sigma=sigma)
        validation = (held.x, held.y) if held.weights is None else (held.x, held.y, held.weights)
    return Recipe(model, found.x, lambda: Segmenter(
        model, names, percentiles=percentiles, smallest=_smallest(train)), found.y, batch_size, epochs, changes(
            size, seed, augment, _BYTES if percentiles is None else _SCALED), validation, found.weights)


def changes(size: int, seed: int, augment: bool = True, value_range: tuple[float, float] = _SCALED) -> Pipeline:
    """Return what patches go through on their way into a batch.

    Parameters
    ----------
    size : int
    seed : int
    augment : bool
    value_range : (float, float)
        Of pixels.
    """
    more = [layers.RandomFlip(), layers.RandomContrast(0.4, value_range), layers.RandomBrightness(0.015, value_range),
            layers.RandomNoise(0.005, value_range)]
    return Pipeline([layers.RandomCrop(size, size), *(more if augment else [])], seed=seed)


def _smallest(train: MaskedImages) -> int:
    """Return how many pixels an object has at least: half of what all but a hundredth of those of the masks have."""
    if train.kind != "instances":
        return 1
    areas = np.concatenate([np.bincount(np.maximum(mask, 0).reshape(-1))[1:] for mask in train.masks])
    areas = areas[areas > 0]
    return max(1, int(np.percentile(areas, 1) / 2)) if len(areas) else 1
