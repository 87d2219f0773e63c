"""The parts of R-CNNs: a residual backbone, the heads of regions and of their masks."""

from typing import Any

from fastcnn import layers
from fastcnn.layers import Tensor
from fastcnn.models import Model


def backbone(images: Tensor, filters: int, stride: int, activation: str) -> Tensor:
    """Return features (N, H / stride, W / stride, 4 filters) of images of 0 to 255.

    Convolutions of stride 2 halve the image down to twice the stride, each with as many filters again, from the third
    on with a residual block; what the coarsest has seen is enlarged and joined to the one before, as in a feature
    pyramid (Lin et al., 2017).

    Parameters
    ----------
    images : Tensor
    filters : int
    stride : int
        A power of two.
    activation : str
    """
    x = layers.Rescaling(1 / 255)(images)
    finer = x
    for level in range(1, stride.bit_length() + 1):
        finer = x
        width = filters * min(8, 1 << level - 1)
        x = convolved(x, width, 3, activation, strides=2)
        if level > 2:
            y = convolved(convolved(x, max(1, width // 2), 1, activation), width, 3, activation)
            x = layers.Add()([x, y])
    coarse = layers.UpSampling2D(2)(convolved(x, 2 * filters, 1, activation))
    return convolved(layers.Concatenate()([coarse, finer]), 4 * filters, 3, activation, name="features")


def convolved(x: Tensor, filters: int, size: int, activation: str, strides: int = 1, name: str | None = None) -> Tensor:
    """Return a convolution with batch normalization and activation."""
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.Activation(activation, name=name)(layers.BatchNormalization(momentum=0.97)(x))


def region_heads(regions: Tensor, boxes: Tensor, classes: int, hidden: int, activation: str) -> Tensor:
    """Return the numbers of regions, (N, R, 5 + 5 classes), as `RegionLoss` takes them: boxes, logits, offsets.

    Parameters
    ----------
    regions : Tensor
        (N, R, h, w, C).
    boxes : Tensor
        (N, R, 4).
    classes, hidden : int
    activation : str
    """
    x = layers.Reshape((regions.shape[1], -1))(regions)
    x = layers.Dense(hidden, activation=activation)(x)
    logits = layers.Dense(1 + classes, kernel_initializer=small(0.01))(x)
    offsets = layers.Dense(4 * classes, kernel_initializer=small(0.001))(x)
    return layers.Concatenate(name="regions")([boxes, logits, offsets])


def mask_head(depth: int, regions: int, side: int, classes: int, filters: int, stride: int, activation: str,
              shape: tuple[int, ...]) -> Model:
    """Return a model from features and boxes (N, R, 4) to logits of masks, (N, R, side, side, classes).

    Regions of half the side are cut out, convolved `depth` times, and a transposed convolution doubles them.

    Parameters
    ----------
    depth, regions, side, classes, filters, stride : int
    activation : str
    shape : tuple of int
        Of the features.
    """
    features, boxes = layers.Input(shape), layers.Input((regions, 4))
    x = layers.RoIAlign(side // 2, 1 / stride, sampling_ratio=2)([features, boxes])
    for _ in range(depth):
        x = layers.TimeDistributed(layers.Conv2D(filters, 3, padding="same", activation=activation))(x)
    x = layers.TimeDistributed(layers.Conv2DTranspose(filters, 2, strides=2, activation=activation))(x)
    return Model([features, boxes], layers.TimeDistributed(layers.Conv2D(classes, 1))(x), name="mask_head")


def small(deviation: float) -> Any:
    """Return the initializer of a head: what a network without training tells is nearly the same everywhere."""
    from fastcnn.initializers import RandomNormal

    return RandomNormal(stddev=deviation)
