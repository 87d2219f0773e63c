"""Pictures within a page: as data, small, and of few bytes."""

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHARP = 48  # pixels of a side: what is smaller is shown pixel by pixel, and kept without loss
_QUALITY = 80


def data_uri(pixels: NDArray[np.uint8], side: int = 96) -> str:
    """Return a picture (H, W, 1 or 3) of 8 bits as ``data:image/...``, its longer side at most so many pixels.

    Large pictures are JPEG where Pillow is installed, others PNG, which needs nothing.
    """
    small = reduced(pixels, side)
    if max(small.shape[:2]) > _SHARP:
        try:
            from PIL import Image
        except ImportError:
            small = reduced(small, 64)
        else:
            file = io.BytesIO()
            Image.fromarray(small[..., 0] if small.shape[-1] == 1 else small).save(file, "JPEG", quality=_QUALITY)
            return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    return f"data:image/png;base64,{base64.b64encode(png(small)).decode()}"


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of a picture (H, W, 1 or 3) of 8 bits.

    References
    ----------
    PNG (third edition), W3C 2025, sections 5 and 11.
    """
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")))


def reduced(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture made smaller by whole numbers of pixels, each the mean of a square."""
    factor = -(-max(pixels.shape[:2]) // side)
    if factor <= 1:
        return pixels
    height, width = (max(1, length // factor) for length in pixels.shape[:2])
    cut = pixels[: height * factor, : width * factor] if min(pixels.shape[:2]) >= factor else pixels
    blocks = cut[: height * factor, : width * factor].reshape(height, -1, width, cut.shape[1] // width, cut.shape[2])
    found: NDArray[np.uint8] = np.round(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return found


def for_the_eye(x: Any, scale: float) -> NDArray[np.uint8]:
    """Return images (N, H, W, C) of values 0 to `scale` as (N, H, W, 1 or 3) of 8 bits."""
    pixels = np.asarray(x, np.float32) * np.float32(255 / scale)
    if pixels.shape[-1] not in (1, 3):
        pixels = pixels[..., :3] if pixels.shape[-1] > 3 else pixels.mean(axis=-1, keepdims=True)
    found: NDArray[np.uint8] = np.round(np.clip(np.nan_to_num(pixels), 0, 255)).astype(np.uint8)
    return found
