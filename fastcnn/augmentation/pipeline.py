"""A loader's stage: images of 8 bits become a standardized batch, changed by what layers of augmentation draw."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from fastcnn.augmentation.mosaic import Mosaic, MosaicTiles
from fastcnn.augmentation.passes import Pass, passes
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry import arguments
from fastcnn.geometry.arguments import integer
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.warp import NO_SCALES

Shape = tuple[int, int, int]


@runtime_checkable
class Stage(Protocol):
    """What a pipeline is made of, as the layers of augmentation are: two ways to change images."""

    def changes(self, draws: Draws, shape: Shape) -> list[Change]:
        """Return what becomes of images (H, W, C) in training."""
        ...

    def changes_at_rest(self, shape: Shape) -> list[Change]:
        """Return what becomes of them in inference."""
        ...


class Augmented(NamedTuple):
    """A batch after a pipeline.

    Attributes
    ----------
    images : (N, H, W, C) float32 array
    masks : (N, H, W, C) array or None
        In their own type, sampled at the nearest pixel.
    boxes : list of (K, 4) arrays, or None
        Left, top, right and bottom edge, in pixels; of no width or height where nothing is left.
    labels : (N, ...) array or None
        Mixed where images are.
    points : list of (K, 2) arrays, or None
        x and y in pixels, inside the image or not.
    """

    images: np.ndarray
    masks: np.ndarray | None
    boxes: list[np.ndarray] | None
    labels: np.ndarray | None
    points: list[np.ndarray] | None = None


class Pipeline:
    """Changes of pictures, one layer after the other, done in as few passes as can be.

    All that moves pixels is one matrix for each image, and all that changes colours another: mirrored, turned, moved,
    coloured and standardized, a picture is read once and written once. Therefore pixels are mixed once and colours are
    kept within their bounds once, at the end; a contrast is about the mean of the picture as it came. What a crop has
    cut off is still there for a rotation behind it.

    What is drawn for an image is a function of (seed, epoch, number of the image) alone, whatever the batch, the number
    of threads, or what came before. Mixing alone looks at which images share a batch.

    Parameters
    ----------
    stages : sequence of Stage
        Layers of augmentation, `Resizing` and `CenterCrop`. Their own seeds do not matter.
    seed : int
    mean, std : float or (C,) sequence
        In values of pixels: results are (x - mean) / std.
    least_share : float
        Boxes of which a smaller share of the area is still on the image are left out of a batch of `fit`.
    mosaic : Mosaic, optional
        Pictures are put together of four before all else, in `fit` alone, which knows all pictures.

    Raises
    ------
    ArgumentError
        If a stage is no layer of augmentation, a standard deviation is not positive, or a share not from 0 to 1.

    Examples
    --------
    >>> pipeline = fc.augmentation.Pipeline([layers.RandomFlip("horizontal"), layers.RandomRotation(0.05),
    ...                                      layers.RandomBrightness(0.2)], seed=1, mean=120.0, std=60.0)
    >>> pictures = np.zeros((8, 32, 32, 3), "uint8")
    >>> x = pipeline(pictures, np.arange(8), epoch=0)
    >>> x.shape, x.dtype
    ((8, 32, 32, 3), dtype('float32'))
    >>> bool((pipeline.at_rest(pictures) == -2).all())  # for validation
    True
    """

    def __init__(self, stages: Sequence[Stage], seed: int = 0, mean: Any = 0.0, std: Any = 1.0,
                 least_share: float = 0.2, mosaic: Mosaic | None = None) -> None:
        for number, stage in enumerate(stages):
            if isinstance(stage, Mosaic):
                raise ArgumentError("Pipeline: expected layers of augmentation, got a Mosaic among them; give it as "
                                    "mosaic=, since it comes before all of them")
            if not isinstance(stage, Stage):
                raise ArgumentError(f"Pipeline: expected layers of augmentation, got {stage!r} as number {number}; "
                                    f"to standardize give mean and std")
        self.stages, self.seed = list(stages), integer(seed, "Pipeline", "seed")
        self.mean, self.std = _numbers("mean", mean), _numbers("std", std)
        if not (self.std > 0).all():
            raise ArgumentError(f"Pipeline: expected std to be above 0, got {std!r}")
        self.least_share = arguments.number(least_share, "Pipeline", "a least_share from 0 to 1", lambda n: 0 <= n <= 1)
        if mosaic is not None and not isinstance(mosaic, Mosaic):
            raise ArgumentError(f"Pipeline: expected mosaic=fc.augmentation.Mosaic(...), got {mosaic!r}")
        self.mosaic = mosaic

    def __call__(self, images: np.ndarray, indices: np.ndarray, epoch: int = 0) -> np.ndarray:
        """Return a batch for training.

        Parameters
        ----------
        images : (N, H, W, C) array
            Of uint8, or other numbers, which become float32.
        indices : (N,) array of int
            Their numbers in the data set.
        epoch : int

        Returns
        -------
        (N, H', W', C) float32 array
        """
        return self.augmented(images, indices, epoch).images

    def at_rest(self, images: np.ndarray) -> np.ndarray:
        """Return a batch for validation and test: resized, cropped in the middle and standardized alone."""
        images = _checked(images)
        return self._run(images, passes(self._changes_at_rest(_shape_of(images))[0], len(images)))[0]

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the shape (H', W', C) of images that were (H, W, C)."""
        return self._changes_at_rest(shape)[1]

    def digest(self) -> str:
        """Return some digits that a pipeline with other stages, another seed, mean or standard deviation has not."""
        stages = list[Any]()
        for stage in self.stages:
            config: dict[str, Any] = getattr(stage, "get_config", dict)()
            stages.append((type(stage).__qualname__, {key: repr(value) for key, value in sorted(config.items())
                                                      if key not in ("name", "seed")}))
        joined = () if self.mosaic is None else (self.mosaic.get_config(),)
        text = repr((stages, self.seed, self.mean.tolist(), self.std.tolist(), *joined))
        return hashlib.sha256(text.encode()).hexdigest()

    def augmented(self, images: np.ndarray, indices: np.ndarray, epoch: int | None = 0, masks: np.ndarray | None = None,
                  boxes: Sequence[np.ndarray] | None = None, labels: np.ndarray | None = None,
                  points: Sequence[np.ndarray] | None = None) -> Augmented:
        """Return a batch for training with what goes with the pictures.

        Parameters
        ----------
        images, indices : as `__call__`
        epoch : int or None
            None: for validation and test, as `at_rest`.
        masks : (N, H, W, C) array, optional
            What pixels are, in any type.
        boxes : sequence of (K, 4) arrays, optional
            Left, top, right and bottom edge, in pixels.
        labels : (N, ...) array, optional
            Where images are mixed, one-hot or other numbers that can be.
        points : sequence of (K, 2) arrays, optional
            Landmarks, x and y in pixels.
        """
        if self.mosaic is not None and epoch is not None:
            raise ArgumentError("Pipeline: expected a training by fit for a Mosaic, which takes pictures of the whole "
                                "data set, got some pictures alone; give them to a pipeline without it")
        for name, value in (("masks", masks), ("boxes", boxes), ("labels", labels), ("points", points)):
            if value is not None and len(value) != len(images):
                raise DataError(f"Pipeline: expected {len(images)} {name}, one an image, got {len(value)}")
        boxes = None if boxes is None else [np.asarray(some, np.float64).reshape(-1, 4) for some in boxes]
        points = None if points is None else [np.asarray(some, np.float64).reshape(-1, 2) for some in points]
        images, moves = self.changed(images, indices, epoch)
        for change in moves:
            masks = None if masks is None else change.masks(masks)
            boxes = None if boxes is None else change.boxes(boxes)
            labels = None if labels is None else change.labels(labels)
            points = None if points is None else change.points(points)
        return Augmented(images, masks, boxes, labels, points)

    def tiles(self, indices: np.ndarray, epoch: int | None, count: int, size: tuple[int, int]) -> MosaicTiles | None:
        """Return of which pictures of a data set each is made before it is `changed`; None where all stay as they are.

        Parameters
        ----------
        indices, epoch : as `augmented`
        count : int
            How many pictures there are.
        size : (int, int)
            Height and width of all.
        """
        if self.mosaic is None or epoch is None:
            return None
        return self.mosaic.tiles(Draws((self.seed, epoch), indices), indices, count, size, epoch)

    def changed(self, images: np.ndarray, indices: np.ndarray, epoch: int | None = 0
                ) -> tuple[np.ndarray, list[Change]]:
        """Return a batch, and what masks, boxes and labels have to go through, one change after the other.

        Parameters
        ----------
        images, indices, epoch : as `augmented`
        """
        images, indices = _checked(images), np.asarray(indices)
        if indices.shape != (len(images),) or indices.dtype.kind not in "iu":
            raise DataError(f"Pipeline: expected a number for each of the {len(images)} images in indices, "
                            f"got {indices.dtype} of shape {indices.shape}")
        shape = _shape_of(images)
        changes = self._changes_at_rest(shape)[0] if epoch is None else self._drawn(
            Draws((self.seed, integer(epoch, "Pipeline", "epoch")), indices), shape)
        return self._run(images, passes(changes, len(images)))

    def _drawn(self, draws: Draws, shape: Shape) -> list[Change]:
        changes = list[Change]()
        for number, stage in enumerate(self.stages):
            some = stage.changes(draws.stage(number), shape)
            changes += some
            shape = _shape_after(some, shape)
        return changes

    def _changes_at_rest(self, shape: Shape) -> tuple[list[Change], Shape]:
        """Return what becomes of images (H, W, C), and their shape then."""
        changes = list[Change]()
        for stage in self.stages:
            some = stage.changes_at_rest(shape)
            changes += some
            shape = _shape_after(some, shape)
        return changes, shape

    def _run(self, x: np.ndarray, steps: list[Pass | Change]) -> tuple[np.ndarray, list[Change]]:
        scales, moves = self._scales(x.shape[3]), list[Change]()
        if not steps or (scales.size and not isinstance(steps[-1], Pass)):
            steps = [*steps, Pass()]
        for number, step in enumerate(steps):
            if isinstance(step, Pass):
                x = step.images(x, scales if number == len(steps) - 1 else NO_SCALES)
                moves += [] if step.warp is None else [step.warp]
            else:
                x = step.images(x if x.dtype == np.float32 else Pass().images(x))[0]
                moves.append(step)
        return x, moves

    @property
    def standardizes(self) -> bool:
        """Whether pixels get other values even at rest."""
        return bool((self.mean != 0).any() or (self.std != 1).any())

    def _scales(self, channels: int) -> np.ndarray:
        if not self.standardizes:
            return NO_SCALES
        if max(self.mean.size, self.std.size) not in (1, channels):
            raise ArgumentError(f"Pipeline: expected one mean and std, or {channels}, one a channel, "
                                f"got {self.mean.size} and {self.std.size}")
        scale = np.broadcast_to(1 / self.std, channels)
        return np.stack([scale, -self.mean * scale])


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        numbers = np.array(value, np.float64).reshape(-1)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if not numbers.size or not np.isfinite(numbers).all():
        raise ArgumentError(f"Pipeline: expected {name} to be a number, or one for each channel, got {value!r}")
    return numbers


def _checked(images: Any) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype.kind not in "buif":
        raise DataError(f"Pipeline: expected images (N, H, W, C), got {images.dtype} of shape {images.shape}")
    return np.ascontiguousarray(images, images.dtype if images.dtype in (np.uint8, np.float32) else np.float32)


def _shape_of(images: np.ndarray) -> Shape:
    return images.shape[1], images.shape[2], images.shape[3]


def _shape_after(changes: list[Change], shape: Shape) -> Shape:
    size = shape[0], shape[1]
    for one in changes:
        size = one.size_after(size)
    return *size, shape[2]
