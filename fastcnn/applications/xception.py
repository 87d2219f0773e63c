"""Xception: Inception taken to its end, where each channel has windows of its own."""

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
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

# Filters of the separable convolutions of the blocks that halve the image: the entry flow's, and the exit flow's one.
_ENTRY = (128, 256, 728)
_MIDDLE = range(5, 13)


def Xception(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", name: str = "xception") -> Model:
    """Xception: 22,910,480 parameters, as in Keras.

    Images: ``preprocess_input(x, "tf")``, 299 x 299, at least 71 x 71. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Chollet: Xception: deep learning with depthwise separable convolutions, CVPR 2017, figure 5.
    """
    return network("Xception", _features, classify("avg_pool", classes, classifier_activation),
                   Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(299, 299, 3), smallest=71, pool_names=AUTOMATIC)


def _features(x: Tensor) -> Tensor:
    named = Automatic()
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        x = conv_bn(x, filters, 3, strides, "valid", name=f"block1_conv{i}", bn_name=f"block1_conv{i}_bn",
                    activation=relu(f"block1_conv{i}_act"))
    for block, filters in enumerate(_ENTRY, 2):
        x = _halved(x, (filters, filters), block, named)
    for block in _MIDDLE:
        y = x
        for i in (1, 2, 3):
            y = _separable(relu(f"block{block}_sepconv{i}_act")(y), 728, f"block{block}_sepconv{i}")
        x = layers.Add(name=named("add"))([y, x])
    x = _halved(x, (728, 1024), 13, named)
    for i, filters in enumerate((1536, 2048), 1):
        x = relu(f"block14_sepconv{i}_act")(_separable(x, filters, f"block14_sepconv{i}"))
    return x


def _halved(x: Tensor, filters: tuple[int, int], block: int, named: Automatic) -> Tensor:
    """Two separable convolutions and a pooling, beside a 1 x 1 convolution; both with stride 2."""
    shortcut = conv_bn(x, filters[1], 1, 2, name=named("conv2d"), bn_name=named("batch_normalization"))
    for i, n in enumerate(filters, 1):
        if (block, i) != (2, 1):  # what comes before ends in a rectifier
            x = relu(f"block{block}_sepconv{i}_act")(x)
        x = _separable(x, n, f"block{block}_sepconv{i}")
    x = layers.MaxPooling2D(3, 2, "same", name=f"block{block}_pool")(x)
    return layers.Add(name=named("add"))([x, shortcut])


def _separable(x: Tensor, filters: int, name: str) -> Tensor:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
