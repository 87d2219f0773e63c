"""EfficientNet, version 2: whole convolutions where images are large, depthwise ones where they are small."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from fastcnn import layers
from fastcnn.applications._network import (
    Options,
    Shape,
    Tensor,
    Weights,
    classify,
    conv_bn,
    network,
)
from fastcnn.applications.efficientnet import CONV, DENSE, channels_weighed
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("none")

_MOMENTUM = 0.9
# Of ImageNet's images, divided by 255.
_MEAN, _VARIANCE = (0.485, 0.456, 0.406), tuple(stddev**2 for stddev in (0.229, 0.224, 0.225))


class _StageV2(NamedTuple):
    blocks: int
    filters: int
    expansion: int
    strides: int
    fused: bool  # one 3 x 3 convolution, where the others widen and then filter each channel


def _stages(*rows: tuple[int, int, int, int, bool]) -> tuple[_StageV2, ...]:
    return tuple(_StageV2(*row) for row in rows)


class _EfficientNetV2(NamedTuple):
    stages: tuple[_StageV2, ...]
    stem: int
    width: float
    depth: float
    size: int
    parameters: int


_BASE = _stages((1, 16, 1, 1, True), (2, 32, 4, 2, True), (2, 48, 4, 2, True), (3, 96, 4, 2, False),
                (5, 112, 6, 1, False), (8, 192, 6, 2, False))
_S = _stages((2, 24, 1, 1, True), (4, 48, 4, 2, True), (4, 64, 4, 2, True), (6, 128, 4, 2, False),
             (9, 160, 6, 1, False), (15, 256, 6, 2, False))
_M = _stages((3, 24, 1, 1, True), (5, 48, 4, 2, True), (5, 80, 4, 2, True), (7, 160, 4, 2, False),
             (14, 176, 6, 1, False), (18, 304, 6, 2, False), (5, 512, 6, 1, False))
_L = _stages((4, 32, 1, 1, True), (7, 64, 4, 2, True), (7, 96, 4, 2, True), (10, 192, 4, 2, False),
             (19, 224, 6, 1, False), (25, 384, 6, 2, False), (7, 640, 6, 1, False))

_PUBLISHED = {
    "B0": _EfficientNetV2(_BASE, 32, 1.0, 1.0, 224, 7_200_312),
    "B1": _EfficientNetV2(_BASE, 32, 1.0, 1.1, 240, 8_212_124),
    "B2": _EfficientNetV2(_BASE, 32, 1.1, 1.2, 260, 10_178_374),
    "B3": _EfficientNetV2(_BASE, 32, 1.2, 1.4, 300, 14_467_622),
    "S": _EfficientNetV2(_S, 24, 1.0, 1.0, 384, 21_612_360),
    "M": _EfficientNetV2(_M, 24, 1.0, 1.0, 480, 54_431_388),
    "L": _EfficientNetV2(_L, 32, 1.0, 1.0, 480, 119_027_848),
}

_DOC = """EfficientNetV2-{which}: {parameters:,} parameters, as in Keras.

    Images: 0 to 255 as they are, since the network itself {rescales}; {size} x {size}, at least 32 x 32. The other
    arguments are those of `fastcnn.applications`.

    Parameters
    ----------
    include_preprocessing : bool
        Whether the network begins with that. Without it give images from -1 to 1.

    References
    ----------
    Tan, Le: EfficientNetV2: smaller models and faster training, ICML 2021, table 4.
    """


def _published(which: str) -> Callable[..., Model]:
    variant = _PUBLISHED[which]

    def make(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", include_preprocessing: bool = True,
             name: str = f"efficientnetv2-{which.lower()}") -> Model:
        return _efficientnet(f"EfficientNetV2{which}", variant, include_preprocessing, classes, classifier_activation,
                             Options(include_top, weights, input_tensor, input_shape, pooling, name))

    make.__name__ = make.__qualname__ = f"EfficientNetV2{which}"
    rescales = "rescales and normalizes them" if variant.stages is _BASE else "rescales them"
    make.__doc__ = _DOC.format(which=which, parameters=variant.parameters, size=variant.size, rescales=rescales)
    return make


def _efficientnet(who: str, variant: _EfficientNetV2, rescales: bool, classes: int, classifier_activation: str | None,
                  options: Options) -> Model:
    def channels(filters: int) -> int:
        return max(8, int(filters * variant.width + 4) // 8 * 8)  # the nearest multiple of 8, even one far below

    repeats = [math.ceil(variant.depth * stage.blocks) for stage in variant.stages]

    def features(x: Tensor) -> Tensor:
        if rescales:
            x = _rescaled(x, normalizes=variant.stages is _BASE)
        x = _conv(x, channels(variant.stem), 3, "stem_conv", "stem_bn", "stem_activation", 2)
        done = 0
        for i, (stage, blocks) in enumerate(zip(variant.stages, repeats), 1):
            for j in range(blocks):
                x = _block(x, stage._replace(filters=channels(stage.filters), strides=stage.strides if j == 0 else 1),
                           0.2 * done / sum(repeats), f"block{i}{chr(ord('a') + j)}_")
                done += 1
        return _conv(x, channels(1280), 1, "top_conv", "top_bn", "top_activation")

    top = classify("avg_pool", classes, classifier_activation, 0.2, "top_dropout", kernel_initializer=DENSE)
    return network(who, features, top, options, default=(variant.size, variant.size, 3))


def _rescaled(x: Tensor, normalizes: bool) -> Tensor:
    if not normalizes or x.shape[-1] != 3:
        return layers.Rescaling(1 / 128, -1.0, name="rescaling")(x)
    return layers.Normalization(mean=_MEAN, variance=_VARIANCE, name="normalization")(
        layers.Rescaling(1 / 255, name="rescaling")(x))


def _conv(x: Tensor, filters: int, size: int, name: str, bn_name: str, activation: str | None,
          strides: int = 1) -> Tensor:
    return conv_bn(x, filters, size, strides, name=name, bn_name=bn_name, momentum=_MOMENTUM, kernel_initializer=CONV,
                   activation=layers.Activation("swish", name=activation) if activation else None)


def _block(inputs: Tensor, stage: _StageV2, drop_rate: float, name: str) -> Tensor:
    """Widen, filter each channel, weigh the channels, narrow, add; a fused block widens and filters at once."""
    narrow, x = inputs.shape[-1], inputs
    wide = narrow * stage.expansion
    size = 3 if stage.fused else 1

    def activation(part: str, by: bool = True) -> str | None:
        return f"{name}{part}activation" if by else None

    if stage.expansion > 1:
        x = _conv(x, wide, size, f"{name}expand_conv", f"{name}expand_bn", activation("expand_"),
                  stage.strides if stage.fused else 1)
    if not stage.fused:
        x = layers.DepthwiseConv2D(3, stage.strides, "same", use_bias=False, depthwise_initializer=CONV,
                                   name=f"{name}dwconv2")(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}bn")(x)
        x = layers.Activation("swish", name=activation(""))(x)
        x = channels_weighed(x, max(1, narrow // 4), "swish", name)
    alone = stage.fused and stage.expansion == 1  # the one convolution of the block
    x = _conv(x, stage.filters, 3 if alone else 1, f"{name}project_conv", f"{name}project_bn",
              activation("project_", alone), stage.strides if alone else 1)
    if stage.strides == 1 and narrow == stage.filters:
        if drop_rate > 0:  # stochastic depth: a whole sample is left out
            x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


_ANY: Any = map(_published, _PUBLISHED)
EfficientNetV2B0, EfficientNetV2B1, EfficientNetV2B2, EfficientNetV2B3, EfficientNetV2S, EfficientNetV2M, \
    EfficientNetV2L = _ANY
