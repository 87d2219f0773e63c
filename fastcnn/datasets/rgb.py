"""Pictures of three channels and 8 bits, from files and to files."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._fitting import eight_bits, white_of, with_channels
from fastcnn.datasets._pillow import read_picture
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded, write_atomically

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF",
            ".tiff": "TIFF", ".ppm": "PPM"}


def read_rgb(path: str | os.PathLike[str] | io.BytesIO) -> NDArray[np.uint8]:
    """Return a picture file as (H, W, 3): upright, on white where it is transparent, grey made RGB.

    Raises
    ------
    DataError
        No picture, or a damaged one.
    ImportError
        Pillow is not installed.
    """
    pixels: NDArray[Any] = read_picture(path if isinstance(path, io.BytesIO) else expanded(path)).pixels
    steps: list[str] = []
    if pixels.dtype != np.uint8:
        pixels = eight_bits(pixels, white_of(int(pixels.max())), steps)
    return with_channels(pixels, 3, steps)


def picture_format(path: str | os.PathLike[str], who: str) -> str:
    """Return what Pillow calls the format of a path's ending.

    Raises
    ------
    ArgumentError
        If it is the ending of no format that is written.
    """
    ending = Path(path).suffix.lower()
    if ending not in _FORMATS:
        raise ArgumentError(f"{who}: expected a picture's name that ends in {', '.join(_FORMATS)}, got {str(path)!r}")
    return _FORMATS[ending]


def write_picture(path: str | os.PathLike[str], pixels: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) or (H, W, 1), whole or not at all; JPEG in its best useful quality.

    Raises
    ------
    ArgumentError
        The ending is that of no format.
    PathError
        There is no such folder.
    ImportError
        Pillow is not installed.
    """
    kind = picture_format(path, "write_picture")
    try:
        from PIL import Image
    except ImportError:
        raise ImportError('writing pictures needs Pillow: pip install "fastcnn[image]"') from None
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, kind, quality=95)
    write_atomically(expanded(path), file.getvalue())
