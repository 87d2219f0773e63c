"""The pictures of an annotated data set by their parts: as they came, as the options deal them, as a run has them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn import random
from fastcnn.cli._examples import texts
from fastcnn.cli._split import groups_of
from fastcnn.data import PARTS, share_for, split, split_file
from fastcnn.datasets import AnnotatedDataset
from fastcnn.errors import ArgumentError, DataError

_NAMED = 3  # pictures that a message names


class AnnotatedExamples(NamedTuple):
    """Some pictures of an annotated data set.

    Attributes
    ----------
    part : BoxedImages, MaskedImages or IdentityImages
    names : (n,) object array of str
        What ``split.csv`` calls them.
    y : (n,) object array of str
        What it tells of each: of boxes how many there are, of persons who it is.
    """

    part: Any
    names: NDArray[Any]
    y: NDArray[Any]

    def some(self, index: NDArray[Any]) -> "AnnotatedExamples":
        """Return the pictures of some indices."""
        part = self.part.take(index)
        if hasattr(part, "labels"):  # of persons those that there are
            part = part.of([part.names[k] for k in np.unique(part.labels)])
        return AnnotatedExamples.of(part)

    @classmethod
    def of(cls, part: Any) -> "AnnotatedExamples":
        """Return all pictures of a part."""
        if hasattr(part, "labels"):
            told = [part.names[k] for k in part.labels]
        elif hasattr(part, "offsets"):
            told = list(map(str, np.diff(part.offsets).tolist()))
        else:
            told = [""] * len(part)
        return cls(part, texts(part.files), texts(told))

    def joined(self, other: "AnnotatedExamples", name: str = "dev") -> "AnnotatedExamples":
        """Return these pictures and then those of a part that has its name from an option."""
        if not hasattr(self.part, "joined"):
            raise ArgumentError(f"--{name} 0: expected a part that can be trained on with the others, got one of "
                                f"masks; leave it out, or move its pictures into the training folder")
        return AnnotatedExamples.of(self.part.joined(other.part))


Parts = dict[str, AnnotatedExamples]


def made(data: AnnotatedDataset, given: dict[str, Any]) -> tuple[Parts, dict[str, str]]:
    """Return the parts of a data set as the options want them, and the group of each picture by its name.

    The parts that the data came with stay, but for one of share 0, which is trained on; the others are dealt out of the
    training part. All pictures of a person stay in one part.

    Raises
    ------
    ArgumentError
        A share for a part that the data came with.
    """
    parts = {name: AnnotatedExamples.of(part) for name, part in data.parts.items()}
    for name in ("dev", "test"):
        if given[name] == 0 and name in parts:
            parts["train"] = parts["train"].joined(parts.pop(name), name)
    total, shares = sum(len(part.y) for part in parts.values()), {}
    for name in PARTS[1:]:
        share = given[name]
        if name in parts and share is not None:
            raise ArgumentError(f"--{name}: expected none, as {data.name} has its own {name} part of "
                                f"{len(parts[name].y):,} pictures, got {share:g}; 0 trains on it too")
        if name not in parts and name != "test":
            share = (share_for(total) if name == "dev" else 0.0) if share is None else share
            shares[name] = min(1.0, share * total / len(parts["train"].y))
    groups = groups_of(parts, given["group_by"], None)  # type: ignore[arg-type]  # of which the names alone matter
    if sum(shares.values()) > 0:
        pool = parts["train"]
        kept_together = pool.y if data.task == "identity" else None if groups is None else texts(
            [groups[name] for name in pool.names])
        index = split(np.zeros(len(pool.y), np.int64), shares, seed=given["seed"],
                      groups=None if kept_together is None else kept_together.astype(str))
        parts |= {name: pool.some(own) for name, own in index.items()}
    return {name: parts[name] for name in PARTS if name in parts}, groups or {}


def limited(part: AnnotatedExamples, limit: int | None, seed: int) -> AnnotatedExamples:
    """Return so many pictures of a part, drawn by the seed, or so many of whole persons; all without a limit."""
    if limit is None or limit >= len(part.y):
        return part
    if hasattr(part.part, "labels"):
        persons = random.generator(seed).permutation(len(part.part.names))
        counts = np.cumsum(np.bincount(part.part.labels, minlength=len(persons))[persons])
        kept = persons[: max(2, int(np.searchsorted(counts, limit, "right")))]
        return part.some(np.flatnonzero(np.isin(part.part.labels, kept)))
    return part.some(np.sort(random.generator(seed).permutation(len(part.y))[:limit]))


def restored(path: Path, data: AnnotatedDataset) -> Parts:
    """Return the parts of a data set as the file of a run says.

    Raises
    ------
    DataError
        A file that is no split, or that of other data: pictures that are gone, or new, or tell something else.
    """
    rows = split_file.read(path)
    every = [AnnotatedExamples.of(part) for part in data.parts.values()]
    told = {name: text for part in every for name, text in zip(part.names, part.y, strict=True)}
    known = {row.example: row for row in rows}
    faults = [f"{name} is gone" for name in known if name not in told]
    faults += [f"{name} is new" for name in told if name not in known]
    faults += [f"{name} has {told[name] or 'nothing'} in place of {row.label or 'nothing'}"
               for name, row in known.items() if told.get(name, row.label) != row.label]
    if faults:
        raise DataError(f"{path}: expected the pictures of {data.name} that it was made of, got others: "
                        f"{', '.join(faults[:_NAMED])}{' ...' if len(faults) > _NAMED else ''}; restore them, or train "
                        "anew")  # fmt: skip
    found: Parts = {}
    for part in every:
        of_each = np.array([known[name].part for name in part.names])
        for name in dict.fromkeys(of_each.tolist()):
            some = part.some(np.flatnonzero(of_each == name))
            found[name] = found[name].joined(some) if name in found else some
    return {name: found[name] for name in PARTS if name in found}


def parts_of(data: AnnotatedDataset, path: Path | None) -> Parts:
    """Return the parts of a data set that are known: by the file of a run, else the test part that it came with."""
    return restored(path, data) if path is not None else {"test": AnnotatedExamples.of(data.test)}


def named_part(parts: Parts, name: str, who: str) -> AnnotatedExamples:
    """Return a part.

    Raises
    ------
    ArgumentError
        If there is none of that name.
    """
    if name not in parts:
        raise ArgumentError(f"{who}: expected a part {name.replace('_', '-')}, got {', '.join(parts)} alone; name "
                            f"another --part")  # fmt: skip
    return parts[name]
