"""Inception-ResNet: what the branches of an inception block find is added, made small, to its input."""

from typing import Any

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
    Automatic,
    Options,
    Shape,
    Tensor,
    Weights,
    classify,
    network,
    relu,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("tf")


def InceptionResNetV2(include_top: bool = True, weights: Weights = None,  # noqa: N802
                      input_tensor: Tensor | None = None, input_shape: Shape | None = None, pooling: str | None = None,
                      classes: int = 1000, classifier_activation: str | None = "softmax",
                      name: str = "inception_resnet_v2") -> Model:
    """Inception-ResNet v2: 55,873,736 parameters, as in Keras.

    Layers have the names that Keras gives them in a new process, but for its ``custom_scale_layer``, which is a
    `Rescaling` and an `Add` here.

    Images: ``preprocess_input(x, "tf")``, 299 x 299, at least 75 x 75. The arguments are those of
    `fastcnn.applications`.

    References
    ----------
    Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the impact of residual connections on
    learning, AAAI 2017.
    """
    return network("InceptionResNetV2", lambda x: _ResidualInceptions().features(x),
                   classify("avg_pool", classes, classifier_activation),
                   Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(299, 299, 3), smallest=75, pool_names=AUTOMATIC)


class _ResidualInceptions:
    """What the blocks are made by: layers without a name of their own are numbered."""

    def __init__(self) -> None:
        self.named = Automatic()

    def features(self, x: Tensor) -> Tensor:
        x = self.chain(x, (32, 3, 3, 2, "valid"), (32, 3, 3, 1, "valid"), (64, 3, 3))
        x = self.max_pool(x)
        x = self.chain(x, (80, 1, 1, 1, "valid"), (192, 3, 3, 1, "valid"))
        x = self.max_pool(x)
        branches = [self.chain(x, (96, 1, 1)), self.chain(x, (48, 1, 1), (64, 5, 5)),
                    self.chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3))]
        pooled = layers.AveragePooling2D(3, 1, "same", name=self.named("average_pooling2d"))(x)
        x = layers.Concatenate(name="mixed_5b")([*branches, self.chain(pooled, (64, 1, 1))])
        for i in range(1, 11):
            x = self.residual(x, f"block35_{i}", 0.17, [(32, 1, 1)], [(32, 1, 1), (32, 3, 3)],
                              [(32, 1, 1), (48, 3, 3), (64, 3, 3)])
        branches = [self.chain(x, (384, 3, 3, 2, "valid")),
                    self.chain(x, (256, 1, 1), (256, 3, 3), (384, 3, 3, 2, "valid"))]
        x = layers.Concatenate(name="mixed_6a")([*branches, self.max_pool(x)])
        for i in range(1, 21):
            x = self.residual(x, f"block17_{i}", 0.1, [(192, 1, 1)], [(128, 1, 1), (160, 1, 7), (192, 7, 1)])
        branches = [self.chain(x, (256, 1, 1), (384, 3, 3, 2, "valid")),
                    self.chain(x, (256, 1, 1), (288, 3, 3, 2, "valid")),
                    self.chain(x, (256, 1, 1), (288, 3, 3), (320, 3, 3, 2, "valid"))]
        x = layers.Concatenate(name="mixed_7a")([*branches, self.max_pool(x)])
        for i in range(1, 11):
            x = self.residual(x, f"block8_{i}", 0.2 if i < 10 else 1.0, [(192, 1, 1)],
                              [(192, 1, 1), (224, 1, 3), (256, 3, 1)], is_last=i == 10)
        x = layers.Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
        return relu("conv_7b_ac")(layers.BatchNormalization(scale=False, name="conv_7b_bn")(x))

    def chain(self, x: Tensor, *steps: tuple[Any, ...]) -> Tensor:
        """Return convolutions in turn, each (filters, rows, columns, strides, padding), normalized and rectified."""
        for filters, rows, columns, *more in steps:
            strides, padding = more or (1, "same")
            x = layers.Conv2D(filters, (rows, columns), strides, padding, use_bias=False, name=self.named("conv2d"))(x)
            x = layers.BatchNormalization(scale=False, name=self.named("batch_normalization"))(x)
            x = relu(self.named("activation"))(x)
        return x

    def max_pool(self, x: Tensor) -> Tensor:
        return layers.MaxPooling2D(3, 2, name=self.named("max_pooling2d"))(x)

    def residual(self, x: Tensor, name: str, scale: float, *branches: list[tuple[Any, ...]],
                 is_last: bool = False) -> Tensor:
        """Return relu(x + scale conv(branches)); the last has no rectifier."""
        y = layers.Concatenate(name=f"{name}_mixed")([self.chain(x, *steps) for steps in branches])
        y = layers.Conv2D(x.shape[-1], 1, padding="same", name=f"{name}_conv")(y)
        added = self.named("custom_scale_layer")
        y = layers.Rescaling(scale, name=f"{added}_rescaling")(y)
        y = layers.Add(name=added)([x, y])
        return y if is_last else relu(f"{name}_ac")(y)
