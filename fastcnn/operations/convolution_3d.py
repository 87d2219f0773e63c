"""Convolutions of volumes, and transposed ones, as convolutions of images whose channels are windows in depth.

The output is computed in chunks of slices. The input slices that a chunk sees are unfolded into channels
(`unfold_depth`), and the kernels of 2D convolution do the rest (`algorithms`). The backward pass unfolds them again, so
that no copy of the volume is kept.
"""

from collections.abc import Iterator

import numpy as np

from fastcnn import device
from fastcnn.geometry.dimensions import CONV3D, slices
from fastcnn.operations import Backward
from fastcnn.operations.activation import LINEAR, Clamp, Function, activate_only, clamp_array
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.operations.bias import add_bias_gradient
from fastcnn.operations.kernel_call import NOTHING, ProductCall
from fastcnn.operations.layout import permuted
from fastcnn.operations.packed_weights import bias_array, state_of
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

CHUNK = 1 << 20  #: elements of unfolded slices in a chunk, 4 MB of float32; more if the filters are larger
RELU: Clamp = (0.0, np.inf)

Shape = tuple[int, ...]


class VolumeFilters:
    """The filters as 2D convolution takes them, (KH, KW, KD C, K), and as its kernels packed them."""

    def __init__(self, weights: Parameter, bias: Parameter | None) -> None:
        self.state = state_of(weights, bias)
        kd, kh, kw, c, k = weights.shape
        self.array = permuted(multiplied(weights), (1, 2, 0, 3, 4)).reshape(kh, kw, kd * c, k)
        self._packed: dict[tuple[object, int], np.ndarray] = {}

    @classmethod
    def kept(cls, weights: Parameter, bias: Parameter | None) -> "VolumeFilters":
        """Return the filters that stay with the weights until they change."""
        found = weights.derived.get(cls)
        if found is None or found.state != state_of(weights, bias):
            found = cls(weights, bias)
            if device.of(weights.array).runs:
                weights.derived[cls] = found
        return found

    def run(self, call: ProductCall, y: np.ndarray, x: np.ndarray, bias: np.ndarray, clamp: np.ndarray) -> None:
        """Run a kernel, which packs the filters if no earlier call did."""
        d = device.of(y)
        if call.packed is None:
            call.run(d, y, x, call.arguments(d, self.array, bias, clamp))
            return
        key = call.kernel, call.packed
        found = self._packed.get(key)
        packed = d.empty((call.packed,), y.dtype) if found is None else found
        array = None if found is not None and d.replays else self.array
        call.run(d, y, x, call.arguments(d, array, bias, clamp, None, (packed, int(found is not None))))
        if found is not None or d.runs:
            self._packed[key] = packed  # only now, since other threads take what they find here for packed


class _Chunk:
    """Some slices of the output, and the convolution of images that computes them."""

    def __init__(self, volume: np.ndarray, first: int, unfolded: np.ndarray, kept: bool) -> None:
        self.volume, self.first, self.unfolded = volume, first, unfolded
        self.slices = slice(first, first + len(unfolded))
        images = slices(volume.tobytes(), len(unfolded))
        self.algorithm = algorithm_of(images, device.of(unfolded), unfolded.dtype, kept)

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """Return the slices of x that the chunk sees, depth unfolded into channels."""
        device.of(x).kernels.unfold_depth(self.unfolded, x, self.first, self.volume)
        return self.unfolded

    def forward(self, y: np.ndarray, seen: np.ndarray, filters: VolumeFilters, bias: np.ndarray, clamp: np.ndarray
                ) -> None:
        """Write the chunk's slices of y, those of a convolution."""
        filters.run(self.algorithm.forward, y[self.slices], seen, bias, clamp)

    def backward_input(self, dx: np.ndarray, dy: np.ndarray, filters: VolumeFilters, bias: np.ndarray, relu: bool
                       ) -> None:
        """Add the chunk's part to dx; the first part also gets the bias, the last one ReLU. `dy` are slices."""
        dtype = dy.dtype
        filters.run(self.algorithm.backward_input, self.unfolded, dy[self.slices], NOTHING[dtype],
                 clamp_array(LINEAR, dtype))
        device.of(dx).kernels.fold_depth(dx, self.unfolded, bias, int(relu), self.first, self.volume)

    def backward_weights(self, dfilters: np.ndarray, dbias: np.ndarray, seen: np.ndarray, dy: np.ndarray) -> None:
        """Add to the gradients of the filters and of the bias."""
        self.algorithm.backward_weights.run(device.of(dy), dfilters, dbias, seen, dy[self.slices])


