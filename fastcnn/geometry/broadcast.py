"""Broadcasting: how two arrays of different shapes meet, seen as three dimensions (A, B, C) by the kernels of merging.

Neighbouring dimensions that the same inputs have are one dimension to a kernel::

    a (8, 56, 56, 144), b (8, 1, 1, 144)    ->    a (8, 3136, 144), b (8, 1, 144)
    a (8, 56, 56, 144), b (8, 56, 56, 1)    ->    a (1, 25088, 144), b (1, 25088, 1)
    a, b (8, 56, 56, 144)                   ->    a, b (1, 1, 3612672)
"""

import functools

Shape = tuple[int, ...]


@functools.lru_cache(maxsize=4096)
def broadcast(a: Shape, b: Shape) -> Shape:
    """Return the shape that two shapes of one rank give together.

    Raises
    ------
    ValueError
        If a dimension differs and is 1 in neither.
    """
    if len(a) != len(b) or any(i != j and 1 not in (i, j) for i, j in zip(a, b, strict=True)):
        raise ValueError(f"shapes {a} and {b} do not fit together")
    return tuple(j if i == 1 else i for i, j in zip(a, b, strict=True))


def with_rank(shape: Shape, rank: int) -> Shape:
    """Return a shape with dimensions of 1 after the batch, to have `rank` dimensions."""
    return shape[:1] + (1,) * (rank - len(shape)) + shape[1:]


@functools.lru_cache(maxsize=4096)
def as_three(shape: Shape, a: Shape, b: Shape) -> tuple[Shape, Shape, Shape] | None:
    """Return (A, B, C) of an output and of its two inputs, or None where three dimensions are too few.

    Parameters
    ----------
    shape, a, b : tuple of int
        Of one rank; `shape` is what `a` and `b` give together.
    """
    merged = groups(shape, a, b)
    if len(merged) > 3:
        return None
    merged = [(1, True, True)] * (3 - len(merged)) + merged
    return (tuple(n for n, _, _ in merged), tuple(n if has else 1 for n, has, _ in merged),
            tuple(n if has else 1 for n, _, has in merged))


def groups(shape: Shape, a: Shape, b: Shape) -> list[tuple[int, bool, bool]]:
    """Return the dimensions of `shape` other than 1, neighbours alike as one: (size, whether a has it, whether b)."""
    found: list[tuple[int, bool, bool]] = []
    for n, i, j in zip(shape, a, b, strict=True):
        if n == 1:
            continue
        has = i == n, j == n
        if found and found[-1][1:] == has:
            found[-1] = (found[-1][0] * n, *has)
        else:
            found.append((n, *has))
    return found
