"""The network of a YOLO: a small backbone, and a head for each grid."""

import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import positive
from fastcnn.layers import Tensor
from fastcnn.models import Model
from fastcnn.vision.detection.blocks import BLOCKS, convolved
from fastcnn.vision.detection.cells import YoloCells

_PRIOR = 0.01  # the objectness that a network begins with: nearly all places are background


def yolo(cells: YoloCells, classes: int, *, channels: int = 3, filters: int = 16, blocks: int = 1,
         block: str = "residual", activation: str = "leaky_relu", name: str = "yolo") -> Model:
    """Return a network from images (N, H, W, channels), 0 to 255, to (N, P, 5 + classes) for the places of `cells`.

    Convolutions of stride 2 halve the image; each is followed by blocks from the third on: as in Darknet-53, YOLOv6 or
    YOLOv7. With several grids, what a coarse one has seen is enlarged and joined to the next finer one. All
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
        Of each size.
    block : {"residual", "repvgg", "elan"}
        YOLOv3's x + f(x), of a 1 x 1 and a 3 x 3 convolution; YOLOv6's, which trains with three branches and is folded
        into 3 x 3 convolutions by `reparameterized`, those that halve the image too; YOLOv7's E-ELAN of two groups.
    activation : str
        Of all convolutions but the last.
    name : str

    Returns
    -------
    Model

    Raises
    ------
    ArgumentError
        Strides that are no powers of two, numbers that are not positive, a block that is not known.

    References
    ----------
    Redmon, Farhadi: YOLOv3, 2018, table 1 and section 2.3; Ding et al.: RepVGG, CVPR 2021; Li et al.: YOLOv6, 2022;
    Wang, Bochkovskiy, Liao: YOLOv7, 2022, section 3.1.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 96), [[10, 10], [30, 40]], strides=(16, 32))
    >>> fc.vision.detection.yolo(cells, classes=3, filters=4).output_shape
    (None, 30, 8)
    """
    classes, channels, filters = positive("yolo", classes=classes, channels=channels, filters=filters)
    if any(stride & (stride - 1) or stride < 2 for stride in cells.strides):
        raise ArgumentError(f"yolo: expected strides that are powers of two from 2, got {cells.strides}")
    if block not in BLOCKS:
        raise ArgumentError(unknown("yolo: block", block, BLOCKS))
    kind = BLOCKS[block]
    inputs = layers.Input((*cells.size, channels))
    x = layers.Rescaling(1 / 255)(inputs)
    found: dict[int, Tensor] = {}
    for level in range(1, int(math.log2(cells.strides[-1])) + 1):
        width = filters * min(8, 1 << level - 1)
        x = kind.halved(x, width, activation)
        for _ in range(blocks if level > 2 else 0):
            x = kind.block(x, width, activation)
        found[1 << level] = x
    heads = []
    coarse: Tensor | None = None
    for stride, anchors in reversed(list(zip(cells.strides, cells.anchors))):
        x = found[stride]
        width = int(x.shape[-1])
        if coarse is not None:
            up = convolved(coarse, max(1, width // 2), 1, activation)
            x = layers.Concatenate()([layers.UpSampling2D(int(x.shape[1]) // int(up.shape[1]))(up), x])
        coarse = x = convolved(x, width, 3, activation)
        heads.append(_head(x, len(anchors), 5 + classes, f"head_{stride}"))
    whole = heads[0] if len(heads) == 1 else layers.Concatenate(axis=1)(heads[::-1])
    model = Model(inputs, whole, name=name)
    for stride, anchors in zip(cells.strides, cells.anchors):
        _begin_with_background(model.get_layer(f"head_{stride}"), len(anchors))
    return model


def _head(x: Tensor, priors: int, numbers: int, name: str) -> Tensor:
    """Return (N, places, numbers) of features."""
    y = layers.Conv2D(priors * numbers, 1, name=name)(x)
    return layers.Reshape((int(x.shape[1]) * int(x.shape[2]) * priors, numbers))(y)


def _begin_with_background(head: Any, priors: int) -> None:
    """Set the objectness that a network without training tells (Lin et al., "Focal loss", 2017, section 3.3)."""
    bias = np.zeros(head.get_weights()[1].shape, np.float32).reshape(priors, -1)
    bias[:, 4] = -math.log((1 - _PRIOR) / _PRIOR)
    head.set_weights([head.get_weights()[0], bias.reshape(-1)])
