"""The network of a YOLO: a small residual backbone, and a head for each grid."""

import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.layers import Tensor
from fastcnn.models import Model
from fastcnn.vision.detection.cells import YoloCells

_PRIOR = 0.01  # the objectness that a network begins with: nearly all places are background


def yolo(cells: YoloCells, classes: int, *, channels: int = 3, filters: int = 16, blocks: int = 1,
         activation: str = "leaky_relu", name: str = "yolo") -> Model:
    """Return a network from images (N, H, W, channels), 0 to 255, to (N, P, 5 + classes) for the places of `cells`.

    Convolutions of stride 2 halve the image; each is followed by residual blocks of 1 x 1 and 3 x 3, as in Darknet-53,
    from the third on. With several grids, what a coarse one has seen is enlarged and joined to the next finer one. All
    convolutions but the last have batch normalization. The outputs are raw numbers: `YoloLoss` trains with them,
    `YoloCells.decode` makes boxes of them.

    Parameters
    ----------
    cells : YoloCells
        Strides are powers of two.
    classes : int
    channels : int
        Of the images.
    filters : int
        Of the first convolution; each next one has twice as many, at most 8 times.
    blocks : int
        Residual blocks of each size.
    activation : str
        Of all convolutions but the last.
    name : str

    Returns
    -------
    Model

    Raises
    ------
    ArgumentError
        Strides that are no powers of two, numbers that are not positive.

    References
    ----------
    Redmon, Farhadi: YOLOv3, 2018, table 1 and section 2.3.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 96), [[10, 10], [30, 40]], strides=(16, 32))
    >>> fc.vision.detection.yolo(cells, classes=3, filters=4).output_shape
    (None, 30, 8)
    """
    classes, channels, filters = positive("yolo", classes=classes, channels=channels, filters=filters)
    if any(stride & (stride - 1) or stride < 2 for stride in cells.strides):
        raise ArgumentError(f"yolo: expected strides that are powers of two from 2, got {cells.strides}")
    inputs = layers.Input((*cells.size, channels))
    x = layers.Rescaling(1 / 255)(inputs)
    found: dict[int, Tensor] = {}
    for level in range(1, int(math.log2(cells.strides[-1])) + 1):
        width = filters * min(8, 1 << level - 1)
        x = _convolved(x, width, 3, activation, strides=2)
        for _ in range(blocks if level > 2 else 0):
            y = _convolved(_convolved(x, max(1, width // 2), 1, activation), width, 3, activation)
            x = layers.Add()([x, y])
        found[1 << level] = x
    heads = []
    coarse: Tensor | None = None
    for stride, anchors in reversed(list(zip(cells.strides, cells.anchors))):
        x = found[stride]
        width = int(x.shape[-1])
        if coarse is not None:
            up = _convolved(coarse, max(1, width // 2), 1, activation)
            x = layers.Concatenate()([layers.UpSampling2D(int(x.shape[1]) // int(up.shape[1]))(up), x])
        coarse = x = _convolved(x, width, 3, activation)
        heads.append(_head(x, len(anchors), 5 + classes, f"head_{stride}"))
    whole = heads[0] if len(heads) == 1 else layers.Concatenate(axis=1)(heads[::-1])
    model = Model(inputs, whole, name=name)
    for stride, anchors in zip(cells.strides, cells.anchors):
        _begin_with_background(model.get_layer(f"head_{stride}"), len(anchors))
    return model


def _convolved(x: Tensor, filters: int, size: int, activation: str, strides: int = 1) -> Tensor:
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.Activation(activation)(layers.BatchNormalization(momentum=0.97)(x))


def _head(x: Tensor, priors: int, numbers: int, name: str) -> Tensor:
    """Return (N, places, numbers) of features."""
    y = layers.Conv2D(priors * numbers, 1, name=name)(x)
    return layers.Reshape((int(x.shape[1]) * int(x.shape[2]) * priors, numbers))(y)


def _begin_with_background(head: Any, priors: int) -> None:
    """Set the objectness that a network without training tells (Lin et al., "Focal loss", 2017, section 3.3)."""
    bias = np.zeros(head.get_weights()[1].shape, np.float32).reshape(priors, -1)
    bias[:, 4] = -math.log((1 - _PRIOR) / _PRIOR)
    head.set_weights([head.get_weights()[0], bias.reshape(-1)])
