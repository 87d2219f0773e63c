"""A page of pictures with their boxes, masks or persons drawn, as a PNG."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

_SIDE, _COLUMNS, _GAP, _LINE = 320, 4, 6, 14
#: Colours that are told apart with any eyes, as far as there are such (Okabe and Ito, 2008).
COLORS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))


def page(part: Any, classes: Sequence[str], most: int) -> bytes:
    """Return a PNG with the first pictures of a part.

    Parameters
    ----------
    part : BoxedImages, MaskedImages or IdentityImages
    classes : sequence of str
        Of boxes; named below the pictures in their colours.
    most : int
        So many pictures at most.

    Raises
    ------
    ImportError
        Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ImportError('data check: drawing pictures needs Pillow: pip install "fastcnn[image]"') from None
    tiles = [_tile(part, row) for row in _rows(part, most)]
    width, height = (max(tile[0].size[k] for tile in tiles) for k in range(2))
    rows = -(-len(tiles) // _COLUMNS)
    columns = min(_COLUMNS, len(tiles))
    size = columns * (width + _GAP) + _GAP, rows * (height + _LINE + _GAP) + _GAP + _LINE
    whole = Image.new("RGB", size, (255,) * 3)
    draw = ImageDraw.Draw(whole)
    for k, (tile, text) in enumerate(tiles):
        left, top = _GAP + k % _COLUMNS * (width + _GAP), _GAP + k // _COLUMNS * (height + _LINE + _GAP)
        whole.paste(tile, (left, top))
        draw.text((left, top + tile.size[1]), _plain(text)[: width // 6], fill=(0,) * 3)
    if hasattr(part, "boxes"):
        left = _GAP
        for k, name in enumerate(classes):
            draw.text((left, whole.size[1] - _LINE - 2), _plain(name), fill=COLORS[k % len(COLORS)])
            left += 6 * len(name) + 18
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def _rows(part: Any, most: int) -> list[int]:
    """Return which pictures are drawn: the first ones, or of persons one each."""
    if hasattr(part, "labels"):
        return np.unique(part.labels, return_index=True)[1][: 4 * most : 4].tolist()[:most]
    return list(range(min(most, len(part))))


def _tile(part: Any, row: int) -> tuple[Any, str]:
    """Return a picture, scaled down where it is large, with what is known of it drawn; and its name."""
    from PIL import Image, ImageDraw

    pixels = part.images[row]
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    if hasattr(part, "masks"):
        picture = Image.fromarray(_marked(np.asarray(picture), part.masks[row]))
    scale = min(1.0, _SIDE / max(picture.size))
    size = [max(1, round(scale * side)) for side in picture.size]
    picture = picture.resize(size, Image.Resampling.BOX) if scale < 1 else picture
    if hasattr(part, "boxes"):
        draw, some = ImageDraw.Draw(picture), part.slice_of(row)
        for box, label in zip(part.boxes[some] * scale, part.classes[some].tolist(), strict=True):
            x1, y1, x2, y2 = (float(value) for value in box)
            # The frame is drawn on the pixels within: the last one is half-open.
            draw.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=COLORS[label % len(COLORS)], width=2)
    name = part.names[int(part.labels[row])] if hasattr(part, "labels") else part.files[row].rpartition("/")[2]
    return picture, name


def _marked(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a picture with the pixels of each object or class tinted, and the unknown ones grey."""
    colors = np.array([*COLORS, (128,) * 3], np.float32)
    tint = colors[np.where(mask < 0, len(COLORS), (mask - 1) % len(COLORS))]
    mixed = np.where((mask != 0)[..., None], 0.5 * pixels + 0.5 * tint, pixels)
    return mixed.astype(np.uint8)


def _plain(text: str) -> str:
    """Return a text in the letters that Pillow's own font has."""
    return text.encode("latin-1", "replace").decode("latin-1")
