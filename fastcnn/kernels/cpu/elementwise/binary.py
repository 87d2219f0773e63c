"""Two arrays divided, or one raised to the power of the other, number by number. ONNX: Div, Pow, Mod.

Both have the size of the output, or one of them is a single number, used again for all::

    y | v0 | v1 | v2 | ..    a | v0 | v1 | v2 | ..    b | number |       the branch on the code lies outside the loops
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.tensor_codes import POWER_OF, QUOTIENT, REMAINDER, WHOLE_QUOTIENT


@kernel
def binary_forward(y, a, b, code):
    """Write y = a / b, a^b, the remainder of a / b with the sign of b, or floor(a / b), for flat arrays.

    Parameters
    ----------
    y : (size,) array
        Written.
    a, b : (size,) or (1,) arrays
        Not both of size 1, unless `y` is.
    code : int
        QUOTIENT, POWER_OF, REMAINDER or WHOLE_QUOTIENT of `fastcnn.kernels.tensor_codes`.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_chunk, chunks, (chunks, y, a, b, code))


@inlined
def _forward_chunk(chunk, chunks, y, a, b, code):
    begin, end = chunk_of(chunk, chunks, y.size)
    if a.size == y.size and b.size == y.size:
        _forward(y[begin:end], a[begin:end], b[begin:end], code)
    elif a.size == y.size:
        _forward_by_number(y[begin:end], a[begin:end], b[0], code)
    else:
        _forward_of_number(y[begin:end], a[0], b[begin:end], code)


@inlined(exact=True)
def _forward(y, a, b, code):
    if code == QUOTIENT:
        for i in range(y.size):
            y[i] = a[i] / b[i]
    else:
        for i in range(y.size):
            y[i] = _slow(a[i], b[i], code)


@inlined(exact=True)
def _forward_by_number(y, a, b, code):
    if code == QUOTIENT:
        for i in range(y.size):
            y[i] = a[i] / b
    else:
        for i in range(y.size):
            y[i] = _slow(a[i], b, code)


@inlined(exact=True)
def _forward_of_number(y, a, b, code):
    if code == QUOTIENT:
        for i in range(y.size):
            y[i] = a / b[i]
    else:
        for i in range(y.size):
            y[i] = _slow(a, b[i], code)


@inlined(exact=True)
def _slow(a, b, code):
    """What calls the C library for each number, or has branches."""
    result = a
    if code == POWER_OF:
        result = np.power(a, b)
    elif code == REMAINDER:
        result = _remainder(a, b)
    elif code == WHOLE_QUOTIENT:
        # Of the remainder, since a / b may be rounded up to an integer.
        result = np.rint((a - _remainder(a, b)) / b) if math.isfinite(a) and b != 0 else np.floor(a / b)
    return result


@inlined(exact=True)
def _remainder(a, b):
    if b == 0:
        return a / b * (b - b)
    rest = np.fmod(a, b)
    if rest != 0 and (rest < 0) != (b < 0):
        rest += b
    return rest
