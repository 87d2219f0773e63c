"""GoogLeNet: Inception, version 1."""

from fastcnn import layers
from fastcnn.applications._network import Options, Shape, Tensor, Weights, network
from fastcnn.errors import ArgumentError
from fastcnn.models import Model

# Filters of each module, a row of the paper's table 1: 1 x 1; 1 x 1 before 3 x 3, 3 x 3; 1 x 1 before 5 x 5, 5 x 5;
# 1 x 1 after pooling.
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def GoogLeNet(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,  # noqa: N802
              input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
              classifier_activation: str | None = "softmax", name: str = "googlenet", auxiliary: bool = False) -> Model:
    """GoogLeNet, Inception v1: 6,998,552 parameters, 13,378,280 with the auxiliary heads.

    Images: ``preprocess_input(x, "caffe")``, 224 x 224, at least 32 x 32 (65 x 65 with the heads).

    Parameters
    ----------
    include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
        As in `fastcnn.applications`.
    auxiliary : bool
        Whether the outputs are three: the classifier's, and those of the heads on modules 4a and 4d, which the paper
        trains with: ``compile(loss=[loss] * 3, loss_weights=[1, 0.3, 0.3])``.

    References
    ----------
    Szegedy et al.: Going deeper with convolutions, CVPR 2015, table 1 and section 5.
    """
    if auxiliary and not include_top:
        raise ArgumentError("GoogLeNet: expected include_top=True with auxiliary=True, got False; "
                            "the heads are classifiers too")
    heads: list[Tensor] = []

    def features(x: Tensor) -> Tensor:
        x = _pool(_conv(x, 64, 7, "conv1_7x7_s2", 2), "pool1_3x3_s2", 2)
        x = _conv(_norm(x, "pool1_norm1"), 64, 1, "conv2_3x3_reduce")
        x = _pool(_norm(_conv(x, 192, 3, "conv2_3x3"), "conv2_norm2"), "pool2_3x3_s2", 2)
        for module, filters in _MODULES.items():
            if module in ("4a", "5a"):
                x = _pool(x, f"pool{int(module[0]) - 1}_3x3_s2", 2)
            x = _inception(x, filters, f"inception_{module}")
            if auxiliary and module in ("4a", "4d"):
                heads.append(_head(x, classes, classifier_activation, f"loss{len(heads) + 1}"))
        return x

    def top(x: Tensor) -> Tensor | list[Tensor]:
        x = layers.GlobalAveragePooling2D(name="pool5")(x)
        x = layers.Dropout(0.4, name="pool5_drop")(x)
        y = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
        return [y, *heads] if auxiliary else y

    return network("GoogLeNet", features, top, Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   smallest=65 if auxiliary else 32)


def _conv(x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
    return layers.Conv2D(filters, size, strides, "same", activation="relu", name=name)(x)


def _pool(x: Tensor, name: str, strides: int) -> Tensor:
    return layers.MaxPooling2D(3, strides, "same", name=name)(x)


def _norm(x: Tensor, name: str) -> Tensor:
    # The paper gives no constants; these are those of Caffe's GoogLeNet, whose alpha, 1e-4, is divided by the channels.
    return layers.LocalResponseNormalization(5, alpha=2e-5, beta=0.75, k=1.0, name=name)(x)


def _inception(x: Tensor, filters: tuple[int, ...], name: str) -> Tensor:
    one, reduce3, three, reduce5, five, pooled = filters
    return layers.Concatenate(name=f"{name}_output")([
        _conv(x, one, 1, f"{name}_1x1"),
        _conv(_conv(x, reduce3, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
        _conv(_conv(x, reduce5, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _conv(_pool(x, f"{name}_pool", 1), pooled, 1, f"{name}_pool_proj"),
    ])


def _head(x: Tensor, classes: int, activation: str | None, name: str) -> Tensor:
    """An auxiliary classifier (section 5), which sends a gradient into the middle of the network."""
    x = layers.AveragePooling2D(5, 3, name=f"{name}_ave_pool")(x)
    x = layers.Flatten(name=f"{name}_flatten")(_conv(x, 128, 1, f"{name}_conv"))
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_drop_fc")(x)
    return layers.Dense(classes, activation=activation, name=f"{name}_classifier")(x)
