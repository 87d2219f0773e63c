"""Batches of squares out of pictures with masks, about their objects."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.augmentation import Pipeline
from fastcnn.datasets import MaskedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import integer, positive
from fastcnn.utils import PyDataset
from fastcnn.vision.segmentation.libraries import ndimage
from fastcnn.vision.segmentation.pixel_targets import middles
from fastcnn.vision.segmentation.scaling import limits, scaled
from fastcnn.vision.segmentation.weighting import border_weights

_ABOUT_OBJECTS = 0.8  # of the squares; the others are from anywhere


class _Picture(NamedTuple):
    pixels: np.ndarray  # (H, W, C) uint8, at least as large as a square
    limits: tuple[float, float] | None
    target: np.ndarray  # (H, W): middles, or classes
    weights: np.ndarray | None
    centres: np.ndarray  # (objects, 2): row and column


class MaskBatches(PyDataset):
    """Batches for `fit`: squares of scaled pictures, and what is learned of their pixels.

    Most squares have an object of a picture in them, drawn among all of it, at any place; the others are from anywhere.
    Half of them are mirrored about the diagonal; what else becomes of them says a pipeline, and masks follow. Which
    squares are in a batch is a function of (seed, epoch, batch). Pictures may be of any sizes; what is missing of one
    that is smaller than a square, and what nobody knows, below 0 in its mask, weighs nothing. Needs SciPy.

    Parameters
    ----------
    part : MaskedImages
        Masks of objects are learned as `pixel_shares`, those of classes as numbers.
    size : int
        Of the squares.
    batch_size : int
    percentiles : (float, float), optional
        As of `Segmenter`.
    w0, sigma : float
        As of `border_weights`, for masks of objects; with 0 all pixels weigh alike.
    augmentation : Pipeline, optional
        Its stages keep the size.
    batches : int, optional
        In an epoch; as many as cover all pictures once, without it.
    seed : int
    anew : bool
        Whether squares are others in each epoch; without it they are those of the first, for validation.
    workers, max_queue_size : as in `fastcnn.utils.PyDataset`

    Raises
    ------
    DataError
        If there is no picture, or a mask is of another size than its picture.

    Examples
    --------
    >>> mask = np.zeros((40, 70), "int32")
    >>> mask[5:20, 8:30] = 1
    >>> part = fc.datasets.MaskedImages([np.zeros((40, 70, 1), "uint8")], [mask], ("a.png",), np.array([[40, 70]]))
    >>> x, y = fc.vision.segmentation.MaskBatches(part, 32, batch_size=4)[0]
    >>> x.shape, y.shape
    ((4, 32, 32, 1), (4, 32, 32, 3))
    """

    def __init__(self, part: MaskedImages, size: int, batch_size: int = 8, *,
                 percentiles: tuple[float, float] | None = (1.0, 99.8), w0: float = 0.0, sigma: float = 5.0,
                 augmentation: Pipeline | None = None, batches: int | None = None, seed: int = 0, anew: bool = True,
                 workers: int = 1, max_queue_size: int = 10) -> None:
        super().__init__(workers, max_queue_size=max_queue_size)
        if not isinstance(part, MaskedImages):
            raise ArgumentError(f"MaskBatches: expected MaskedImages, a part of a data set of masks, got "
                                f"{type(part).__name__}")
        self.size, self.batch_size = positive("MaskBatches", size=size, batch_size=batch_size)
        if not len(part):
            raise DataError("MaskBatches: expected at least one picture with its mask, got none")
        if augmentation is not None and augmentation.compute_output_shape((size, size, 1))[:2] != (size, size):
            raise ArgumentError(f"MaskBatches: expected a pipeline that keeps squares of {size} pixels, got one that "
                                f"makes them {augmentation.compute_output_shape((size, size, 1))[:2]}")
        self.kind, self.augmentation, self.seed = part.kind, augmentation, integer(seed, "MaskBatches", "seed")
        self._pictures = [self._read(one, percentiles, w0, sigma) for one in part]
        self.has_weights = any(one.weights is not None for one in self._pictures)
        area = sum(one.target.size for one in self._pictures)
        self.batches = max(1, round(area / (self.batch_size * self.size ** 2))) if batches is None else batches
        self.anew, self._epoch = anew, 0

    @property
    def objects(self) -> int:
        """How many objects there are in all pictures; of classes their connected parts count."""
        return sum(len(one.centres) for one in self._pictures)

    @property
    def channels(self) -> int:
        """Of the pictures."""
        return int(self._pictures[0].pixels.shape[2])

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> Any:
        draw = np.random.default_rng((self.seed, self._epoch, index))
        some = [self._square(draw) for _ in range(self.batch_size)]
        x, target, weights = (np.stack(each) for each in zip(*some, strict=True))
        if self.augmentation is not None:
            numbers = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
            moved = self.augmentation.augmented(x, numbers, self._epoch, np.stack([target, weights], axis=-1))
            assert moved.masks is not None
            x, (target, weights) = moved.images, np.moveaxis(moved.masks, -1, 0)
        if self.kind == "instances":
            inside = (target > 0).astype(np.float32)
            y = np.stack([1 - inside, target, inside - target], axis=-1)
        else:
            y = target.astype(np.int32)
        return (x, y, np.ascontiguousarray(weights)) if self.has_weights else (x, y)

    def on_epoch_end(self) -> None:
        self._epoch += self.anew

    def get_state(self) -> dict[str, int]:
        """Return the epoch, so that a training that is resumed goes on with its batches."""
        return {"epoch": self._epoch}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on where `get_state` was.

        Parameters
        ----------
        state : dict
        """
        self._epoch = int(state["epoch"])

    def _read(self, one: Any, percentiles: Any, w0: float, sigma: float) -> _Picture:
        mask, of_objects = np.asarray(one.mask), self.kind == "instances"
        if mask.shape != one.image.shape[:2]:
            raise DataError(f"MaskBatches: expected masks of the size of their pictures, got {mask.shape} for "
                            f"{one.image.shape[:2]} in {one.file}")
        target = middles(mask) if of_objects else np.maximum(mask, 0).astype(np.float32)
        weights = border_weights(mask, w0=w0, sigma=sigma) if w0 and of_objects else (mask >= 0).astype(np.float32)
        images = ndimage()
        numbers = np.maximum(mask, 0) if of_objects else images.label(mask > 0)[0]
        boxes = [box for box in images.find_objects(numbers) if box is not None]
        centres = np.array([[(side.start + side.stop) // 2 for side in box] for box in boxes], np.int64).reshape(-1, 2)
        missing = [max(0, self.size - length) for length in mask.shape]
        bounds = limits(one.image, percentiles)
        if any(missing):
            border = [(0, rows) for rows in missing]
            weights, target = np.pad(weights, border), np.pad(target, border)
        pixels = np.pad(one.image, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="edge")
        return _Picture(pixels, bounds, target, None if (weights == 1).all() else weights, centres)

    def _square(self, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a square of a picture, its target and its weights."""
        one = self._pictures[draw.integers(len(self._pictures))]
        shape = np.array(one.target.shape)
        corner = draw.integers(0, shape - self.size + 1)
        if draw.random() < _ABOUT_OBJECTS and len(one.centres):
            corner = one.centres[draw.integers(len(one.centres))] - draw.integers(0, self.size, 2)
        row, column = np.clip(corner, 0, shape - self.size).tolist()
        place = np.s_[row:row + self.size, column:column + self.size]
        weights = np.ones((self.size, self.size), np.float32) if one.weights is None else one.weights[place]
        found = scaled(one.pixels[place], one.limits), one.target[place], weights
        if draw.random() < 0.5:
            return found[0].swapaxes(0, 1), found[1].T, found[2].T
        return found
