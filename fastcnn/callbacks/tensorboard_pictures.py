"""Filters as pictures."""

import math

import numpy as np

_MOST = 64  # filters, and channels of one, in a picture
_GAP = 1  # pixels between two


def picture(weight: np.ndarray) -> np.ndarray | None:
    """Return a weight as a picture (H, W, 1 or 3) of numbers from 0 to 1; None for what is none.

    Parameters
    ----------
    weight : array
        (KH, KW, C, K), filters: those of one or three channels side by side, in colour where there are three, of
        others a row for each channel; or (N, K), as it is.
    """
    if weight.ndim == 2:
        return _stretched(weight)[..., None]
    if weight.ndim != 4:
        return None
    kh, kw, channels = weight.shape[:3]
    weight = weight[..., :_MOST]
    if channels in (1, 3):
        tiles = np.moveaxis(weight, -1, 0)  # (K, KH, KW, C)
        columns = math.ceil(math.sqrt(len(tiles)))
    else:
        columns = weight.shape[-1]
        tiles = weight[:, :, :_MOST].transpose(2, 3, 0, 1).reshape(-1, kh, kw, 1)
    rows = -(-len(tiles) // columns)
    drawn = np.zeros((rows * (kh + _GAP), columns * (kw + _GAP), tiles.shape[-1]))
    for number, tile in enumerate(_stretched(tiles)):
        row, column = divmod(number, columns)
        drawn[row * (kh + _GAP):][:kh, column * (kw + _GAP):][:, :kw] = tile
    return drawn


def _stretched(array: np.ndarray) -> np.ndarray:
    low, high = float(array.min()), float(array.max())
    found: np.ndarray = (array - low) / (high - low) if high > low else np.zeros(array.shape)
    return found
