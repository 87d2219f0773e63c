"""A classifier becomes a network of pixels: scores of its feature maps, enlarged and added, coarse to fine."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import positive
from fastcnn.layers import (
    Add,
    Conv2D,
    Conv2DTranspose,
    CropLike,
    Cropping2D,
    Input,
    PadToMultiple,
    Softmax,
    Tensor,
    ZeroPadding2D,
)
from fastcnn.models import Model
from fastcnn.models.network import Network
from fastcnn.vision.seen_by_units import receptive_fields

_PROBE = 2048  # pixels a side of the picture on which strides and borders are looked up: no more than its shapes


class _Maps(NamedTuple):
    """Where maps lie on the probe: unit i is about the pixels from ``begin + i stride`` on."""

    layer: str
    stride: int
    begin: int
    rows: int

    @property
    def end(self) -> int:
        return self.begin + self.rows * self.stride


class _Step(NamedTuple):
    """How many rows to cut from finer maps and from coarser ones, so that they begin and end alike."""

    fine: int
    coarse: int
    fine_is_longer: bool


def fcn(model: Network, classes: int, *, layers: str | Sequence[str], name: str = "fcn") -> Model:
    """Return a network from pictures of any size to probabilities of each pixel, (N, H, W, classes), of a classifier.

    A convolution of 1 x 1 makes scores of each of some layers' maps. The coarsest are enlarged by a transposed
    convolution, which begins as a bilinear interpolation, and added to the next finer ones, and so on up to the size of
    the picture: one layer makes FCN-32s, three FCN-8s. The scores of finer maps begin with zeros, so that they add
    nothing at first. The classifier's layers are shared with it.

    Pictures get a border of zeros, as far as the classifier needs one to see each pixel, and up to rows and columns
    that its strides divide; the result is cut back.

    Parameters
    ----------
    model : Model
        A classifier, of any size or one; what comes behind the layers is left out.
    classes : int
        Background counts.
    layers : str or sequence of str
        Names of layers with feature maps (H', W', K), the finest first.
    name : str

    Returns
    -------
    Model

    Raises
    ------
    ArgumentError
        Layers that do not exist, have no maps, or are not in the order of their strides.

    References
    ----------
    Long, Shelhamer, Darrell: Fully convolutional networks for semantic segmentation, CVPR 2015, section 4.

    Examples
    --------
    >>> classifier = fc.Sequential([
    ...     fc.Input((32, 32, 3)), layers.Conv2D(8, 3, strides=2, padding="same", name="fine"),
    ...     layers.Conv2D(8, 3, strides=2, name="coarse"), layers.GlobalAveragePooling2D(), layers.Dense(10)])
    >>> model = fc.vision.segmentation.fcn(classifier, 2, layers=["fine", "coarse"])
    >>> model.predict(np.zeros((1, 37, 50, 3), "float32"), verbose=0).shape
    (1, 37, 50, 2)
    """
    (classes,) = positive("fcn", classes=classes)
    features, maps = _features(model, [layers] if isinstance(layers, str) else list(layers))
    steps, place = _merging(maps)
    before, after = max(0, place.begin), max(0, _PROBE - place.end)
    inputs = Input((None, None, int(features.input_shape[-1])), dtype=model.array_dtype)
    x = ZeroPadding2D(((before, after), (before, after)))(inputs) if before or after else inputs
    found = features(PadToMultiple(maps[-1].stride, mode="zero")(x))
    outputs = list(found) if isinstance(found, (list, tuple)) else [found]
    enlargements = list[Any]()
    whole, stride = _scores(outputs[-1], classes, maps[-1], "glorot_uniform"), maps[-1].stride
    for one, map_, step in zip(reversed(maps[:-1]), reversed(outputs[:-1]), steps, strict=True):
        whole = _cut(_enlarged(whole, classes, stride // one.stride, enlargements), step.coarse)
        score, stride = _cut(_scores(map_, classes, one, "zeros"), step.fine), one.stride
        score, whole = (CropLike()([score, whole]), whole) if step.fine_is_longer else (
            score, CropLike()([whole, score]))
        whole = Add()([score, whole])
    if stride > 1:
        whole = _enlarged(whole, classes, stride, enlargements)
    whole = CropLike()([_cut(whole, before - place.begin), inputs])
    made = Model(inputs, Softmax(name="probabilities")(whole), name=name)
    for layer in enlargements:
        layer.set_weights([_bilinear(layer.strides[0], classes)])
    return made


def _features(model: Network, names: list[str]) -> tuple[Model, list[_Maps]]:
    """Return the network up to some layers, and where their maps lie."""
    known = {layer.name: layer for layer in model.layers}
    for one in names:
        if one not in known:
            raise ArgumentError(unknown(f"fcn: layer of {model}", one, known))
    if not names:
        raise ArgumentError("fcn: expected the names of layers with feature maps, got none")
    cut = Model(model.input, [known[one].output for one in names], name=f"{model.name}_features")
    probe = cut.for_shape((None, _PROBE, _PROBE, model.input_shape[-1]))
    maps = [_placed(probe, one, shape) for one, shape in zip(names, probe.output_shapes, strict=True)]
    strides = [one.stride for one in maps]
    if strides != sorted(set(strides)) or any(coarse % fine for fine, coarse in itertools.pairwise(strides)):
        raise ArgumentError(f"fcn: expected layers whose maps become coarser, each of a stride that the one before "
                            f"divides, got strides {', '.join(map(str, strides))} of {', '.join(names)}")
    return cut, maps


def _placed(probe: Network, layer: str, shape: Any) -> _Maps:
    if len(shape) != 4 or shape[1] != shape[2]:
        raise ArgumentError(f"fcn: expected layers with feature maps (H, W, K), rows and columns treated alike, got "
                            f"{layer!r} with {tuple(shape)[1:]} of {_PROBE} x {_PROBE} pixels")
    count = int(shape[1])
    (first, end), _ = receptive_fields(probe, layer)
    at = count // 2
    if len(first) == count and first[at] > 0 and end[at + 1] < _PROBE:
        stride = int(first[at + 1] - first[at])
        middle = (int(first[at]) + int(end[at]) - 1) / 2
        return _Maps(layer, stride, round(middle - at * stride - (stride - 1) / 2), count)
    if _PROBE % count:
        raise ArgumentError(f"fcn: expected layers that see a part of the picture, or halve it exactly, got {layer!r} "
                            f"with {count} of {_PROBE} rows")
    return _Maps(layer, _PROBE // count, 0, count)  # sees all of it, by a squeeze and excitation say


def _merging(maps: list[_Maps]) -> tuple[list[_Step], _Maps]:
    """Return what to cut at each addition, the coarsest first, and where the sum lies.

    What is longer on the probe is longer for all sizes that the coarsest stride divides.
    """
    *finer, place = maps
    steps = list[_Step]()
    for one in reversed(finer):
        coarse = place.rows * (place.stride // one.stride)
        shift = round((place.begin - one.begin) / one.stride)
        cut_fine, cut_coarse = max(0, shift), max(0, -shift)
        rows_fine, rows_coarse = one.rows - cut_fine, coarse - cut_coarse
        steps.append(_Step(cut_fine, cut_coarse, rows_fine >= rows_coarse))
        place = _Maps(one.layer, one.stride, one.begin + cut_fine * one.stride, min(rows_fine, rows_coarse))
    return steps, place


def _scores(x: Tensor, classes: int, maps: _Maps, initializer: str) -> Tensor:
    return Conv2D(classes, 1, kernel_initializer=initializer, name=f"{maps.layer}_score")(x)


def _enlarged(x: Tensor, classes: int, factor: int, made: list[Any]) -> Tensor:
    layer = Conv2DTranspose(classes, 2 * factor, strides=factor, padding="same", use_bias=False)
    made.append(layer)
    return layer(x)


def _bilinear(factor: int, classes: int) -> np.ndarray:
    """Return the kernel (2f, 2f, classes, classes) that enlarges each class by itself, linearly between units."""
    line = 1 - np.abs(np.arange(2 * factor) + 0.5 - factor) / factor
    return np.einsum("i,j,kl->ijkl", line, line, np.eye(classes)).astype(np.float32)


def _cut(x: Tensor, rows: int) -> Tensor:
    return Cropping2D(((rows, 0), (rows, 0)))(x) if rows else x
