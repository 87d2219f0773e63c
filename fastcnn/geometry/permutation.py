"""Axes in another order, seen as few dimensions by the kernel that moves them.

Axes that stay neighbours are one, those of one element none; the result's last axis and the source's last are inner::

    x (8, 56, 56, 64), axes (0, 3, 1, 2)    ->    8 matrices of 3136 x 64, each transposed: a = 3136, b = 64
    x (8, 56, 56, 64), axes (0, 2, 1, 3)    ->    8 x 56 x 56 runs of 64: a = 64, b = 1
"""

import functools
import itertools
import math

import numpy as np

from fastcnn.errors import ArgumentError

_OUTER = 5

#: Five outer dimensions, each of `n` elements, `s` apart in the source and `t` in the result; the result's last axis,
#: of `a` elements that are `sa` apart in the source; and the source's last axis, of `b` elements that are `tb` apart in
#: the result (`b` is 1 where the last axis stays the last).
PERMUTATION = np.dtype([(f"{name}{i}", np.int64) for i in range(_OUTER) for name in "nst"]
                       + [(name, np.int64) for name in ("a", "sa", "b", "tb")])


@functools.lru_cache(maxsize=1024)
def permutation(shape: tuple[int, ...], axes: tuple[int, ...], who: str = "permutation") -> np.ndarray:
    """Return the geometry of ``numpy.transpose(x, axes)`` for x of `shape`.

    Raises
    ------
    ArgumentError
        If `axes` is no permutation, or more dimensions are left than the kernel walks: seven, six where the last stays.
    """
    if sorted(axes) != list(range(len(shape))):
        raise ArgumentError(f"{who}: expected a permutation of the {len(shape)} axes of {shape}, got {axes}")
    joined = _joined(shape, axes)
    sizes = [math.prod(shape[axis] for axis in group) for group in joined] or [1]
    of = [math.prod(shape[group[-1] + 1:]) for group in joined] or [1]
    to = [math.prod(sizes[i + 1:]) for i in range(len(sizes))]
    *outer, (a, sa, _) = zip(sizes, of, to, strict=True)
    b, tb = 1, 0
    if sa != 1:
        b, _, tb = outer.pop(of.index(1))
    if len(outer) > _OUTER:
        raise ArgumentError(f"{who}: expected at most {_OUTER + 2 - (sa == 1)} axes that move, got {len(joined)} "
                            f"for {shape} and {axes}")
    outer.sort(key=lambda dimension: -dimension[1])  # what lies near in the source is read together
    outer = [(1, 0, 0)] * (_OUTER - len(outer)) + outer
    return np.array([(*itertools.chain(*outer), a, sa, b, tb)], PERMUTATION)


@functools.lru_cache(maxsize=1024)
def permuted(shape: tuple[int, ...], axes: tuple[int, ...], who: str) -> tuple[tuple[int, ...], np.ndarray | None]:
    """Return the shape of ``numpy.transpose(x, axes)``, and the geometry; None where the numbers lie as in x.

    Raises
    ------
    ArgumentError
        As `permutation`.
    """
    g = permutation(shape, axes, who)
    return tuple(shape[axis] for axis in axes), None if is_view(g) else g


@functools.lru_cache(maxsize=1024)
def rows_along(shape: tuple[int, ...], axes: tuple[int, ...], who: str
               ) -> tuple[tuple[int, int], np.ndarray | None, np.ndarray | None]:
    """Return the shape of an array as rows, one for each vector along some axes, and the geometries there and back.

    None stands for a geometry where the numbers lie so already.

    Raises
    ------
    ArgumentError
        As `permutation`.
    """
    order = *(k for k in range(len(shape)) if k not in axes), *axes
    moved, there = permuted(shape, order, who)
    length = math.prod(shape[axis] for axis in axes)
    return (math.prod(shape) // max(1, length), length), there, permuted(moved, inverse(order), who)[1]


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the permutation that undoes one."""
    return tuple([axes.index(k) for k in range(len(axes))])


def is_view(geometry: np.ndarray) -> bool:
    """Return whether the result has the source's numbers in the source's order."""
    g = geometry[0]
    return bool(g["b"] == 1 and all(g[f"n{i}"] == 1 for i in range(_OUTER)))


def _joined(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[list[int]]:
    """Return the result's dimensions, each a list of source axes that follow one another."""
    left = [axis for axis in range(len(shape)) if shape[axis] != 1]
    place = {axis: i for i, axis in enumerate(left)}
    joined: list[list[int]] = []
    for axis in axes:
        if axis not in place:
            continue
        if joined and place[axis] == place[joined[-1][-1]] + 1:
            joined[-1].append(axis)
        else:
            joined.append([axis])
    return joined
