"""Losses that are sums of parts tell which of them is not finite, and of which sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import NotFiniteLossError


def require_finite(loss: str, names: Sequence[str], parts: Any) -> None:
    """Raise for the first sample of which a part of the loss is NaN or infinite.

    Parameters
    ----------
    loss : str
        Its name.
    names : sequence of str
        Of the parts.
    parts : (K, N) array
        Each part of each sample.

    Raises
    ------
    NotFiniteLossError
    """
    each = device.get(parts)
    sound = np.isfinite(each)
    if sound.all():
        return
    row = int(np.argmin(sound.all(0)))
    wrong = [name for name, is_sound in zip(names, sound[:, row], strict=True) if not is_sound]
    raise NotFiniteLossError(loss, ", ".join(wrong), float(each[~sound[:, row], row][0]), row)
