"""Blocks of pixels that become channels, and the other way round; labels as rows of many; peak signal to noise."""

from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.ops.arithmetic import divide, multiply, subtract
from fastcnn.ops.casting import meet
from fastcnn.ops.creation import one_hot
from fastcnn.ops.elementary import log10, square
from fastcnn.ops.reduction import max as largest
from fastcnn.ops.reduction import mean
from fastcnn.ops.shaping import reshape, transpose
from fastcnn.ops.windows import channels_last


def _images(who: str, x: Any, block_size: Any, data_format: Any) -> Any:
    channels_last(who, data_format)
    (x,) = meet(f"ops.{who}", x)
    if x.ndim != 4 or not is_integer(block_size) or block_size < 2:
        raise ArgumentError(f"ops.{who}: expected images (N, H, W, C) and a block_size of at least 2, got "
                            f"{tuple(x.shape)} and {block_size!r}")
    return x


def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images b times as high and wide, whose blocks of b x b pixels were channels: (N, b H, b W, C / b^2).

    Parameters
    ----------
    x : (N, H, W, C) array or tensor
    block_size : int
        b.
    data_format : str
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.depth_to_space(np.ones((1, 4, 4, 8), "float32"), 2).shape
    (1, 8, 8, 2)
    """
    x, b = _images("depth_to_space", x, block_size, data_format), block_size
    _, h, w, c = x.shape
    if c % (b * b):
        raise ArgumentError(f"ops.depth_to_space: expected channels that {b} x {b} divides, got {c}")
    blocks = transpose(reshape(x, (-1, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (-1, h * b, w * b, c // (b * b)))


def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images whose blocks of b x b pixels are channels: (N, H / b, W / b, b^2 C).

    Parameters
    ----------
    x : (N, H, W, C) array or tensor
    block_size : int
        b.
    data_format : str
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.space_to_depth(np.ones((1, 8, 8, 2), "float32"), 2).shape
    (1, 4, 4, 8)
    """
    x, b = _images("space_to_depth", x, block_size, data_format), block_size
    _, h, w, c = x.shape
    if h % b or w % b:
        raise ArgumentError(f"ops.space_to_depth: expected height and width that {b} divides, got {h} x {w}")
    blocks = transpose(reshape(x, (-1, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (-1, h // b, w // b, b * b * c))


def multi_hot(inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None,
              sparse: bool = False) -> Any:
    """Return for lists of labels a row with a 1 at the place of each.

    Parameters
    ----------
    inputs : (.., labels) array or tensor of integers
    num_classes : int
    axis : int
        Where the classes lie in the result.
    dtype : str, optional
        "float32" if absent.
    sparse : bool
        True is not offered.

    Examples
    --------
    >>> fc.ops.multi_hot([[0, 2]], 4)
    array([[1., 0., 1., 0.]], dtype=float32)
    """
    (x,) = meet("ops.multi_hot", inputs)
    if num_classes is None:
        raise ArgumentError("ops.multi_hot: expected num_classes, got None")
    return largest(one_hot(x, num_classes, axis, dtype, sparse), axis=1 if x.ndim > 1 else 0)


def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Return the peak signal to noise ratio in decibels: 20 log10(max_val) - 10 log10(mean((x1 - x2)^2)).

    Parameters
    ----------
    x1, x2 : arrays or tensors of one shape
    max_val : float
        The largest value that there may be.

    Examples
    --------
    >>> float(fc.ops.psnr([1.0, 0.0], [0.0, 1.0], 10.0).round(3))
    20.0
    """
    x1, x2 = meet("ops.psnr", x1, x2, floating=True)
    if x1.ndim != x2.ndim:
        raise ArgumentError(f"ops.psnr: expected tensors of one shape, got {tuple(x1.shape)} and {tuple(x2.shape)}")
    return multiply(log10(divide(mean(square(subtract(x1, x2))), float(max_val) ** 2)), -10.0)
