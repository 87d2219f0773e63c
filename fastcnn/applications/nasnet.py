"""NASNet: two kinds of cells, found by a search on small images, stacked for large ones."""

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
    halving_pad,
    network,
    relu,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model

preprocess_input = by_mode("tf")

_BN: dict[str, Any] = {"momentum": 0.9997, "epsilon": 1e-3}
_CONV: dict[str, Any] = {"use_bias": False, "padding": "same", "kernel_initializer": "he_normal"}


def NASNetMobile(input_shape: Shape | None = None, include_top: bool = True, weights: Weights = None,  # noqa: N802
                 input_tensor: Tensor | None = None, pooling: str | None = None, classes: int = 1000,
                 classifier_activation: str | None = "softmax", name: str = "nasnet_mobile") -> Model:
    """NASNet-A (4 @ 1056): 5,326,716 parameters, as in Keras.

    Images: ``preprocess_input(x, "tf")``, 224 x 224, at least 32 x 32. The arguments are those of
    `fastcnn.applications`, in Keras's order.

    References
    ----------
    Zoph, Vasudevan, Shlens, Le: Learning transferable architectures for scalable image recognition, CVPR 2018,
    figure 4.
    """
    return _nasnet("NASNetMobile", _Cells(4, 44, 32, skips=False), 224, classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def NASNetLarge(input_shape: Shape | None = None, include_top: bool = True, weights: Weights = None,  # noqa: N802
                input_tensor: Tensor | None = None, pooling: str | None = None, classes: int = 1000,
                classifier_activation: str | None = "softmax", name: str = "nasnet_large") -> Model:
    """NASNet-A (6 @ 4032): 88,949,818 parameters, as in Keras; else as `NASNetMobile`, for images of 331 x 331."""
    return _nasnet("NASNetLarge", _Cells(6, 168, 96, skips=True), 331, classes, classifier_activation,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name))


def _nasnet(who: str, cells: "_Cells", size: int, classes: int, classifier_activation: str | None,
            options: Options) -> Model:
    return network(who, cells.features, classify("global_average_pooling2d", classes, classifier_activation), options,
                   default=(size, size, 3), pool_names=AUTOMATIC)


