"""Images and targets as pipelines of augmentation leave them: changed anew in each epoch, or at rest."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.array_data import Batch, Data
from fastcnn.augmentation import Pipeline
from fastcnn.augmentation.mosaic import MosaicTiles
from fastcnn.augmentation.ragged import moved_rows
from fastcnn.data.ragged_rows import RaggedRows, padded
from fastcnn.errors import DataError
from fastcnn.operations.augmentation.change import Change


class AugmentedData(Data):
    """Images, and what goes with them, handed out in batches that pipelines have changed.

    What is drawn for a sample is a function of the pipeline's seed, the epoch and the sample's number alone. Masks
    follow their images; of mixed images targets and weights are mixed.

    Parameters
    ----------
    xs : list of (N, ...) arrays, memory maps or `MappedRows`
        Inputs; images (N, H, W, C) as their pipeline takes them.
    ys : list of (N, ...) arrays, or `RaggedRows`
        Targets. Those of the images' height and width, (N, H, W) or (N, H, W, K), are masks; ragged rows may be boxes
        or points.
    shapes : list of tuple
        The model's inputs; those of images do not matter.
    dtype : dtype
        The model's.
    who : str
    weights : list of (N, ...) arrays, or None
        Those of the images' height and width are of pixels, and follow them.
    pipelines : dict of int to Pipeline
        Of the inputs that are images. Of several, no masks follow and nothing is mixed.
    first : int
        The number of the first sample.
    """

    def __init__(self, xs: Sequence[Any], ys: Sequence[Any], shapes: Sequence[Any], dtype: np.dtype, who: str,
                 weights: Sequence[Any] | None, pipelines: Mapping[int, Pipeline], first: int = 0) -> None:
        self.pipelines, self._who, self._first = pipelines, who, first
        super().__init__(xs, ys, [(None, *x.shape[1:]) if k in pipelines else shape
                                  for k, (x, shape) in enumerate(zip(xs, shapes, strict=True))], dtype, who, weights)

    def kind_of(self, x: Any) -> np.dtype:
        """As `Data.kind_of`: what the pipeline takes."""
        if not any(x is self.xs[k] for k in self.pipelines):
            return self.dtype
        return np.dtype(np.uint8 if x.dtype == np.uint8 else np.float32)

    def batch(self, part: Any, epoch: int | None = None, known: dict[int, np.ndarray] | None = None) -> Batch:
        """As `Data.batch`; without an epoch nothing is drawn."""
        places = np.arange(*part.indices(len(self))) if isinstance(part, slice) else np.asarray(part)
        rows, tiles = places + self._first, self._tiles(places, epoch)
        weights = [None] * len(self.ys) if self.weights is None else self.weights
        xs, changes, known = list[Any](), list[Change](), known or {}
        for k in range(len(self.xs)):
            x = known[k] if k in known else self.read(k, part)
            if tiles is not None:
                x = tiles.joined(x, partial(self.read, k))
            if k in self.pipelines:
                x, changes = self.pipelines[k].changed(x, rows, epoch)
                self._require_apart(changes, rows)
            xs.append(_of_type(x, self.dtype))
        taken = lambda one: None if one is None else one[part] if tiles is None or not self._are_of_pixels(one) else (
            tiles.joined(one[part], lambda numbers: one[numbers]))
        pairs = [(self._ragged(y, part, tiles, changes), taken(w)) if isinstance(y, RaggedRows) else
                 self._targets(taken(y), taken(w), changes) for y, w in zip(self.ys, weights, strict=True)]
        ys, ws = [y for y, _ in pairs], [w for _, w in pairs]
        return Batch(xs, ys, None if self.weights is None else ws)

    def _tiles(self, places: np.ndarray, epoch: int | None) -> MosaicTiles | None:
        """Return of which pictures those of a batch are made; None where they stay as they are."""
        joining = [one for one in self.pipelines.values() if one.mosaic is not None]
        if not joining:
            return None
        if len(self.xs) > 1:
            raise DataError(f"{self._who}: expected one input for a Mosaic, got {len(self.xs)}")
        for y in self.ys:
            if y is not None and not (y.kind == "boxes" if isinstance(y, RaggedRows) else self._are_of_pixels(y)):
                raise DataError(f"{self._who}: expected boxes, fc.data.RaggedRows(..., 'boxes'), or masks as targets "
                                f"for a Mosaic of four pictures, got targets of one picture")
        return joining[0].tiles(places, epoch, len(self), self.xs[0].shape[1:3])

    def _require_apart(self, changes: list[Change], rows: np.ndarray) -> None:
        """Raise where inputs or targets would have to follow one of several inputs."""
        if len(self.xs) == 1:
            return
        if _through(changes, of_each := np.ones(len(rows))) is not of_each:
            raise DataError(f"{self._who}: expected layers that mix no images in a model of several inputs, since "
                            f"those would be of two samples, got MixUp, CutMix or the like")
        if len(self.pipelines) > 1 and any(isinstance(y, RaggedRows) or (y is not None and self._are_of_pixels(y))
                                           for y in self.ys):
            raise DataError(f"{self._who}: expected one pipeline where targets are masks, boxes or points, which "
                            f"follow their image, got {len(self.pipelines)}")

    def _ragged(self, y: RaggedRows, part: Any, tiles: MosaicTiles | None, changes: list[Change]) -> np.ndarray:
        """Return boxes or points of some samples after some changes, padded."""
        (pipeline,) = self.pipelines.values()
        each, kept = (y.of(part), None) if tiles is None else tiles.boxes(y.of)
        return padded(moved_rows(each, y.kind, changes, pipeline.least_share, kept), y.shape[2])

    def _targets(self, y: Any, w: Any, changes: list[Change]) -> tuple[Any, Any]:
        """Return the targets and weights of one output after some changes."""
        if y is None or not changes:
            return y, w
        if self._are_of_pixels(y):
            if w is None or self._are_of_pixels(w):
                return _moved(changes, y), None if w is None else _moved(changes, w)
            if _through(changes, w) is not w:
                raise DataError(f"{self._who}: expected no weights of samples beside masks that are mixed, since their "
                                f"pixels come from two samples; give each pixel its weight, (N, H, W)")
            return _moved(changes, y), w
        mixed = _through(changes, y)
        if w is None or mixed is y:
            return mixed, w
        # The loss of a mixture is w' l(y') with w' = a w1 + (1 - a) w2 and w' y' = a w1 y1 + (1 - a) w2 y2.
        of_both = w.reshape(-1, *(1,) * (y.ndim - 1))
        total = _through(changes, w)
        share = _through(changes, of_both * y)
        wide = total.reshape(of_both.shape)
        return np.where(wide > 0, share / np.where(wide > 0, wide, 1), mixed).astype(mixed.dtype), total

    def _are_of_pixels(self, array: np.ndarray) -> bool:
        """Return whether targets or weights have a number, or several, for each pixel of the images."""
        return array.ndim in (3, 4) and any(array.shape[1:3] == self.xs[k].shape[1:3] for k in self.pipelines)

    def digest(self) -> str:
        """As `Data.digest`, with those of the pipelines."""
        pipelines = [one for _, one in sorted(self.pipelines.items())]
        shares = [f"{one.least_share}" for one in pipelines if any(isinstance(y, RaggedRows) for y in self.ys)]
        return " ".join([super().digest(), *(one.digest() for one in pipelines), *shares])


def _through(changes: list[Change], labels: np.ndarray) -> np.ndarray:
    for change in changes:
        labels = change.labels(labels)
    return labels


def _moved(changes: list[Change], masks: np.ndarray) -> np.ndarray:
    """Return masks (N, H, W) or (N, H, W, K) where the pixels of the images have gone."""
    moved = masks.reshape(*masks.shape, *(1,) * (4 - masks.ndim))
    for change in changes:
        moved = change.masks(moved)
    return moved.reshape(*moved.shape[: masks.ndim])


def _of_type(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if x.dtype == dtype:
        return x
    y = device.of(x).empty(x.shape, dtype)
    y[...] = x
    return y
