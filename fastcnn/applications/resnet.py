"""Residual networks: blocks that learn what to add to their input."""

from collections.abc import Callable, Sequence
from typing import Any

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, classify, conv_bn, network, relu
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("caffe")

# Keras's residual networks were converted from Caffe, where this was added to the variance.
_EPSILON = 1.001e-5
_FILTERS = (64, 128, 256, 512)
_HE: dict[str, Any] = {"use_bias": False, "kernel_initializer": "he_normal"}


def ResNet18(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", name: str = "resnet18") -> Model:
    """ResNet-18: 11,689,512 parameters that are trained, 11,699,112 with the moving statistics.

    The trained ones are torchvision's count: convolutions have no bias, and where a stage begins the shortcut is a
    projection (the paper's option B). The other names and ends are those of `ResNet50`.

    Images: ``preprocess_input(x, "torch")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, table 1.
    """
    return _resnet("ResNet18", _basic, (2, 2, 2, 2), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet34(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", name: str = "resnet34") -> Model:
    """ResNet-34: 21,797,672 parameters that are trained, 21,814,696 with the moving statistics; else as `ResNet18`."""
    return _resnet("ResNet34", _basic, (3, 4, 6, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet50(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", name: str = "resnet50") -> Model:
    """ResNet-50, version 1: 25,636,712 parameters, as in Keras, with a bias in each convolution.

    A stage's stride stands in its first 1 x 1 convolution, as in the paper (torchvision puts it into the 3 x 3 one).

    Images: ``preprocess_input(x, "caffe")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, table 1.
    """
    return _resnet("ResNet50", _bottleneck, (3, 4, 6, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet101(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
              input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
              classifier_activation: str | None = "softmax", name: str = "resnet101") -> Model:
    """ResNet-101, version 1: 44,707,176 parameters, as in Keras; else as `ResNet50`."""
    return _resnet("ResNet101", _bottleneck, (3, 4, 23, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def ResNet152(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
              input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
              classifier_activation: str | None = "softmax", name: str = "resnet152") -> Model:
    """ResNet-152, version 1: 60,419,944 parameters, as in Keras; else as `ResNet50`."""
    return _resnet("ResNet152", _bottleneck, (3, 8, 36, 3), classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _resnet(who: str, block: Callable[..., Tensor], depths: Sequence[int], classes: int,
            classifier_activation: str | None, options: Options) -> Model:
    stem: dict[str, Any] = {"use_bias": True} if block is _bottleneck else _HE

    def features(x: Tensor) -> Tensor:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = conv_bn(x, 64, 7, 2, "valid", name="conv1_conv", bn_name="conv1_bn", epsilon=_EPSILON,
                    activation=relu("conv1_relu"), **stem)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, 2, name="pool1_pool")(x)
        for stage, (depth, filters) in enumerate(zip(depths, _FILTERS), 2):
            for i in range(1, depth + 1):
                strides = 2 if stage > 2 and i == 1 else 1
                x = block(x, filters, strides, f"conv{stage}_block{i}")
        return x

    return network(who, features, classify("avg_pool", classes, classifier_activation), options)


def _bottleneck(x: Tensor, filters: int, strides: int, name: str) -> Tensor:
    """1 x 1 to `filters`, 3 x 3, 1 x 1 to four times as many; a projection where the shape changes."""

    def unit(x: Tensor, i: int, filters: int, size: int, strides: int = 1, rectified: bool = True) -> Tensor:
        return conv_bn(x, filters, size, strides, "same" if size == 3 else "valid", use_bias=True, epsilon=_EPSILON,
                       name=f"{name}_{i}_conv", bn_name=f"{name}_{i}_bn",
                       activation=relu(f"{name}_{i}_relu") if rectified else None)

    shortcut = unit(x, 0, 4 * filters, 1, strides, rectified=False) if name.endswith("block1") else x
    x = unit(x, 1, filters, 1, strides)
    x = unit(x, 2, filters, 3)
    x = unit(x, 3, 4 * filters, 1, rectified=False)
    return relu(f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))


def _basic(x: Tensor, filters: int, strides: int, name: str) -> Tensor:
    """Two 3 x 3 convolutions; a projection where the shape changes."""
    shortcut = x
    if strides > 1:
        shortcut = conv_bn(x, filters, 1, strides, "valid", name=f"{name}_0_conv", bn_name=f"{name}_0_bn",
                           epsilon=_EPSILON, **_HE)
    x = conv_bn(x, filters, 3, strides, 1, name=f"{name}_1_conv", bn_name=f"{name}_1_bn", epsilon=_EPSILON,
                activation=relu(f"{name}_1_relu"), **_HE)
    x = conv_bn(x, filters, 3, 1, 1, name=f"{name}_2_conv", bn_name=f"{name}_2_bn", epsilon=_EPSILON, **_HE)
    return relu(f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))
