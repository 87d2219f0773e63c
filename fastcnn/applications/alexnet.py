"""AlexNet, which won ImageNet in 2012."""

from typing import Any

from fastcnn import initializers, layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, network
from fastcnn.models import Model


def AlexNet(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
            input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
            classifier_activation: str | None = "softmax", name: str = "alexnet") -> Model:
    """AlexNet: 60,965,224 parameters.

    As the paper describes it: response normalization after the first two convolutions, pooling windows that overlap,
    convolutions 2, 4 and 5 in two groups (which were two GPUs), dropout in the dense layers, and its first weights.
    The image is 227 x 227: with the paper's 224 its own sizes of 55, 27 and 13 do not come out.

    Images: ``preprocess_input(x, "caffe")``, 227 x 227, at least 67 x 67. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks, NIPS 2012,
    section 3.5.
    """

    def conv(x: Tensor, i: int, filters: int, size: int, bias: str, **arguments: Any) -> Tensor:
        return layers.Conv2D(filters, size, activation="relu", kernel_initializer=_normal(), bias_initializer=bias,
                             name=f"conv{i}", **arguments)(x)

    def normalized_and_pooled(x: Tensor, i: int) -> Tensor:
        x = layers.LocalResponseNormalization(5, alpha=1e-4, beta=0.75, k=2.0, name=f"norm{i}")(x)
        return layers.MaxPooling2D(3, 2, name=f"pool{i}")(x)

    def features(x: Tensor) -> Tensor:
        x = normalized_and_pooled(conv(x, 1, 96, 11, "zeros", strides=4), 1)
        x = normalized_and_pooled(conv(x, 2, 256, 5, "ones", padding="same", groups=2), 2)
        x = conv(x, 3, 384, 3, "zeros", padding="same")
        x = conv(x, 4, 384, 3, "ones", padding="same", groups=2)
        x = conv(x, 5, 256, 3, "ones", padding="same", groups=2)
        return layers.MaxPooling2D(3, 2, name="pool5")(x)

    def top(x: Tensor) -> Tensor:
        x = layers.Flatten(name="flatten")(x)
        for i in (6, 7):
            x = layers.Dense(4096, activation="relu", kernel_initializer=_normal(), bias_initializer="ones",
                             name=f"fc{i}")(x)
            x = layers.Dropout(0.5, name=f"drop{i}")(x)
        return layers.Dense(classes, activation=classifier_activation, kernel_initializer=_normal(),
                            name="predictions")(x)

    return network("AlexNet", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(227, 227, 3), smallest=67)


def _normal() -> initializers.Initializer:
    return initializers.RandomNormal(0.0, 0.01)