def product(x: np.ndarray, weights: Parameter, bias: Parameter | None, clamp: Clamp, g: np.ndarray, shape: Shape,
            learns: bool, wants_dx: bool) -> tuple[np.ndarray, Backward]:
    """As `fastcnn.operations.convolution.product`, of a CONV3D."""
    # The filters are not kept: the step after this pass changes them.
    y = _forward(x, VolumeFilters(weights, bias), bias_array(weights, bias), clamp, g, shape)
    d, dtype, x_again = device.of(x), x.dtype, saved(x)

    def backward(dy: np.ndarray) -> np.ndarray | None:
        filters, slices_of_dy, x = VolumeFilters(weights, bias), _as_slices(dy), x_again()
        dx = d.empty(x.shape, dtype) if wants_dx else None
        dfilters = d.zeros(filters.array.shape, dtype) if learns else None
        for chunk in _chunks(g, x):
            if dfilters is not None:
                chunk.backward_weights(dfilters, NOTHING[dtype] if bias is None else bias.gradient, chunk.unfold(x),
                                       slices_of_dy)
            if dx is not None:
                chunk.backward_input(dx, slices_of_dy, filters, NOTHING[dtype], False)
        if dfilters is not None:
            _add_to_weights(weights, dfilters)
        return dx

    return y, backward


def product_transpose(x: np.ndarray, weights: Parameter, bias: Parameter | None, clamp: Clamp, g: np.ndarray,
                      shape: Shape, learns: bool, wants_dx: bool) -> tuple[np.ndarray, Backward]:
    """As `fastcnn.operations.convolution_transpose.product`, of a CONV3D; a clamp is ReLU or none."""
    y = _transposed(x, VolumeFilters(weights, bias), bias_array(weights, bias), clamp, g, shape)
    d, dtype, x_again = device.of(x), x.dtype, saved(x)

    def backward(dy: np.ndarray) -> np.ndarray | None:
        x = x_again()
        filters, slices_of_x = VolumeFilters(weights, bias), _as_slices(x)
        dx = d.empty(x.shape, dtype) if wants_dx else None
        dfilters = d.zeros(filters.array.shape, dtype) if learns else None
        for chunk in _chunks(g, x) if learns or wants_dx else ():
            seen = chunk.unfold(dy)
            if dfilters is not None:
                chunk.backward_weights(dfilters, NOTHING[dtype], seen, slices_of_x)
            if dx is not None:
                chunk.forward(_as_slices(dx), seen, filters, NOTHING[dtype], clamp_array(LINEAR, dtype))
        if dfilters is not None:
            _add_to_weights(weights, dfilters)
            add_bias_gradient(bias, dy)
        return dx

    return y, backward


def predict(x: np.ndarray, weights: Parameter, bias: Parameter | None, activation: Function | None, g: np.ndarray,
            shape: Shape, transposed: bool = False) -> np.ndarray:
    """Return y of `shape`, and keep the packed weights until the parameters change.

    Parameters
    ----------
    transposed : bool
        Whether it is a transposed convolution.
    """
    clamp = clamp_of_volume(activation)
    run = _transposed if transposed else _forward
    y = run(x, VolumeFilters.kept(weights, bias), bias_array(weights, bias), clamp or LINEAR, g, shape)
    return y if clamp is not None else activate_only(y, activation)


def clamp_of_volume(activation: Function | None) -> Clamp | None:
    """Return the bounds of an activation that the kernels can apply, ReLU or none; None for any other."""
    clamp = LINEAR if activation is None else activation.clamp
    return clamp if clamp in (LINEAR, RELU) else None


def _forward(x: np.ndarray, filters: VolumeFilters, bias: np.ndarray, clamp: Clamp, g: np.ndarray, shape: Shape
             ) -> np.ndarray:
    y = device.of(x).empty(shape, x.dtype)
    for chunk in _chunks(g, x):
        chunk.forward(_as_slices(y), chunk.unfold(x), filters, bias, clamp_array(clamp, x.dtype))
    return y


def _transposed(x: np.ndarray, filters: VolumeFilters, bias: np.ndarray, clamp: Clamp, g: np.ndarray, shape: Shape
                ) -> np.ndarray:
    y = device.of(x).empty(shape, x.dtype)
    for chunk in _chunks(g, x):
        chunk.backward_input(y, _as_slices(x), filters, bias, clamp == RELU)
    return y


def _chunks(g: np.ndarray, like: np.ndarray) -> Iterator[_Chunk]:
    """Yield chunks of nearly equal size, which share the memory of unfolded slices."""
    field = {name: int(g[0][name]) for name in CONV3D.names or ()}
    pixels, channels = field["h"] * field["w"], field["kd"] * field["c"]
    weights = field["kh"] * field["kw"] * channels // field["groups"] * field["k"]
    slice_count = field["n"] * field["od"]
    most = max(1, max(CHUNK, 2 * weights) // (pixels * channels))
    parts = -(-slice_count // most)
    size = -(-slice_count // max(1, parts))
    unfolded = device.of(like).empty((size, field["h"], field["w"], channels), like.dtype)
    for first in range(0, slice_count, max(1, size)):
        # Filters that several chunks use are worth packing: `kept` says so.
        yield _Chunk(g, first, unfolded[:min(size, slice_count - first)], parts > 1)  # several read what is packed


def _as_slices(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, *array.shape[2:])


def _add_to_weights(weights: Parameter, dfilters: np.ndarray) -> None:
    kd, kh, kw, c, k = weights.shape
    ordered = permuted(dfilters.reshape(kh, kw, kd, c, k), (2, 0, 1, 3, 4))
    total = weights.gradient.reshape(-1)
    device.of(dfilters).kernels.add(total, total, ordered.reshape(-1))
