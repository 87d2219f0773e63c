"""From what annotations tell to a record, or to what is wrong with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastcnn.data.ahead import ahead
from fastcnn.datasets.annotated import box_forms
from fastcnn.datasets.annotated.box_forms import Form
from fastcnn.datasets.annotated.faults import Fault
from fastcnn.datasets.annotated.parsed import Annotation, ParsedBox
from fastcnn.datasets.annotated.picture_list import PictureList, picture_at
from fastcnn.datasets.annotated.records import BoxedImages
from fastcnn.errors import DataError


class Assembled(NamedTuple):
    """A part of a data set as it was read.

    Attributes
    ----------
    record : BoxedImages
        Without what has faults.
    faults : list of Fault
    question : str or None
        Which other form the numbers seem to have.
    """

    record: BoxedImages
    faults: list[Fault]
    question: str | None


class _Kept(NamedTuple):
    file: Path
    name: str
    size: tuple[int, int]
    boxes: list[tuple[ParsedBox, np.ndarray, int]]  # a box, its corners, its class


@np.errstate(over="ignore", invalid="ignore")  # numbers that are too large are faults, not warnings
def assemble(root: Path, annotations: Sequence[Annotation], places: Sequence[Path], names: Sequence[str] | None,
             form: Form) -> Assembled:
    """Return a record of pictures and boxes, and what is wrong with the rest.

    Parameters
    ----------
    root : Path
        The data set's folder, out of which no picture may lie.
    annotations : sequence of Annotation
    places : sequence of Path
        Folders within `root` where pictures may lie, the first one first.
    names : sequence of str, or None
        Of the classes; None: those that occur, sorted.
    form : str
        Of the values.
    """
    if names is None:
        names = sorted({str(box.label) for one in annotations for box in one.boxes if box.problem is None})
    looked = list(ahead(lambda one: _looked_at(root, one, places), annotations))
    values, sizes = list[Any](), list[Any]()
    for one, look in zip(annotations, looked, strict=True):
        if not isinstance(look, Fault):
            some = [box.values for box in one.boxes if box.problem is None]
            values += some
            sizes += [look.size] * len(some)
    every = np.array(values, np.float64).reshape(-1, 4), np.array(sizes, np.int64).reshape(-1, 2)
    question = box_forms.mistaken(*every, form)
    kept, faults = list[_Kept](), list[Fault]()
    for one, look in zip(annotations, looked, strict=True):
        if isinstance(look, Fault):
            faults.append(look)
        else:
            boxes = _sound(one, look.size, names, form, faults)
            kept.append(_Kept(look.file, _within(root, look.file), look.size, boxes))
    channels = max([1, *(look.channels for look in looked if not isinstance(look, Fault))])
    flat = [box for picture in kept for box in picture.boxes]
    offsets = np.append(0, np.cumsum([len(picture.boxes) for picture in kept], dtype=np.int64))
    record = BoxedImages(
        PictureList([picture.file for picture in kept], channels),
        np.array([corners for _, corners, _ in flat], np.float32).reshape(-1, 4), offsets,
        np.array([label for *_, label in flat], np.int64), tuple(names), tuple(picture.name for picture in kept),
        np.array([picture.size for picture in kept], np.int64).reshape(-1, 2),
        np.array([box.kind for box, *_ in flat], np.uint8), np.array([box.area for box, *_ in flat], np.float32))
    return Assembled(record, faults, question)


class _PictureSeen(NamedTuple):
    file: Path
    size: tuple[int, int]
    channels: int


def _looked_at(root: Path, told: Annotation, places: Sequence[Path]) -> _PictureSeen | Fault:
    """Return where the picture of an annotation is and how large, or what is wrong with it."""
    fault = lambda what: Fault(told.source, told.line, None, what)
    if told.problem is not None:
        return fault(told.problem)
    file = found_at(root, told.picture, places)
    if isinstance(file, str):
        return fault(file)
    try:
        pixels = picture_at(file, None)
    except DataError as error:
        return fault(f"its picture cannot be read: {str(error).replace(str(root), '').lstrip('/')}")
    height, width, channels = pixels.shape
    if told.size is not None and told.size != (height, width):
        return fault(f"says that {told.picture} has {told.size[1]}x{told.size[0]} pixels, but it has {width}x{height}")
    return _PictureSeen(file, (height, width), channels)


def found_at(root: Path, name: str, places: Sequence[Path]) -> Path | str:
    """Return the file of a picture, or what is wrong with its name.

    Parameters
    ----------
    root : Path
    name : str
        As an annotation tells it.
    places : sequence of Path
        As in `assemble`.
    """
    if not name or "\0" in name:
        return "names no picture"
    plain = name.replace("\\", "/")
    if plain.startswith(("/", "~")) or ".." in plain.split("/") or plain[1:2] == ":":
        return f"names a picture outside the folder of the data set: {name[:80]!r}"
    try:
        for place in places:
            file = place / plain
            if file.is_file():
                return file if file.resolve().is_relative_to(root.resolve()) else (
                    f"names a picture outside the folder of the data set: {name[:80]!r}")
    except (OSError, ValueError):  # too long, or letters that the file system has not
        return f"names a picture that no file can be called: {name[:80]!r}"
    return f"names a picture that is not there: {name[:80]!r}"


def _sound(told: Annotation, size: tuple[int, int], names: Sequence[str], form: Form, faults: list[Fault]
           ) -> list[tuple[ParsedBox, np.ndarray, int]]:
    """Return the boxes of a picture that are sound, and add faults of the others."""
    good = [k for k, box in enumerate(told.boxes) if box.problem is None]
    values = np.array([told.boxes[k].values for k in good], np.float64).reshape(-1, 4)
    corners = box_forms.to_corners(values, np.tile(size, (len(values), 1)), form)
    corners = box_forms.settled(corners, size, form)
    problems = [box.problem for box in told.boxes]
    for k, what in zip(good, box_forms.faults_of(corners, size), strict=True):
        problems[k] = what
    kept, seen = list[tuple[ParsedBox, np.ndarray, int]](), dict[tuple[float, ...], int]()
    at = dict(zip(good, corners.astype(np.float32), strict=True))
    for k, box in enumerate(told.boxes):
        label, unknown_class = _class_of(box, names)
        what = problems[k] or unknown_class
        if what is None and not (np.isfinite(at[k]).all() and (at[k][2:] > at[k][:2]).all()):
            what = "is too small or too large for numbers of 32 bits"
        if what is None:
            key = tuple(at[k].tolist())
            if key in seen:
                what = f"has the corners of box {seen[key]}: two labels on one object"
            else:
                seen[key] = k + 1
        if what is None:
            kept.append((box, at[k], label))
        else:
            faults.append(Fault(told.source, box.line, k + 1, what))
    return kept


def _class_of(box: ParsedBox, names: Sequence[str]) -> tuple[int, str | None]:
    if isinstance(box.label, int):
        if box.label < len(names):
            return box.label, None
        return -1, f"has class {box.label}, but there are {len(names)}, from 0 to {len(names) - 1}"
    if box.label in names:
        return list(names).index(box.label), None
    return -1, f"has an unknown class {box.label[:40]!r}; known are {', '.join(names)[:200]}"


def _within(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
