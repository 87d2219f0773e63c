"""bfloat16 in NumPy, which has none: what the tests of its kernels share."""

import numpy as np


def rounded(x):
    """Return float32 numbers rounded to bfloat16, to the nearest, ties to even."""
    return widened(bits(x))


def bits(x):
    """Return the 16 bits of numbers rounded to bfloat16; there is no NaN among them."""
    u = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((u + 0x7FFF + (u >> 16 & 1)) >> 16).astype(np.uint16)


def widened(u):
    """Return the numbers of bits of bfloat16, in float32."""
    return (u.astype(np.uint32) << 16).view(np.float32)


def packed(w):
    """Return filters (taps, depth, 32) as tiles of a block read them."""
    taps, depth, _ = w.shape
    return np.ascontiguousarray(w.reshape(taps, depth // 32, 16, 2, 2, 16).transpose(0, 1, 4, 2, 5, 3)).reshape(-1)
