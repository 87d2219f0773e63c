"""A picture file made into one model input, the way the model's training images were made."""

import math
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._fitting import Fit, as_image, check_fit, check_white, eight_bits, fitted, white_of, with_channels
from fastcnn.datasets._pillow import name_of, read_picture
from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import expanded

_MNIST_BOX = 20 / 28
_LEAST_CONTRAST = 25  # of 255 between ground and ink; below it a picture counts as blank
_INK = 0.25  # of the contrast: above it a pixel is ink, below it paper grain or JPEG noise


def read_image(
    path: str | os.PathLike[str] | BytesIO,
    input_shape: Sequence[int],
    scale_to: float = 1.0,
    background: Literal["dark", "light"] | None = None,
    ink_box: float | None = _MNIST_BOX,
    fit: Fit = "crop",
    white: int | None = None,
) -> tuple[NDArray[np.float32], list[str]]:
    """Read a picture file as one input (H, W, C) with values 0..1, and tell what was done to it.

    The picture is turned upright by its EXIF orientation, put on white where it is transparent, and made grey or RGB.
    Then

    - with a `background`, it is inverted if its own ground is the opposite one (the median of its outermost pixels
      decides);
    - grey with a `background` and an `ink_box`, it is handled as MNIST was: the ink's bounding box is scaled, keeping
      its shape, until its longer side fills that share of the frame, and is placed with its centre of mass in the
      middle (a box that fills the frame: by its own centre);
    - otherwise it is brought to the input's height and width as the pictures of the training were (`fit`): cropped
      around its centre to the input's aspect ratio and resized (Lanczos), say.

    A picture that has exactly the input's height and width is neither cropped nor resized.

    Parameters
    ----------
    path : path-like or BytesIO
        A picture of any format that Pillow reads.
    input_shape : sequence of 3 ints
        (H, W, C) of the model's input, C = 1 for grey or 3 for RGB.
    scale_to : float
        The value that white becomes.
    background : {"dark", "light"} or None
        The ground of the training images: `Dataset.background`.
    ink_box : float or None
        The share of the frame that ink fills: `Dataset.ink_box`. None: do not look for ink.
    fit : {"crop", "pad", "stretch"}
        As in `Pictures`: `Dataset.pictures` has that of the training.
    white : int or None
        The value that is white in a picture of 16 bits: `Dataset.pictures` has that of the training. None: the
        greatest one of the bits that the picture uses, 8, 10, 12, 14 or 16.

    Returns
    -------
    x : ndarray of float32, (H, W, C)
        Values from 0 to `scale_to`.
    steps : list of str
        What was done, in words and in order: ``"greyed"``, ``"inverted (light background)"``,
        ``"cropped to 112x90 at (10, 22)"`` (width x height, left and top), ``"resized to 20x16"``.

    Raises
    ------
    ArgumentError
        An input shape, background, ink box, fit or white that cannot be.
    DataError
        No picture, a damaged, blank or too large one.
    ImportError
        Pillow is not installed.

    References
    ----------
    LeCun, Cortes, Burges: The MNIST database of handwritten digits (size normalization and centring).
    """
    height, width, channels = _check_arguments(input_shape, background, ink_box)
    check_fit(fit, "read_image")
    check_white(white, "read_image")
    path = path if isinstance(path, BytesIO) else expanded(path)
    pixels, steps, _ = read_picture(path, (height, width) if background is None else None, fit)
    x: NDArray[Any]
    if background is None:
        x = as_image(pixels, height, width, channels, fit, white, steps).astype(np.float32) / 255
        return np.ascontiguousarray(x * np.float32(scale_to)), steps
    if pixels.dtype != np.uint8:
        pixels = eight_bits(pixels, white_of(int(pixels.max())) if white is None else white, steps)
    pixels = with_channels(pixels, channels, steps)
    own = "light" if np.median(_border(pixels)) > 127.5 else "dark"
    if own != background:
        pixels = 255 - pixels
        steps.append(f"inverted ({own} background)")
    if ink_box is None or channels == 3:
        x = fitted(pixels, height, width, fit, steps).astype(np.float32) / 255
    else:
        fits = pixels.shape[:2] == (height, width)
        ink = pixels[..., 0] if background == "dark" else 255 - pixels[..., 0]
        ground = _check_ink(path, ink)
        framed = ink.astype(np.float32) / 255 if fits else _frame(ink, ground, height, width, ink_box, steps)
        x = (framed if background == "dark" else 1 - framed)[..., None]
    return np.ascontiguousarray(x * np.float32(scale_to)), steps


