"""Pictures from files: opaque, upright, grey or RGB of eight bits, or grey of sixteen."""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._fitting import Fit, least_size
from fastcnn.datasets._jpeg import decode_jpeg, part_of
from fastcnn.errors import DataError

_ORIENTATION = 0x0112  # EXIF tag
_ONE_AT_A_TIME = threading.Lock()  # what warnings do is one setting for all threads


class PictureRead(NamedTuple):
    """What a file shows.

    Attributes
    ----------
    pixels : ndarray of uint8, (H, W, 1) or (H, W, 3), or of uint16, (H, W, 1)
        One channel where red, green and blue are equal in every pixel. Grey of 16 bits is left as it is: how many of
        them are used shows in all pictures together. (Pillow itself makes colours of 16 bits eight.)
    steps : list of str
        What was done beyond reading, in words.
    size : (int, int)
        Height and width of the whole picture, upright.
    """

    pixels: NDArray[Any]
    steps: list[str]
    size: tuple[int, int]


def read_picture(path: Path | BytesIO, image_size: tuple[int, int] | None = None, fit: Fit = "crop") -> PictureRead:
    """Read a picture file, apply its EXIF orientation and put what is transparent on white.

    Parameters
    ----------
    path : Path or BytesIO
        A file of any format that Pillow reads; of several frames the first counts.
    image_size : (int, int), optional
        Height and width that it will be brought to. A JPEG may then be read at a part of its size, which is not less.
    fit : {"crop", "pad", "stretch"}
        How it will be brought there.

    Raises
    ------
    DataError
        A missing file, a folder, no picture, a damaged or truncated one, or one of too many pixels to be trusted.
    ImportError
        Pillow is not installed.
    """
    with opened(path) as image:
        return _decode(path, image, image_size, fit)


def size_of(path: Path) -> tuple[int, int] | None:
    """Return height and width that the head of a picture file tells, upright; None if it tells none.

    Nothing is decoded: a folder of large pictures shows its sizes in a moment.

    Raises
    ------
    ImportError
        Pillow is not installed.
    """
    try:
        with opened(path) as image:
            # Pillow decodes the whole of a PNG to look for its orientation, which it hardly ever has.
            is_turned = image.format != "PNG" and image.getexif().get(_ORIENTATION, 1) >= 5
            width, height = image.size[::-1] if is_turned else image.size
            return height, width
    except DataError:
        return None


def read_labels(path: Path) -> tuple[NDArray[np.int32], bool]:
    """Read a picture whose pixels are whole numbers: of classes or of objects.

    Parameters
    ----------
    path : Path
        Grey of 1, 8 or 16 bits, or of a palette, whose places count, not its colours.

    Returns
    -------
    labels : (H, W) int32 array
    has_palette : bool

    Raises
    ------
    DataError
        As `read_picture`; a picture of colours.
    ImportError
        Pillow is not installed.
    """
    with opened(path) as image:
        pixels = np.asarray(image if image.mode in ("P", "L", "I", "I;16", "I;16B") else image.convert("L")
                            if image.mode in ("1", "LA") else image.convert("RGB"))
        if pixels.ndim == 3 and not _is_grey(pixels):
            raise ValueError("pixels are colours, expected whole numbers in grey or in a palette")
        return (pixels if pixels.ndim == 2 else pixels[..., 0]).astype(np.int32), image.mode == "P"


@contextlib.contextmanager
def opened(path: Path | BytesIO, formats: tuple[str, ...] | None = None) -> Iterator[Any]:
    """Open a picture; whatever is wrong with the file, then or later in the block, is one `DataError`.

    Parameters
    ----------
    path : Path or BytesIO
    formats : tuple of str, optional
        Pillow's names of those that are taken. Default: all.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('reading pictures needs Pillow: pip install "fastcnn[image]"') from error
    who = name_of(path)
    if isinstance(path, Path) and not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise DataError(f"{path}: expected a picture file, got {found}; check the path")
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            # Pillow only warns from 89 million pixels on, and raises at twice that.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(path, formats=formats)
        with opened as image:
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(
            f"{who}: expected at most {Image.MAX_IMAGE_PIXELS} pixels, got a picture that claims more; scale it down"
        ) from error
    except Image.UnidentifiedImageError as error:
        raise DataError(
            f"{who}: expected a picture, got a file of another or an unknown kind; save it as PNG"
        ) from error
    # Pillow's many decoders raise nearly anything on damaged files (SyntaxError, struct.error, IndexError ...).
    except Exception as error:
        raise DataError(
            f"{who}: expected a whole picture, got a damaged or unsupported one ({error}); save it again as PNG"
        ) from error


def name_of(path: Path | BytesIO) -> str:
    """Return what a picture is called in errors."""
    return str(path) if isinstance(path, Path) else "the picture"


def _decode(path: Path | BytesIO, image: Any, image_size: tuple[int, int] | None, fit: Fit) -> PictureRead:
    from PIL import Image, ImageOps

    steps, orientation = list[str](), image.getexif().get(_ORIENTATION, 1)
    size = (image.width, image.height) if orientation >= 5 else (image.height, image.width)
    pixels: NDArray[Any] | None = None
    if image.format == "JPEG":
        part = 1 if image_size is None else part_of(size, least_size(size, image_size, fit))
        pixels = decode_jpeg(path, image, part, orientation)
        if part > 1:
            steps.append(f"read at 1/{part} of its size")
    if pixels is None and orientation != 1:
        image = ImageOps.exif_transpose(image)
    if orientation != 1:
        steps.append("turned upright by its EXIF orientation")
    if image.mode == "F":
        raise ValueError("pixels are floats of unknown range")
    if image.mode.startswith("I"):  # 16 bits, which convert() would clip to 255 rather than scale
        wide = np.asarray(image)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise ValueError("pixels are integers beyond 16 bits")
        return PictureRead(wide.astype(np.uint16)[..., None], steps, size)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            steps.append("transparency put on white")
    if pixels is None:
        pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
        pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return PictureRead(np.ascontiguousarray(pixels[..., :1] if _is_grey(pixels) else pixels), steps, size)


def _is_grey(pixels: NDArray[Any]) -> bool:
    """Return whether all channels are equal; one row of a photograph tells it at once."""
    row, rest = pixels[len(pixels) // 2 : len(pixels) // 2 + 1], pixels
    return all(bool((some[..., :1] == some[..., 1:]).all()) for some in (row, rest))