class _Cells:
    """What the cells of one network are made by; a cell sees the one before it, x, and the one before that, p.

    Parameters
    ----------
    repeats : int
        Normal cells of a stage.
    filters : int
        Of the first stage; each has twice as many as the one before.
    stem : int
        Filters of the first convolution.
    skips : bool
        Whether the cell after a reduction still sees what came before the reduction's own input.
    """

    def __init__(self, repeats: int, filters: int, stem: int, skips: bool) -> None:
        self.repeats, self.filters, self.stem, self.skips = repeats, filters, stem, skips
        self.named = Automatic()
        self.halved = False  # whether the last cell has half the size of the one before it

    def features(self, x: Tensor) -> Tensor:
        x = layers.Conv2D(self.stem, 3, 2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1")(x)
        x = self.norm(x, "stem_bn1")
        p: Tensor | None = None
        x, p = self.reduction(x, p, self.filters // 4, "stem_1"), x
        x, p = self.reduction(x, p, self.filters // 2, "stem_2"), x
        for stage in range(3):
            filters, first = self.filters << stage, stage * (self.repeats + 1)
            if stage:
                x, before = self.reduction(x, p, filters, f"reduce_{self.repeats * stage}"), x
                p = p if self.skips else before
                first = self.repeats * stage + 1
            for i in range(self.repeats):
                x, p = self.normal(x, p, filters, str(first + i)), x
        return relu(self.named("activation"))(x)

    def normal(self, x: Tensor, p: Tensor | None, filters: int, cell: str) -> Tensor:
        """Keep the size; figure 4, left."""
        p = self.adjusted(p, x, filters, cell)
        h = self.entered(x, filters, "normal", cell)

        def fine(x: Tensor, size: int, side: str) -> Tensor:
            return self.separable(x, filters, size, f"normal_{side}_{cell}")

        def mean(x: Tensor, side: str) -> Tensor:
            return layers.AveragePooling2D(3, 1, "same", name=f"normal_{side}_{cell}")(x)

        pairs = ((fine(h, 5, "left1"), fine(p, 3, "right1")), (fine(p, 5, "left2"), fine(p, 3, "right2")),
                 (mean(h, "left3"), p), (mean(p, "left4"), mean(p, "right4")), (fine(h, 3, "left5"), h))
        sums = [layers.Add(name=f"normal_add_{i}_{cell}")(list(pair)) for i, pair in enumerate(pairs, 1)]
        self.halved = False
        return layers.Concatenate(name=f"normal_concat_{cell}")([p, *sums])

    def reduction(self, x: Tensor, p: Tensor | None, filters: int, cell: str) -> Tensor:
        """Halve the size; figure 4, right."""
        p = self.adjusted(p, x, filters, cell)
        h = self.entered(x, filters, "reduction", cell)
        padded = layers.ZeroPadding2D(halving_pad(h, 3), name=f"reduction_pad_1_{cell}")(h)

        def added(a: Tensor, b: Tensor, name: str) -> Tensor:
            return layers.Add(name=name)([a, b])

        def halved(x: Tensor, size: int, side: str) -> Tensor:
            return self.separable(x, filters, size, f"reduction_{side}_{cell}", 2)

        first = added(halved(h, 5, "left1"), halved(p, 7, "right1"), f"reduction_add_1_{cell}")
        most = layers.MaxPooling2D(3, 2, name=f"reduction_left2_{cell}")(padded)
        second = added(most, halved(p, 7, "right2"), f"reduction_add_2_{cell}")
        mean = layers.AveragePooling2D(3, 2, name=f"reduction_left3_{cell}")(padded)
        third = added(mean, halved(p, 5, "right3"), f"reduction_add3_{cell}")
        mean = layers.AveragePooling2D(3, 1, "same", name=f"reduction_left4_{cell}")(first)
        fourth = added(second, mean, self.named("add"))
        fine = self.separable(first, filters, 3, f"reduction_left4_{cell}")
        most = layers.MaxPooling2D(3, 2, name=f"reduction_right5_{cell}")(padded)
        fifth = added(fine, most, f"reduction_add4_{cell}")
        self.halved = True
        return layers.Concatenate(name=f"reduction_concat_{cell}")([second, third, fourth, fifth])

    def entered(self, x: Tensor, filters: int, kind: str, cell: str) -> Tensor:
        x = relu(self.named("activation"))(x)
        x = layers.Conv2D(filters, 1, name=f"{kind}_conv_1_{cell}", **_CONV)(x)
        return self.norm(x, f"{kind}_bn_1_{cell}")

    def adjusted(self, p: Tensor | None, x: Tensor, filters: int, cell: str) -> Tensor:
        """Return the cell before the last as large as the last one, with the channels of this cell."""
        if p is None:
            return x
        if p.shape[1:3] != x.shape[1:3] or (None in x.shape[1:3] and self.halved):
            p = relu(f"adjust_relu_1_{cell}")(p)
            moved = layers.ZeroPadding2D(((0, 1), (0, 1)), name=self.named("zero_padding2d"))(p)
            moved = layers.Cropping2D(((1, 0), (1, 0)), name=self.named("cropping2d"))(moved)
            halves = []
            for i, one in enumerate((p, moved), 1):
                one = layers.AveragePooling2D(1, 2, name=f"adjust_avg_pool_{i}_{cell}")(one)
                halves.append(layers.Conv2D(filters // 2, 1, name=f"adjust_conv_{i}_{cell}", **_CONV)(one))
            p = layers.Concatenate(name=self.named("concatenate"))(halves)
        elif p.shape[-1] != filters:
            p = relu(self.named("activation"))(p)
            p = layers.Conv2D(filters, 1, name=f"adjust_conv_projection_{cell}", **_CONV)(p)
        else:
            return p
        return self.norm(p, f"adjust_bn_{cell}")

    def separable(self, x: Tensor, filters: int, size: int, name: str, strides: int = 1) -> Tensor:
        """Two separable convolutions, each after a rectifier; the first may halve the image."""
        x = relu(self.named("activation"))(x)
        if strides > 1:
            x = layers.ZeroPadding2D(halving_pad(x, size), name=f"separable_conv_1_pad_{name}")(x)
        x = layers.SeparableConv2D(filters, size, strides, "valid" if strides > 1 else "same", use_bias=False,
                                   name=f"separable_conv_1_{name}")(x)
        x = relu(self.named("activation"))(self.norm(x, f"separable_conv_1_bn_{name}"))
        x = layers.SeparableConv2D(filters, size, padding="same", use_bias=False, name=f"separable_conv_2_{name}")(x)
        return self.norm(x, f"separable_conv_2_bn_{name}")

    def norm(self, x: Tensor, name: str) -> Tensor:
        return layers.BatchNormalization(name=name, **_BN)(x)
