"""The networks of the R-CNN family, as functions: ordinary models, which `fit` trains."""

import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.layers import Tensor
from fastcnn.models import Model
from fastcnn.vision.rcnn.anchor_grid import AnchorGrid
from fastcnn.vision.rcnn.parts import backbone, convolved, mask_head, region_heads, small

_PRIOR = 0.01  # the objectness that a network begins with: nearly all anchors are background


def faster_rcnn(grid: AnchorGrid, classes: int, *, channels: int = 3, filters: int = 16, regions: int = 64,
                hidden: int = 256, proposal_iou: float = 0.7, activation: str = "leaky_relu",
                name: str = "faster_rcnn") -> Model:
    """Return a network from images (N, H, W, channels), 0 to 255, to proposals and to what stands in them.

    A region proposal network tells of each anchor of the grid whether there is an object, and where. The best boxes
    after non-max suppression are the regions; RoIAlign cuts 7 x 7 features out of each, and dense layers tell its class
    and move its box. No gradient goes through the boxes. The outputs are raw numbers::

        proposals   (N, anchors, 5)              `ProposalLoss` trains with them
        regions     (N, regions, 5 + 5 classes)  `RegionLoss`

    Both take the same targets: ``model.fit(x, {"proposals": rows, "regions": rows})``.

    Parameters
    ----------
    grid : AnchorGrid
        Its stride, a power of two, is that of the features.
    classes : int
    channels : int
        Of the images.
    filters : int
        Of the first convolution; features have four times as many.
    regions : int
        How many boxes of an image are looked at, in training too.
    hidden : int
        Units of the dense layer over a region.
    proposal_iou : float
        Of two proposals that overlap by more, the better stays: less leaves room for more objects.
    activation : str
    name : str

    Returns
    -------
    Model

    Raises
    ------
    ArgumentError
        A stride that is no power of two, a size that is no multiple of twice the stride, numbers that are not positive.

    References
    ----------
    Ren, He, Girshick, Sun: Faster R-CNN, NeurIPS 2015.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((64, 96), [[10, 10], [30, 40]])
    >>> model = fc.vision.rcnn.faster_rcnn(grid, classes=3, filters=4, regions=8, hidden=16)
    >>> model.output_names, model.output_shape
    (['proposals', 'regions'], ((None, 192, 5), (None, 8, 20)))
    """
    return _two_stages(grid, classes, channels=channels, filters=filters, regions=regions, hidden=hidden,
                       proposal_iou=proposal_iou, activation=activation, name=name)[0]


def mask_rcnn(grid: AnchorGrid, classes: int, *, channels: int = 3, filters: int = 16, regions: int = 64,
              hidden: int = 256, proposal_iou: float = 0.7, mask_side: int = 28, mask_filters: int = 32,
              mask_depth: int = 2, activation: str = "leaky_relu", name: str = "mask_rcnn") -> Model:
    """Return `faster_rcnn` with a head that marks the pixels of each region.

    RoIAlign cuts out regions of half the side of a mask; convolutions and a transposed convolution make a mask of each
    class of them. There is a third output::

        masks       (N, regions, 4 + mask_side^2 classes)   `MaskLoss`

    Parameters
    ----------
    grid, classes, channels, filters, regions, hidden, proposal_iou, activation, name : as of `faster_rcnn`
    mask_side : int
        Pixels along each side of a mask, even.
    mask_filters, mask_depth : int
        Of the head's convolutions.

    Returns
    -------
    Model

    References
    ----------
    He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, figure 4.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((64, 64), [[10, 10], [30, 40]])
    >>> model = fc.vision.rcnn.mask_rcnn(grid, classes=1, filters=4, regions=8, hidden=16, mask_side=14)
    >>> model.output_names[2], model.output_shape[2]
    ('masks', (None, 8, 200))
    """
    side, depth, width = positive("mask_rcnn", mask_side=mask_side, mask_depth=mask_depth, mask_filters=mask_filters)
    if side % 2:
        raise ArgumentError(f"mask_rcnn: expected an even mask_side, got {side}")
    model, features, boxes = _two_stages(
        grid, classes, channels=channels, filters=filters, regions=regions, hidden=hidden, proposal_iou=proposal_iou,
        activation=activation, name=name)
    head = mask_head(depth, regions, side, classes, width, grid.stride, activation, features.shape[1:])
    flat = layers.Reshape((regions, side * side * classes))(head([features, boxes]))
    return Model(model.inputs, [*model.outputs, layers.Concatenate(name="masks")([boxes, flat])], name=name)


