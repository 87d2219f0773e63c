"""Pictures to arrays and back, with Keras's names: what Pillow reads and writes."""

import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.formats.files import user_path, write_atomically
from fastcnn.geometry.arguments import several

if TYPE_CHECKING:
    from PIL.Image import Image

#: Channels by what Keras calls them, and Pillow's modes.
COLOR_MODES = {"grayscale": (1, "L"), "rgb": (3, "RGB"), "rgba": (4, "RGBA")}
_DEEP_GREY = ("L", "I;16", "I")  # grey as it is
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(path: Any, color_mode: str = "rgb", target_size: tuple[int, int] | None = None,
             interpolation: str = "nearest", keep_aspect_ratio: bool = False) -> "Image":
    """Read a picture as Pillow's image; `img_to_array` makes an array of it.

    Parameters
    ----------
    path : path-like, or file object
    color_mode : str
        "grayscale", "rgb" or "rgba"; grey of more than eight bits stays as deep as it is.
    target_size : (int, int), optional
        Height and width that it is brought to.
    interpolation : str
        "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
    keep_aspect_ratio : bool
        Whether the largest middle part of the wanted shape is taken, and nothing is distorted.

    Raises
    ------
    DataError
        If there is no file, or no whole picture in it.
    ImportError
        If Pillow is not installed.

    Examples
    --------
    >>> fc.utils.save_img("grey.png", np.full((4, 6, 1), 0.5), scale=False)
    >>> fc.utils.load_img("grey.png", target_size=(2, 3)).size
    (3, 2)
    """
    from fastcnn.datasets._pillow import opened

    channels, mode = color(color_mode, "load_img")
    resample, size = _resampling(interpolation), None
    if target_size is not None:
        height, width = several(target_size, 2, "load_img: target_size")
        size = width, height
    with opened(path if hasattr(path, "read") else user_path(path, "load_img")) as image:
        image = image if channels == 1 and image.mode in _DEEP_GREY else image.convert(mode)
        image.load()
        if size is None or image.size == size:
            return image
        return image.resize(size, resample, box=_middle(image.size, height, width) if keep_aspect_ratio else None)


def color(color_mode: Any, who: str) -> tuple[int, str]:
    """Return how many channels a colour mode has, and what Pillow calls it.

    Parameters
    ----------
    color_mode : str
    who : str
        For the message of an ArgumentError.
    """
    if color_mode not in COLOR_MODES:
        raise ArgumentError(unknown(f"{who}: color_mode", color_mode, COLOR_MODES))
    return COLOR_MODES[color_mode]


def _resampling(interpolation: str) -> Any:
    from PIL import Image

    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(unknown("load_img: interpolation", interpolation, _INTERPOLATIONS))
    return Image.Resampling[interpolation.upper()]


def _middle(size: tuple[int, int], height: int, width: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the largest middle part of a picture that has a shape."""
    w, h = size
    part_h, part_w = min(h, w * height // width), min(w, h * width // height)
    left, top = (w - part_w) // 2, (h - part_h) // 2
    return left, top, left + part_w, top + part_h


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Return Pillow's image as an array (H, W, C), its values as they are.

    Parameters
    ----------
    img : Image
    data_format : str, optional
        "channels_last", the only order that is offered.
    dtype : str, optional
        float32 if absent.

    Examples
    --------
    >>> from PIL import Image
    >>> fc.utils.img_to_array(Image.new("RGB", (6, 4))).shape
    (4, 6, 3)
    """
    _channels_last("img_to_array", data_format)
    x = np.asarray(img, dtype=np.float32 if dtype is None else dtype)
    if x.ndim not in (2, 3):
        raise ArgumentError(f"img_to_array: expected an image of two or three dimensions, got {x.shape}")
    return x[..., None] if x.ndim == 2 else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> "Image":
    """Return an array (H, W, C) as Pillow's image: grey, RGB or RGBA of eight bits, deeper grey of values above 255.

    Parameters
    ----------
    x : array
        Of one, three or four channels.
    data_format : str, optional
        "channels_last", the only order that is offered.
    scale : bool
        Whether the least value becomes 0, and the largest 255. Else the values are 0..255.
    dtype : str, optional
        What it is computed in; float32 if absent.

    Examples
    --------
    >>> fc.utils.array_to_img(np.ones((4, 6, 3))).size
    (6, 4)
    """
    from PIL import Image

    _channels_last("array_to_img", data_format)
    x = np.array(x, dtype=np.float32 if dtype is None else dtype)
    if x.ndim != 3 or x.shape[2] not in (1, 3, 4):
        raise ArgumentError(f"array_to_img: expected one image (H, W, C) with C of 1, 3 or 4, got {x.shape}")
    if scale:
        x = x - np.min(x, initial=np.inf)
        largest = np.max(x, initial=0)
        x = (x / largest if largest else x) * 255
    if x.shape[2] > 1:
        return Image.fromarray(x.astype(np.uint8))
    deep = np.max(x, initial=0) > 255
    return Image.fromarray(x[..., 0].astype(np.int32 if deep else np.uint8))


def save_img(path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True,
             **kwargs: Any) -> None:
    """Write an array (H, W, C) as a picture.

    Parameters
    ----------
    path : path-like, or file object
    x, data_format, scale : as of `array_to_img`
    file_format : str, optional
        "png", "jpeg", ...; the path's ending if absent.
    **kwargs
        Handed on to Pillow: quality=95, say.

    Examples
    --------
    >>> fc.utils.save_img("noise.png", np.random.default_rng(0).random((4, 6, 3)))
    """
    is_path = isinstance(path, (str, bytes, os.PathLike))
    target = user_path(path, "save_img") if is_path else path
    if file_format is None and is_path:
        file_format = Path(target).suffix[1:]
    kind = (file_format or "").lower()
    kind = "jpeg" if kind == "jpg" else kind
    img = array_to_img(x, data_format, scale)
    if kind == "jpeg" and img.mode == "RGBA":
        warnings.warn("save_img: JPEG has no transparency, which is left out", stacklevel=2)
        img = img.convert("RGB")
    encoded = io.BytesIO()
    try:
        img.save(encoded, format=kind or None, **kwargs)
    except (KeyError, ValueError) as error:
        raise ArgumentError(f"save_img: expected a file format that Pillow writes, such as png or jpeg, got "
                            f"{file_format!r} ({error})") from None
    if is_path:
        write_atomically(target, encoded.getvalue(), lasting=False)
    else:
        path.write(encoded.getvalue())


def _channels_last(who: str, data_format: str | None) -> None:
    if data_format not in (None, "channels_last"):
        raise ArgumentError(f"{who}: data_format={data_format!r} is not offered; images are channels-last, (H, W, C)")
