"""Data sets of masks from a folder: one map a picture, or one file an object."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcnn.data.ahead import ahead
from fastcnn.datasets._folders import visible
from fastcnn.datasets._pillow import read_labels
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.faults import Fault, dropped, refuse
from fastcnn.datasets.annotated.layouts import is_picture, part_name
from fastcnn.datasets.annotated.masked_images import UNKNOWN, MaskedImages, MaskFiles, MaskList, mask_at
from fastcnn.datasets.annotated.picture_list import PictureList, picture_at
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

_INDEX = "index.csv"


class _Pair(NamedTuple):
    picture: Path
    masks: MaskFiles


class _PairSeen(NamedTuple):
    size: tuple[int, int]
    channels: int
    values: set[int]
    has_palette: bool


def holds_masks(root: Path) -> bool:
    """Return whether a folder has pictures in ``images`` and masks in ``masks``, by itself or in its parts."""
    folders = [root, *(one for one in visible(root) if one.is_dir())] if root.is_dir() else []
    return any((one / "images").is_dir() and (one / "masks").is_dir() for one in folders)


def read_masks(root: Path, drop_bad: bool, name: str | None = None) -> AnnotatedDataset:
    """Return the data set of a folder.

    Parameters
    ----------
    root : Path
        With ``images`` and ``masks``, whose files or folders have the same names; or with such folders in ``train``,
        ``test`` and perhaps ``val``; or with such folders a picture, as the Data Science Bowl has them. A table
        ``index.csv`` with the columns file and split tells the parts.
    drop_bad : bool
        Leave out pictures with faults, rather than refuse all.
    name : str, optional

    Raises
    ------
    DataError
        Faults, without `drop_bad`; no picture in a part.
    """
    pairs, faults = _parts(root)
    looked = {part: list(ahead(lambda pair: _look(root, pair), some)) for part, some in pairs.items()}
    sound = {part: [(pair, look) for pair, look in zip(pairs[part], some, strict=True) if not isinstance(look, Fault)]
             for part, some in looked.items()}
    faults = faults + [look for some in looked.values() for look in some if isinstance(look, Fault)]
    if not drop_bad:
        refuse(faults, str(root))
    for part in ("train", "test"):
        if not sound.get(part):
            raise DataError(f"{root}: expected at least one sound picture with its mask for {part}, got none; "
                            f"{faults[0] if faults else 'add some'}")
    looks = [look for some in sound.values() for _, look in some]
    kind, values = _meaning(looks)
    channels = max(look.channels for look in looks)
    records = {part: MaskedImages(
        PictureList([pair.picture for pair, _ in some], channels), MaskList([pair.masks for pair, _ in some], values),
        tuple(pair.picture.relative_to(root).as_posix() for pair, _ in some),
        np.array([look.size for _, look in some], np.int64), kind) for part, some in sound.items()}  # type: ignore[arg-type]
    most = max((value for look in looks for value in look.values), default=0)
    classes = ("object",) if kind == "instances" or values else tuple(f"class {k}" for k in range(1, most + 1))
    return AnnotatedDataset(
        name or printable(root.resolve().name), "segmentation", records["train"], records["test"], classes,
        f"masks in {printable(root)}", records.get("dev"), tuple(dropped(faults)), tuple(faults))


def _parts(root: Path) -> tuple[dict[str, list[_Pair]], list[Fault]]:
    """Return the pictures and masks of each part, and what has no counterpart."""
    faults = list[Fault]()
    named = [one for one in visible(root) if one.is_dir() and part_name(one.name) != "all"]
    if (root / "images").is_dir() and (root / "masks").is_dir():
        pairs = {"all": _pairs(root, root, faults)}
    elif named and holds_masks(root) and any((one / "images").is_dir() for one in named):
        pairs = {part_name(one.name): _pairs(root, one, faults) for one in named}
    else:  # a folder a picture
        pairs = {"all": []}
        for one in visible(root):
            if (one / "images").is_dir() and (one / "masks").is_dir():
                pictures, masks = (_pictures_in(one / name) for name in ("images", "masks"))
                if len(pictures) == 1 and masks:
                    pairs["all"].append(_Pair(pictures[0], MaskFiles(masks, True)))
                else:
                    faults.append(Fault(one.name, None, None, f"has {len(pictures)} pictures and {len(masks)} masks, "
                                                              f"expected one picture and its masks"))
    return _dealt(root, pairs), faults


def _pictures_in(folder: Path) -> list[Path]:
    return [one for one in visible(folder) if is_picture(one)]


def _pairs(root: Path, folder: Path, faults: list[Fault]) -> list[_Pair]:
    found, masks = list[_Pair](), {one.stem if one.is_file() else one.name: one for one in visible(folder / "masks")}
    for picture in _pictures_in(folder / "images"):
        mask = masks.pop(picture.stem, None)
        files = [] if mask is None else [mask] if mask.is_file() else _pictures_in(mask)
        if files:
            found.append(_Pair(picture, MaskFiles(files, mask is not None and mask.is_dir())))
        else:
            faults.append(Fault(picture.relative_to(root).as_posix(), None, None, "has no mask"))
    faults += [Fault(one.relative_to(root).as_posix(), None, None, "has no picture") for one in masks.values()]
    return found


def _dealt(root: Path, pairs: dict[str, list[_Pair]]) -> dict[str, list[_Pair]]:
    """Return the parts train, test and perhaps dev: as a table tells, else every fifth picture is for testing."""
    if "all" not in pairs:
        if "test" not in pairs and "dev" in pairs:
            pairs["test"] = pairs.pop("dev")
        return pairs
    every, told = pairs["all"], _told_parts(root)
    if told:
        parts = dict[str, list[_Pair]]()
        for pair in every:
            parts.setdefault(told.get(pair.picture.name, "train"), []).append(pair)
        return parts
    return {"train": [pair for k, pair in enumerate(every) if k % 5 != 4], "test": every[4::5]}


def _told_parts(root: Path) -> dict[str, str]:
    try:
        with open(root / _INDEX, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return {}
    return {row["file"]: part_name(row["split"]) for row in rows if row.get("file") and row.get("split")
            and part_name(row["split"]) != "all"}


def _look(root: Path, pair: _Pair) -> _PairSeen | Fault:
    """Return what must be known of a picture and its mask, or what is wrong with them."""
    where = pair.picture.relative_to(root).as_posix()
    plain = lambda error: str(error).replace(f"{root}/", "")
    for file in (pair.picture, *pair.masks.files):
        if not file.resolve().is_relative_to(root.resolve()):
            return Fault(where, None, None, "lies outside the folder of the data set, or its mask does")
    try:
        pixels, mask = picture_at(pair.picture, None), mask_at(pair.masks)
        has_palette = read_labels(pair.masks.files[0])[1] and not pair.masks.of_objects
    except DataError as error:
        return Fault(where, None, None, f"cannot be read: {plain(error)}")
    if mask.shape != pixels.shape[:2]:
        return Fault(where, None, None, f"has {pixels.shape[1]}x{pixels.shape[0]} pixels, but its mask has "
                                        f"{mask.shape[1]}x{mask.shape[0]}")
    if mask.min() < 0:
        return Fault(where, None, None, "has a mask with numbers below 0")
    return _PairSeen(pixels.shape[:2], pixels.shape[2], set(np.unique(mask).tolist()), has_palette)


def _meaning(looks: Sequence[Any]) -> tuple[str, dict[int, int] | None]:
    """Return what the numbers are, and which are to be replaced.

    One number beside 0 in all pictures is a mask of yes and no, whatever the number; of a palette numbers are classes,
    and 255 is where nobody knows; all else are objects.
    """
    values = set().union(*(look.values for look in looks)) - {0}
    if any(look.has_palette for look in looks):
        return "classes", {UNKNOWN: -1}
    if len(values) == 1 and len(looks) > 1:
        return "classes", {next(iter(values)): 1}
    return "instances", None
