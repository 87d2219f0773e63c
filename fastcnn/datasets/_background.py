"""Whether grey images are ink on an even ground, and how much of the frame the ink fills."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_SAMPLE = 1000
_EVEN = 0.75  # share of border pixels on the ground; UCI digits have 0.77, Fashion-MNIST 0.89, MNIST 0.9998
_NEAR = 0.1  # of the range from black to white


def measure_background(x: NDArray[Any], scale: float) -> tuple[Literal["dark", "light"] | None, float | None]:
    """Return the ground of grey images (N, H, W, 1) and the share of the frame that the ink's longer side fills.

    Parameters
    ----------
    x : ndarray, (N, H, W, C)
        Images; at most 1000 of them, evenly spaced, are looked at.
    scale : float
        The value of white.

    Returns
    -------
    background : {"dark", "light"} or None
        None for colour, and unless three quarters of all border pixels are near black or near white.
    ink_box : float or None
        Median of the larger of height and width of the ink over those of the image. None without a background.
    """
    if x.shape[3] != 1:
        return None, None
    sample = x[:: -(-len(x) // _SAMPLE)][..., 0] / np.float32(scale)
    edges = (sample[:, 0], sample[:, -1], sample[:, :, 0], sample[:, :, -1])
    ink: NDArray[Any]
    background: Literal["dark", "light"]
    if np.mean([np.mean(edge <= _NEAR) for edge in edges]) >= _EVEN:
        background, ink = "dark", sample > _NEAR
    elif np.mean([np.mean(edge >= 1 - _NEAR) for edge in edges]) >= _EVEN:
        background, ink = "light", sample < 1 - _NEAR
    else:
        return None, None
    longer = np.maximum(_extent(np.any(ink, axis=2)), _extent(np.any(ink, axis=1)))
    return background, (float(np.median(longer[longer > 0])) if longer.any() else 1.0)


def _extent(marked: NDArray[Any]) -> NDArray[np.float64]:
    """Return the length from the first to the last True in each row of bool (N, L), as a share of L; 0 without any."""
    length = marked.shape[1]
    span = length - marked.argmax(axis=1) - marked[:, ::-1].argmax(axis=1)
    return np.where(marked.any(axis=1), span, 0) / length
