"""A trained network with all that makes classes and objects on pictures of its probabilities."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import saving
from fastcnn.datasets import MaskedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import integer, number, positive
from fastcnn.models import Model
from fastcnn.vision.detection.letterboxing import picture_of
from fastcnn.vision.segmentation.marking import mark_objects
from fastcnn.vision.segmentation.scaling import checked_percentiles, limits, scaled
from fastcnn.vision.segmentation.scores import Scores
from fastcnn.vision.segmentation.segmented import Segmentation
from fastcnn.vision.segmentation.tiling import predict_in_tiles, reach
from fastcnn.vision.settings_in_files import settings_in

_KEY = "segmenter"  # of what a file tells of it


class Segmenter:
    """A network and the names of its classes: from pictures of any size to the class of each pixel, and to objects.

    With a rim the network tells of each pixel how much it is background, the middle of an object of a class, or the rim
    of one, as `pixel_shares` teaches it; the middles are the peaks by which objects are told apart. Without, it is the
    distance to the background.

    Parameters
    ----------
    model : Model
        From pictures (N, H, W, C) to probabilities (N, H, W, K) of pixels, K = 1 + classes, or 2 + classes with a
        rim, which is last. Of open sizes, as `unet` and `fcn` are.
    classes : sequence of str
        Their names, background left out.
    percentiles : (float, float), optional
        The values of a picture that become 0 and 1: 1 % of its pixels are below the first. None leaves 0 to 255.
    threshold : float
        Pixels whose probability of background is below 1 minus this are of objects.
    prominence : float
        Of objects that touch, as `mark_objects` has it.
    smallest : int
        Objects of fewer pixels are left out.
    tile : int, optional
        Pictures that have more rows or columns are computed in tiles, which is slower and needs less memory; the result
        is the same.
    flips : bool
        Whether probabilities are means over the picture and its mirror images, which takes four times as long.

    Raises
    ------
    ArgumentError
        If they do not belong together.

    Examples
    --------
    >>> model = fc.vision.segmentation.unet(3, filters=4, depth=1)
    >>> segmenter = fc.vision.segmentation.Segmenter(model, ("nucleus",))
    >>> found = segmenter.segment(np.zeros((30, 41), "uint8"))
    >>> found.classes.shape, found.probabilities.shape, segmenter.has_rim
    ((30, 41), (30, 41, 3), True)
    """

    def __init__(self, model: Model, classes: Sequence[str], *, percentiles: tuple[float, float] | None = (1.0, 99.8),
                 threshold: float = 0.5, prominence: float = 0.35, smallest: int = 1, tile: int | None = 1024,
                 flips: bool = False) -> None:
        self.model = model
        self.classes = (classes,) if isinstance(classes, str) else tuple(classes)
        given, found = model.input_shape, model.output_shape
        outputs = found[-1] if isinstance(found, tuple) and len(found) == 4 else None
        if outputs not in (1 + len(self.classes), 2 + len(self.classes)) or not self.classes or len(given) != 4:
            raise ArgumentError(f"Segmenter: expected a model from pictures to probabilities (None, H, W, "
                                f"{1 + len(self.classes)}) of background and the classes {', '.join(self.classes)}, or "
                                f"one more for their rims, got {found}")
        if tuple(given[1:3]) != (None, None):
            raise ArgumentError(f"Segmenter: expected a model of pictures of any size, (None, None, None, C), got "
                                f"{given}; make it with size=(None, None), or as model.for_shape((None, None, None, "
                                f"{given[3]}))")
        self.has_rim = outputs == 2 + len(self.classes)
        self.percentiles = checked_percentiles(percentiles, "Segmenter")
        self.threshold = number(threshold, "Segmenter", "a threshold from 0 to 1", lambda n: 0 <= n <= 1)
        self.prominence = number(prominence, "Segmenter", "a prominence above 0", lambda n: n > 0)
        self.smallest = integer(smallest, "Segmenter", "smallest")
        self.tile = None if tile is None else positive("Segmenter", tile=tile)[0]
        self.flips = bool(flips)
        self._reach: int | None = None

    def segment(self, image: Any) -> Any:
        """Return what each pixel of a picture is, or of each of a list of pictures of any sizes.

        Parameters
        ----------
        image : (H, W, C) or (H, W) uint8 array, path, or list of them

        Returns
        -------
        Segmentation, or list of Segmentation
        """
        several = isinstance(image, (list, tuple))
        found = [self._segmented(one) for one in (image if several else [image])]
        return found if several else found[0]

    def evaluate(self, part: MaskedImages) -> dict[str, float]:
        """Return how well pictures with masks are marked, counted over all pixels and objects.

        Parameters
        ----------
        part : MaskedImages

        Returns
        -------
        dict of str to float
            ``Dice`` and ``IoU``: means over the classes, or that of all objects against background where the masks are
            of objects. For objects ``AP50``, ``AP70``, TP / (TP + FP + FN) at an IoU of 0.5 and 0.7, ``AP``, the mean
            over 0.5, 0.55, .. 0.95, and ``PQ``, the panoptic quality.

        Raises
        ------
        DataError
            If there is no picture, or masks have other classes.
        """
        if not len(part):
            raise DataError("Segmenter.evaluate: expected at least one picture, got none")
        scores = Scores(part.kind, len(self.classes))
        for one in part:
            found = self._segmented(one.image)
            if one.mask.shape != found.objects.shape:
                raise DataError(f"Segmenter.evaluate: expected masks of the size of their pictures, got "
                                f"{one.mask.shape} for {found.objects.shape} in {one.file}")
            scores.count(one.mask, found, one.file)
        return scores.results()

    def tuned(self, part: MaskedImages) -> "Segmenter":
        """Return the same with the threshold, of 0.3, 0.35, .. 0.7, whose Dice coefficient of objects is the best.

        How far around an object people mark it differs from one set of pictures to another, and so does how sure a
        network is of it after a short training.

        Parameters
        ----------
        part : MaskedImages
            Pictures that the threshold may be chosen on, which are not those for the test.

        Raises
        ------
        DataError
            If there is no picture.
        """
        if not len(part):
            raise DataError("Segmenter.tuned: expected at least one picture, got none")
        thresholds = np.arange(6, 15) / 20
        hits, sizes = np.zeros((2, len(thresholds)))
        for one in part:
            picture = self._picture(one.image)
            foreground = (1 - self._probabilities(picture)[..., 0])[one.mask >= 0]
            inside = one.mask[one.mask >= 0] > 0
            found = foreground > thresholds[:, None]
            hits += (found & inside).sum(1)
            sizes += found.sum(1) + inside.sum()
        scores = hits / np.maximum(sizes, 1)
        best = thresholds[np.lexsort((np.abs(thresholds - 0.5), -scores))[0]]
        return Segmenter(self.model, self.classes, **self.settings() | {"threshold": float(best)})

    def prediction_model(self, size: tuple[int, int] | None = None) -> Model:
        """Return the network: what goes into an ONNX file for others, which takes pictures of any size, too.

        Its inputs are pictures as `percentiles` scale them.

        Parameters
        ----------
        size : (int, int), optional
            Rows and columns, for a file of one size, which some programs run faster; they need not divide.
        """
        if size is None:
            return self.model
        height, width = positive("Segmenter.prediction_model", height=size[0], width=size[1])
        found: Model = self.model.for_shape((None, height, width, self.model.input_shape[3]))
        return found

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network with all that belongs to the segmenter into one file.

        Parameters
        ----------
        path : path
            With the ending ``.safetensors`` or another that `fastcnn.saving.save_model` knows.
        overwrite : bool
        """
        told = {"classes": list(self.classes), **self.settings()}
        saving.save_model(self.model, path, metadata={_KEY: told}, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Segmenter":
        """Return a segmenter that `save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        DataError
            If the file is a model alone.
        """
        told = settings_in(path, _KEY, cls)
        return cls(saving.load_model(path, compile=False), told.pop("classes"), **told)

    def settings(self) -> dict[str, Any]:
        """Return the constructor's keywords, as JSON can hold them."""
        return {"percentiles": None if self.percentiles is None else list(self.percentiles),
                "threshold": self.threshold, "prominence": self.prominence, "smallest": self.smallest,
                "tile": self.tile, "flips": self.flips}

    def _segmented(self, given: Any) -> Segmentation:
        chance = self._probabilities(self._picture(given))
        if not np.isfinite(chance).all():
            raise DataError(f"{self.model}: expected finite outputs, got NaN or infinity; was the training sound?")
        count = len(self.classes)
        foreground = 1 - chance[..., 0]
        kinds = chance[..., 1:1 + count].argmax(-1).astype(np.int32) + 1
        if self.has_rim or count == 1:
            classes = np.where(foreground > self.threshold, kinds, 0).astype(np.int32)
        else:
            classes = chance.argmax(-1).astype(np.int32)
        objects = mark_objects(classes > 0, chance[..., 1:1 + count].sum(-1) if self.has_rim else None,
                               prominence=self.prominence, smallest=self.smallest)
        return Segmentation(classes, chance, objects, self.classes)

    def _picture(self, given: Any) -> np.ndarray:
        """Return a picture as the network takes it, (H, W, C) of float32."""
        picture = picture_of(given, int(self.model.input_shape[3]), "segment")
        return scaled(picture, limits(picture, self.percentiles))

    def _probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the network's output (H, W, K) for a picture (H, W, C) of float32."""
        if not self.flips:
            return self._predicted(x)
        total: np.ndarray = np.zeros((*x.shape[:2], self.model.output_shape[-1]), np.float32)
        for axes in ((), (0,), (1,), (0, 1)):
            total += np.flip(self._predicted(np.ascontiguousarray(np.flip(x, axes))), axes)
        return total / 4

    def _predicted(self, x: np.ndarray) -> np.ndarray:
        if self.tile is None or max(x.shape[:2]) <= self.tile:
            return np.array(self.model.predict(x[None], verbose=0))[0]
        if self._reach is None:
            self._reach = reach(self.model)
        return predict_in_tiles(self.model, x, self.tile, self._reach)

    def __repr__(self) -> str:
        return f"Segmenter({self.model}, {', '.join(self.classes)})"


def segment(segmenter: Any, image: Any) -> Any:
    """Return what a segmenter, or one that was saved, marks on a picture or on each of a list.

    Parameters
    ----------
    segmenter : Segmenter or path
        Of what `Segmenter.save` wrote.
    image : (H, W, C) or (H, W) uint8 array, path, or list of them

    Returns
    -------
    Segmentation, or list of Segmentation

    Examples
    --------
    >>> model = fc.vision.segmentation.unet(2, filters=4, depth=1)
    >>> segmenter = fc.vision.segmentation.Segmenter(model, ("cell",))
    >>> fc.vision.segment(segmenter, np.zeros((20, 30), "uint8")).classes.shape
    (20, 30)
    """
    if not isinstance(segmenter, Segmenter):
        segmenter = Segmenter.load(segmenter)
    return segmenter.segment(image)
