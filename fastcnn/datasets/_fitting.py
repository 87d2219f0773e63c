"""Pictures of any size and depth made into images of one size, eight bits and as many channels as asked for."""

import numbers
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError, unknown

Fit = Literal["crop", "pad", "stretch"]
FITS = ("crop", "pad", "stretch")
_DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras, scanners and microscopes use of 16


class Pictures(NamedTuple):
    """How pictures are made into images: what was asked for, or in `Dataset.pictures` what was done.

    Attributes
    ----------
    image_size : (int, int) or None
        Height and width in pixels, as in Keras. None: the one size that all pictures have.
    fit : {"crop", "pad", "stretch"}
        How a picture of another shape gets there: the largest part around its centre that has the shape, the whole
        of it with black at two sides, or the whole of it distorted. It is resized then (Lanczos).
    channels : 1, 3 or None
        Grey or RGB. None: grey where all pictures are.
    white : int or None
        The value that is white in pictures of 16 bits: 4095 where they use 12 of them. None: decided by the largest
        value in the whole folder; in `Dataset.pictures`, that there are none.
    skip_damaged : bool
        Whether files that cannot be read are passed over, and counted.
    """

    image_size: tuple[int, int] | None = None
    fit: Fit = "crop"
    channels: int | None = None
    white: int | None = None
    skip_damaged: bool = False


def check_pictures(asked: Pictures, who: str) -> Pictures:
    """Return what was asked for, checked.

    Raises
    ------
    ArgumentError
    """
    size = asked.image_size
    if size is not None:
        if not isinstance(size, tuple | list) or len(size) != 2 or not all(_is_positive(n) for n in size):
            raise ArgumentError(f"{who}: expected image_size=(height, width) of positive integers, got {size!r}")
        asked = asked._replace(image_size=(int(size[0]), int(size[1])))
    check_fit(asked.fit, who)
    check_white(asked.white, who)
    if asked.channels not in (None, 1, 3):
        raise ArgumentError(f"{who}: expected channels=1 for grey, 3 for RGB or None, got {asked.channels!r}")
    return asked


def require_none(asked: Pictures, what: object) -> None:
    """Raise ArgumentError if something was asked for, where there are no pictures."""
    given = [name for name, value in asked._asdict().items() if value != Pictures._field_defaults[name]]
    if given:
        raise ArgumentError(f"datasets.load: expected {', '.join(given)} with a folder of pictures alone, got {what}; "
                            f"leave {'it' if len(given) == 1 else 'them'} out")  # fmt: skip


def require_in_memory(in_memory: bool, what: object) -> None:
    """Raise ArgumentError where pictures were to stay files, and there are none."""
    if not in_memory:
        raise ArgumentError(f"datasets.load: expected in_memory=False with a folder of pictures or a table alone, got "
                            f"{what}; leave it out, or read what fastcnn data pack has written, which stays on the "
                            f"disk")  # fmt: skip


def check_fit(fit: Any, who: str) -> None:
    """Raise ArgumentError unless it is one of `FITS`."""
    if fit not in FITS:
        raise ArgumentError(unknown(f"{who}: fit", fit, FITS))


def check_white(white: Any, who: str) -> None:
    """Raise ArgumentError unless it is None or a value of 16 bits above 0."""
    if white is not None and not (_is_positive(white) and white <= 0xFFFF):
        raise ArgumentError(f"{who}: expected white as an integer from 1 to 65535, got {white!r}")


def _is_positive(n: Any) -> bool:
    return isinstance(n, numbers.Integral) and not isinstance(n, bool) and int(n) > 0


