"""Bytes at an address of the host, as an array."""

import ctypes
from typing import Any

import numpy as np


def bytes_at(pointer: int, size: int) -> np.ndarray:
    """Return `size` bytes that begin at an address; whoever owns them keeps them.

    Parameters
    ----------
    pointer, size : int
    """
    memory: Any = (ctypes.c_char * size).from_address(pointer)
    return np.frombuffer(memory, np.uint8)
