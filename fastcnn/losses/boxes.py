"""Losses of boxes: 1 - how much a predicted box overlaps with the true one, for corners x1, y1, x2, y2."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.kernels import region_codes as codes
from fastcnn.losses.base import NONE, Loss
from fastcnn.losses.targets import FINITE, Takes


class _BoxLoss(Loss):
    """A loss of pairs of boxes."""

    code = -1
    takes: Takes | None = FINITE

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        if y_pred.shape[-1] != 4:
            raise ArgumentError(f"{self.name}: expected boxes (..., 4), corners x1, y1, x2, y2, got outputs "
                                f"{y_pred.shape}")
        return super().targets(y_true, y_pred)

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        if outputs != 4:
            raise ArgumentError(f"{self.name}: expected a model whose outputs are boxes, (..., 4), got {outputs} "
                                f"numbers each")
        super().check(y_true, outputs)

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else NONE[x.dtype].reshape(0, 0)
        d.kernels.box_loss(losses, dx, x, targets, weights, self.code, scale)


class BoxIoU(_BoxLoss):
    """1 - IoU of two boxes: 0 where they are equal, 1 where they do not touch, and then without a gradient.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[0, 0, 4, 4]], "float32"), np.array([[0, 0, 4, 2]], "float32")
    >>> losses.BoxIoU()(t, y)
    0.5
    """

    code = codes.IOU

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "box_iou", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class BoxGIoU(_BoxLoss):
    """1 - IoU + (C - U) / C, where U is the area of the union and C that of the box around both.

    Boxes that do not touch are drawn together, too.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    References
    ----------
    Rezatofighi, Tsoi, Gwak, Sadeghian, Reid, Savarese: Generalized intersection over union, CVPR 2019.

    Examples
    --------
    >>> t, y = np.array([[0, 0, 2, 2]], "float32"), np.array([[2, 0, 4, 4]], "float32")
    >>> losses.BoxGIoU()(t, y)
    1.25
    """

    code = codes.GIOU

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "box_giou",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class BoxDIoU(_BoxLoss):
    """1 - IoU + d^2 / c^2, where d is the distance of the centres and c the diagonal of the box around both.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    References
    ----------
    Zheng, Wang, Liu, Li, Ye, Ren: Distance-IoU loss, AAAI 2020, equation 7.

    Examples
    --------
    >>> t, y = np.array([[0, 0, 2, 4]], "float32"), np.array([[2, 0, 4, 4]], "float32")
    >>> losses.BoxDIoU()(t, y)
    1.125
    """

    code = codes.DIOU

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "box_diou",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class BoxCIoU(_BoxLoss):
    """`BoxDIoU` + a v, where v tells how the ratios of the sides differ and a is v / (1 - IoU + v).

    The gradient takes a for a constant, as the paper does.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    References
    ----------
    Zheng, Wang, Liu, Li, Ye, Ren: Distance-IoU loss, AAAI 2020, equations 8 to 12.

    Examples
    --------
    >>> t, y = np.array([[0, 0, 4, 4]], "float32"), np.array([[0, 0, 4, 2]], "float32")
    >>> round(losses.BoxCIoU()(t, y), 4)
    0.5345
    """

    code = codes.CIOU

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "box_ciou",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
