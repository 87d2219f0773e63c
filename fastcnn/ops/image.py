"""Operations on images, (N, H, W, C) or (H, W, C): `fastcnn.ops.image`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import several
from fastcnn.layers import Resizing
from fastcnn.ops.casting import meet
from fastcnn.ops.padding import pad
from fastcnn.ops.parts import get_item
from fastcnn.ops.product import matmul
from fastcnn.ops.shaping import reshape
from fastcnn.ops.windows import by_layer, channels_last, conv

__all__ = ["crop_images", "extract_patches", "pad_images", "resize", "rgb_to_grayscale"]

_LUMINANCE = (0.2989, 0.587, 0.114)  # of red, green and blue, as Keras and TensorFlow weigh them


def _batch(who: str, images: Any) -> tuple[Any, bool]:
    """Return images as a batch of them, and whether it was one alone."""
    (x,) = meet(f"ops.image.{who}", images)
    if x.ndim not in (3, 4):
        raise ArgumentError(f"ops.image.{who}: expected images (N, H, W, C) or one, (H, W, C), got {tuple(x.shape)}")
    return (reshape(x, (1, *x.shape)), True) if x.ndim == 3 else (x, False)


def _as_given(x: Any, alone: bool) -> Any:
    return reshape(x, x.shape[1:]) if alone else x


def resize(images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
           crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
           fill_value: float = 0.0, data_format: str | None = None) -> Any:
    """Return images of another size, as `fastcnn.layers.Resizing`.

    Parameters
    ----------
    images : (N, H, W, C) or (H, W, C) array or tensor
    size : (int, int)
        Height and width.
    interpolation : str
        "bilinear", "nearest" or "bicubic".
    antialias, crop_to_aspect_ratio, pad_to_aspect_ratio : bool
    fill_mode : str
        "constant".
    fill_value : float
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.image.resize(np.ones((1, 8, 8, 3), "float32"), (4, 6)).shape
    (1, 4, 6, 3)
    """
    channels_last("image.resize", data_format)
    x, alone = _batch("resize", images)
    height, width = several(size, 2, "ops.image.resize: size")
    y = by_layer(Resizing, "image.resize", x, height, width, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio,
                 fill_mode, fill_value, antialias)
    return _as_given(y, alone)


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Return the luminance of images, (.., H, W, 1).

    Parameters
    ----------
    images : (N, H, W, 3) or (H, W, 3) array or tensor
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.image.rgb_to_grayscale(np.ones((4, 4, 3), "float32")).shape
    (4, 4, 1)
    """
    channels_last("image.rgb_to_grayscale", data_format)
    x, alone = _batch("rgb_to_grayscale", images)
    if x.shape[-1] not in (1, 3):
        raise ArgumentError(f"ops.image.rgb_to_grayscale: expected 3 channels, got {tuple(x.shape)}")
    (x,) = meet("ops.image.rgb_to_grayscale", x, floating=True)
    y = x if x.shape[-1] == 1 else matmul(x, np.reshape(_LUMINANCE, (3, 1)).astype(x.dtype))
    return _as_given(y, alone)


def extract_patches(images: Any, size: Any, strides: Any = None, dilation_rate: int = 1, padding: str = "valid",
                    data_format: str | None = None) -> Any:
    """Return the windows of images, each as a row: (N, H', W', height width C).

    Parameters
    ----------
    images : (N, H, W, C) or (H, W, C) array or tensor
    size : int or (int, int)
    strides : int or (int, int), optional
        `size` if absent.
    dilation_rate : int
    padding : str
        "valid" or "same".
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> fc.ops.image.extract_patches(np.ones((1, 8, 8, 3), "float32"), 4).shape
    (1, 2, 2, 48)
    """
    channels_last("image.extract_patches", data_format)
    x, alone = _batch("extract_patches", images)
    (x,) = meet("ops.image.extract_patches", x, floating=True)
    height, width = several(size, 2, "ops.image.extract_patches: size")
    channels = x.shape[-1]
    rows = height * width * channels
    filters = np.eye(rows, dtype=x.dtype).reshape(height, width, channels, rows)
    return _as_given(conv(x, filters, (height, width) if strides is None else strides, padding,
                          dilation_rate=dilation_rate), alone)


def _border(who: str, n: int, before: Any, after: Any, target: Any, grows: bool) -> tuple[int, int]:
    """Return what is added or cut before and after a length, of which two of three are told."""
    told = [one for one in (before, after, target) if one is not None]
    if len(told) != 2:
        raise ArgumentError(f"ops.image.{who}: expected two of the border before, that after and the length of the "
                            f"result, for each dimension, got {len(told)}")
    change = None if target is None else target - n if grows else n - target
    before = change - after if before is None and change is not None else before
    after = change - before if after is None and change is not None else after
    if min(before, after) < 0 or (not grows and before + after >= n):
        raise ArgumentError(f"ops.image.{who}: expected borders of at least 0 that leave something of {n} pixels, got "
                            f"{before} and {after}")
    return int(before), int(after)


def pad_images(images: Any, top_padding: int | None = None, left_padding: int | None = None,
               bottom_padding: int | None = None, right_padding: int | None = None, target_height: int | None = None,
               target_width: int | None = None, data_format: str | None = None) -> Any:
    """Return images with zeros around them; of each dimension two of three numbers are told.

    Parameters
    ----------
    images : (N, H, W, C) or (H, W, C) array or tensor
    top_padding, left_padding, bottom_padding, right_padding : int, optional
    target_height, target_width : int, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> x = np.ones((1, 8, 8, 3), "float32")
    >>> fc.ops.image.pad_images(x, 1, 2, target_height=10, target_width=12).shape
    (1, 10, 12, 3)
    """
    channels_last("image.pad_images", data_format)
    x, alone = _batch("pad_images", images)
    rows = _border("pad_images", x.shape[1], top_padding, bottom_padding, target_height, True)
    columns = _border("pad_images", x.shape[2], left_padding, right_padding, target_width, True)
    return _as_given(pad(x, ((0, 0), rows, columns, (0, 0))), alone)


def crop_images(images: Any, top_cropping: int | None = None, left_cropping: int | None = None,
                bottom_cropping: int | None = None, right_cropping: int | None = None,
                target_height: int | None = None, target_width: int | None = None,
                data_format: str | None = None) -> Any:
    """Return images without some of their borders; of each dimension two of three numbers are told.

    Parameters
    ----------
    images : (N, H, W, C) or (H, W, C) array or tensor
    top_cropping, left_cropping, bottom_cropping, right_cropping : int, optional
    target_height, target_width : int, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> x = np.ones((1, 8, 8, 3), "float32")
    >>> fc.ops.image.crop_images(x, 1, 2, target_height=4, target_width=4).shape
    (1, 4, 4, 3)
    """
    channels_last("image.crop_images", data_format)
    x, alone = _batch("crop_images", images)
    height, width = x.shape[1:3]
    top, bottom = _border("crop_images", height, top_cropping, bottom_cropping, target_height, False)
    left, right = _border("crop_images", width, left_cropping, right_cropping, target_width, False)
    y = get_item(x, (slice(None), slice(top, height - bottom), slice(left, width - right)))
    return _as_given(y, alone)


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("ops")
