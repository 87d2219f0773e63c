"""Densely connected networks: each block sees the feature maps of all blocks before it."""

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, classify, conv_bn, network, relu
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("torch")

_EPSILON = 1.001e-5
_GROWTH = 32


def DenseNet121(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "densenet121") -> Model:
    """DenseNet-121: 8,062,504 parameters, as in Keras.

    Images: ``preprocess_input(x, "torch")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Huang, Liu, van der Maaten, Weinberger: Densely connected convolutional networks, CVPR 2017, table 1.
    """
    return _densenet("DenseNet121", (6, 12, 24, 16), classes, classifier_activation,
                     Options(include_top, weights, input_tensor, input_shape, pooling, name))


def DenseNet169(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "densenet169") -> Model:
    """DenseNet-169: 14,307,880 parameters, as in Keras; else as `DenseNet121`."""
    return _densenet("DenseNet169", (6, 12, 32, 32), classes, classifier_activation,
                     Options(include_top, weights, input_tensor, input_shape, pooling, name))


def DenseNet201(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "densenet201") -> Model:
    """DenseNet-201: 20,242,984 parameters, as in Keras; else as `DenseNet121`."""
    return _densenet("DenseNet201", (6, 12, 48, 32), classes, classifier_activation,
                     Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _densenet(who: str, blocks: tuple[int, int, int, int], classes: int, classifier_activation: str | None,
              options: Options) -> Model:
    def features(x: Tensor) -> Tensor:
        x = layers.ZeroPadding2D(3, name="zero_padding2d")(x)
        x = conv_bn(x, 64, 7, 2, "valid", name="conv1_conv", bn_name="conv1_bn", epsilon=_EPSILON,
                    activation=relu("conv1_relu"))
        x = layers.ZeroPadding2D(1, name="zero_padding2d_1")(x)
        x = layers.MaxPooling2D(3, 2, name="pool1")(x)
        for stage, count in enumerate(blocks, 2):
            if stage > 2:
                x = _transition(x, f"pool{stage - 1}")
            for i in range(1, count + 1):
                x = _block(x, f"conv{stage}_block{i}")
        return _normalized(x, "bn", "relu")

    return network(who, features, classify("avg_pool", classes, classifier_activation), options)


def _normalized(x: Tensor, bn_name: str, relu_name: str) -> Tensor:
    return relu(relu_name)(layers.BatchNormalization(epsilon=_EPSILON, name=bn_name)(x))


def _block(inputs: Tensor, name: str) -> Tensor:
    x = _normalized(inputs, f"{name}_0_bn", f"{name}_0_relu")
    x = conv_bn(x, 4 * _GROWTH, 1, name=f"{name}_1_conv", bn_name=f"{name}_1_bn", epsilon=_EPSILON,
                activation=relu(f"{name}_1_relu"))
    x = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(x)
    return layers.Concatenate(name=f"{name}_concat")([inputs, x])


def _transition(x: Tensor, name: str) -> Tensor:
    x = _normalized(x, f"{name}_bn", f"{name}_relu")
    x = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)
