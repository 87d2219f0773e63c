"""Boxes written in the forms of Pascal VOC, COCO and YOLO, with their pictures."""

import os
import shutil
from pathlib import Path

from fastcnn.datasets.annotated import coco, pascal_voc, yolo
from fastcnn.datasets.annotated.dataset import AnnotatedDataset
from fastcnn.datasets.annotated.layouts import KINDS, Kind
from fastcnn.datasets.annotated.parsed import COUNTS, CROWD
from fastcnn.datasets.annotated.picture_list import PictureList
from fastcnn.datasets.annotated.records import BoxedImages
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.formats.files import expanded, write_atomically

_PARTS = {"train": "train", "dev": "val", "test": "test"}


def write_boxes(data: AnnotatedDataset, folder: str | os.PathLike[str], kind: Kind) -> None:
    """Write a data set of boxes into a new or empty folder, from which `load` reads the same boxes.

    Pictures that are files are copied as they are, others written as PNG.

    Parameters
    ----------
    data : AnnotatedDataset
        Of the task "detection".
    folder : path-like
    kind : {"voc", "coco", "yolo"}
        Pascal VOC: ``Annotations``, ``JPEGImages`` and ``ImageSets``. COCO: ``annotations/instances_train.json`` ...
        and ``images``. YOLO: ``images``, ``labels`` and ``data.yaml``.

    Raises
    ------
    ArgumentError
        Another kind, or data without boxes.
    DataError
        A folder that is not empty; what a form cannot tell: crowds in Pascal VOC, crowds and difficult objects in YOLO;
        two pictures of one name.
    """
    if kind not in KINDS:
        raise ArgumentError(unknown("write_boxes: kind", kind, KINDS))
    if data.task != "detection":
        raise ArgumentError(f"write_boxes: expected data with boxes, got {data.name} of the task {data.task}")
    root = expanded(folder)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root}: expected a new or empty folder to write to, got one with something in it")
    for part in data.parts.values():
        _require_told(part, kind)
    flat = [name for part in data.parts.values() for name in _flat(part)]
    if len({Path(name).stem for name in flat}) < len(flat):
        raise DataError("write_boxes: expected pictures of different names, got two of one name")
    {"voc": _write_voc, "coco": _write_coco, "yolo": _write_yolo}[kind](data, root)


def _require_told(part: BoxedImages, kind: Kind) -> None:
    assert part.kinds is not None
    lost = {"voc": part.kinds == CROWD, "coco": part.kinds < COUNTS, "yolo": part.kinds != COUNTS}[kind]
    if lost.any():
        raise DataError(f"write_boxes: expected boxes that {kind} can tell, got {int(lost.sum())} of crowds"
                        f"{' or difficult ones' if kind == 'yolo' else ''}; write COCO's form")


def _flat(part: BoxedImages) -> list[str]:
    """Return the names of the pictures without their folders, as they are written."""
    names = [Path(file).name for file in part.files]
    return names if isinstance(part.images, PictureList) else [f"{Path(name).stem}.png" for name in names]


def _write_picture(part: BoxedImages, row: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(part.images, PictureList):
        shutil.copyfile(part.images.files[row], path)
        return
    from PIL import Image

    pixels = part.images[row]
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode(), lasting=False)


def _write_voc(data: AnnotatedDataset, root: Path) -> None:
    for name, part in data.parts.items():
        files = _flat(part)
        for row, file in enumerate(files):
            some = part.slice_of(row)
            _write_picture(part, row, root / "JPEGImages" / file)
            height, width = part.sizes[row].tolist()
            labels = [part.names[k] for k in part.classes[some]]
            _write_text(root / "Annotations" / f"{Path(file).stem}.xml", pascal_voc.written(
                file, (height, width), 3, part.boxes[some], labels, part.kinds[some]))
        _write_text(root / "ImageSets" / "Main" / f"{_PARTS[name]}.txt",
                    "".join(f"{Path(file).stem}\n" for file in files))


def _write_coco(data: AnnotatedDataset, root: Path) -> None:
    for name, part in data.parts.items():
        files, rows = _flat(part), list[list[tuple]]()
        for row, file in enumerate(files):
            _write_picture(part, row, root / "images" / file)
            some = part.slice_of(row)
            rows.append([(*box, label, kind, area) for box, label, kind, area in zip(
                part.boxes[some].tolist(), part.classes[some].tolist(), part.kinds[some].tolist(),
                part.areas[some].tolist(), strict=True)])
        pictures = [(file, tuple(size)) for file, size in zip(files, part.sizes.tolist(), strict=True)]
        _write_text(root / "annotations" / f"instances_{_PARTS[name]}.json", coco.written(pictures, rows, part.names))


def _write_yolo(data: AnnotatedDataset, root: Path) -> None:
    for name, part in data.parts.items():
        for row, file in enumerate(_flat(part)):
            some = part.slice_of(row)
            _write_picture(part, row, root / "images" / _PARTS[name] / file)
            height, width = part.sizes[row].tolist()
            _write_text(root / "labels" / _PARTS[name] / f"{Path(file).stem}.txt",
                        yolo.written((height, width), part.boxes[some], part.classes[some]))
    lines = [f"{part}: images/{_PARTS[part]}\n" for part in data.parts]
    names = "".join(f"  {k}: {name!r}\n" for k, name in enumerate(data.classes))
    _write_text(root / "data.yaml", f"{''.join(lines)}names:\n{names}")
