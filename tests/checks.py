"""The laws that every layer obeys, and the table of layers they run over.

A law is a function of a `Case`; `tests/layers/test_laws.py` runs each law over each row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers
from fastcnn.layers import Call, Layer
from tests import reference

RNG_SEED = 20261

#: Of sums in another order; under mixed_bfloat16 of what was rounded between two parts of a layer, too.
_TOLERANCES = {"float64": 1e-12, "float32": 1e-5, "mixed_bfloat16": 2.0**-7}


@dataclass(frozen=True)
class Case:
    """One row: how to make the layer, and what it may be asked.

    Attributes
    ----------
    name : str
    make : callable
        Keyword arguments (dtype, ...) -> Layer.
    shape : tuple
        Of one sample; a tuple of shapes for a layer of several inputs.
    random : bool
        Training draws random numbers: its output is not `predict`'s.
    over_batch : bool
        Training looks at the whole batch, so samples do not stand alone.
    pixel : bool
        An image of one pixel fits.
    smooth : bool
        Differences of the loss tell the derivative (a step has none).
    above : float, optional
        What inputs are larger than, for a function of positive numbers.
    changes_weights : bool
        A forward pass of training changes trained weights, so what is compared begins with the same ones each time,
        and differences of the loss tell another derivative.
    made : callable, optional
        (random numbers, as many as there are inputs) -> the inputs, for a layer that not any number suits.
    without_gradient : tuple of int
        The inputs that have none, though the output depends on them: zeros are given.
    """

    name: str
    make: Callable[..., Layer]
    shape: tuple[int, ...]
    random: bool = False
    over_batch: bool = False
    pixel: bool = True
    smooth: bool = True
    above: float | None = None
    changes_weights: bool = False
    made: Callable[..., list[np.ndarray]] | None = None
    without_gradient: tuple[int, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    policy: str = "float64"

    def under(self, policy: str) -> "Case":
        """Return the row with layers of another dtype policy, and inputs of its arrays' type."""
        return replace(self, policy=policy)

    @property
    def arrays(self) -> str:
        """The type of inputs and outputs."""
        return "float64" if self.policy == "float64" else "float32"

    @property
    def tolerance(self) -> float:
        """How far two numbers may be apart, relative to the largest, that are the same sum in another order."""
        return _TOLERANCES[self.policy]

    def layer(self, dtype: str | None = None) -> Layer:
        fc.utils.set_random_seed(3)
        layer = self.make(dtype=self.policy if dtype is None else dtype, name="layer")
        layer.build(self.whole_shape())
        draw = np.random.default_rng(RNG_SEED)
        for p in layer.weights:  # not zeros and ones, which hide mistakes; variances stay positive
            if p.dtype.kind == "i":
                p.assign(draw.integers(-127, 128, p.shape).astype(p.dtype))
                continue
            noise = draw.standard_normal(p.shape)
            p.assign(np.abs(noise) + 0.5 if "variance" in p.name else p.value + 0.3 * noise)
        return layer

    def input(self, n: int = 3, dtype: str | None = None) -> Any:
        draw = np.random.default_rng(RNG_SEED + n)
        numbers = [draw.standard_normal((n, *shape)) for shape in listed(self.shape)]
        if self.above is not None:
            numbers = [self.above + np.abs(x) for x in numbers]
        if self.made is not None:
            numbers = self.made(*numbers)
        if self.policy == "mixed_bfloat16":  # such numbers layers get
            numbers = [reference.round_bfloat16(x) for x in numbers]
        return like(self.shape, [x.astype(self.arrays if dtype is None else dtype) for x in numbers])

    def like_y(self, y: np.ndarray, seed: int) -> np.ndarray:
        """Return a gradient of an output."""
        return np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)

    def whole_shape(self) -> Any:
        """Return the shape, or shapes, with None for the batch."""
        return like(self.shape, [(None, *shape) for shape in listed(self.shape)])


def doubled(x: Any) -> Any:
    """What the row of `Lambda` does."""
    return 2 * x


def listed(x: Any) -> list[Any]:
    """Return an array, or a shape, in a list, or the several that a tuple holds."""
    return list(x) if _are_several(x) else [x]


def like(x: Any, values: list[Any]) -> Any:
    """Return `values` as `x` is: one alone, or a tuple of several."""
    return tuple(values) if _are_several(x) else values[0]


def _are_several(x: Any) -> bool:
    return isinstance(x, tuple) and bool(x) and isinstance(x[0], (tuple, np.ndarray))


def each(function: Callable[..., Any], *x: Any) -> Any:
    """Return the function of an array, or of each of several."""
    return like(x[0], [function(*parts) for parts in zip(*map(listed, x), strict=True)])


def _conv(*args: Any, **kwargs: Any) -> Callable[..., Layer]:
    return lambda **more: layers.Conv2D(*args, **kwargs, **more)


def _of(cls: Callable[..., Layer], *args: Any, **kwargs: Any) -> Callable[..., Layer]:
    return lambda **more: cls(*args, **kwargs, **more)


def with_boxes(x: np.ndarray, corners: np.ndarray, *rest: np.ndarray) -> list[np.ndarray]:
    """Return the inputs with boxes of a few pixels in the place of the second, whose corners are at no edge."""
    first = np.abs(corners[..., :2]) * 2 + 0.13
    return [x, np.concatenate([first, first + 0.7 + np.abs(corners[..., 2:]) * 2], -1), *rest]