def _check_arguments(input_shape: Sequence[int], background: str | None, ink_box: float | None) -> tuple[int, int, int]:
    shape = tuple(input_shape)
    if len(shape) != 3 or shape[2] not in (1, 3) or min(shape[:2]) < 1:
        raise ArgumentError(
            f"read_image: expected input_shape (H, W, 1) or (H, W, 3), got {shape}; see model.input_shape"
        )
    if background not in ("dark", "light", None):
        raise ArgumentError(f"read_image: expected background 'dark', 'light' or None, got {background!r}")
    if ink_box is not None and not 0 < ink_box <= 1:
        raise ArgumentError(f"read_image: expected ink_box above 0 and at most 1, got {ink_box}; MNIST has 20 / 28")
    return shape


def _border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([edge.ravel() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])])


def _check_ink(path: Path | BytesIO, ink: NDArray[np.uint8]) -> int:
    """Return the value of the ground that the ink stands on, once there is ink."""
    ground = int(np.median(_border(ink)))
    if int(ink.max()) - ground < _LEAST_CONTRAST:
        raise DataError(f"{name_of(path)}: expected ink that stands out from its ground, got a blank picture; check "
                        "the file")
    return ground


def _frame(
    ink: NDArray[np.uint8], ground: int, height: int, width: int, ink_box: float, steps: list[str]
) -> NDArray[np.float32]:
    """Return bright ink (h, w) cropped, scaled into the box and centred in (height, width), on a ground of 0."""
    from PIL import Image

    left, top, right, bottom = _ink_extent(ink, ground)
    steps.append(f"cropped to {right - left}x{bottom - top} at ({left}, {top})")
    part: NDArray[Any] = np.maximum(ink[top:bottom, left:right].astype(np.float32) - ground, 0) / 255
    scale = min(ink_box * height / (bottom - top), ink_box * width / (right - left))
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = _resize(part, size, Image)
    steps.append(f"resized to {size[0]}x{size[1]}")
    # Thin strokes fade when they are scaled down, and paper is never quite white.
    peak = part.max()
    if peak < 0.9 or peak > 1:
        part = part / peak
        steps.append("contrast stretched")
    if ink_box < 1:
        rows, columns = part.sum(axis=1), part.sum(axis=0)
        mass = rows.sum()
        # MNIST's centre of mass lies at pixel 14 of 0 .. 27, measured on its test images: 13.99 and 14.01.
        y = height / 2 - (rows @ np.arange(len(rows))) / mass
        x = width / 2 - (columns @ np.arange(len(columns))) / mass
        steps.append(f"centred by its mass in {width}x{height}")
    else:
        # Rounded up, as in Fashion-MNIST (97 of 100 images) and the UCI digits (87 of 100).
        y, x = math.ceil((height - size[1]) / 2), math.ceil((width - size[0]) / 2)
        steps.append(f"centred in {width}x{height}")
    row, column = min(max(0, round(y)), height - size[1]), min(max(0, round(x)), width - size[0])
    framed = np.zeros((height, width), np.float32)
    framed[row : row + size[1], column : column + size[0]] = part
    return framed


def _resize(part: NDArray[np.float32], size: tuple[int, int], Image: Any) -> NDArray[np.floating]:
    return np.clip(np.asarray(Image.fromarray(part).resize(size, Image.Resampling.LANCZOS)), 0, 1)


def _ink_extent(ink: NDArray[np.uint8], ground: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is clearly brighter than the ground; right and bottom are exclusive."""
    marked = ink > ground + _INK * (int(ink.max()) - ground)
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
