"""A sheet of pictures with a line of text under each, as a PNG."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIDE = 72  # pixels of a tile at least; small pictures are enlarged without smoothing, to be seen as they are
_GAP, _LINE = 6, 13
_GROUND, _INK = 255, 0
_LETTER = 6  # pixels of width


def sheet(images: NDArray[np.uint8], texts: Sequence[str], columns: int) -> bytes:
    """Return a PNG of pictures in rows.

    Parameters
    ----------
    images : (N, H, W, 1) or (N, H, W, 3) array of uint8
    texts : sequence of N str
        What stands under each, in lines; cut where one is longer than the picture is wide.
    columns : int

    Raises
    ------
    ImportError
        Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ImportError('data show: drawing pictures needs Pillow: pip install "fastcnn[image]"') from None
    factor = -(-_SIDE // max(images.shape[1:3]))
    tiles = images.repeat(factor, axis=1).repeat(factor, axis=2)
    lines = 1 + max(text.count("\n") for text in texts)
    height, width = tiles.shape[1] + lines * _LINE + _GAP, tiles.shape[2] + _GAP
    rows = -(-len(tiles) // columns)
    whole = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), (_GROUND,) * 3)
    draw = ImageDraw.Draw(whole)
    for k, (tile, text) in enumerate(zip(tiles, texts, strict=True)):
        left, top = _GAP + k % columns * width, _GAP + k // columns * height
        whole.paste(Image.fromarray(tile[..., 0] if tile.shape[-1] == 1 else tile), (left, top))
        for number, line in enumerate(text.split("\n")):
            place = left, top + tiles.shape[1] + number * _LINE
            draw.text(place, _shown(line, tiles.shape[2] // _LETTER), fill=(_INK,) * 3)
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def _shown(text: str, most: int) -> str:
    """Return a text of so many letters at most, of those that Pillow's own font has."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    return plain if len(plain) <= most else f"{plain[: most - 2]}.."


def undone(x: Any, mean: Sequence[float], std: Sequence[float]) -> NDArray[np.uint8]:
    """Return standardized images (N, H, W, C) as a person can look at them: of one channel, or of three.

    Parameters
    ----------
    x : array
    mean, std : sequence of float
        Of pixels from 0 to 1: x was (pixel - mean) / std.
    """
    pixels = np.asarray(x, np.float32) * np.array(std, np.float32) + np.array(mean, np.float32)
    if pixels.shape[-1] not in (1, 3):
        pixels = pixels[..., :3] if pixels.shape[-1] > 3 else pixels.mean(axis=-1, keepdims=True)
    seen: NDArray[np.uint8] = np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    return seen
