"""The residual network for the small images of CIFAR."""

from fastcnn import layers, ops
from fastcnn.applications._network import Options, Shape, Tensor, Weights, classify, conv_bn, network, relu
from fastcnn.models import Model


def ResNet20(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 10,
             classifier_activation: str | None = "softmax", name: str = "resnet20") -> Model:
    """ResNet-20 for CIFAR-10: 269,722 parameters that are trained (the paper's 0.27 M), 271,098 with the statistics.

    As the paper has it there, shortcuts have no weights (its option A): where a stage begins, every other pixel is
    taken and the new channels are zero, half of them on each side. (With projections it would be 272,474.)

    Images: standardized, 32 x 32, at least 8 x 8. The arguments are those of `fastcnn.applications`.

    References
    ----------
    He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, section 4.2, n = 3.

    Examples
    --------
    >>> fc.applications.ResNet20().count_params()
    271098
    """

    def features(x: Tensor) -> Tensor:
        x = _unit(x, 16, 1, "conv1", rectified=True)
        for stage, filters in enumerate((16, 32, 64), 2):
            for i in range(1, 4):
                strides = 2 if stage > 2 and i == 1 else 1
                x = _block(x, filters, strides, f"conv{stage}_block{i}")
        return x

    top = classify("avg_pool", classes, classifier_activation, kernel_initializer="he_normal")
    return network("ResNet20", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(32, 32, 3), smallest=8)


def _unit(x: Tensor, filters: int, strides: int, name: str, rectified: bool) -> Tensor:
    return conv_bn(x, filters, 3, strides, 1, name=f"{name}_conv", bn_name=f"{name}_bn",
                   kernel_initializer="he_normal", activation=relu(f"{name}_relu") if rectified else None)


def _block(x: Tensor, filters: int, strides: int, name: str) -> Tensor:
    shortcut = x if strides == 1 else _halved(x, f"{name}_0")
    x = _unit(x, filters, strides, f"{name}_1", rectified=True)
    x = _unit(x, filters, 1, f"{name}_2", rectified=False)
    return relu(f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))


def _halved(x: Tensor, name: str) -> Tensor:
    """Every other pixel, with as many zero channels as there are: (H, W, C) to (H / 2, W / 2, 2 C)."""
    x = layers.AveragePooling2D(1, 2, name=f"{name}_pool")(x)
    _, h, w, c = x.shape
    if None in (h, w):
        return ops.pad(x, [[0, 0], [0, 0], [0, 0], [c // 2, c - c // 2]])
    x = layers.Reshape((h * w, c, 1), name=f"{name}_columns")(x)  # where channels are columns they can be padded
    x = layers.ZeroPadding2D(((0, 0), (c // 2, c - c // 2)), name=f"{name}_pad")(x)
    return layers.Reshape((h, w, 2 * c), name=f"{name}_channels")(x)
