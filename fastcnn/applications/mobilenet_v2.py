"""MobileNet, version 2: residual blocks that are wide inside and narrow, without an activation, where they join."""

from typing import Any

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
    Options,
    Shape,
    Tensor,
    Weights,
    classify,
    conv_bn,
    divisible,
    halving_pad,
    image_shape,
    network,
    relu6,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.errors import ArgumentError
from fastcnn.models import Model

preprocess_input = by_mode("tf")

# (filters, blocks, strides of the first): table 2, where all but the first widen six times.
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
_MOMENTUM = 0.999


def MobileNetV2(input_shape: Shape | None = None, alpha: float = 1.0, include_top: bool = True,  # noqa: N802
                weights: Weights = None, input_tensor: Tensor | None = None, pooling: str | None = None,
                classes: int = 1000, classifier_activation: str | None = "softmax", name: str | None = None) -> Model:
    """MobileNet v2: 3,538,984 parameters, as in Keras.

    Images: ``preprocess_input(x, "tf")``, 224 x 224, at least 32 x 32.

    Parameters
    ----------
    input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation
        As in `fastcnn.applications`; their order is Keras's.
    alpha : float
        The width multiplier; numbers of filters are rounded to multiples of 8, and above 1 the last layer widens too.
    name : str, optional
        Made of alpha and the rows if absent: mobilenetv2_1.00_224.

    References
    ----------
    Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018.
    """
    if alpha <= 0:
        raise ArgumentError(f"MobileNetV2: expected a positive alpha, got {alpha}")

    def features(x: Tensor) -> Tensor:
        x = conv_bn(x, divisible(32 * alpha), 3, 2, name="Conv1", bn_name="bn_Conv1", momentum=_MOMENTUM,
                    activation=relu6("Conv1_relu"))
        i = 0
        for filters, blocks, strides in _STAGES:
            for j in range(blocks):
                x = _block(x, divisible(int(filters * alpha)), strides if j == 0 else 1, i)
                i += 1
        last = divisible(1280 * alpha) if alpha > 1 else 1280
        return conv_bn(x, last, 1, padding="valid", name="Conv_1", bn_name="Conv_1_bn", momentum=_MOMENTUM,
                       activation=relu6("out_relu"))

    size = image_shape("MobileNetV2", input_tensor, input_shape, (224 if include_top else None, 224, 3))[0]
    name = name or f"mobilenetv2_{alpha:0.2f}_{size}"
    return network("MobileNetV2", features, classify("global_average_pooling2d", classes, classifier_activation),
                   Options(include_top, weights, input_tensor, input_shape, pooling, name), pool_names=AUTOMATIC)


def _block(inputs: Tensor, filters: int, strides: int, i: int) -> Tensor:
    name = f"block_{i}" if i else "expanded_conv"
    channels = inputs.shape[-1]
    x = inputs

    def pointwise(x: Tensor, filters: int, part: str, **arguments: Any) -> Tensor:
        return conv_bn(x, filters, 1, name=f"{name}_{part}", bn_name=f"{name}_{part}_BN", momentum=_MOMENTUM,
                       **arguments)

    if i:
        x = pointwise(x, 6 * channels, "expand", activation=relu6(f"{name}_expand_relu"))
    if strides > 1:
        x = layers.ZeroPadding2D(halving_pad(x, 3), name=f"{name}_pad")(x)
    x = layers.DepthwiseConv2D(3, strides, "valid" if strides > 1 else "same", use_bias=False,
                               name=f"{name}_depthwise")(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_depthwise_BN")(x)
    x = pointwise(relu6(f"{name}_depthwise_relu")(x), filters, "project")
    return layers.Add(name=f"{name}_add")([inputs, x]) if channels == filters and strides == 1 else x