def fast_rcnn(size: tuple[int, int], classes: int, *, channels: int = 3, filters: int = 16, regions: int = 256,
              hidden: int = 256, stride: int = 8, activation: str = "leaky_relu", name: str = "fast_rcnn") -> Model:
    """Return a network from images and the boxes of proposals, (N, regions, 4), to what stands in them.

    One convolutional pass over an image serves all its proposals: RoI pooling takes 7 x 7 features of each. The output
    is that of `faster_rcnn` for regions. Where an image has fewer proposals, boxes of zeros fill up.

    Parameters
    ----------
    size : (int, int)
        Height and width of the images; multiples of twice the stride.
    classes, channels, filters, hidden, activation, name : as of `faster_rcnn`
    regions : int
        Proposals of an image.
    stride : int
        Pixels in a pixel of the features; a power of two.

    Returns
    -------
    Model

    References
    ----------
    Girshick: Fast R-CNN, ICCV 2015.

    Examples
    --------
    >>> model = fc.vision.rcnn.fast_rcnn((64, 96), classes=3, filters=4, regions=32, hidden=16)
    >>> model.input_shape, model.output_shape
    (((None, 64, 96, 3), (None, 32, 4)), (None, 32, 20))
    """
    classes, regions, hidden, filters = positive("fast_rcnn", classes=classes, regions=regions, hidden=hidden,
                                                 filters=filters)
    images = _images("fast_rcnn", size, channels, stride)
    boxes = layers.Input((regions, 4), name="proposals")
    features = backbone(images, filters, stride, activation)
    cut = layers.RoIPooling(7, 1 / stride)([features, boxes])
    return Model([images, boxes], region_heads(cut, boxes, classes, hidden, activation), name=name)


def rcnn(size: tuple[int, int], classes: int, *, channels: int = 3, filters: int = 16, regions: int = 256,
         hidden: int = 256, side: int = 56, activation: str = "leaky_relu", name: str = "rcnn") -> Model:
    """Return a network from images and the boxes of proposals to what stands in them, each looked at by itself.

    Every proposal is cut out of the picture, brought to `side` x `side` pixels and goes through a convolutional
    network of its own pass: what `fast_rcnn` does once for an image, this does as often as there are proposals. Input
    and output are those of `fast_rcnn`.

    Parameters
    ----------
    size, classes, channels, filters, regions, hidden, activation, name : as of `fast_rcnn`
    side : int
        Height and width of a crop; a multiple of 8.

    Returns
    -------
    Model

    References
    ----------
    Girshick, Donahue, Darrell, Malik: Rich feature hierarchies for accurate object detection, CVPR 2014.

    Examples
    --------
    >>> fc.vision.rcnn.rcnn((64, 96), classes=3, filters=4, regions=32, hidden=16).output_shape
    (None, 32, 20)
    """
    classes, regions, hidden, side, filters = positive("rcnn", classes=classes, regions=regions, hidden=hidden,
                                                       side=side, filters=filters)
    images = _images("rcnn", size, channels, 1)
    boxes = layers.Input((regions, 4), name="proposals")
    crop = layers.Input((side, side, images.shape[3]))
    x = layers.Rescaling(1 / 255)(crop)
    for level in range(3):
        x = convolved(x, filters << level, 3, activation, strides=2)
        if level:
            y = convolved(convolved(x, max(1, filters << level - 1), 1, activation), filters << level, 3, activation)
            x = layers.Add()([x, y])
    each = layers.TimeDistributed(Model(crop, x, name="crop"))
    cut = each(layers.RoIAlign(side, sampling_ratio=2)([images, boxes]))
    return Model([images, boxes], region_heads(cut, boxes, classes, hidden, activation), name=name)


def _two_stages(grid: AnchorGrid, classes: int, *, channels: int, filters: int, regions: int, hidden: int,
                proposal_iou: float, activation: str, name: str) -> tuple[Model, Tensor, Tensor]:
    """Return the model, its features and its regions."""
    if not isinstance(grid, AnchorGrid):
        raise ArgumentError(f"{name}: expected an AnchorGrid, got {type(grid).__name__}")
    classes, filters, regions, hidden = positive(name, classes=classes, filters=filters, regions=regions, hidden=hidden)
    images = _images(name, grid.size, channels, grid.stride)
    features = backbone(images, filters, grid.stride, activation)
    x = convolved(features, int(features.shape[-1]), 3, activation)
    head = layers.Conv2D(5 * len(grid.sides), 1, kernel_initializer=small(0.01))
    numbers = layers.Reshape((len(grid), 5), name="proposals")(head(x))
    _begin_with_background(head)
    boxes: Any = layers.NonMaxSuppression(regions, proposal_iou)(list(grid.decode(numbers)))[..., :4]
    cut = layers.RoIAlign(7, 1 / grid.stride, sampling_ratio=2)([features, boxes])
    told = region_heads(cut, boxes, classes, hidden, activation)
    return Model(images, [numbers, told], name=name), features, boxes


def _images(who: str, size: Any, channels: int, stride: int) -> Tensor:
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ArgumentError(f"{who}: expected a size (height, width), got {size!r}")
    height, width, channels, stride = positive(who, height=size[0], width=size[1], channels=channels, stride=stride)
    if stride & (stride - 1):
        raise ArgumentError(f"{who}: expected a stride that is a power of two, got {stride}")
    if stride > 1 and (height % (2 * stride) or width % (2 * stride)):
        raise ArgumentError(f"{who}: expected a size of multiples of {2 * stride}, twice the stride, got "
                            f"{(height, width)}")
    return layers.Input((height, width, channels))


def _begin_with_background(head: Any) -> None:
    """Set the objectness that a network without training tells (Lin et al., "Focal loss", 2017, section 3.3)."""
    kernel, bias = head.get_weights()
    bias = np.zeros(bias.shape, np.float32).reshape(-1, 5)
    bias[:, 4] = -math.log((1 - _PRIOR) / _PRIOR)
    head.set_weights([kernel, bias.reshape(-1)])
