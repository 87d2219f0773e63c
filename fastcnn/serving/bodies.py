"""The body of a request: a picture's file, or the pixels of an image as JSON."""

import io
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._pillow import opened
from fastcnn.errors import DataError
from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

#: Formats that Pillow decodes by itself and within bounds; others call programs, or unpack more than they tell.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_DIGITS = 32  # bytes of a number in JSON, with what stands between two of them
_MORE = 1024  # bytes of JSON beside the numbers


class _Pixels(msgspec.Struct, forbid_unknown_fields=True):
    pixels: list[list[float | list[float]]]


def picture_in(body: bytes, limits: Limits) -> io.BytesIO:
    """Return a picture's file, once its head has told a known format and a size that may be decoded.

    Raises
    ------
    Refusal
        400 for an empty body; 413 for too many pixels; 415 for a format that is not taken.
    """
    if not body:
        raise Refusal(400, "predict: expected a picture as the body, got an empty one; curl sends a file with "
                           "--data-binary @seven.png")
    file = io.BytesIO(body)
    try:
        with opened(file, FORMATS) as image:
            width, height = image.size
    except DataError:
        raise Refusal(415, f"predict: expected a picture, {', '.join(FORMATS)}, got bytes of another kind, or of too "
                           "many pixels to be trusted; save it as PNG") from None
    if width * height > limits.pixels:
        raise Refusal(413, f"predict: expected at most {limits.pixels:,} pixels, got a picture of {width} x {height}; "
                           "scale it down")
    file.seek(0)
    return file


def pixels_in(body: bytes, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an image (H, W, C) of values from 0 to 1.

    Parameters
    ----------
    body : bytes
        ``{"pixels": [[0, 0.5, ...], ...]}``: rows of numbers, or of lists with a number for each channel.
    shape : (H, W, C)
        Of the image that the network takes.

    Raises
    ------
    Refusal
        400 for what is no such JSON; 413 for more bytes than the numbers of an image can have; 422 for another shape,
        or for values that are none from 0 to 1.
    """
    most = _MORE + _DIGITS * int(np.prod(shape))
    if len(body) > most:
        raise Refusal(413, f"predict: expected at most {most:,} bytes of JSON for pixels {shape}, got {len(body):,}; "
                           "send the picture's file instead")
    try:
        rows = msgspec.json.decode(body, type=_Pixels).pixels
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(400, f'predict: expected JSON, {{"pixels": [[0, 0.5, 1], ...]}}, got another: {error}') from None
    try:
        x: NDArray[Any] = np.array(rows, np.float64)  # float32 would warn of numbers beyond it
    except (ValueError, OverflowError):
        raise Refusal(422, f"predict: expected pixels {shape}, got rows of several lengths") from None
    x = x[..., None] if x.ndim == 2 and shape[-1] == 1 else x
    if x.shape != shape:
        raise Refusal(422, f"predict: expected pixels {shape}, got {x.shape}; send the picture's file to have it "
                           "resized")
    if not (np.isfinite(x).all() and x.min() >= 0 and x.max() <= 1):
        raise Refusal(422, "predict: expected pixels from 0 to 1, got values beyond; divide bytes by 255")
    return np.ascontiguousarray(x, np.float32)
