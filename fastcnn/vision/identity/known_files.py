"""Pictures of known persons in a folder, by name."""

import os
import re
from pathlib import Path

from fastcnn.datasets._folders import visible
from fastcnn.datasets.annotated.layouts import is_picture
from fastcnn.errors import DataError
from fastcnn.formats.files import expanded, printable

_NUMBERED = re.compile(r"(.*\D)[-_ ]\d+")


def known_persons(folder: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """Return the files of pictures of persons, by name, as `Gallery.enroll` takes them with a recognizer.

    A sub-folder has the name of a person, and some pictures. A picture beside the sub-folders has the name of its
    person too, with a number behind it or without: ``ann.png``, ``ann_2.png``, ``ann-3.jpg``.

    Parameters
    ----------
    folder : path

    Returns
    -------
    dict of str to list of Path
        Persons and pictures in the order of their names.

    Raises
    ------
    DataError
        If it is no folder, or there is nobody in it.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("known").mkdir()
    >>> Path("known", "ann_2.png").touch()
    >>> [(name, [file.name for file in files]) for name, files in fc.vision.identity.known_persons("known").items()]
    [('ann', ['ann_2.png'])]
    """
    root = expanded(folder)
    if not root.is_dir():
        raise DataError(f"{folder}: expected a folder of known persons, got {'a file' if root.exists() else 'nothing'}"
                        f"{'' if root.exists() else ' there'}")
    found = dict[str, list[Path]]()
    for entry in visible(root):
        if entry.is_dir():
            pictures = [file for file in visible(entry) if file.is_file() and is_picture(file)]
            name = entry.name
        else:
            pictures = [entry] if is_picture(entry) else []
            numbered = _NUMBERED.fullmatch(entry.stem)
            name = numbered[1] if numbered else entry.stem
        if pictures:
            found.setdefault(printable(name), []).extend(pictures)
    if not found:
        raise DataError(f"{folder}: expected a folder for each person with pictures in it, or pictures that have the "
                        f"name of a person, got none")
    return dict(sorted(found.items()))
