"""Pictures of persons, or of drawn characters: who is shown, and by whom it was drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.errors import DataError


class OneShotRun(NamedTuple):
    """A trial: each of some drawings is to be named by one example of each class.

    Attributes
    ----------
    examples : (K, H, W, 1) uint8 array
        One of each class.
    queries : (Q, H, W, 1) uint8 array
    answers : (Q,) int64 array
        Which example is of the class of each query.
    """

    examples: NDArray[np.uint8]
    queries: NDArray[np.uint8]
    answers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class IdentityImages:
    """Pictures and who or what each shows.

    Parameters
    ----------
    images : (N, H, W, C) uint8 array, or sequence of (H, W, C) arrays
    labels : (N,) int64 array
        From 0 to ``len(names) - 1``.
    names : tuple of str
        Of persons, or of characters as ``"Greek/character03"``.
    files : tuple of str
        Names of the pictures within their folder or archive.
    groups : (K,) int64 array, optional
        Of each name the number of its alphabet; 0 if absent.
    group_names : tuple of str
        Of the alphabets.
    drawers : (N,) int64 array, optional
        Who has drawn each picture, from 1; 0 if absent.
    """

    images: Any = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    files: tuple[str, ...] = field(repr=False)
    groups: NDArray[np.int64] | None = field(default=None, repr=False)
    group_names: tuple[str, ...] = ()
    drawers: NDArray[np.int64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, count in (("labels", len(self.files)), ("groups", len(self.names)), ("drawers", len(self.files))):
            given = getattr(self, name)
            array = np.zeros(count, np.int64) if given is None else np.asarray(given, np.int64)
            if array.shape != (count,):
                raise DataError(f"IdentityImages: expected {name} ({count},), got {array.shape}")
            object.__setattr__(self, name, array)
        if len(self.images) != len(self.files):
            raise DataError(f"IdentityImages: expected a file for each image, got {len(self.files)} for "
                            f"{len(self.images)}")
        if len(self.labels) and not (self.labels.min() >= 0 and self.labels.max() < len(self.names)):
            raise DataError(f"IdentityImages: expected labels from 0 to {len(self.names) - 1}, got others")

    def __len__(self) -> int:
        return len(self.files)

    def take(self, rows: ArrayLike) -> "IdentityImages":
        """Return some of the pictures, in this order; the names stay.

        Parameters
        ----------
        rows : (n,) array of int
        """
        assert self.drawers is not None
        numbers = np.arange(len(self))[np.asarray(rows)]
        images = self.images[numbers] if isinstance(self.images, np.ndarray) else self.images.taken(
            numbers.tolist()) if hasattr(self.images, "taken") else [self.images[row] for row in numbers]
        return IdentityImages(images, self.labels[numbers], self.names, tuple(self.files[row] for row in numbers),
                              self.groups, self.group_names, self.drawers[numbers])

    def of(self, names: Sequence[str]) -> "IdentityImages":
        """Return the pictures of some persons or characters, numbered anew in this order.

        Parameters
        ----------
        names : sequence of str
        """
        assert self.groups is not None
        places = {name: k for k, name in enumerate(self.names)}
        if not set(names) <= set(places):
            raise DataError(f"IdentityImages.of: expected names of the set, got "
                            f"{sorted(set(names) - set(places))[0]!r}")
        old = [places[name] for name in names]
        new = np.full(len(self.names), -1)
        new[old] = np.arange(len(old))
        some = self.take(np.flatnonzero(new[self.labels] >= 0))
        kept, groups = np.unique(self.groups[old], return_inverse=True)
        group_names = tuple(self.group_names[k] for k in kept) if self.group_names else ()
        return IdentityImages(some.images, new[some.labels], tuple(names), some.files, groups, group_names,
                              some.drawers)

    def joined(self, other: "IdentityImages") -> "IdentityImages":
        """Return these pictures and then those of others, whose names are none of these.

        Parameters
        ----------
        other : IdentityImages
        """
        assert self.groups is not None
        assert other.groups is not None
        both = set(self.names) & set(other.names)
        if both:
            raise DataError(f"IdentityImages.joined: expected other names, got {min(both)!r} in both")
        images = np.concatenate([self.images, other.images]) if isinstance(self.images, np.ndarray) and isinstance(
            other.images, np.ndarray) else [*self.images, *other.images]
        groups = np.append(self.groups, other.groups + len(self.group_names))
        return IdentityImages(images, np.append(self.labels, other.labels + len(self.names)), self.names + other.names,
                              self.files + other.files, groups, self.group_names + other.group_names,
                              np.append(self.drawers, other.drawers))  # type: ignore[arg-type]

    def held_out(self, every: int = 5) -> tuple["IdentityImages", "IdentityImages"]:
        """Return the pictures of most persons and those of every fifth, whom nobody will have seen.

        Parameters
        ----------
        every : int
        """
        rest = [name for k, name in enumerate(self.names) if k % every != every - 1]
        return self.of(rest), self.of(self.names[every - 1 :: every])
