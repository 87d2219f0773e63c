"""MobileNet, version 1: each convolution is a depthwise one and a 1 x 1."""

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
    Options,
    Shape,
    Tensor,
    Weights,
    conv_bn,
    image_shape,
    network,
    relu6,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.errors import ArgumentError
from fastcnn.models import Model

preprocess_input = by_mode("tf")

# (filters, strides) of each separable convolution: table 1.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def MobileNet(input_shape: Shape | None = None, alpha: float = 1.0, depth_multiplier: int = 1,  # noqa: N802
              dropout: float = 0.001, include_top: bool = True, weights: Weights = None,
              input_tensor: Tensor | None = None, pooling: str | None = None, classes: int = 1000,
              classifier_activation: str | None = "softmax", name: str | None = None) -> Model:
    """MobileNet v1: 4,253,864 parameters, as in Keras.

    Images: ``preprocess_input(x, "tf")``, 224 x 224, at least 32 x 32.

    Parameters
    ----------
    input_shape, include_top, weights, input_tensor, pooling, classes, classifier_activation
        As in `fastcnn.applications`; their order is Keras's.
    alpha : float
        The width multiplier: all numbers of filters are multiplied by it.
    depth_multiplier : int
        Depthwise filters of each channel. (The paper's resolution multiplier is the size of the image.)
    dropout : float
        Before the classifier.
    name : str, optional
        Made of alpha and the rows if absent: mobilenet_1.00_224.

    References
    ----------
    Howard et al.: MobileNets: efficient convolutional neural networks for mobile vision applications, 2017.
    """
    if alpha <= 0:
        raise ArgumentError(f"MobileNet: expected a positive alpha, got {alpha}")

    def features(x: Tensor) -> Tensor:
        x = conv_bn(x, int(32 * alpha), 3, 2, name="conv1", bn_name="conv1_bn", activation=relu6("conv1_relu"))
        for i, (filters, strides) in enumerate(_BLOCKS, 1):
            x = _separable(x, int(filters * alpha), depth_multiplier, strides, i)
        return x

    def top(x: Tensor) -> Tensor:
        x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        return layers.Activation(classifier_activation or "linear", name="predictions")(x)

    size = image_shape("MobileNet", input_tensor, input_shape, (224 if include_top else None, 224, 3))[0]
    name = name or f"mobilenet_{alpha:0.2f}_{size}"
    return network("MobileNet", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   pool_names=AUTOMATIC)


def _separable(x: Tensor, filters: int, depth_multiplier: int, strides: int, i: int) -> Tensor:
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
    x = layers.DepthwiseConv2D(3, strides, "valid" if strides > 1 else "same", depth_multiplier, use_bias=False,
                               name=f"conv_dw_{i}")(x)
    x = relu6(f"conv_dw_{i}_relu")(layers.BatchNormalization(name=f"conv_dw_{i}_bn")(x))
    return conv_bn(x, filters, 1, name=f"conv_pw_{i}", bn_name=f"conv_pw_{i}_bn", activation=relu6(f"conv_pw_{i}_relu"))
