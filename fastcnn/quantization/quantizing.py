"""`quantize`: from a model that computes in float32 to one whose predictions run in 8 bits."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np

from fastcnn.array_data import Data
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import positive
from fastcnn.models import Model
from fastcnn.quantization import building
from fastcnn.quantization.calibration import METHODS, observed
from fastcnn.quantization.equalizing import equalized
from fastcnn.quantization.losing import Judge, LayerLoss, LayerLosses
from fastcnn.quantization.units import OTHER, PRODUCT, LayerUnit, quantized_units, slots_in_bytes, units_of

Layers = Collection[str]


def quantize(model: Model, images: Any, *, method: str = "entropy", equalize: bool = False, keep: Layers = (),
             labels: Any = None, tolerance: float | None = None, batch_size: int = 32) -> Model:
    """Return a model that predicts in 8 bits what another one does in float32.

    Normalizations are folded into convolutions before. Filters get a scale each, tensors one, which is chosen so that
    bytes cover what the network computes of some images. The model that is given stays as it is. The new one is saved,
    loaded, evaluated and exported to ONNX as any other; it is not trained.

    Parameters
    ----------
    model : Model
        Of float32, built.
    images : (N, H, W, C) array, or list of arrays for a model of several inputs
        What the model may meet, as `Model.predict` takes it; a few hundred are enough. No labels are needed.
    method : str
        How the range of a tensor is found: "minmax", all numbers that were seen; "mse", the part whose bytes differ
        least from the numbers, in the mean of squares; or "entropy", without tails that cost more than they tell.
    equalize : bool
        Make the channels of a tensor more alike before, where only rectifiers, poolings and concatenations lie between
        two products; it helps networks without normalizations most.
    keep : collection of str
        Names of layers that stay in float32.
    labels : (N,) array, optional
        The classes of the images, for `tolerance`.
    tolerance : float, optional
        How many images may get another first class, as a share; with labels how much accuracy may be lost. If it is
        more, the layers that cost most stay in float32, as few as will do.
    batch_size : int

    Raises
    ------
    ArgumentError
        If the model has no layer that could be quantized, or an argument does not suit it.

    References
    ----------
    Jacob et al.: Quantization and training of neural networks for efficient integer-arithmetic-only inference, 2018.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(),
    ...                        layers.Dense(2)])
    >>> images = np.random.default_rng(0).random((16, 8, 8, 3), "float32")
    >>> quantized = fc.quantize(model, images)
    >>> bool(np.abs(quantized.predict(images) - model.predict(images)).max() < 0.05)
    True
    """
    work = _Quantizing(model, images, method, equalize, keep, labels, batch_size)
    if tolerance is None:
        return work.model(keep)
    if not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise ArgumentError(f"quantize: expected a tolerance from 0 to 1, got {tolerance!r}")
    return work.within(tolerance)


def layer_losses(model: Model, images: Any, *, method: str = "entropy", equalize: bool = False, keep: Layers = (),
                 labels: Any = None, batch_size: int = 32) -> LayerLosses:
    """Return what is lost where each layer alone is quantized, the largest error first; printed, it is a table.

    Parameters
    ----------
    model, images, method, equalize, keep, labels, batch_size
        As `quantize`.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(4, 3, name="a"), layers.Flatten(),
    ...                        layers.Dense(2, name="b")])
    >>> images = np.random.default_rng(0).random((16, 8, 8, 3), "float32")
    >>> sorted(one.name for one in fc.quantization.layer_losses(model, images))
    ['a', 'b']
    """
    return _Quantizing(model, images, method, equalize, keep, labels, batch_size).losses()


class _Quantizing:
    """A model, its units, and the ranges of its tensors, from which quantized models are made."""

    def __init__(self, model: Any, images: Any, method: str, equalize: bool, keep: Layers, labels: Any,
                 batch_size: int) -> None:
        if not isinstance(model, Model) or model.traced is None:
            raise ArgumentError(f"quantize: expected a built model, got {model!r}; begin with fc.Input(shape)")
        if model.compute_dtype != np.float32:
            raise ArgumentError(f"quantize: expected a model of float32, got {model} of {model.compute_dtype.name}")
        if method not in METHODS:
            raise ArgumentError(unknown("quantize: method", method, METHODS))
        (self._batch_size,) = positive("quantize", batch_size=batch_size)
        self._given, self._graph = model, model.layer_graph()
        self._units = units_of(self._graph)
        self._keep = _names(keep, {unit.layer.name for unit in self._units if unit.kind != OTHER})
        xs = model.read(images, "quantize")
        self._data = Data(xs, [], model.taken_shapes, model.compute_dtype, "quantize")
        if not len(self._data):
            raise ArgumentError("quantize: expected images to calibrate with, got none")
        self._data.require_finite("quantize", ["images"])
        self._labels = None if labels is None else np.asarray(labels).reshape(-1)
        if self._labels is not None and len(self._labels) != len(self._data):
            raise ArgumentError(f"quantize: expected a label for each of {len(self._data)} images, got "
                                f"{len(self._labels)}")
        candidates = quantized_units(self._units, self._keep)
        if not any(unit.kind == PRODUCT for unit in candidates):
            raise ArgumentError(f"{model}: expected a convolution or a dense layer to quantize, Conv2D, "
                                f"DepthwiseConv2D or Dense, got none{' beside those to keep' if self._keep else ''}")
        if equalize:
            model = equalized(model, self._batches)
            self._given, self._graph = model, model.layer_graph()
            self._units = units_of(self._graph)
            candidates = quantized_units(self._units, self._keep)
        slots = slots_in_bytes(candidates)
        # Whichever layers are quantized in the end, bytes stand for some of these.
        slots.update(slot for unit in candidates for slot in unit.outputs)
        first = next(iter(self._batches()))
        self._ranges, self._means = observed(model.layer_graph(first), slots, self._batches, method)
        self._judge: Judge | None = None

    def model(self, keep: Layers) -> Model:
        """Return the model in which all layers but some are quantized."""
        return self._built(quantized_units(self._units, keep))

    def losses(self) -> LayerLosses:
        """Return what each layer costs."""
        judge, found = self._known(), LayerLosses()
        candidates = quantized_units(self._units, self._keep)
        for unit in candidates:
            if unit.kind == PRODUCT:
                found.append(LayerLoss(unit.layer.name, type(unit.layer).__name__, *judge(self._built([unit]))))
        found.sort(key=lambda one: -one.error)
        return found

    def within(self, tolerance: float) -> Model:
        """Return the model that loses no more than told, with as few layers in float32 as will do."""
        judge = self._known()
        if not judge.has_classes:
            raise ArgumentError(f"quantize: expected a model that tells classes for a tolerance, got outputs of shape "
                                f"{self._given.output_shape}; choose layers to keep by layer_losses")
        best = self.model(self._keep)
        if judge(best)[1] <= tolerance:
            return best
        order = [one.name for one in self.losses()]
        found, fails, good = None, 0, 1  # how many layers in float32 lose too much, and how many will do
        while found is None and good < len(order):
            found = self._if_within(tolerance, order[:good])
            fails, good = (fails, good) if found is not None else (good, min(2 * good, max(good + 1, len(order) - 1)))
        while found is not None and good - fails > 1:
            middle = (fails + good) // 2
            better = self._if_within(tolerance, order[:middle])
            found, fails, good = (found, middle, good) if better is None else (better, fails, middle)
        if found is None:
            raise ArgumentError(f"quantize: expected a tolerance that some quantized layer keeps to, got {tolerance}; "
                                f"allow for more, or calibrate with more images")
        return found

    def _if_within(self, tolerance: float, keep: Layers) -> Model | None:
        """Return the model in which more layers are in float32, if it loses no more than told."""
        model = self.model({*self._keep, *keep})
        return model if self._known()(model)[1] <= tolerance else None

    def _built(self, quantized: list[LayerUnit]) -> Model:
        slots = slots_in_bytes(quantized)
        known = building.quantizations(quantized, slots, self._ranges)
        return building.built(self._given, self._graph, self._units, quantized, known, self._means)

    def _known(self) -> Judge:
        if self._judge is None:
            self._judge = Judge(self._given, self._batches, self._labels)
        return self._judge

    def _batches(self) -> Iterator[list[np.ndarray]]:
        for batch in self._data.batches(self._batch_size):
            yield batch.xs


def _names(keep: Any, known: Iterable[str]) -> set[str]:
    """Return the names of layers to keep; raise ArgumentError for one that there is not."""
    if isinstance(keep, str) or not isinstance(keep, Collection):
        raise ArgumentError(f"quantize: expected keep to be a list of layers' names, got {keep!r}")
    known = set(known)
    for name in keep:
        if name not in known:
            raise ArgumentError(unknown("quantize: layer to keep", name, sorted(known)))
    return set(keep)
