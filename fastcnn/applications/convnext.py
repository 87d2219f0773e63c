"""ConvNeXt: a convolutional network with the proportions of a transformer."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastcnn import layers
from fastcnn.applications._network import (
    AUTOMATIC,
    Automatic,
    Options,
    Shape,
    Tensor,
    Weights,
    network,
)
from fastcnn.applications.imagenet import decode_predictions as decode_predictions
from fastcnn.applications.preprocessing import by_mode
from fastcnn.models import Model, Sequential

preprocess_input = by_mode("none")

_EPSILON = 1e-6
# Of ImageNet's images, in values of pixels.
_MEAN = tuple(255 * mean for mean in (0.485, 0.456, 0.406))
_VARIANCE = tuple((255 * stddev) ** 2 for stddev in (0.229, 0.224, 0.225))


class _ConvNeXt(NamedTuple):
    depths: tuple[int, int, int, int]
    filters: tuple[int, int, int, int]
    parameters: int


_PUBLISHED = {
    "Tiny": _ConvNeXt((3, 3, 9, 3), (96, 192, 384, 768), 28_589_128),
    "Small": _ConvNeXt((3, 3, 27, 3), (96, 192, 384, 768), 50_223_688),
    "Base": _ConvNeXt((3, 3, 27, 3), (128, 256, 512, 1024), 88_591_464),
    "Large": _ConvNeXt((3, 3, 27, 3), (192, 384, 768, 1536), 197_767_336),
    "XLarge": _ConvNeXt((3, 3, 27, 3), (256, 512, 1024, 2048), 350_196_968),
}

_DOC = """ConvNeXt-{which}: {parameters:,} parameters, as in Keras.

    Images: 0 to 255 as they are, since the network itself normalizes them; 224 x 224, at least 32 x 32. The other
    arguments are those of `fastcnn.applications`.

    Parameters
    ----------
    include_preprocessing : bool
        Whether the network begins with that. Without it give normalized images.

    References
    ----------
    Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s, CVPR 2022.
    """


def _published(which: str) -> Callable[..., Model]:
    variant = _PUBLISHED[which]

    def make(include_top: bool = True, include_preprocessing: bool = True, weights: Weights = None,
             input_tensor: Tensor | None = None, input_shape: Shape | None = None, pooling: str | None = None,
             classes: int = 1000, classifier_activation: str | None = "softmax",
             name: str = f"convnext_{which.lower()}") -> Model:
        return _convnext(f"ConvNeXt{which}", variant, include_preprocessing, classes, classifier_activation,
                         Options(include_top, weights, input_tensor, input_shape, pooling, name))

    make.__name__ = make.__qualname__ = f"ConvNeXt{which}"
    make.__doc__ = _DOC.format(which=which, parameters=variant.parameters)
    return make


def _convnext(who: str, variant: _ConvNeXt, normalizes: bool, classes: int, classifier_activation: str | None,
              options: Options) -> Model:
    name = options.name

    def features(x: Tensor) -> Tensor:
        named = Automatic()
        if normalizes and x.shape[-1] == 3:
            x = layers.Normalization(mean=_MEAN, variance=_VARIANCE, name=f"{name}_prestem_normalization")(x)
        x = _chain(x, f"{name}_stem", layers.Conv2D(variant.filters[0], 4, 4, name=f"{name}_stem_conv"),
                   _norm(f"{name}_stem_layernorm"))
        for stage, (depth, filters) in enumerate(zip(variant.depths, variant.filters)):
            if stage:
                which = stage - 1
                x = _chain(x, f"{name}_downsampling_block_{which}", _norm(f"{name}_downsampling_layernorm_{which}"),
                           layers.Conv2D(filters, 2, 2, name=f"{name}_downsampling_conv_{which}"))
            for i in range(depth):
                x = _block(x, filters, f"{name}_stage_{stage}_block_{i}", named)
        return x

    def top(x: Tensor) -> Tensor:
        x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
        x = _norm(f"{name}_head_layernorm")(x)
        return layers.Dense(classes, activation=classifier_activation, name=f"{name}_head_dense")(x)

    return network(who, features, top, options, pool_names=AUTOMATIC, after_pooling=_norm("layer_normalization"))


def _norm(name: str) -> layers.Layer:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _chain(x: Tensor, name: str, *parts: layers.Layer) -> Tensor:
    """As in Keras, two layers are a model of their own, under whose name their weights are saved."""
    y: Any = Sequential([layers.Input(x.shape[1:]), *parts], name=name)(x)
    return y


def _block(inputs: Tensor, filters: int, name: str, named: Automatic) -> Tensor:
    """Windows of 7 x 7 for each channel, four times as many channels between two dense layers, a small factor, the sum.

    Figure 4.
    """
    x = layers.Conv2D(filters, 7, padding="same", groups=filters, name=f"{name}_depthwise_conv")(inputs)
    x = _norm(f"{name}_layernorm")(x)
    x = layers.Dense(4 * filters, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(filters, name=f"{name}_pointwise_conv_2")(x)
    x = layers.LayerScale(1e-6, filters, name=f"{name}_layer_scale")(x)
    x = layers.Activation("linear", name=f"{name}_identity")(x)  # where a block is left out in training, in Keras
    return layers.Add(name=named("add"))([inputs, x])


_ANY: Any = map(_published, _PUBLISHED)
ConvNeXtTiny, ConvNeXtSmall, ConvNeXtBase, ConvNeXtLarge, ConvNeXtXLarge = _ANY
