"""MobileNet, version 3: blocks found by a search, that weigh their channels and end in activations without exp."""

from typing import NamedTuple

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
    Automatic,
    Options,
    Shape,
    Tensor,
    Weights,
    divisible,
    halving_pad,
    network,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.errors import ArgumentError
from fastcnn.models import Model

preprocess_input = by_mode("none")

_MOMENTUM = 0.999


class _MobileBlock(NamedTuple):
    expansion: float
    filters: int
    kernel_size: int
    strides: int
    weighs: bool  # squeeze and excitation: a quarter as many numbers decide how much each channel counts
    hard: bool  # h-swish, where the others have a rectifier


class _MobileNetV3(NamedTuple):
    name: str
    blocks: tuple[_MobileBlock, ...]
    last: int  # filters before the classifier


def _blocks(*rows: tuple[float, int, int, int, bool, bool]) -> tuple[_MobileBlock, ...]:
    return tuple(_MobileBlock(*row) for row in rows)


# Table 1.
_LARGE = _MobileNetV3("MobileNetV3Large", _blocks(
    (1, 16, 3, 1, False, False), (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False),
    (3, 40, 5, 2, True, False), (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False),
    (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True), (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
    (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True),
), 1280)  # fmt: skip
# Table 2.
_SMALL = _MobileNetV3("MobileNetV3Small", _blocks(
    (1, 16, 3, 2, True, False), (72 / 16, 24, 3, 2, False, False), (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True), (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True),
    (3, 48, 5, 1, True, True), (3, 48, 5, 1, True, True), (6, 96, 5, 2, True, True),
    (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True),
), 1024)  # fmt: skip


def MobileNetV3Large(input_shape: Shape | None = None, alpha: float = 1.0, minimalistic: bool = False,  # noqa: N802
                     include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,
                     classes: int = 1000, pooling: str | None = None, dropout_rate: float = 0.2,
                     classifier_activation: str | None = "softmax", include_preprocessing: bool = True,
                     name: str = "MobileNetV3Large") -> Model:
    """MobileNet v3 large: 5,507,432 parameters, as in Keras.

    Images: 0 to 255 as they are, since the network itself rescales them; 224 x 224, at least 32 x 32.

    Parameters
    ----------
    input_shape, include_top, weights, input_tensor, classes, pooling, classifier_activation, name
        As in `fastcnn.applications`; their order is Keras's.
    alpha : float
        The width multiplier; numbers of filters are rounded to multiples of 8.
    minimalistic : bool
        Windows of 3 x 3, rectifiers and no squeeze and excitation, everywhere.
    dropout_rate : float
        Before the classifier.
    include_preprocessing : bool
        Whether the network begins with x / 127.5 - 1. Without it give images from -1 to 1.

    References
    ----------
    Howard et al.: Searching for MobileNetV3, ICCV 2019, table 1.
    """
    return _mobilenet(_LARGE, alpha, minimalistic, dropout_rate, include_preprocessing,
                      classes, classifier_activation,
                      Options(include_top, weights, input_tensor, input_shape, pooling, name))


def MobileNetV3Small(input_shape: Shape | None = None, alpha: float = 1.0, minimalistic: bool = False,  # noqa: N802
                     include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,
                     classes: int = 1000, pooling: str | None = None, dropout_rate: float = 0.2,
                     classifier_activation: str | None = "softmax", include_preprocessing: bool = True,
                     name: str = "MobileNetV3Small") -> Model:
    """MobileNet v3 small: 2,554,968 parameters, as in Keras; else as `MobileNetV3Large`.

    Parameters
    ----------
    input_shape, alpha, minimalistic, include_top, weights, input_tensor, classes, pooling : as `MobileNetV3Large`
    dropout_rate, classifier_activation, include_preprocessing, name : as `MobileNetV3Large`

    References
    ----------
    Howard et al.: Searching for MobileNetV3, ICCV 2019, table 2.
    """
    return _mobilenet(_SMALL, alpha, minimalistic, dropout_rate, include_preprocessing,
                      classes, classifier_activation,
                      Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _mobilenet(variant: _MobileNetV3, alpha: float, minimalistic: bool, dropout_rate: float, rescales: bool,
               classes: int, classifier_activation: str | None, options: Options) -> Model:
    who, blocks, last = variant
    if alpha <= 0:
        raise ArgumentError(f"{who}: expected a positive alpha, got {alpha}")
    if minimalistic:
        blocks = tuple(block._replace(kernel_size=3, weighs=False, hard=False) for block in blocks)
    make = _MobileBlocks(hard=not minimalistic)

    def features(x: Tensor) -> Tensor:
        if rescales:
            x = layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(x)
        x = make.conv_bn(x, 16, 3, "conv", 2)
        x = make.activated(x, make.hard)
        for i, block in enumerate(blocks):
            x = make.block(x, block._replace(filters=divisible(block.filters * alpha)), i)
        x = make.conv_bn(x, divisible(6 * x.shape[-1]), 1, "conv_1")
        return make.activated(x, make.hard)

    def top(x: Tensor) -> Tensor:
        x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
        filters = divisible(last * alpha) if alpha > 1 else last
        x = make.activated(layers.Conv2D(filters, 1, padding="same", name="conv_2")(x), make.hard)
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="logits")(x)
        return layers.Activation(classifier_activation, name="predictions")(layers.Flatten(name="flatten")(x))

    return network(who, features, top, options, pool_names=AUTOMATIC)


class _MobileBlocks:
    """What the blocks of one network are made by: layers without a name of their own are numbered as in Keras."""

    def __init__(self, hard: bool) -> None:
        self.hard, self.named = hard, Automatic()

    def activated(self, x: Tensor, hard: bool) -> Tensor:
        if hard:
            return layers.Activation("hard_silu", name=self.named("activation"))(x)
        return layers.ReLU(name=self.named("re_lu"))(x)

    def conv_bn(self, x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
        x = layers.Conv2D(filters, size, strides, "same", use_bias=False, name=name)(x)
        return layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)

    def block(self, inputs: Tensor, block: _MobileBlock, i: int) -> Tensor:
        """Widen by 1 x 1, filter each channel, weigh the channels, narrow by 1 x 1, add."""
        name, x, narrow = f"expanded_conv_{i}" if i else "expanded_conv", inputs, inputs.shape[-1]
        if i:
            x = self.conv_bn(x, divisible(narrow * block.expansion), 1, f"{name}_expand")
            x = self.activated(x, block.hard)
        if block.strides > 1:
            x = layers.ZeroPadding2D(halving_pad(x, block.kernel_size), name=f"{name}_depthwise_pad")(x)
        x = layers.DepthwiseConv2D(block.kernel_size, block.strides, "valid" if block.strides > 1 else "same",
                                   use_bias=False, name=f"{name}_depthwise")(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_depthwise_bn")(x)
        x = self.activated(x, block.hard)
        if block.weighs:
            x = self._weighed(x, f"{name}_squeeze_excite")
        x = self.conv_bn(x, block.filters, 1, f"{name}_project")
        if block.strides == 1 and narrow == block.filters:
            x = layers.Add(name=f"{name}_add")([inputs, x])
        return x

    def _weighed(self, x: Tensor, name: str) -> Tensor:
        channels = x.shape[-1]
        y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
        y = layers.Conv2D(divisible(channels / 4), 1, padding="same", name=f"{name}_conv")(y)
        y = layers.ReLU(name=f"{name}_relu")(y)
        y = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv_1")(y)
        y = layers.Activation("hard_sigmoid", name=self.named("re_lu"))(y)  # Keras writes it as relu6(x + 3) / 6
        return layers.Multiply(name=f"{name}_mul")([x, y])
