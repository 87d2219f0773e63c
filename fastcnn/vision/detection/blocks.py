"""The blocks that YOLO's versions are built of: residual ones (v3), re-parameterized ones (v6), E-ELAN (v7).

Each is a function (x, filters, activation) -> y that keeps height and width; `BLOCKS` has them by name, with what
halves the image before them.
"""

from collections.abc import Callable
from typing import NamedTuple

from fastcnn import layers
from fastcnn.layers import Tensor

_MOMENTUM = 0.97  # of moving statistics: moving = 0.97 moving + 0.03 those of the batch
_GROUPS = 2  # of E-ELAN


class Backbone(NamedTuple):
    """How a backbone of one kind is built.

    Attributes
    ----------
    halved : callable
        (x, filters, activation) -> a map of half the height and width.
    block : callable
        (x, filters, activation) -> y of the same size.
    """

    halved: Callable[[Tensor, int, str], Tensor]
    block: Callable[[Tensor, int, str], Tensor]


def convolved(x: Tensor, filters: int, size: int, activation: str, strides: int = 1) -> Tensor:
    """Return a convolution of x with batch normalization and an activation."""
    return layers.Activation(activation)(_normalized(x, filters, size, strides))


def residual(x: Tensor, filters: int, activation: str) -> Tensor:
    """Return x + what a 1 x 1 convolution to half the filters and a 3 x 3 one make of it: Darknet-53's block.

    Redmon, Farhadi: YOLOv3, 2018, table 1.
    """
    y = convolved(convolved(x, max(1, filters // 2), 1, activation), filters, 3, activation)
    return layers.Add()([x, y])


def repvgg(x: Tensor, filters: int, activation: str, strides: int = 1) -> Tensor:
    """Return the activation of a 3 x 3 convolution, a 1 x 1 one and, where shapes allow, x itself, all normalized.

    `reparameterized` makes one 3 x 3 convolution of the three, for predictions. Ding et al.: RepVGG, CVPR 2021, figure
    2 and section 3.3; it is YOLOv6's block: Li et al., 2022, section 2.1.
    """
    branches = [_normalized(x, filters, 3, strides), _normalized(x, filters, 1, strides)]
    if strides == 1 and x.shape[-1] == filters:
        branches.append(layers.BatchNormalization(momentum=_MOMENTUM)(x))
    return layers.Activation(activation)(layers.Add()(branches))


def extended_elan(x: Tensor, filters: int, activation: str) -> Tensor:
    """Return E-ELAN's computation with cardinality 2: chains of convolutions, concatenated, two groups of them summed.

    An ELAN splits x by two 1 x 1 convolutions, lets 3 x 3 ones go on from the second, two by two, and concatenates what
    lies before, between and behind them. E-ELAN expands its cardinality: a group convolution in the place of each, here
    written as a convolution for each group. The maps of all blocks are shuffled into their groups and concatenated
    there, and the groups are added (merge cardinality); a 1 x 1 convolution follows.

    Wang, Bochkovskiy, Liao: YOLOv7, 2022, section 3.1 and figure 2 (c), (d).
    """
    width = max(1, filters // 4)
    groups = []
    for _ in range(_GROUPS):
        parts = [convolved(x, width, 1, activation), convolved(x, width, 1, activation)]
        for _ in range(2):
            y = convolved(parts[-1], width, 3, activation)
            parts.append(convolved(y, width, 3, activation))
        groups.append(layers.Concatenate()(parts))
    return convolved(layers.Add()(groups), filters, 1, activation)


def _normalized(x: Tensor, filters: int, size: int, strides: int) -> Tensor:
    y = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=_MOMENTUM)(y)


def _halved(x: Tensor, filters: int, activation: str) -> Tensor:
    return convolved(x, filters, 3, activation, strides=2)


#: By the names that `yolo` takes.
BLOCKS = {
    "residual": Backbone(_halved, residual),
    "repvgg": Backbone(lambda x, filters, activation: repvgg(x, filters, activation, strides=2), repvgg),
    "elan": Backbone(_halved, extended_elan),
}
