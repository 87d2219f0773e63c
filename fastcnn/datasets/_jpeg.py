"""JPEG pictures decoded at a part of their size where a small image is wanted, by simplejpeg where it is installed.

A JPEG decoder makes a picture of a half, a quarter or an eighth of the size from fewer frequencies: the mean of the
pixels, for a fraction of the work. Both libraries decode by libjpeg-turbo, to the same pixels; simplejpeg takes a third
of the time where the copies that Pillow makes cost as much as the decoding.
"""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PARTS = (8, 4, 2)
_COLORS = {"RGB": "RGB", "L": "GRAY"}  # Pillow's modes; others it decodes itself
_TURNED = {  # EXIF orientations: how rows and columns come to lie
    2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1], 5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1), 7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}  # fmt: skip


@cache
def _library() -> Any:
    """Return simplejpeg, or None where it is not installed."""
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def part_of(size: tuple[int, int], least: tuple[int, int]) -> int:
    """Return by what a picture's size may be divided: 8, 4, 2 or 1, so that it is not smaller than `least`."""
    return next((part for part in _PARTS if all(-(-a // part) >= b for a, b in zip(size, least))), 1)


def decode_jpeg(path: Path | BytesIO, image: Any, part: int, orientation: int) -> NDArray[np.uint8] | None:
    """Return an upright picture (H, W, C) in its own colours by simplejpeg; None where Pillow has to.

    Parameters
    ----------
    path : Path or BytesIO
    image : PIL.Image.Image
        The same file, opened and not read. It is told to decode at a part of the size, should it have to.
    part : int
        1, 2, 4 or 8: by what the size is divided.
    orientation : int
        Of EXIF, from 1 to 8.
    """
    color, (width, height) = _COLORS.get(image.mode), image.size
    if part > 1:
        image.draft(image.mode, (width // part, height // part))
    simplejpeg = _library()
    if simplejpeg is None or color is None:
        return None
    least = {} if part == 1 else {"min_height": -(-height // part), "min_width": -(-width // part)}
    data = path.read_bytes() if isinstance(path, Path) else path.getvalue()
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, color, **least)
    except ValueError:  # damaged, or what Pillow forgives: it decides
        return None
    return pixels if orientation not in _TURNED else _TURNED[orientation](pixels)
