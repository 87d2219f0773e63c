"""Inception, version 3: large windows as chains of narrow ones, batch normalization everywhere."""

from collections.abc import Callable
from typing import Any

from fastcnn import layers
from fastcnn.applications._network import AUTOMATIC, Automatic, Options, Shape, Tensor, Weights, classify, network
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("tf")


def InceptionV3(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
                input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "inception_v3") -> Model:
    """Inception v3: 23,851,784 parameters, as in Keras, without the auxiliary head.

    Layers have the names that Keras gives them in a new process: conv2d, conv2d_1, ..., conv2d_93, mixed0, ...

    Images: ``preprocess_input(x, "tf")``, 299 x 299, at least 75 x 75. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception architecture for computer vision, CVPR 2016.
    """
    return network("InceptionV3", _features, classify("avg_pool", classes, classifier_activation),
                   Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(299, 299, 3), smallest=75, pool_names=AUTOMATIC)


def _features(x: Tensor) -> Tensor:
    named = Automatic()

    def conv(x: Tensor, filters: int, rows: int, columns: int, strides: int = 1, padding: str = "same") -> Tensor:
        x = layers.Conv2D(filters, (rows, columns), strides, padding, use_bias=False, name=named("conv2d"))(x)
        x = layers.BatchNormalization(scale=False, name=named("batch_normalization"))(x)
        return layers.Activation("relu", name=named("activation"))(x)

    def chain(x: Tensor, *steps: tuple[Any, ...]) -> Tensor:
        for step in steps:
            x = conv(x, *step)
        return x

    def max_pool(x: Tensor) -> Tensor:
        return layers.MaxPooling2D(3, 2, name=named("max_pooling2d"))(x)

    def pooled(x: Tensor, filters: int) -> Tensor:
        return conv(layers.AveragePooling2D(3, 1, "same", name=named("average_pooling2d"))(x), filters, 1, 1)

    def mixed(name: str | None, *branches: Tensor) -> Tensor:
        return layers.Concatenate(name=name or named("concatenate"))(list(branches))

    x = chain(x, (32, 3, 3, 2, "valid"), (32, 3, 3, 1, "valid"), (64, 3, 3))
    x = max_pool(x)
    x = chain(x, (80, 1, 1, 1, "valid"), (192, 3, 3, 1, "valid"))
    x = max_pool(x)
    for i, filters in enumerate((32, 64, 64)):  # figure 5: 35 x 35
        x = mixed(f"mixed{i}", conv(x, 64, 1, 1), chain(x, (48, 1, 1), (64, 5, 5)),
                  chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)), pooled(x, filters))
    x = mixed("mixed3", conv(x, 384, 3, 3, 2, "valid"), chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3, 2, "valid")),
              max_pool(x))
    for i, n in enumerate((128, 160, 160, 192), 4):  # figure 6: 17 x 17, windows of 7 in rows, then in columns
        x = mixed(f"mixed{i}", conv(x, 192, 1, 1), chain(x, (n, 1, 1), (n, 1, 7), (192, 7, 1)),
                  chain(x, (n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)), pooled(x, 192))
    x = mixed("mixed8", chain(x, (192, 1, 1), (320, 3, 3, 2, "valid")),
              chain(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2, "valid")), max_pool(x))
    for i in range(2):  # figure 7: 8 x 8
        x = _expanded(x, i, conv, mixed, pooled)
    return x


def _expanded(x: Tensor, i: int, conv: Callable[..., Tensor], mixed: Callable[..., Tensor],
              pooled: Callable[..., Tensor]) -> Tensor:
    one = conv(x, 320, 1, 1)
    three = conv(x, 384, 1, 1)
    three = mixed(f"mixed9_{i}", conv(three, 384, 1, 3), conv(three, 384, 3, 1))
    double = conv(conv(x, 448, 1, 1), 384, 3, 3)
    double = mixed(None, conv(double, 384, 1, 3), conv(double, 384, 3, 1))
    return mixed(f"mixed{9 + i}", one, three, double, pooled(x, 192))
