"""Data sets of boxes from a folder."""

from collections.abc import Sequence
from pathlib import Path

from fastcnn.datasets.annotated.assembling import Assembled, assemble
from fastcnn.datasets.annotated.box_forms import Form
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.faults import dropped, refuse
from fastcnn.datasets.annotated.layouts import Kind, Part, dealt, form_of, parts_of, root_of
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

_TITLES = {"voc": "Pascal VOC", "coco": "COCO", "yolo": "YOLO"}


def read_boxes(path: Path, kind: Kind, drop_bad: bool, names: Sequence[str] | None = None, name: str | None = None,
               form: Form | None = None) -> AnnotatedDataset:
    """Return the boxes of a folder, or of COCO's file.

    Parameters
    ----------
    path : Path
    kind : {"voc", "coco", "yolo"}
    drop_bad : bool
        Leave out boxes and pictures with faults, rather than refuse all.
    names : sequence of str, optional
        Of the classes, where the files do not tell them.
    name : str, optional
        Of the data set; that of the folder if absent.
    form : str, optional
        Of the numbers, where a file has others than its kind.

    Raises
    ------
    DataError
        Faults, without `drop_bad`; numbers that seem to have another form; no picture or no box in a part.
    """
    parts, root = dealt(parts_of(path, kind)), root_of(path)
    if names is None:
        names = next(part.names for part in parts.values()) or _names_in(parts)
    found = {part: assemble(root, told.annotations, told.places, names, form or form_of(kind))
             for part, told in parts.items()}
    faults = [fault for one in found.values() for fault in one.faults]
    _refuse_form(found, path)
    if not drop_bad:
        refuse(faults, str(path))
    title = name or printable(path.stem if path.is_file() else path.resolve().name)
    for part in ("train", "test"):
        if part not in found or not len(found[part].record):
            raise DataError(f"{path}: expected at least one sound picture for {part}, got none; "
                            f"{faults[0] if faults else 'add pictures with annotations'}")
    if not len(found["train"].record.boxes):
        raise DataError(f"{path}: expected at least one box in the training part, got none; check the annotations")
    return AnnotatedDataset(
        title, "detection", found["train"].record, found["test"].record, tuple(names),
        f"{_TITLES[kind]} in {printable(path)}", found["dev"].record if "dev" in found else None,
        tuple(dropped(faults)), tuple(faults))


def _names_in(parts: dict[str, Part]) -> list[str]:
    return sorted({str(box.label) for part in parts.values() for one in part.annotations for box in one.boxes
                   if box.problem is None})


def _refuse_form(found: dict[str, Assembled], path: Path) -> None:
    for one in found.values():
        if one.question is not None:
            raise DataError(f"{path}: {one.question} Say so with box_form (--box-form), or correct the files")