def as_image(
    pixels: NDArray[Any], height: int, width: int, channels: int | None, fit: Fit, white: int | None, steps: list[str]
) -> NDArray[np.uint8]:
    """Return a picture as an image, uint8 (height, width, C), and append what was done to `steps`.

    Parameters
    ----------
    pixels : ndarray of uint8 (H, W, 1 or 3), or of uint16 (H, W, 1)
    height, width : int
    channels, fit, white
        As in `Pictures`; without `white`, that of `white_of` this picture.
    steps : list of str
    """
    if pixels.dtype == np.uint8:
        return fitted(with_channels(pixels, channels, steps), height, width, fit, steps)
    own = white_of(int(pixels.max())) if white is None else white
    return with_channels(eight_bits(fitted(pixels, height, width, fit, steps), own, steps), channels, steps)


def with_channels(pixels: NDArray[np.uint8], channels: int | None, steps: list[str]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 1 or 3) in grey or RGB; None leaves it as it is."""
    if channels is None or pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        steps.append("grey made RGB")
        return np.repeat(pixels, 3, axis=2)
    from PIL import Image

    steps.append("greyed")
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def white_of(largest: int) -> int:
    """Return the white of 16-bit pictures by their largest value: the greatest one of 8, 10, 12, 14 or 16 bits."""
    return next((1 << bits) - 1 for bits in _DEPTHS if largest < 1 << bits)


def eight_bits(pixels: NDArray[np.uint16], white: int, steps: list[str]) -> NDArray[np.uint8]:
    """Return values from 0 to `white` scaled to 0 .. 255; what is brighter than white is white."""
    steps.append(f"{white.bit_length()} of 16 bits made 8")
    if pixels.max() > white:
        steps.append(f"values above {white} made white")
    wide = np.minimum(pixels, white).astype(np.uint32)
    return ((wide * 255 + white // 2) // white).astype(np.uint8)


def least_size(own: tuple[int, int], wanted: tuple[int, int], fit: Fit) -> tuple[int, int]:
    """Return the height and width that a picture must still have, so that `fitted` has no pixels to invent."""
    if fit != "pad":
        return wanted
    scale = min(wanted[0] / own[0], wanted[1] / own[1])
    return max(1, round(scale * own[0])), max(1, round(scale * own[1]))


def fitted(pixels: NDArray[Any], height: int, width: int, fit: Fit, steps: list[str]) -> NDArray[Any]:
    """Return a picture (H, W, C) of uint8 or uint16 in another size; one that has the size is left as it is."""
    own_height, own_width = pixels.shape[:2]
    if (own_height, own_width) == (height, width):
        return pixels
    if fit == "pad":
        return _padded(pixels, height, width, steps)
    if fit == "crop":
        crop_height = max(1, min(own_height, round(own_width * height / width)))
        crop_width = max(1, min(own_width, round(own_height * width / height)))
        if (crop_height, crop_width) != (own_height, own_width):
            top, left = (own_height - crop_height) // 2, (own_width - crop_width) // 2
            steps.append(f"cropped to {crop_width}x{crop_height} at ({left}, {top})")
            pixels = pixels[top : top + crop_height, left : left + crop_width]
    return resized(pixels, height, width, steps)


def _padded(pixels: NDArray[Any], height: int, width: int, steps: list[str]) -> NDArray[Any]:
    """Return the whole picture in the middle of a black one."""
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    inner = [max(1, min(side, round(scale * own))) for side, own in zip((height, width), pixels.shape)]
    inside = resized(pixels, inner[0], inner[1], steps)
    out = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    out[top : top + inner[0], left : left + inner[1]] = inside
    if inside.shape != out.shape:
        steps.append(f"padded to {width}x{height} with black")
    return out


def resized(pixels: NDArray[Any], height: int, width: int, steps: list[str]) -> NDArray[Any]:
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    steps.append(f"resized to {width}x{height}")
    part = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if part.dtype == np.uint16:  # Pillow's Lanczos takes floats, but no integers of 16 bits
        floats = np.asarray(Image.fromarray(part.astype(np.float32)).resize((width, height), Image.Resampling.LANCZOS))
        return np.clip(np.rint(floats), 0, 0xFFFF).astype(np.uint16)[..., None]
    resized = np.asarray(Image.fromarray(part).resize((width, height), Image.Resampling.LANCZOS))
    return resized.reshape(height, width, -1)
