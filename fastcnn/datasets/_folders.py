"""Which files of a folder are whose: class folders, ``train`` beside ``test`` or ``val``, and what systems leave there.

Nothing is opened here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.datasets._targets import Task
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

TRAIN = ("train", "training")
TEST = ("test", "testing")
DEV = ("val", "valid", "validation", "dev")
# What systems put into folders unasked, in small letters: Windows, macOS, and the boxes of Synology and QNAP. Names
# that begin with a dot (.DS_Store, ._cat.png, .@__thumb) are hidden everywhere.
_SYSTEM = frozenset((
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin", "system volume information",
    "icon\r", "__macosx", "network trash folder", "temporary items",
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@sharebin", "lost+found",
))  # fmt: skip
_SYSTEM_ENDINGS = (":zone.identifier", "@synoeastream", "@synoresource")


class LabelledFiles(NamedTuple):
    """The files of one part of a data set, with their targets, and their names for messages and splits."""

    files: list[Path]
    labels: Sequence[Any]
    names: list[str]


class Layout(NamedTuple):
    """What lies where.

    Attributes
    ----------
    classes : tuple of str
        Their names as text, in the order of the labels; in regression those of the targets.
    train : LabelledFiles
    test : LabelledFiles or None
        None: a part of `train` is for testing.
    dev : LabelledFiles or None
        None: the folder has none.
    notes : list of str
        What a person should know of it.
    task : Task
    """

    classes: tuple[str, ...]
    train: LabelledFiles
    test: LabelledFiles | None
    notes: list[str]
    dev: LabelledFiles | None = None
    task: Task = "classification"


def visible(folder: Path) -> list[Path]:
    """Return what people put into a folder, sorted by name."""
    return sorted(entry for entry in folder.iterdir() if not _is_of_a_system(entry.name))


def _is_of_a_system(name: str) -> bool:
    lower = name.lower()
    return name.startswith(".") or lower in _SYSTEM or lower.endswith(_SYSTEM_ENDINGS)


def layout_of(root: Path) -> Layout:
    """Return the classes and files of a folder: see `fastcnn.datasets.load`.

    Raises
    ------
    DataError
        Fewer than two classes, a class without pictures, a folder in a class, a class of the test folder that is
        none of the training's, folders that nobody knows beside ``train``, two for one purpose.
    """
    folders = _folders(root)
    train = _only(root, folders, TRAIN)
    if train is None or not _folders(train):  # a class may be called train
        classes = _classes(root)
        return Layout(classes, _list(root, classes, root), None, [])
    test, dev = _only(root, folders, TEST), _only(root, folders, DEV)
    others = [folder.name for folder in folders if folder not in (train, test, dev)]
    if others:
        raise DataError(
            f"{root}: expected only train, test and val in it, got also {', '.join(others)}; move that away"
        )
    classes, notes = _classes(train), []
    if test is None and dev is not None:
        test, dev = dev, None
        notes.append(f"the folder {test.name} is what is tested on")
    other = [None if folder is None else _list(folder, classes, root) for folder in (test, dev)]
    return Layout(classes, _list(train, classes, root), other[0], notes, other[1])


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in visible(folder) if entry.is_dir()]


def _only(root: Path, folders: list[Path], names: tuple[str, ...]) -> Path | None:
    """Return the folder with one of some names, in capitals or not; None if there is none."""
    found = [folder for folder in folders if folder.name.lower() in names]
    if len(found) > 1:
        raise DataError(
            f"{root}: expected one folder of {', '.join(names)}, got {' and '.join(f.name for f in found)}; "
            "put them together"
        )
    return found[0] if found else None


def _classes(root: Path) -> tuple[str, ...]:
    classes = tuple(printable(folder.name) for folder in _folders(root))
    if len(classes) < 2:
        raise DataError(
            f"{root}: expected a sub-folder of pictures for each of at least two classes, "
            f"got {classes[0] if classes else 'none'}; see the documentation of fastcnn.datasets.load for what it reads"
        )
    if len(set(classes)) < len(classes):  # a folder caf\xe9 of bytes, and one with a backslash in its name
        twice = next(name for name in classes if classes.count(name) > 1)
        raise DataError(f"{root}: expected classes of different names, got {twice} twice; rename one")
    return classes


def _list(root: Path, classes: tuple[str, ...], whole: Path) -> LabelledFiles:
    """Return the files of all class folders in `root`, which may lack some; they are named by their path in `whole`."""
    files, labels, names = list[Path](), list[int](), list[str]()
    for folder in _folders(root):
        name = printable(folder.name)
        if name not in classes:
            raise DataError(f"{folder}: expected one of the classes {', '.join(classes)}, got {name}; rename it")
        inside = visible(folder)
        if not inside:
            raise DataError(f"{folder}: expected pictures of the class {name}, got an empty folder; remove it")
        for entry in inside:
            if entry.is_dir():
                raise DataError(
                    f"{entry}: expected a picture file of the class {name}, got a folder; put its pictures into "
                    f"{folder}, or name {folder} if its folders are the classes"
                )
        files.extend(inside)
        labels.extend([classes.index(name)] * len(inside))
        names.extend(printable(entry.relative_to(whole).as_posix()) for entry in inside)
    if not files:
        raise DataError(f"{root}: expected class folders {', '.join(classes)}, got none; add them")
    return LabelledFiles(files, labels, names)
