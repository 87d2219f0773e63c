"""Residual networks, version 2: normalization and rectifier stand before a convolution, and nothing after the sum."""

from typing import Any

from fastcnn import layers
from fastcnn.applications._network import (
    Automatic,
    Options,
    Shape,
    Tensor,
    Weights,
    classify,
    conv_bn,
    network,
    relu,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("tf")

_EPSILON = 1.001e-5  # as of Keras's other residual networks
_FILTERS = (64, 128, 256, 512)


def ResNet50V2(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
               input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
               classifier_activation: str | None = "softmax", name: str = "resnet50v2") -> Model:
    """ResNet-50, version 2: 25,613,800 parameters, as in Keras.

    A stage's stride stands in its last block, as in Keras.

    Images: ``preprocess_input(x, "tf")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    He, Zhang, Ren, Sun: Identity mappings in deep residual networks, ECCV 2016.
    """
    return _resnet("ResNet50V2", (3, 4, 6, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet101V2(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "resnet101v2") -> Model:
    """ResNet-101, version 2: 44,675,560 parameters, as in Keras; else as `ResNet50V2`."""
    return _resnet("ResNet101V2", (3, 4, 23, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet152V2(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "resnet152v2") -> Model:
    """ResNet-152, version 2: 60,380,648 parameters, as in Keras; else as `ResNet50V2`."""
    return _resnet("ResNet152V2", (3, 8, 36, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _resnet(who: str, depths: tuple[int, ...], classes: int, classifier_activation: str | None,
            options: Options) -> Model:
    def features(x: Tensor) -> Tensor:
        named = Automatic()
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = layers.Conv2D(64, 7, 2, name="conv1_conv")(x)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)
        for stage, (depth, filters) in enumerate(zip(depths, _FILTERS), 2):
            for i in range(1, depth + 1):
                strides = 2 if i == depth and stage < 5 else 1
                x = _block(x, filters, strides, f"conv{stage}_block{i}", named, projects=i == 1)
        return _activated(x, "post")

    return network(who, features, classify("avg_pool", classes, classifier_activation), options)


def _block(x: Tensor, filters: int, strides: int, name: str, named: Automatic, projects: bool) -> Tensor:
    """1 x 1 to `filters`, 3 x 3, 1 x 1 to four times as many, beside the input, its projection, or every second pixel.

    The projection sees the input after normalization and rectifier, the others before.
    """
    ready = _activated(x, f"{name}_preact")
    shortcut = x
    if projects:
        shortcut = layers.Conv2D(4 * filters, 1, strides, name=f"{name}_0_conv")(ready)
    elif strides > 1:
        shortcut = layers.MaxPooling2D(1, strides, name=named("max_pooling2d"))(x)
    unit: dict[str, Any] = {"padding": "valid", "epsilon": _EPSILON}
    x = conv_bn(ready, filters, 1, name=f"{name}_1_conv", bn_name=f"{name}_1_bn", activation=relu(f"{name}_1_relu"),
                **unit)
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = conv_bn(x, filters, 3, strides, name=f"{name}_2_conv", bn_name=f"{name}_2_bn",
                activation=relu(f"{name}_2_relu"), **unit)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _activated(x: Tensor, name: str) -> Tensor:
    return relu(f"{name}_relu")(layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x))
