"""EfficientNet: one small network, and a rule that makes it deeper, wider and sharper at once."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from fastcnn import layers
from fastcnn.applications._network import (
    Options,
    Shape,
    Tensor,
    Weights,
    classify,
    conv_bn,
    divisible,
    halving_pad,
    network,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.errors import ArgumentError
from fastcnn.models import Model

preprocess_input = by_mode("none")


class Scaling(NamedTuple):
    """How much deeper, wider and sharper than B0.

    Attributes
    ----------
    depth, width, resolution : float
        Factors of the blocks of a stage, of the channels, and of the image's side.
    """

    depth: float
    width: float
    resolution: float


def compound_scaling(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> Scaling:
    """Return the factors that spend 2^phi times the multiply-adds: depth alpha^phi, width beta^phi, size gamma^phi.

    Multiply-adds grow with depth, and with the squares of width and of resolution: alpha beta^2 gamma^2 is about 2. The
    published networks follow this with phi = 0, 0.5, 1, 2, ... and rounded numbers: `EFFICIENTNETS`.

    Parameters
    ----------
    phi : float
        0 is B0.
    alpha, beta, gamma : float
        As the paper found them by a search on B0.

    References
    ----------
    Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019, equation 3.

    Examples
    --------
    >>> [round(factor, 2) for factor in fc.applications.compound_scaling(1)]
    [1.2, 1.1, 1.15]
    """
    return Scaling(alpha**phi, beta**phi, gamma**phi)


class Variant(NamedTuple):
    """A published network.

    Attributes
    ----------
    width, depth : float
    size : int
        Rows and columns of the image.
    dropout : float
        Before the classifier.
    parameters : int
    """

    width: float
    depth: float
    size: int
    dropout: float
    parameters: int


#: The published networks, as in Keras.
EFFICIENTNETS = {
    "B0": Variant(1.0, 1.0, 224, 0.2, 5_330_571),
    "B1": Variant(1.0, 1.1, 240, 0.2, 7_856_239),
    "B2": Variant(1.1, 1.2, 260, 0.3, 9_177_569),
    "B3": Variant(1.2, 1.4, 300, 0.3, 12_320_535),
    "B4": Variant(1.4, 1.8, 380, 0.4, 19_466_823),
    "B5": Variant(1.6, 2.2, 456, 0.4, 30_562_527),
    "B6": Variant(1.8, 2.6, 528, 0.5, 43_265_143),
    "B7": Variant(2.0, 3.1, 600, 0.5, 66_658_687),
}


class _Stage(NamedTuple):
    kernel_size: int
    blocks: int
    filters: int
    expansion: int
    strides: int


# Table 1; the stem has 32 channels.
_STAGES = (
    _Stage(3, 1, 16, 1, 1), _Stage(3, 2, 24, 6, 2), _Stage(5, 2, 40, 6, 2), _Stage(3, 3, 80, 6, 2),
    _Stage(5, 3, 112, 6, 1), _Stage(5, 4, 192, 6, 2), _Stage(3, 1, 320, 6, 1),
)  # fmt: skip

CONV: dict[str, Any] = {"class_name": "VarianceScaling",
                         "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}}
DENSE: dict[str, Any] = {"class_name": "VarianceScaling",
                          "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}}
_IMAGENET_STDDEV = (0.229, 0.224, 0.225)


def EfficientNet(width_coefficient: float, depth_coefficient: float, default_size: int,  # noqa: N802
                 dropout_rate: float = 0.2, drop_connect_rate: float = 0.2, depth_divisor: int = 8,
                 activation: str = "swish", name: str = "efficientnet", include_top: bool = True,
                 weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape | None = None,
                 pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax",
                 imagenet_rescaling: bool = False) -> Model:
    """An EfficientNet of any scale.

    Images: 0 to 255 as they are, since the network itself rescales and normalizes them; at least 32 x 32.

    Parameters
    ----------
    width_coefficient, depth_coefficient : float
        Factors of channels and of blocks (`compound_scaling`).
    default_size : int
        Rows and columns of the image where no other shape is given.
    dropout_rate : float
        Before the classifier.
    drop_connect_rate : float
        How often, in training, the last block is left out for a sample; earlier blocks less, in proportion.
    depth_divisor : int
        Numbers of channels are multiples of it.
    activation : str
    name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
        As in `fastcnn.applications`.
    imagenet_rescaling : bool
        Divide by the root of ImageNet's standard deviations too, as Keras's networks do if (and only if) they are made
        with weights="imagenet": True for weights that come from there.

    References
    ----------
    Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019.
    """
    if width_coefficient <= 0 or depth_coefficient <= 0:
        raise ArgumentError(f"{name}: expected positive coefficients, got width {width_coefficient} "
                            f"and depth {depth_coefficient}")

    def channels(filters: int) -> int:
        return divisible(filters * width_coefficient, depth_divisor)

    def activated(name: str) -> Callable[[Tensor], Tensor]:
        return layers.Activation(activation, name=name)

    def features(x: Tensor) -> Tensor:
        x = layers.Normalization(name="normalization")(layers.Rescaling(1 / 255, name="rescaling")(x))
        if imagenet_rescaling:
            x = layers.Rescaling([1 / math.sqrt(s) for s in _IMAGENET_STDDEV], name="rescaling_1")(x)
        x = layers.ZeroPadding2D(halving_pad(x, 3), name="stem_conv_pad")(x)
        x = conv_bn(x, channels(32), 3, 2, "valid", name="stem_conv", bn_name="stem_bn",
                    activation=activated("stem_activation"), kernel_initializer=CONV)
        repeats = [math.ceil(depth_coefficient * stage.blocks) for stage in _STAGES]
        done = 0
        for i, (stage, blocks) in enumerate(zip(_STAGES, repeats), 1):
            for j in range(blocks):
                x = _block(x, stage._replace(filters=channels(stage.filters), strides=stage.strides if j == 0 else 1),
                           drop_connect_rate * done / sum(repeats), activation, f"block{i}{chr(ord('a') + j)}_")
                done += 1
        return conv_bn(x, channels(1280), 1, name="top_conv", bn_name="top_bn",
                       activation=activated("top_activation"), kernel_initializer=CONV)

    top = classify("avg_pool", classes, classifier_activation, dropout_rate, "top_dropout", kernel_initializer=DENSE)
    scale = width_coefficient, depth_coefficient, default_size
    which = next((which for which, v in EFFICIENTNETS.items() if (v.width, v.depth, v.size) == scale), "")
    return network(f"EfficientNet{which}", features, top,
                   Options(include_top, weights, input_tensor, input_shape, pooling, name),
                   default=(default_size, default_size, 3))


def _block(inputs: Tensor, stage: _Stage, drop_rate: float, activation: str, name: str) -> Tensor:
    """Widen by 1 x 1, filter each channel, weigh the channels (squeeze and excitation), narrow by 1 x 1, add."""

    def activated(part: str) -> Callable[[Tensor], Tensor]:
        return layers.Activation(activation, name=f"{name}{part}")

    x, narrow = inputs, inputs.shape[-1]
    wide = narrow * stage.expansion
    if stage.expansion > 1:
        x = conv_bn(x, wide, 1, name=f"{name}expand_conv", bn_name=f"{name}expand_bn", kernel_initializer=CONV,
                    activation=activated("expand_activation"))
    if stage.strides > 1:
        x = layers.ZeroPadding2D(halving_pad(x, stage.kernel_size), name=f"{name}dwconv_pad")(x)
    x = layers.DepthwiseConv2D(stage.kernel_size, stage.strides, "valid" if stage.strides > 1 else "same",
                               use_bias=False, depthwise_initializer=CONV, name=f"{name}dwconv")(x)
    x = activated("activation")(layers.BatchNormalization(name=f"{name}bn")(x))

    x = channels_weighed(x, max(1, narrow // 4), activation, name)
    x = conv_bn(x, stage.filters, 1, name=f"{name}project_conv", bn_name=f"{name}project_bn", kernel_initializer=CONV)
    if stage.strides == 1 and narrow == stage.filters:
        if drop_rate > 0:  # stochastic depth: a whole sample is left out
            x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


def channels_weighed(x: Tensor, filters: int, activation: str, name: str) -> Tensor:
    """Return squeeze and excitation of a tensor: each channel times a number that all channels decide.

    Hu, Shen, Sun, 2018.

    Parameters
    ----------
    x : (N, H, W, C) symbolic tensor
    filters : int
        How many numbers stand between the means of the channels and what weighs them.
    activation : str
        Between the two.
    name : str
        What the names of the layers begin with.
    """
    wide = x.shape[-1]
    se = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    se = layers.Reshape((1, 1, wide), name=f"{name}se_reshape")(se)
    for n, function, part in ((filters, activation, "se_reduce"), (wide, "sigmoid", "se_expand")):
        se = layers.Conv2D(n, 1, padding="same", activation=function, kernel_initializer=CONV,
                           name=f"{name}{part}")(se)
    return layers.Multiply(name=f"{name}se_excite")([x, se])


_DOC = """EfficientNet-{which}: {parameters:,} parameters, as in Keras{words}.

    Images: 0 to 255 as they are, since the network itself rescales and normalizes them; {size} x {size}, at least
    32 x 32. The arguments are those of `fastcnn.applications`, and one more.

    Parameters
    ----------
    imagenet_rescaling : as `EfficientNet`

    References
    ----------
    Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019.
    """


def _published(which: str) -> Callable[..., Model]:
    variant = EFFICIENTNETS[which]

    def make(include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None,
             input_shape: Shape | None = None, pooling: str | None = None, classes: int = 1000,
             classifier_activation: str | None = "softmax", name: str = f"efficientnet{which.lower()}",
             imagenet_rescaling: bool = False) -> Model:
        return EfficientNet(variant.width, variant.depth, variant.size, variant.dropout, name=name,
                            include_top=include_top, weights=weights, input_tensor=input_tensor,
                            input_shape=input_shape, pooling=pooling, classes=classes,
                            classifier_activation=classifier_activation, imagenet_rescaling=imagenet_rescaling)

    make.__name__ = make.__qualname__ = f"EfficientNet{which}"
    make.__doc__ = _DOC.format(which=which, parameters=variant.parameters, size=variant.size, words="")
    return make


EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3, EfficientNetB4, EfficientNetB5, EfficientNetB6, \
    EfficientNetB7 = map(_published, EFFICIENTNETS)
