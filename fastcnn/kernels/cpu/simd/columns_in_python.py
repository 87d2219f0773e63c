"""What `columns` emits, as plain Python, which runs where nothing is compiled.

Parameters
----------
factors : tuple of arrays
    As of the walk in `columns` of the same name.
y, x, dx, dy, addend : arrays
rows : Rows
rectifier : Rectifier
"""

import math

import numpy as np


def _maps(rows, *arrays):
    return [a[rows.at:rows.at + rows.rows * rows.columns].reshape(rows.rows, rows.columns) for a in arrays]


def _below(value, slope):
    return value * value.dtype.type(slope) if slope else np.zeros_like(value)


def _rectified(value, rectifier):
    value = np.where(value < 0, _below(value, rectifier.slope), value)
    return np.where(value > rectifier.ceiling, value.dtype.type(rectifier.ceiling), value)


def _passed(dy, value, rectifier):
    dy = np.where(value <= 0, _below(dy, rectifier.slope), dy)
    return np.where((value >= rectifier.ceiling) & (rectifier.ceiling < math.inf), dy.dtype.type(0), dy)


def moments(factors, x, rows):
    sums, squares, shift = (a[:rows.columns] for a in factors)
    (x,) = _maps(rows, x)
    sums += (x - shift).sum(axis=0)
    squares += ((x - shift) ** 2).sum(axis=0)


def products(factors, dy, x, rows, rectifier):
    plain, products, mean, scale, offset = (a[:rows.columns] for a in factors)
    dy, x = _maps(rows, dy, x)
    centered = x - mean
    dy = _passed(dy, centered * scale + offset, rectifier)
    plain += dy.sum(axis=0)
    products += (dy * centered).sum(axis=0)


def affine(factors, y, x, rows, rectifier):
    mean, scale, offset = (a[:rows.columns] for a in factors)
    y, x = _maps(rows, y, x)
    y[...] = _rectified((x - mean) * scale + offset, rectifier)


def affine_sum(factors, y, x, addend, rows, rectifier):
    mean, scale, offset = (a[:rows.columns] for a in factors)
    y, x, addend = _maps(rows, y, x, addend)
    y[...] = _rectified((x - mean) * scale + offset + addend, rectifier)


def gradient(factors, dx, dy, x, rows, rectifier):
    mean, scale, offset, constant, steep = (a[:rows.columns] for a in factors)
    dx, dy, x = _maps(rows, dx, dy, x)
    centered = x - mean
    dy = _passed(dy, centered * scale + offset, rectifier)
    dx[...] = scale * dy - constant - centered * steep
