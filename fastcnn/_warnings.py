"""Warnings, as from the line that called into fastcnn."""

import sys
import warnings


def warn(message: str) -> None:
    """Warn as from the line that called into fastcnn, however deep this is.

    Parameters
    ----------
    message : str
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastcnn":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
