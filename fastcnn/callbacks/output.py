"""What callbacks write to standard output."""

import contextlib
from typing import Any

import numpy as np

from fastcnn.callbacks.callback import Logs


def tell(text: str) -> None:
    """Write a line of its own to standard output."""
    write(f"\n{text}\n")


def write(text: str) -> None:
    """Write to standard output; a process may have none, no reader or a full disk behind it, and trains on."""
    with contextlib.suppress(OSError, ValueError):  # a ValueError: the stream is closed
        print(text, end="", flush=True)


def shown(logs: Logs) -> str:
    """Return logs as text: ``loss: 0.1234 - f1_score: [0.5000, 0.2500]``.

    Parameters
    ----------
    logs : dict of str to float or array

    Examples
    --------
    >>> fc.callbacks.shown({"loss": 0.1234, "f1_score": np.array([0.5, 0.25])})
    'loss: 0.1234 - f1_score: [0.5000, 0.2500]'
    """
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    return f"[{', '.join(map(_number, value))}]" if np.ndim(value) else f"{value:.4f}"
