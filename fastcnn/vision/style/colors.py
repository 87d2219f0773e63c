"""The content's colours on a styled picture: its brightness alone is taken."""

import numpy as np

# YIQ, as in NTSC: one row for brightness, two for colour.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


def with_colors_of(picture: np.ndarray, original: np.ndarray) -> np.ndarray:
    """Return the brightness of a picture with the colours of another, (H, W, 3) from 0 to 1.

    Parameters
    ----------
    picture, original : (H, W, 3) array
        Red, green, blue from 0 to 1.

    References
    ----------
    Gatys, Bethge, Hertzmann, Shechtman: Preserving color in neural artistic style transfer, 2016, section 4.

    Examples
    --------
    >>> grey, red = np.full((1, 1, 3), 0.299, "float32"), np.array([[[1, 0, 0]]], "float32")
    >>> fc.vision.style.with_colors_of(grey, red).round(3)[0, 0]
    array([1., 0., 0.], dtype=float32)
    """
    brightness, colors = picture @ _TO_YIQ[:1].T, original @ _TO_YIQ[1:].T
    return np.clip(np.concatenate([brightness, colors], -1) @ _FROM_YIQ.T, 0, 1).astype(np.float32)
