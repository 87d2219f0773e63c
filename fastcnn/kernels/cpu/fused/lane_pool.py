"""Rows of pooling without overlap, of arrays whose channels (times lanes) lie side by side::

    rows of the input, ph of them             one row of the output
    | j=0 : k . . . | j=1 : k . . . | ..      | 0: k . . . | ..        all in L1; a vector at a time over k

NaN is larger than all numbers.
"""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined


class PoolRow(NamedTuple):
    """A row of pooling: rows and columns of a window, windows, and how many numbers lie side by side."""

    ph: Any
    pw: Any
    qw: Any
    width: Any


@inlined
def average_row(out, to, source, pool):
    """out[to:] (qw, width) = the means of windows of out[source:] (ph, qw * pw, width)."""
    ph, pw, qw, width = pool
    factor = out.dtype.type(1) / out.dtype.type(ph * pw)
    for j in range(qw):
        y = out[to + j * width:to + (j + 1) * width]
        if ph == 2 and pw == 2:
            a, b, c, d = _window(out, source + 2 * j * width, 2 * qw * width, width)
            for k in range(y.size):
                y[k] = ((a[k] + b[k]) + (c[k] + d[k])) * factor
            continue
        for r in range(ph):
            for s in range(pw):
                at = source + (r * qw * pw + j * pw + s) * width
                x = out[at:at + width]
                if r == 0 and s == 0:
                    for k in range(y.size):
                        y[k] = x[k] * factor
                else:
                    for k in range(y.size):
                        y[k] += x[k] * factor


@inlined
def _window(x, at, row, width):
    """Return the four elements of a 2x2 window, each with all its channels."""
    below = at + row
    return (x[at:at + width], x[at + width:at + 2 * width],
            x[below:below + width], x[below + width:below + 2 * width])


@inlined
def max_row(out, to, index, x, source, pool):
    """out[to:] (qw, width) = the largest of windows of x[source:] (ph, qw * pw, width); NaN is larger than all.

    Which element of its window it was, r * pw + s, is written as a number to out[index:] (qw, width).
    """
    ph, pw, qw, width = pool
    one, two, three = out.dtype.type(1), out.dtype.type(2), out.dtype.type(3)
    for j in range(qw):
        y, which = out[to + j * width:to + (j + 1) * width], out[index + j * width:index + (j + 1) * width]
        first = source + j * pw * width
        if ph == 2 and pw == 2:
            a, b, c, d = _window(x, first, 2 * qw * width, width)
            for k in range(y.size):
                right, below = b[k] > a[k] or b[k] != b[k], d[k] > c[k] or d[k] != d[k]
                above, under = b[k] if right else a[k], d[k] if below else c[k]
                lower = under > above or under != under
                y[k] = under if lower else above
                which[k] = (three if below else two) if lower else (one if right else out.dtype.type(0))
            continue
        v = x[first:first + width]
        for k in range(np.uintp(width)):
            y[k] = v[k]
            which[k] = 0
        for tap in range(1, ph * pw):
            number = out.dtype.type(tap)
            at = source + (tap // pw * qw * pw + j * pw + tap % pw) * width
            v = x[at:at + width]
            for k in range(np.uintp(width)):
                larger = v[k] > y[k] or v[k] != v[k]
                which[k] = number if larger else which[k]
                y[k] = v[k] if larger else y[k]


@inlined
def spread_average(dz, to, step, dy, source, pool):
    """dz[to:] (ph, qw * pw, step) = a row of dy[source:] (qw, width), shared out among the elements of each window."""
    ph, pw, qw, width = pool
    factor = dz.dtype.type(1) / dz.dtype.type(ph * pw)
    for r in range(ph):
        for j in range(qw * pw):
            at, of = np.uintp(to + (r * qw * pw + j) * step), np.uintp(source + j // pw * width)
            for k in range(np.uintp(width)):
                dz[at + k] = dy[of + k] * factor


@inlined
def spread_max(dz, to, step, dy, source, winners, pool):
    """dz[to:] (ph, qw * pw, step) = a row of dy[source:] (qw, width), given to the element that was the largest.

    Which one that was is told by `winners`, an array and where its (qw, width) begin.
    """
    (which, index), (ph, pw, qw, width) = winners, pool
    zero = dz.dtype.type(0)
    for r in range(ph):
        for j in range(qw * pw):
            number = dz.dtype.type(r * pw + j % pw)
            at, of = np.uintp(to + (r * qw * pw + j) * step), np.uintp(source + j // pw * width)
            place = np.uintp(index + j // pw * width)
            for k in range(np.uintp(width)):
                dz[at + k] = dy[of + k] if which[place + k] == number else zero