def detected(x: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Return boxes of a few pixels, and scores."""
    return [with_boxes(x, x)[1], scores]


IMAGE, WIDE, FLAT = (7, 6, 3), (9, 8, 4), (11,)
SIGNAL, VOLUME = (11, 4), (5, 4, 6, 4)

TABLE: dict[str, list[Case]] = {
    "Conv2D": [
        Case("valid", _conv(5, 3), IMAGE, pixel=False),
        Case("same, tanh", _conv(4, (3, 2), padding="same", activation="tanh"), IMAGE),
        Case("strides, relu", _conv(20, 3, strides=(2, 3), padding="same", activation="relu"), WIDE),
        Case("dilation", _conv(3, 3, dilation_rate=2), WIDE, pixel=False),
        Case("groups, no bias, silu", _conv(6, 3, groups=2, padding="same", use_bias=False, activation="silu"), WIDE),
        Case("explicit padding", _conv(2, 3, padding=((2, 1), (0, 3))), IMAGE),
        Case("depthwise, relu", _conv(4, 3, groups=4, padding="same", activation="relu"), WIDE),
        Case("depthwise, strides", _conv(3, (2, 3), groups=3, strides=2, padding=1), IMAGE),
        Case("a large window on few pixels", _conv(20, 5, padding="same", activation="relu"), (4, 5, 3)),
        Case("large and askew", _conv(4, (5, 4), padding=((3, 1), (0, 2)), activation="tanh"), (4, 5, 2), pixel=False),
        Case("1x1, softmax", _conv(18, 1, activation="softmax"), IMAGE),
        Case("strides without overlap", _conv(3, 1, strides=2), IMAGE),
        Case("as wide as Winograd wants, relu", _conv(16, 3, padding="same", activation="relu"), (8, 8, 16)),
        Case("few filters of many channels, relu", _conv(3, 3, padding="same", activation="relu"), (6, 7, 16)),
    ],
    "DepthwiseConv2D": [
        Case("same, relu", _of(layers.DepthwiseConv2D, 3, padding="same", activation="relu"), WIDE),
        Case("strides, no bias", _of(layers.DepthwiseConv2D, (2, 3), strides=2, padding=1, use_bias=False), IMAGE),
        Case("multiplier, tanh", _of(layers.DepthwiseConv2D, 3, padding="same", depth_multiplier=2, activation="tanh"),
             IMAGE),
        Case("dilation", _of(layers.DepthwiseConv2D, 3, dilation_rate=(1, 2)), WIDE, pixel=False),
    ],
    "Conv1D": [
        Case("same, relu", _of(layers.Conv1D, 5, 3, padding="same", activation="relu"), SIGNAL, pixel=False),
        Case("causal, dilation", _of(layers.Conv1D, 4, 3, padding="causal", dilation_rate=2), SIGNAL, pixel=False),
        Case("strides, groups, tanh", _of(layers.Conv1D, 4, 4, strides=3, groups=2, padding=(1, 2), activation="tanh"),
             SIGNAL, pixel=False),
    ],
    "Conv3D": [
        Case("valid, relu", _of(layers.Conv3D, 5, 3, activation="relu"), VOLUME, pixel=False),
        Case("same, strides", _of(layers.Conv3D, 4, (3, 2, 3), strides=(2, 1, 2), padding="same"), VOLUME, pixel=False),
        Case("dilation, groups, tanh", _of(layers.Conv3D, 4, 2, dilation_rate=(3, 1, 2), groups=2, activation="tanh"),
             VOLUME, pixel=False),
        Case("explicit padding, no bias", _of(layers.Conv3D, 2, 3, padding=((2, 1), (0, 1), (1, 2)), use_bias=False),
             VOLUME, pixel=False),
        Case("of slices", _of(layers.Conv3D, 3, (1, 3, 3), padding="same"), VOLUME, pixel=False),
        Case("of columns", _of(layers.Conv3D, 3, (3, 1, 1), strides=(2, 1, 1), activation="relu"), VOLUME, pixel=False),
        Case("every other slice", _of(layers.Conv3D, 3, 1, strides=2), VOLUME, pixel=False),
        Case("a shortcut", _of(layers.Conv3D, 16, 3, padding="same"), (3, 8, 8, 16), pixel=False),
    ],
    "DepthwiseConv1D": [
        Case("same, relu", _of(layers.DepthwiseConv1D, 3, padding="same", activation="relu"), SIGNAL, pixel=False),
        Case("multiplier, strides", _of(layers.DepthwiseConv1D, 3, strides=2, depth_multiplier=2), SIGNAL, pixel=False),
    ],
    "SeparableConv1D": [
        Case("causal, relu", _of(layers.SeparableConv1D, 5, 3, padding="causal", activation="relu"), SIGNAL,
             pixel=False),
    ],
    "SeparableConv2D": [
        Case("same, relu", _of(layers.SeparableConv2D, 5, 3, padding="same", activation="relu"), IMAGE),
        Case("multiplier, strides, no bias",
             _of(layers.SeparableConv2D, 3, (2, 3), strides=2, depth_multiplier=2, use_bias=False, activation="gelu"),
             WIDE, pixel=False),
    ],
    "Conv1DTranspose": [
        Case("same, relu", _of(layers.Conv1DTranspose, 3, 4, strides=2, padding="same", activation="relu"), SIGNAL,
             pixel=False),
        Case("output padding", _of(layers.Conv1DTranspose, 5, 3, strides=3, output_padding=2), SIGNAL, pixel=False),
    ],
    "Conv2DTranspose": [
        Case("2x2/2, relu", _of(layers.Conv2DTranspose, 5, 2, strides=2, activation="relu"), IMAGE),
        Case("same, 5x5/2", _of(layers.Conv2DTranspose, 3, 5, strides=2, padding="same", activation="tanh"), WIDE),
        Case("few outputs", _of(layers.Conv2DTranspose, 2, 4, strides=2, padding="same", activation="relu"),
             (3, 4, 20)),
        Case("dilation, no bias", _of(layers.Conv2DTranspose, 3, (3, 2), dilation_rate=(2, 3), use_bias=False), IMAGE),
        Case("cut off, groups", _of(layers.Conv2DTranspose, 6, 3, strides=2, padding=((1, 0), (0, 2)), groups=2,
                                    output_padding=1), WIDE),
        Case("as many groups as channels", _of(layers.Conv2DTranspose, 4, 3, strides=(2, 1), padding="same", groups=4,
                                               activation="relu"), WIDE),
        Case("strides beyond the window", _of(layers.Conv2DTranspose, 4, 1, strides=3, activation="silu"), IMAGE),
        Case("as wide as Winograd wants, relu",
             _of(layers.Conv2DTranspose, 16, 3, padding="same", activation="relu"), (8, 8, 16)),
    ],
    "Conv3DTranspose": [
        Case("2x2x2/2, relu", _of(layers.Conv3DTranspose, 3, 2, strides=2, activation="relu"), VOLUME, pixel=False),
        Case("same, 3x3x3", _of(layers.Conv3DTranspose, 4, 3, strides=(1, 2, 1), padding="same", activation="tanh"),
             VOLUME, pixel=False),
        Case("cut off, groups", _of(layers.Conv3DTranspose, 4, 3, strides=(3, 1, 2), padding=((1, 1), (0, 1), (0, 0)),
                                    groups=2, output_padding=(1, 0, 1)), VOLUME, pixel=False),
        Case("of slices", _of(layers.Conv3DTranspose, 3, (1, 2, 2), strides=(1, 2, 2), activation="relu"), VOLUME,
             pixel=False),
    ],
    "Dense": [
        Case("plain", _of(layers.Dense, 7), FLAT, pixel=False),
        Case("softmax", _of(layers.Dense, 10, activation="softmax"), FLAT, pixel=False),
        Case("regularized", _of(layers.Dense, 3, activation=fc.activations.relu6, kernel_regularizer="l2",
                                bias_regularizer="l1", activity_regularizer="l1_l2"), FLAT, pixel=False),
        Case("no bias, over the last axis", _of(layers.Dense, 33, use_bias=False, activation="gelu"), IMAGE),
    ],
    "MaxPooling1D": [
        Case("2", _of(layers.MaxPooling1D), SIGNAL, pixel=False),
        Case("overlapping, same", _of(layers.MaxPooling1D, 3, strides=2, padding="same"), SIGNAL, pixel=False),
    ],
    "MaxPooling2D": [
        Case("2", _of(layers.MaxPooling2D), IMAGE, pixel=False),
        Case("overlapping, same", _of(layers.MaxPooling2D, 3, strides=2, padding="same"), WIDE),
        Case("padded", _of(layers.MaxPooling2D, (3, 2), strides=1, padding=1), IMAGE),
        Case("dilation, ceil mode", _of(layers.MaxPooling2D, 2, strides=(3, 2), padding=((1, 0), (2, 1)),
                                        dilation_rate=(2, 3), ceil_mode=True), WIDE, pixel=False),
    ],
    "MaxPooling3D": [
        Case("2", _of(layers.MaxPooling3D), VOLUME, pixel=False),
        Case("overlapping, same", _of(layers.MaxPooling3D, (2, 3, 3), strides=(1, 2, 2), padding="same"), VOLUME,
             pixel=False),
    ],
    "MinPooling1D": [Case("3, 2", _of(layers.MinPooling1D, 3, strides=2), SIGNAL, pixel=False)],
    "MinPooling2D": [
        Case("2", _of(layers.MinPooling2D), IMAGE, pixel=False),
        Case("overlapping, same", _of(layers.MinPooling2D, 3, strides=2, padding="same"), WIDE),
    ],
    "MinPooling3D": [Case("padded", _of(layers.MinPooling3D, 3, padding=1), VOLUME, pixel=False)],
    "AveragePooling1D": [
        Case("3, 2, same", _of(layers.AveragePooling1D, 3, strides=2, padding="same"), SIGNAL, pixel=False),
    ],
    "AveragePooling2D": [
        Case("2", _of(layers.AveragePooling2D), IMAGE, pixel=False),
        Case("overlapping, same", _of(layers.AveragePooling2D, 3, strides=2, padding="same"), WIDE),
        Case("the border counts", _of(layers.AveragePooling2D, 3, strides=2, padding=1, ceil_mode=True,
                                      count_include_pad=True), WIDE, pixel=False),
        Case("dilation", _of(layers.AveragePooling2D, (2, 3), strides=(1, 2), dilation_rate=2, padding="same"), WIDE,
             pixel=False),
    ],
    "AveragePooling3D": [
        Case("2", _of(layers.AveragePooling3D), VOLUME, pixel=False),
        Case("overlapping, same", _of(layers.AveragePooling3D, 3, strides=2, padding="same"), VOLUME, pixel=False),
    ],
    "L2Pooling1D": [Case("3, 2", _of(layers.L2Pooling1D, 3, strides=2), SIGNAL, pixel=False)],
    "L2Pooling2D": [
        Case("2", _of(layers.L2Pooling2D), IMAGE, pixel=False),
        Case("overlapping, same", _of(layers.L2Pooling2D, 3, strides=2, padding="same"), WIDE),
    ],
    "L2Pooling3D": [Case("padded", _of(layers.L2Pooling3D, 3, strides=2, padding=1), VOLUME, pixel=False)],
    "GlobalAveragePooling1D": [Case("plain", _of(layers.GlobalAveragePooling1D), SIGNAL, pixel=False)],
    "GlobalAveragePooling2D": [
        Case("plain", _of(layers.GlobalAveragePooling2D), IMAGE),
        Case("keepdims", _of(layers.GlobalAveragePooling2D, keepdims=True), WIDE),
    ],
    "GlobalAveragePooling3D": [
        Case("keepdims", _of(layers.GlobalAveragePooling3D, keepdims=True), VOLUME, pixel=False),
    ],
    "GlobalMaxPooling1D": [Case("keepdims", _of(layers.GlobalMaxPooling1D, keepdims=True), SIGNAL, pixel=False)],
    "GlobalMaxPooling2D": [Case("plain", _of(layers.GlobalMaxPooling2D), IMAGE)],
    "GlobalMaxPooling3D": [Case("plain", _of(layers.GlobalMaxPooling3D), VOLUME, pixel=False)],
    "GlobalMinPooling1D": [Case("plain", _of(layers.GlobalMinPooling1D), SIGNAL, pixel=False)],
    "GlobalMinPooling2D": [Case("keepdims", _of(layers.GlobalMinPooling2D, keepdims=True), IMAGE)],
    "GlobalMinPooling3D": [Case("plain", _of(layers.GlobalMinPooling3D), VOLUME, pixel=False)],
    "GlobalL2Pooling1D": [Case("plain", _of(layers.GlobalL2Pooling1D), SIGNAL, pixel=False)],
    "GlobalL2Pooling2D": [Case("keepdims", _of(layers.GlobalL2Pooling2D, keepdims=True), IMAGE)],
    "GlobalL2Pooling3D": [Case("plain", _of(layers.GlobalL2Pooling3D), VOLUME, pixel=False)],
    "AdaptiveAveragePooling1D": [Case("4", _of(layers.AdaptiveAveragePooling1D, 4), SIGNAL, pixel=False)],
    "AdaptiveAveragePooling2D": [
        Case("overlapping", _of(layers.AdaptiveAveragePooling2D, (3, 5)), WIDE),
        Case("side by side", _of(layers.AdaptiveAveragePooling2D, (3, 2)), WIDE),
    ],
    "AdaptiveAveragePooling3D": [Case("2", _of(layers.AdaptiveAveragePooling3D, 2), VOLUME, pixel=False)],
    "AdaptiveMaxPooling1D": [Case("4", _of(layers.AdaptiveMaxPooling1D, 4), SIGNAL, pixel=False)],
    "AdaptiveMaxPooling2D": [
        Case("overlapping", _of(layers.AdaptiveMaxPooling2D, (3, 5)), WIDE),
        Case("more than there are", _of(layers.AdaptiveMaxPooling2D, (9, 7)), IMAGE),
    ],
    "AdaptiveMaxPooling3D": [Case("2, 3, 2", _of(layers.AdaptiveMaxPooling3D, (2, 3, 2)), VOLUME, pixel=False)],
    "Flatten": [Case("plain", _of(layers.Flatten), IMAGE)],
    "Reshape": [
        Case("-1", _of(layers.Reshape, (-1, 3)), IMAGE),
        Case("sizes as they come", _of(layers.Reshape, (0, 0, 2, -1)), WIDE, pixel=False),
    ],
    "Slice": [
        Case("channels", _of(layers.Slice, 1, 3), IMAGE),
        Case("every other row, from the end", _of(layers.Slice, -5, None, 2, axis=1), IMAGE, pixel=False),
        Case("mirrored", _of(layers.Slice, step=-1, axis=2), IMAGE),
        Case("backwards from the middle", _of(layers.Slice, -2, None, -2, axis=1), WIDE, pixel=False),
    ],
    "Take": [
        Case("channels", _of(layers.Take, [2, 1, 0]), IMAGE, pixel=False),
        Case("rows, some twice, some never", _of(layers.Take, (5, -1, 0, 5), axis=1, length=7), IMAGE, pixel=False),
    ],
    "Lambda": [Case("plain", lambda **more: layers.Lambda(doubled, **more), IMAGE)],
    "InputLayer": [Case("plain", lambda **more: layers.InputLayer(IMAGE, **more), IMAGE, pixel=False)],
    "ZeroPadding1D": [Case("2, 1", _of(layers.ZeroPadding1D, (2, 1)), SIGNAL, pixel=False)],
    "ZeroPadding2D": [
        Case("1", _of(layers.ZeroPadding2D), IMAGE),
        Case("four sides", _of(layers.ZeroPadding2D, ((1, 0), (2, 3))), IMAGE),
    ],
    "ZeroPadding3D": [Case("six sides", _of(layers.ZeroPadding3D, ((1, 0), (0, 2), (1, 1))), VOLUME, pixel=False)],
    "Padding1D": [Case("reflect", _of(layers.Padding1D, (2, 3), mode="reflect"), SIGNAL, pixel=False)],
    "Padding2D": [
        Case("edge", _of(layers.Padding2D, ((1, 2), (3, 0)), mode="edge"), IMAGE),
        Case("reflect", _of(layers.Padding2D, (2, 3), "reflect"), WIDE, pixel=False),
        Case("zero", _of(layers.Padding2D), IMAGE),
        Case("constant", _of(layers.Padding2D, (1, 2), "constant", value=-1.5), IMAGE),
        Case("wrap", _of(layers.Padding2D, ((2, 0), (1, 3)), "wrap"), IMAGE, pixel=False),
    ],
    "Padding3D": [Case("reflect", _of(layers.Padding3D, 1, mode="reflect"), VOLUME, pixel=False)],
    "Cropping1D": [Case("1", _of(layers.Cropping1D), SIGNAL, pixel=False)],
    "PadToMultiple": [
        Case("edge", _of(layers.PadToMultiple, 4), IMAGE),
        Case("zeros", _of(layers.PadToMultiple, 5, "zero"), WIDE),
        Case("fits", _of(layers.PadToMultiple, 1), IMAGE),
    ],
    "CropLike": [
        Case("smaller", _of(layers.CropLike), (WIDE, (3, 4, 2)), pixel=False, without_gradient=(1,)),
        Case("as large", _of(layers.CropLike), (IMAGE, IMAGE), without_gradient=(1,)),
    ],
    "Cropping2D": [
        Case("four sides", _of(layers.Cropping2D, ((1, 0), (2, 3))), WIDE, pixel=False),
        Case("nothing", _of(layers.Cropping2D), IMAGE),
    ],
    "Cropping3D": [Case("six sides", _of(layers.Cropping3D, ((1, 0), (0, 2), (1, 1))), VOLUME, pixel=False)],
    "UpSampling1D": [Case("3", _of(layers.UpSampling1D, 3), SIGNAL, pixel=False)],
    "UpSampling2D": [
        Case("nearest", _of(layers.UpSampling2D, (2, 3)), IMAGE),
        Case("bilinear", _of(layers.UpSampling2D, (2, 3), interpolation="bilinear"), WIDE),
        Case("bicubic", _of(layers.UpSampling2D, 2, interpolation="bicubic"), IMAGE),
    ],
    "UpSampling3D": [Case("2, 1, 3", _of(layers.UpSampling3D, (2, 1, 3)), VOLUME, pixel=False)],
    "Resize": [
        Case("linear", _of(layers.Resize, (5, 11)), IMAGE),
        Case("nearest, half", _of(layers.Resize, scale=0.5, interpolation="nearest",
                                  coordinate_transformation_mode="asymmetric", nearest_mode="floor"), WIDE,
             pixel=False),
        Case("cubic, corners", _of(layers.Resize, (9, 4), interpolation="cubic",
                                   coordinate_transformation_mode="align_corners"), IMAGE),
        Case("antialias", _of(layers.Resize, scale=(0.4, 0.7), antialias=True), WIDE, pixel=False),
        Case("signal", _of(layers.Resize, 7, coordinate_transformation_mode="pytorch_half_pixel"), SIGNAL,
             pixel=False),
        Case("volume", _of(layers.Resize, (3, 5, 4)), VOLUME, pixel=False),
    ],
    "Resizing": [
        Case("bilinear", _of(layers.Resizing, 5, 11), IMAGE),
        Case("the sides cut off, bicubic", _of(layers.Resizing, 4, 9, "bicubic", crop_to_aspect_ratio=True), WIDE),
        Case("a border, antialias", _of(layers.Resizing, 6, 3, pad_to_aspect_ratio=True, fill_value=0.5,
                                        antialias=True), WIDE),
        Case("nearest", _of(layers.Resizing, 3, 4, "nearest"), IMAGE),
    ],
    "CenterCrop": [
        Case("the middle", _of(layers.CenterCrop, 4, 3), IMAGE),
        Case("of a smaller image", _of(layers.CenterCrop, 8, 6), IMAGE),
    ],
    "RandomFlip": [Case("both", _of(layers.RandomFlip, seed=5), IMAGE, random=True)],
    "RandomRotation": [
        Case("0.2, reflect", _of(layers.RandomRotation, 0.2, seed=5), IMAGE, random=True),
        Case("nearest, wrap", _of(layers.RandomRotation, (0.1, 0.2), "wrap", "nearest", seed=5), WIDE, random=True),
    ],
    "RandomTranslation": [
        Case("0.3, constant", _of(layers.RandomTranslation, 0.3, (0.1, 0.4), "constant", fill_value=0.5, seed=5), IMAGE,
             random=True),
    ],
    "RandomZoom": [
        Case("0.4, nearest pixel outside", _of(layers.RandomZoom, 0.4, fill_mode="nearest", seed=5), IMAGE,
             random=True),
        Case("each side", _of(layers.RandomZoom, (-0.3, 0.1), 0.5, seed=5), WIDE, random=True),
    ],
    "RandomShear": [Case("both", _of(layers.RandomShear, 0.3, (0.1, 0.2), seed=5), IMAGE, random=True)],
    "RandomPerspective": [Case("0.7", _of(layers.RandomPerspective, (0.5, 0.9), 0.7, seed=5), IMAGE, random=True)],
    "RandomCrop": [
        Case("a part", _of(layers.RandomCrop, 4, 3, seed=5), IMAGE, random=True, pixel=False),
        Case("of a smaller image", _of(layers.RandomCrop, 8, 4, seed=5), IMAGE),
    ],
    "RandomBrightness": [Case("0.2", _of(layers.RandomBrightness, 0.2, (-2, 2), seed=5), IMAGE, random=True)],
    "RandomContrast": [
        Case("0.7", _of(layers.RandomContrast, 0.7, (-2, 2), seed=5), IMAGE, random=True),
        Case("four channels", _of(layers.RandomContrast, (0.2, 0.9), (-9, 9), seed=5), WIDE, random=True),
    ],
    "RandomGrayscale": [Case("0.5", _of(layers.RandomGrayscale, seed=5), IMAGE, random=True)],
    "RandomRGBShift": [Case("0.2", _of(layers.RandomRGBShift, 0.2, (-2, 2), seed=5), IMAGE, random=True)],
    "RandomPCAColor": [Case("0.3", _of(layers.RandomPCAColor, 0.3, (-2, 2), seed=5), IMAGE, random=True)],
    "RandomSaturation": [
        Case("paler", _of(layers.RandomSaturation, 0.5, (-9, 9), seed=5), IMAGE, random=True),
        Case("purer than there is", _of(layers.RandomSaturation, (0.8, 1.0), (-1, 9), seed=5), IMAGE, random=True),
    ],
    "RandomHue": [Case("0.9", _of(layers.RandomHue, 0.9, (-2, 2), seed=5), IMAGE, random=True)],
    "RandomColorJitter": [
        Case("all", _of(layers.RandomColorJitter, (-2, 2), 0.2, 0.3, (0.4, 0.6), 0.1, seed=5), IMAGE, random=True),
        Case("of four channels", _of(layers.RandomColorJitter, (-2, 2), 0.2, 0.3, seed=5), WIDE, random=True),
    ],
    "RandomErasing": [
        Case("noise", _of(layers.RandomErasing, (0.5, 1.0), (0.1, 0.5), None, (-2, 2), seed=5), IMAGE, random=True),
        Case("a colour", _of(layers.RandomErasing, (1, 1), 0.5, (0.5, 0, -1), (-2, 2), seed=5), IMAGE, random=True),
    ],
    "RandomNoise": [Case("0.2", _of(layers.RandomNoise, (0.1, 0.2), (-2, 2), seed=5), WIDE, random=True)],
    "RandAugment": [
        Case("two of all", _of(layers.RandAugment, (-2, 2), 2, 0.4, seed=5), IMAGE, random=True, smooth=False),
    ],
    "MixUp": [Case("0.4", _of(layers.MixUp, 0.4, seed=5), IMAGE, random=True)],
    "CutMix": [Case("1", _of(layers.CutMix, seed=5), IMAGE, random=True)],
    "RandomGaussianBlur": [
        Case("5, 3", _of(layers.RandomGaussianBlur, (0.5, 1), (5, 3), (0.3, 1), (-2, 2), seed=5), IMAGE, random=True),
    ],
    "RandomElasticTransform": [
        Case("mirror", _of(layers.RandomElasticTransform, 1.0, (0.5, 1), fill_mode="mirror", value_range=(-2, 2),
                           seed=5), WIDE, random=True),
    ],
    "Permute": [
        Case("to channels first", _of(layers.Permute, (3, 1, 2)), IMAGE),
        Case("turned round", _of(layers.Permute, (3, 2, 1)), WIDE),
        Case("a view", _of(layers.Permute, (2, 1)), (1, 5), pixel=False),
    ],
    "RepeatVector": [Case("3", _of(layers.RepeatVector, 3), FLAT, pixel=False)],
    "Rescaling": [
        Case("of pixels", _of(layers.Rescaling, 1 / 255, -0.5), IMAGE),
        Case("by channel", _of(layers.Rescaling, [0.5, 2.0, -3.0], (1.0, 0.0, 4.0)), IMAGE),
        Case("by row", _of(layers.Rescaling, [[[2.0]]] * 7, [1.0]), IMAGE, pixel=False),
    ],
    "Normalization": [
        Case("by channel", _of(layers.Normalization), IMAGE),
        Case("one mean", _of(layers.Normalization, axis=None), IMAGE),
        Case("by row and channel, inverted", _of(layers.Normalization, axis=(1, -1), invert=True), IMAGE, pixel=False),
        Case("given", _of(layers.Normalization, mean=(1.0, -2.0, 0.5), variance=(2.0, 0.5, 0.0)), IMAGE),
    ],
    "Dropout": [
        Case("0.4", _of(layers.Dropout, 0.4, seed=5), IMAGE, random=True),
        Case("one mask for all", _of(layers.Dropout, 0.4, noise_shape=(1, None, 6, None), seed=5), IMAGE, random=True,
             pixel=False),
        Case("rows of each", _of(layers.Dropout, 0.5, noise_shape=(None, None, 1, 1), seed=5), IMAGE, random=True),
    ],
    "SpatialDropout1D": [Case("0.4", _of(layers.SpatialDropout1D, 0.4, seed=5), (9, 4), random=True, pixel=False)],
    "SpatialDropout2D": [Case("0.4", _of(layers.SpatialDropout2D, 0.4, seed=5), IMAGE, random=True)],
    "SpatialDropout3D": [Case("0.4", _of(layers.SpatialDropout3D, 0.4, seed=5), (3, 4, 2, 5), random=True,
                              pixel=False)],
    "AlphaDropout": [
        Case("0.4", _of(layers.AlphaDropout, 0.4, seed=5), IMAGE, random=True),
        Case("channels", _of(layers.AlphaDropout, 0.2, noise_shape=(None, 1, 1, None), seed=5), IMAGE, random=True),
    ],
    "Identity": [Case("plain", _of(layers.Identity), IMAGE)],
    "ActivityRegularization": [Case("both", _of(layers.ActivityRegularization, 0.1, 0.2), IMAGE)],
    "RReLU": [
        Case("plain", _of(layers.RReLU, seed=5), IMAGE, random=True),
        Case("from 0", _of(layers.RReLU, 0.0, 1.5, seed=5), FLAT, random=True, pixel=False),
    ],
    "Wrapper": [
        Case("of a convolution", lambda **more: layers.Wrapper(layers.Conv2D(3, 2, dtype=more["dtype"]), **more), IMAGE,
             pixel=False),
        Case("of noise", lambda **more: layers.Wrapper(layers.Dropout(0.4, seed=5, dtype=more["dtype"]), **more), IMAGE,
             random=True),
    ],
    "SpectralNormalization": [
        Case("of a convolution", lambda **more: layers.SpectralNormalization(
            layers.Conv2D(3, 2, dtype=more["dtype"]), **more), IMAGE, pixel=False, over_batch=True, smooth=False,
            changes_weights=True),
        Case("of a dense layer, twice", lambda **more: layers.SpectralNormalization(
            layers.Dense(4, dtype=more["dtype"]), 2, **more), FLAT, pixel=False, over_batch=True, smooth=False,
            changes_weights=True),
    ],
    "TimeDistributed": [
        Case("of a convolution", lambda **more: layers.TimeDistributed(
            layers.Conv1D(3, 2, dtype=more["dtype"]), **more), IMAGE, pixel=False),
        Case("of noise", lambda **more: layers.TimeDistributed(
            layers.Dropout(0.4, seed=5, dtype=more["dtype"]), **more), IMAGE, random=True),
    ],
    "GaussianNoise": [Case("0.4", _of(layers.GaussianNoise, 0.4, seed=5), IMAGE, random=True)],
    "GaussianDropout": [Case("0.4", _of(layers.GaussianDropout, 0.4, seed=5), IMAGE, random=True)],
    "LayerNormalization": [
        Case("plain", _of(layers.LayerNormalization), IMAGE),
        Case("over an image", _of(layers.LayerNormalization, axis=(1, 2, 3), epsilon=1e-5), IMAGE, pixel=False),
        Case("no scale", _of(layers.LayerNormalization, scale=False), (5, 40), pixel=False),
        Case("no center", _of(layers.LayerNormalization, axis=[-2, -1], center=False), IMAGE),
    ],
    "GroupNormalization": [
        Case("2", _of(layers.GroupNormalization, 2), WIDE),
        Case("each channel", _of(layers.GroupNormalization, -1, epsilon=1e-5), IMAGE),
        Case("flat", _of(layers.GroupNormalization, 5), (20,), pixel=False),
        Case("one group, no scale, no center", _of(layers.GroupNormalization, 1, scale=False, center=False), IMAGE),
    ],
    "LocalResponseNormalization": [
        Case("AlexNet's", _of(layers.LocalResponseNormalization), (4, 5, 11)),
        Case("one side", _of(layers.LocalResponseNormalization, (3, 0), 0.3, 0.5, 1.0), (4, 5, 7)),
        Case("as ONNX for an even size", _of(layers.LocalResponseNormalization, (1, 2), 0.3, 0.5, 1.0), (4, 5, 7)),
    ],
    "UnitNormalization": [
        Case("channels", _of(layers.UnitNormalization), IMAGE),
        Case("positions, a floor", _of(layers.UnitNormalization, axis=(1, 2), epsilon=4.0), IMAGE),
    ],
    "RMSNormalization": [
        Case("channels", _of(layers.RMSNormalization), IMAGE),
        Case("rows and channels", _of(layers.RMSNormalization, axis=(1, 3), epsilon=0.1), IMAGE, pixel=False),
    ],
    "BatchNormalization": [
        Case("image", _of(layers.BatchNormalization), IMAGE, over_batch=True),
        Case("flat, no scale", _of(layers.BatchNormalization, scale=False), FLAT, over_batch=True, pixel=False),
        Case("no center", _of(layers.BatchNormalization, center=False, momentum=0.5), IMAGE, over_batch=True),
        Case("frozen", _of(layers.BatchNormalization, trainable=False), IMAGE),
        Case("signal", _of(layers.BatchNormalization, axis=2), (9, 4), over_batch=True, pixel=False),
        Case("volume", _of(layers.BatchNormalization), (3, 2, 4, 5), over_batch=True, pixel=False),
    ],
    "Activation": [
        Case(name, _of(layers.Activation, name), IMAGE, smooth=name != "step")
        for name in ("linear", "relu", "step", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "silu", "swish", "gelu",
                     "gelu_tanh", "softmax", "log_softmax", "relu6", "hard_sigmoid", "celu", "hard_silu", "hard_swish",
                     "mish", "softplus", "softsign", "exponential", "hard_tanh", "tanh_shrink", "soft_shrink",
                     "hard_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid")
    ] + [Case("a function", _of(layers.Activation, fc.activations.mish), IMAGE)],
    "Add": [
        Case("two", _of(layers.Add), (IMAGE, IMAGE)),
        Case("three, of other shapes", _of(layers.Add), ((7, 6, 3), (1, 6, 1), (7, 6, 3)), pixel=False),
        Case("one", _of(layers.Add), (IMAGE,)),
    ],
    "Subtract": [
        Case("two", _of(layers.Subtract), (IMAGE, IMAGE)),
        Case("outer", _of(layers.Subtract), ((7, 1, 3), (1, 6, 1)), pixel=False),
    ],
    "Multiply": [
        Case("a gate", _of(layers.Multiply), (WIDE, (4,)), pixel=False),
        Case("a mask, three", _of(layers.Multiply), (WIDE, (9, 8, 1), WIDE), pixel=False),
        Case("more parts than the kernel walks", _of(layers.Multiply), ((7, 6, 3), (1, 6, 1)), pixel=False),
    ],
    "Average": [
        Case("three", _of(layers.Average), (IMAGE, IMAGE, IMAGE)),
        Case("of other shapes", _of(layers.Average), (IMAGE, (1, 1, 3)), pixel=False),
    ],
    "Maximum": [
        Case("three", _of(layers.Maximum), (IMAGE, IMAGE, IMAGE)),
        Case("of other shapes", _of(layers.Maximum), ((7, 1, 3), (7, 6, 1)), pixel=False),
    ],
    "Minimum": [Case("two", _of(layers.Minimum), (IMAGE, IMAGE))],
    "Concatenate": [
        Case("channels", _of(layers.Concatenate), ((7, 6, 3), (7, 6, 5), (7, 6, 1))),
        Case("rows", _of(layers.Concatenate, axis=1), ((7, 6, 3), (2, 6, 3)), pixel=False),
        Case("flat", _of(layers.Concatenate, axis=-1), (FLAT, (4,)), pixel=False),
    ],
    "Dot": [
        Case("vectors", _of(layers.Dot, axes=1), (FLAT, FLAT), pixel=False),
        Case("cosine", _of(layers.Dot, axes=-1, normalize=True), (FLAT, FLAT), pixel=False),
        Case("matrices", _of(layers.Dot, axes=(2, 1)), ((5, 7), (7, 4)), pixel=False),
        Case("images, cosine", _of(layers.Dot, (1, 3), normalize=True), ((3, 4, 2), (5, 2, 3)), pixel=False),
    ],
    "Linear": [Case("plain", _of(layers.Linear), IMAGE)],
    "ReLU": [
        Case("plain", _of(layers.ReLU), IMAGE),
        Case("6", _of(layers.ReLU, 6.0), IMAGE),
        Case("clipped", _of(layers.ReLU, 0.7), IMAGE),
        Case("threshold", _of(layers.ReLU, threshold=0.2), IMAGE, smooth=False),
        Case("all three", _of(layers.ReLU, max_value=1.1, negative_slope=0.3, threshold=0.2), IMAGE, smooth=False),
    ],
    "ReLU6": [Case("plain", _of(layers.ReLU6), IMAGE)],
    "LayerScale": [
        Case("of pixels", _of(layers.LayerScale, 0.5), IMAGE),
        Case("of numbers", _of(layers.LayerScale, 2.0, 11), FLAT),
    ],
    "PReLU": [
        Case("plain", _of(layers.PReLU), IMAGE, pixel=False),
        Case("one a channel", _of(layers.PReLU, alpha_initializer="ones", shared_axes=(1, 2)), IMAGE),
        Case("one a row", _of(layers.PReLU, shared_axes=[2, 3]), IMAGE),
        Case("one for all", _of(layers.PReLU, shared_axes=1), FLAT),
    ],
    "ThresholdedReLU": [Case("0.4", _of(layers.ThresholdedReLU, 0.4), IMAGE)],
    "Clip": [
        Case("both", _of(layers.Clip, -0.5, 0.7), IMAGE),
        Case("above", _of(layers.Clip, max_value=0.7), IMAGE),
        Case("below", _of(layers.Clip, min_value=-0.7), IMAGE),
    ],
    "HardSigmoid": [
        Case("plain", _of(layers.HardSigmoid), IMAGE),
        Case("steep", _of(layers.HardSigmoid, 0.6, 0.4), IMAGE),
    ],
    "CELU": [Case("1.7", _of(layers.CELU, 1.7), IMAGE)],
    "HardSiLU": [Case("plain", _of(layers.HardSiLU), IMAGE)],
    "Mish": [Case("plain", _of(layers.Mish), IMAGE)],
    "Softplus": [Case("plain", _of(layers.Softplus), IMAGE)],
    "Softsign": [Case("plain", _of(layers.Softsign), IMAGE)],
    "LeakyReLU": [Case("0.1", _of(layers.LeakyReLU, 0.1), IMAGE)],
    "ELU": [Case("0.7", _of(layers.ELU, 0.7), IMAGE)],
    "SELU": [Case("plain", _of(layers.SELU), IMAGE), Case("3, 2", _of(layers.SELU, alpha=3.0, scale=2.0), IMAGE)],
    "SiLU": [Case("plain", _of(layers.SiLU), IMAGE)],
    "GELU": [Case("erf", _of(layers.GELU), IMAGE), Case("tanh", _of(layers.GELU, approximate=True), IMAGE)],
    "Sigmoid": [Case("plain", _of(layers.Sigmoid), IMAGE)],
    "Tanh": [Case("plain", _of(layers.Tanh), IMAGE)],
    "Softmax": [
        Case("plain", _of(layers.Softmax), FLAT, pixel=False),
        Case("rows", _of(layers.Softmax, axis=1), IMAGE),
        Case("pixels", _of(layers.Softmax, axis=(1, 2)), IMAGE),
    ],
    "LogSoftmax": [
        Case("plain", _of(layers.LogSoftmax), FLAT, pixel=False),
        Case("columns", _of(layers.LogSoftmax, axis=-2), IMAGE),
    ],
    "Step": [Case("plain", _of(layers.Step), IMAGE, smooth=False)],
    "Where": [
        Case("three", _of(layers.Where), (IMAGE, IMAGE, IMAGE), smooth=False),
        Case("of other shapes", _of(layers.Where), ((7, 6, 1), (3,), IMAGE), smooth=False, pixel=False),
    ],
    "RoIAlign": [
        Case("one point a pixel or so", _of(layers.RoIAlign, (3, 2), 0.9), (IMAGE, (4, 4)), pixel=False,
             made=with_boxes, without_gradient=(1,)),
        Case("two points, not aligned", _of(layers.RoIAlign, 2, 1.1, 2, False), (WIDE, (3, 4)), pixel=False,
             made=with_boxes, without_gradient=(1,)),
    ],
    "RoIPooling": [
        Case("plain", _of(layers.RoIPooling, (3, 2), 0.9), (WIDE, (4, 4)), pixel=False, made=with_boxes,
             without_gradient=(1,)),
    ],
    "GridSample": [
        Case("bilinear, zeros", _of(layers.GridSample), (IMAGE, (5, 4, 2)), pixel=False),
        Case("bicubic, reflection, corners", _of(layers.GridSample, "bicubic", "reflection", True), (IMAGE, (5, 4, 2)),
             pixel=False),
        Case("nearest, border", _of(layers.GridSample, "nearest", "border"), (WIDE, (3, 4, 2)), pixel=False,
             smooth=False),
    ],
    "QuantizeDequantize": [
        Case("with zero among the bytes", _of(layers.QuantizeDequantize, 0.05, 70), (4, 3, 2), smooth=False),
        Case("nothing below zero", _of(layers.QuantizeDequantize, 0.02), (7,), pixel=False, smooth=False),
    ],
    "QuantizedConv2D": [
        Case("3x3 with ReLU", _of(layers.QuantizedConv2D, 5, 3, padding="same", activation="relu"), (6, 5, 3)),
        Case("in groups, strides", _of(layers.QuantizedConv2D, 4, (3, 2), (1, 2), groups=2, use_bias=False), (5, 6, 4),
             pixel=False),
    ],
    "QuantizedDense": [
        Case("of a vector", _of(layers.QuantizedDense, 5), (7,), pixel=False),
        Case("of each row, no bias", _of(layers.QuantizedDense, 4, None, False), (3, 6), pixel=False),
    ],
    "NonMaxSuppression": [
        Case("two classes", _of(layers.NonMaxSuppression, 5, 0.3), ((9, 4), (9, 2)), pixel=False, smooth=False,
             made=detected),
        Case("above a score", _of(layers.NonMaxSuppression, 20, 0.6, 0.1), ((7, 4), (7, 3)), pixel=False, smooth=False,
             made=detected),
    ],
    "TopK": [
        Case("the largest channel", _of(layers.TopK), IMAGE),
        Case("rows", _of(layers.TopK, 3, axis=1), IMAGE, pixel=False),
        Case("indices", _of(layers.TopK, 2, indices=True), FLAT, smooth=False, pixel=False),
    ],
    "Abs": [Case("plain", _of(layers.Abs), IMAGE)],
    "Sqrt": [Case("of positive numbers", _of(layers.Sqrt), IMAGE, above=0.3)],
    "Log": [Case("of positive numbers", _of(layers.Log), IMAGE, above=0.3)],
    "Reciprocal": [Case("of positive numbers", _of(layers.Reciprocal), IMAGE, above=0.3)],
    "Power": [Case("cube", _of(layers.Power, 3), IMAGE), Case("root", _of(layers.Power, 1 / 3), IMAGE, above=0.3)],
    "Sign": [Case("plain", _of(layers.Sign), IMAGE, smooth=False)],
    "IsZero": [Case("plain", _of(layers.IsZero), IMAGE, smooth=False)],
    "Round": [Case("plain", _of(layers.Round), IMAGE, smooth=False)],
    "Floor": [Case("plain", _of(layers.Floor), IMAGE, smooth=False)],
    "Ceil": [Case("plain", _of(layers.Ceil), IMAGE, smooth=False)],
    "Erf": [Case("plain", _of(layers.Erf), IMAGE)],
}

ROWS = [(kind, case) for kind, cases in TABLE.items() for case in cases]
CALL = Call(seed=11, step=2)


def gradients(layer: Layer, x: np.ndarray, dy: np.ndarray) -> list[np.ndarray]:
    """Return dx, one for each input, and the gradients of the trained parameters, from cleared ones."""
    for p in layer.weights:
        p.zero_grad()
    _, backward = layer.forward(x, CALL)
    dx = backward(dy)
    return [*(g.copy() for g in listed(dx)), *(p.grad.copy() for p in layer.trainable_weights)]


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
    """Assert that two arrays agree relative to the largest value."""
    assert a.shape == b.shape
    scale = max(1e-300, float(np.abs(b).max(initial=0)))
    assert np.abs(a - b).max(initial=0) <= tolerance * scale


def shapes(case: Case) -> None:
    """The output has the shape that was promised, for both verbs."""
    layer, x = case.layer(), case.input()
    assert layer.compute_output_shape(case.whole_shape()) == layer.output_shape
    narrow = layer.compute_dtype if layer.rounds else listed(x)[0].dtype
    for y, kind in ((layer.forward(x, CALL)[0], case.arrays), (layer.predict(x), case.arrays), (layer(x), narrow),
                    (layer(x, training=True), narrow)):
        assert y.shape == (3, *layer.output_shape[1:])
        assert y.dtype == kind


def gradient_check(case: Case) -> None:
    """backward agrees with central differences of sum(dy * y) in float64, for the input and every parameter."""
    if not case.smooth:
        return
    layer, x = case.layer(), case.input(2)
    statistics = [(p, p.numpy()) for p in layer.weights if not p.trainable]

    def output(x: np.ndarray) -> np.ndarray:
        y = layer.forward(x, CALL)[0].copy()
        for p, value in statistics:
            p.assign(value)
        return y

    dy = np.random.default_rng(4).standard_normal(output(x).shape)
    found = gradients(layer, x, dy)
    for p, value in statistics:
        p.assign(value)
    step = 1e-6

    def difference(array: np.ndarray, index: tuple, of: Callable[[], np.ndarray]) -> float:
        before = array[index]
        array[index] = before + step
        above = of()
        array[index] = before - step
        below = of()
        array[index] = before
        return float(((above - below) * dy).sum() / (2 * step))

    draw = np.random.default_rng(5)
    arrays = [*listed(x), *(p.array for p in layer.trainable_weights)]
    targets = list(zip(arrays, found, strict=True))
    for at in case.without_gradient:
        assert not targets.pop(at)[1].any()
    for array, gradient in targets:
        picks = draw.choice(array.size, min(array.size, 24), replace=False)
        for index in (np.unravel_index(i, array.shape) for i in picks):
            expected = difference(array, index, lambda: output(x))
            assert abs(gradient[index] - expected) <= 1e-6 * max(1.0, np.abs(gradient).max()), (index, case.name)


def backward_adds_and_gives_none(case: Case) -> None:
    """Gradients of parameters are added to, dy and x stay as they were, and dx is None only where it is not wanted."""
    layer, x = case.layer(), case.input()
    y, backward = layer.forward(x, CALL)
    dy = case.like_y(y, 6)
    once = gradients(layer, x, dy)[len(listed(x)):]
    x_before, dy_before = [a.copy() for a in listed(x)], dy.copy()
    _, backward = layer.forward(x, CALL)
    backward(dy)
    for p, g in zip(layer.trainable_weights, once, strict=True):
        close(p.grad, 2 * g, case.tolerance)
    for a, before in zip(listed(x), x_before, strict=True):
        np.testing.assert_array_equal(a, before)
    np.testing.assert_array_equal(dy, dy_before)
    _, backward = layer.forward(x, Call(11, 2, wants_dx=False))
    backward(dy)
    for p, g in zip(layer.trainable_weights, once, strict=True):
        close(p.grad, 3 * g, case.tolerance)


def one_by_one(case: Case) -> None:
    """A batch is its samples."""
    layer, x = case.layer(), case.input(4)
    whole = layer.predict(x).copy()
    one = [each(lambda a, i=i: a[i : i + 1].copy(), x) for i in range(4)]
    for i in range(4):
        close(layer.predict(one[i]), whole[i : i + 1], case.tolerance)
    if case.over_batch or case.random:
        return
    y, _ = layer.forward(x, CALL)
    dy = case.like_y(y, 7)
    dx = gradients(layer, x, dy)[:len(listed(x))]
    for i in range(4):
        alone = gradients(layer, one[i], dy[i : i + 1].copy())[:len(dx)]
        for a, b in zip(alone, dx, strict=True):
            close(a, b[i : i + 1], case.tolerance)


def predict_is_forward(case: Case) -> None:
    """Inference gives what training gives, where training draws nothing and looks at no batch."""
    if case.random or case.over_batch:
        return
    layer, x = case.layer(), case.input()
    y = layer.predict(x).copy(), layer.forward(x, CALL)[0]
    if case.policy == "float64":
        np.testing.assert_array_equal(*y)
    else:  # there prediction may choose another algorithm, Winograd's
        close(*y, case.tolerance)


def config_makes_it_again(case: Case) -> None:
    """The configuration goes through JSON and makes a layer with the same output."""
    import json

    layer, x = case.layer(), case.input()
    # A function is the one argument that no JSON holds: it goes through by its name.
    functions = {name: one for name, one in layer.get_config().items() if callable(one)}
    config = json.loads(json.dumps(layer.get_config(), default=lambda function: function.__name__))
    again = type(layer).from_config(config | functions)
    again.build(case.whole_shape())
    again.set_weights(layer.get_weights())
    assert again.name == layer.name
    np.testing.assert_array_equal(again.predict(x).copy(), layer.predict(x))


def used_twice(case: Case) -> None:
    """Two forward passes keep apart what they save: their backward passes may come in any order."""
    layer, a, b = case.layer(), case.input(2), case.input(3)
    start = layer.get_weights() if case.changes_weights else None
    ya, back_a = layer.forward(a, CALL)
    dy_a = case.like_y(ya, 8)
    if start is not None:
        layer.set_weights(start)
    yb, back_b = layer.forward(b, CALL)
    dy_b = case.like_y(yb, 9)
    dx_a = [g.copy() for g in listed(back_a(dy_a))]
    dx_b = [g.copy() for g in listed(back_b(dy_b))]
    for dx, x, dy in ((dx_a, a, dy_a), (dx_b, b, dy_b)):
        if start is not None:
            layer.set_weights(start)
        for got, expected in zip(dx, gradients(layer, x, dy)[:len(dx)], strict=True):
            np.testing.assert_array_equal(got, expected)


def empty_batch(case: Case) -> None:
    """No samples give no outputs, and no gradients."""
    layer, x = case.layer(), case.input(0)
    assert layer.predict(x).shape == (0, *layer.output_shape[1:])
    y, backward = layer.forward(x, CALL)
    each(lambda dx, a: np.testing.assert_equal(dx.shape, a.shape), backward(np.empty_like(y)), x)
    assert all(not p.grad.any() for p in layer.trainable_weights)


def one_pixel(case: Case) -> None:
    """An image of one pixel is an image."""
    if not case.pixel:
        return
    layer = case.make(name="pixel", dtype=case.policy)
    x = each(lambda shape: np.ones((2, 1, 1, shape[-1]), case.arrays), case.shape)
    layer.build(each(lambda a: (None, *a.shape[1:]), x))
    y, backward = layer.forward(x, CALL)
    assert np.isfinite(y).all()
    each(lambda dx, a: np.testing.assert_equal(dx.shape, a.shape), backward(np.ones_like(y)), x)


def any_layout(case: Case) -> None:
    """Views that are not contiguous, and read-only arrays, give the same."""
    layer, x = case.layer(), case.input()
    expected = layer.predict(x).copy()
    strided = each(lambda a: np.repeat(a, 2, axis=-1)[..., ::2], x)
    frozen = each(np.copy, x)
    each(lambda a: a.setflags(write=False), frozen)
    np.testing.assert_array_equal(layer.predict(strided).copy(), expected)
    np.testing.assert_array_equal(layer.predict(frozen).copy(), expected)


def single_is_near_double(case: Case) -> None:
    """float32 runs through the same kernels and comes near float64."""
    double, single, x = case.layer(), case.layer("float32"), case.input(dtype="float32")
    single.set_weights([w.astype("float32") for w in double.get_weights()])
    double.set_weights([w.astype("float64") for w in single.get_weights()])
    wide = each(lambda a: a.astype("float64"), x)
    close(single.predict(x).astype("float64"), double.predict(wide), 5e-6)
    start = double.get_weights() if case.changes_weights else None
    y, _ = double.forward(wide, CALL)
    if start is not None:
        double.set_weights(start)
    dy = np.random.default_rng(10).standard_normal(y.shape).astype("float32")
    # Where dropout's mask or a maximum is a matter of bits the two types still agree: both count, neither rounds.
    exact = gradients(double, wide, dy.astype("float64"))
    for a, b in zip(gradients(single, x, dy), exact, strict=True):
        close(a.astype("float64"), b, 3e-5)


def sixteen_bits_are_near_double(case: Case) -> None:
    """Of rounded weights and inputs, mixed_bfloat16 computes what float64 does, but for what is rounded inside.

    Where a function has steps, a number in fifty may fall to the other side of one.
    """
    def near(a: np.ndarray, b: np.ndarray) -> None:
        if case.smooth:
            close(a, b, case.tolerance)
        else:
            assert np.mean(np.abs(a - b) > case.tolerance * np.abs(b).max(initial=0)) <= 0.02

    double, mixed, x = case.layer("float64"), case.layer(), case.input()
    double.set_weights([reference.round_bfloat16(p.value) if p.ndim > 1 else p.value for p in mixed.weights])
    wide = each(lambda a: a.astype("float64"), x)
    near(mixed.predict(x).astype("float64"), double.predict(wide))
    start = double.get_weights() if case.changes_weights else None
    y, _ = double.forward(wide, CALL)
    if start is not None:
        double.set_weights(start)
    dy = reference.round_bfloat16(case.like_y(y, 10))
    for a, b in zip(gradients(mixed, x, dy.astype("float32")), gradients(double, wide, dy), strict=True):
        near(a.astype("float64"), b)


def any_number_of_threads(case: Case, set_threads: Callable[[int], None]) -> None:
    """One thread and two give the same bits, forward and backward; the batch is large enough to be cut."""
    case = case if case.policy == "mixed_bfloat16" else case.under("float32")
    layer, x = case.layer(), case.input(96)
    results, start = [], layer.get_weights()
    for threads in (1, 2):
        set_threads(threads)
        if case.changes_weights:
            layer.set_weights(start)
        for p in layer.weights:
            if not p.trainable:
                p.assign(np.ones(p.shape))
        y = layer.forward(x, CALL)[0].copy()
        dy = case.like_y(y, 12)
        results.append([y, layer.predict(x).copy(), *gradients(layer, x, dy)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


LAWS = [shapes, gradient_check, backward_adds_and_gives_none, one_by_one, predict_is_forward, config_makes_it_again,
        used_twice, empty_batch, one_pixel, any_layout, single_is_near_double]

#: Under other policies than float64, whose differences tell no derivative.
LAWS_UNDER = {
    "float32": [law for law in LAWS if law not in (gradient_check, single_is_near_double)],
    "mixed_bfloat16": [*(law for law in LAWS if law not in (gradient_check, single_is_near_double)),
                       sixteen_bits_are_near_double]}
