"""Folders of persons: a sub-folder each, with some pictures of the person."""

from pathlib import Path

import numpy as np

from fastcnn.data.ahead import ahead
from fastcnn.datasets._folders import visible
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.faults import Fault, dropped, refuse
from fastcnn.datasets.annotated.identities import IdentityImages
from fastcnn.datasets.annotated.layouts import is_picture, part_name
from fastcnn.datasets.annotated.picture_list import PictureList, picture_at
from fastcnn.errors import DataError
from fastcnn.formats.files import printable


def read_persons(root: Path, drop_bad: bool) -> AnnotatedDataset:
    """Return the persons of a folder; every fifth by name is for testing, unless ``train`` and ``test`` are there.

    Parameters
    ----------
    root : Path
    drop_bad : bool
        Leave out pictures that cannot be read, rather than refuse all.

    Raises
    ------
    DataError
        Faults, without `drop_bad`; fewer than two persons in a part.
    """
    faults = list[Fault]()
    folders = {part_name(one.name): one for one in visible(root) if one.is_dir() and part_name(one.name) != "all"}
    if "train" in folders and len(folders) > 1:
        parts = {part: _persons(root, folder, faults) for part, folder in folders.items()}
        if "test" not in parts:
            parts["test"] = parts.pop("dev")
    else:
        parts = dict(zip(("train", "test"), _persons(root, root, faults).held_out(), strict=True))
    if not drop_bad:
        refuse(faults, str(root))
    for part, persons in parts.items():
        if len(persons.names) < 2:
            raise DataError(f"{root}: expected at least two persons for {part}, each a folder with pictures, got "
                            f"{len(persons.names)}; ten persons in all are enough")
    train = parts["train"]
    return AnnotatedDataset(printable(root.resolve().name), "identity", train, parts["test"], train.names,
                            f"persons in {printable(root)}", parts.get("dev"), tuple(dropped(faults)), tuple(faults))


def _persons(root: Path, folder: Path, faults: list[Fault]) -> IdentityImages:
    people = [one for one in visible(folder) if one.is_dir()]
    files = [(file, one.name) for one in people for file in visible(one) if is_picture(file)]
    kept, channels = list[tuple[Path, str]](), [1]
    for (file, person), found in zip(files, ahead(lambda pair: _look(root, pair[0]), files), strict=True):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            kept.append((file, person))
            channels.append(found)
    names = sorted({person for _, person in kept})
    labels = np.array([names.index(person) for _, person in kept], np.int64)
    return IdentityImages(PictureList([file for file, _ in kept], max(channels)), labels,
                          tuple(map(printable, names)),
                          tuple(printable(file.relative_to(root).as_posix()) for file, _ in kept))


def _look(root: Path, file: Path) -> int | Fault:
    where = file.relative_to(root).as_posix()
    if not file.resolve().is_relative_to(root.resolve()):
        return Fault(where, None, None, "lies outside the folder of the data set")
    try:
        return picture_at(file, None).shape[2]
    except DataError as error:
        return Fault(where, None, None, f"cannot be read: {str(error).replace(f'{root}/', '')}")
