"""What `datasets.load` does with a name or a path that has boxes, masks or persons."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from fastcnn.datasets._fetch import ANNOTATED
from fastcnn.datasets.annotated import named
from fastcnn.datasets.annotated.box_forms import Form
from fastcnn.datasets.annotated.boxes import read_boxes
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.layouts import kind_of
from fastcnn.datasets.annotated.masks import holds_masks, read_masks
from fastcnn.datasets.annotated.persons import read_persons
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.formats.files import expanded

TASKS = ("detection", "segmentation", "identity")


def task_of(name_or_path: str | os.PathLike[str]) -> str | None:
    """Return the task of a published set, or of a folder by what lies in it; None where its pictures have classes.

    Persons cannot be told from classes: of them the task is None.

    Parameters
    ----------
    name_or_path : str or path-like
        As of `load`.
    """
    if isinstance(name_or_path, str) and name_or_path.replace("-", "_") in _NAMED:
        return _NAMED[name_or_path.replace("-", "_")]
    path = expanded(name_or_path)
    try:
        if path.is_dir():
            return "segmentation" if holds_masks(path) else "detection" if kind_of(path) else None
        return "detection" if path.is_file() and kind_of(path) else None
    except OSError:
        return None


_NAMED = dict(zip((name.replace("-", "_") for name in ANNOTATED), TASKS, strict=True))


def load_annotated(name_or_path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None, task: str,
                   drop_bad: bool | None = None, classes: Sequence[str] | None = None, box_form: str | None = None
                   ) -> AnnotatedDataset:
    """Return a data set of boxes, masks or persons: see `datasets.load`."""
    if task not in TASKS:
        raise ArgumentError(unknown("datasets.load: task", task, ("classification", *TASKS)))
    forms = get_args(Form)
    if box_form is not None and box_form not in forms:
        raise ArgumentError(unknown("datasets.load: box_form", box_form, forms))
    if isinstance(name_or_path, str) and name_or_path.replace("-", "_") in _NAMED:
        name = name_or_path.replace("-", "_")
        if _NAMED[name] != task or classes is not None or box_form is not None:
            raise ArgumentError(f"datasets.load: expected {name_or_path} as it is, a set for {_NAMED[name]}, got "
                                f"another task, classes or box_form; leave them out")
        return named.load_named(name, data_dir, drop_bad)
    path = _own(name_or_path, data_dir)
    if task == "detection":
        kind = kind_of(path)
        if kind is None:
            raise DataError(f"{path}: expected annotations of Pascal VOC (.xml), COCO (.json) or YOLO (images/ and "
                            f"labels/), got none")
        return read_boxes(path, kind, bool(drop_bad), classes, form=cast(Form | None, box_form))
    _require_no_boxes(classes, box_form, task)
    return read_masks(path, bool(drop_bad)) if task == "segmentation" else read_persons(path, bool(drop_bad))


def _own(name_or_path: Any, data_dir: Any) -> Path:
    path = expanded(name_or_path)
    if data_dir is not None:
        raise ArgumentError(f"datasets.load: expected data_dir only with a name, got it with the path {path}; leave it "
                            f"out")
    return path


def _require_no_boxes(classes: Any, box_form: Any, task: str) -> None:
    if classes is not None or box_form is not None:
        raise ArgumentError(f"datasets.load: expected classes and box_form for boxes alone, got them for {task}")
