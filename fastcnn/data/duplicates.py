"""The same picture twice, or nearly: what makes a test part tell less than it seems to.

Pictures are compared by a *difference hash* of 64 bits: whether each of 8 x 8 fields is brighter than its neighbour on
the left, which survives other brightness and compression. Those whose hashes differ in few bits are then compared by
their pixels, so that pictures with an empty ground, whose hashes tell little, are not taken for one another.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIDE = 8  # fields of a hash in a row and in a column
_BITS = 3  # that the hashes of nearly the same pictures differ in at most
_BANDS = 4  # of 16 bits: two hashes that differ in 3 bits agree in one of them
_CROWD = 256  # pictures of one band of bits: more have it because it says nothing
_NEAR = 0.99  # the least correlation of the pixels of nearly the same pictures
_BLOCK = 4096  # images, at most
_NUMBERS = 1 << 26  # of their pixels


def difference_hash(x: NDArray[Any]) -> NDArray[np.uint64]:
    """Return the difference hash of each image.

    Parameters
    ----------
    x : (N, H, W, C) array

    References
    ----------
    Krawetz: Kind of like that, 2013 (hackerfactor.com/blog, entry 529).
    """
    rows, columns = (_means(n, to) for n, to in zip(x.shape[1:3], (_SIDE, _SIDE + 1)))
    weights = np.left_shift(np.uint64(1), np.arange(_SIDE * _SIDE, dtype=np.uint64))
    found = [np.empty(0, np.uint64)]
    for begin in range(0, len(x), block := _block_of(x)):
        grey = x[begin : begin + block].mean(axis=-1, dtype=np.float32)
        small = rows @ grey @ columns.T
        brighter = small[:, :, 1:] > small[:, :, :-1] + 1e-4 * np.ptp(small, axis=(1, 2))[:, None, None]
        found.append((brighter.reshape(len(small), -1) * weights).sum(axis=1, dtype=np.uint64))
    return np.concatenate(found)


def _block_of(x: Any) -> int:
    """Return how many images are looked at together."""
    return max(1, min(_BLOCK, _NUMBERS * len(x) // max(1, x.size)))


def _means(n: int, to: int) -> NDArray[np.float32]:
    """Return the matrix (to, n) that makes `to` means of n values, each of as long a piece, by parts where it cuts."""
    edges = np.arange(to + 1) * n / to
    at = np.arange(n)
    inside = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return (np.maximum(inside, 0) * to / n).astype(np.float32)


def equal_pairs(parts: dict[str, NDArray[Any]]) -> Iterator[tuple[str, int, str, int, bool]]:
    """Yield the images that are in two parts: part, index, part, index, and whether they are equal to the pixel.

    Each image of the later part is named once at most, with the first image that it resembles.

    Parameters
    ----------
    parts : dict of str to (N, H, W, C) arrays
    """
    names = [name for name, x in parts.items() if len(x)]
    hashes = {name: difference_hash(parts[name]) for name in names}
    for k, later in enumerate(names):
        for earlier in names[:k]:
            yield from _pairs((earlier, later), (parts[earlier], parts[later]), (hashes[earlier], hashes[later]))


def equal_rows(parts: dict[str, NDArray[Any]]) -> Iterator[tuple[str, int, str, int, bool]]:
    """As `equal_pairs`, of rows of features (N, F), which are equal or not.

    Parameters
    ----------
    parts : dict of str to (N, F) arrays
    """
    seen: dict[bytes, tuple[str, int]] = {}
    for later, x in parts.items():
        rows = [row.tobytes() for row in np.ascontiguousarray(x) + 0]  # -0 is 0
        for j, row in enumerate(rows):
            earlier, i = seen.get(row, (later, j))
            if earlier != later:
                yield earlier, i, later, j, True
        for j, row in enumerate(rows):
            seen.setdefault(row, (later, j))


def _pairs(names: Any, images: Any, hashes: Any) -> Iterator[tuple[str, int, str, int, bool]]:
    seen = set[int]()
    for i, j in _candidates(*hashes):
        for begin in range(0, len(i), block := _block_of(images[0])):
            one, other = i[begin : begin + block], j[begin : begin + block]
            a, b = images[0][one], images[1][other]
            same = (a == b).all(axis=(1, 2, 3))
            for at in np.flatnonzero(same | (_correlation(a, b) >= _NEAR)).tolist():
                if other[at] not in seen:
                    seen.add(int(other[at]))
                    yield names[0], int(one[at]), names[1], int(other[at]), bool(same[at])


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
    """Return the correlation of the pixels of each two images; 0 for those of one colour."""
    a, b = (x.reshape(len(x), -1).astype(np.float32) for x in (a, b))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), size, out=np.zeros_like(size), where=size > 0)


def _candidates(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the indices of pairs whose hashes are equal, then of those that differ in at most `_BITS` bits."""
    yield _matches(one, other)
    for band in range(_BANDS):
        shift = np.uint64(64 // _BANDS * band)
        i, j = _matches(*((h >> shift & np.uint64(0xFFFF)) for h in (one, other)))
        near = np.bitwise_count(one[i] ^ other[j])
        near = (near > 0) & (near <= _BITS)
        yield i[near], j[near]


def _matches(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the indices of pairs of equal keys; of a key that a crowd has, some of the pairs."""
    order = np.argsort(one, kind="stable")
    begin, end = (np.searchsorted(one[order], other, side) for side in ("left", "right"))
    count = np.minimum(end - begin, _CROWD)
    j = np.repeat(np.arange(len(other)), count)
    place = np.arange(len(j)) - np.repeat(np.cumsum(count) - count, count)
    return order[begin[j] + place], j
