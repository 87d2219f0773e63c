"""``fastcnn data check`` of boxes, masks and persons: counts, sizes, faults, and a page of pictures."""

from collections import Counter
from typing import Any

import numpy as np

_MOST_FAULTS, _PICTURES = 200, 12
_ALIKE = 0.9  # IoU of two boxes of one class that may be one object


def check_annotated(dataset: str, data_dir: str | None, task: str, drop_bad: bool, out: str | None) -> bool:
    """Tell what a data set holds and what is wrong with it; return whether there is anything wrong.

    Parameters
    ----------
    dataset : str
        Name or path.
    data_dir : str or None
    task : str
    drop_bad : bool
        Whether what is wrong may be left out, and is none then.
    out : str or None
        The page.
    """
    from fastcnn.cli._console import make_console
    from fastcnn.datasets.annotated.loading import load_annotated
    from fastcnn.formats.files import expanded, write_atomically

    data = load_annotated(dataset, data_dir, task, drop_bad=True)
    console = make_console()
    console.print(f"data   {data.name}: {data.source}")
    for name, part in data.parts.items():
        console.print(f"part   {name}: {_told(part)}")
    for line in _sizes(data) + (_doubles(data) if task == "detection" else []):
        console.print(f"note   {line}")
    for note in data.notes if drop_bad else ():
        console.print(f"note   {note}")
    for fault in data.faults[:_MOST_FAULTS] if not drop_bad else ():
        console.print(f"fault  {fault}")
    if len(data.faults) > _MOST_FAULTS and not drop_bad:
        console.print(f"fault  and {len(data.faults) - _MOST_FAULTS} more")
    if out is not None:
        from fastcnn.cli._annotated_page import page

        write_atomically(expanded(out), page(data.train, data.classes, _PICTURES))
        console.print(f"drawn in {out}")
    if data.faults and not drop_bad:
        console.print(f"{len(data.faults)} faults; --drop-bad leaves out what has them")
        return True
    console.print("no fault found" if not data.faults else f"{len(data.faults)} faults left out")
    return False


def _told(part: Any) -> str:
    """Return how many of what a part has."""
    if hasattr(part, "boxes"):
        empty = int((np.diff(part.offsets) == 0).sum())
        counts = ", ".join(f"{name} {count:,}" for name, count in part.counts().items())
        return f"{len(part):,} pictures, {len(part.boxes):,} boxes ({counts}), {empty:,} pictures without any"
    if hasattr(part, "masks"):
        shares = [float((mask > 0).mean()) for mask in part.masks]
        objects = sum(len(np.unique(mask[mask > 0])) for mask in part.masks)
        what = f"{objects:,} objects" if part.kind == "instances" else "classes by pixel"
        return f"{len(part):,} pictures, {what}, {np.mean(shares):.1%} of the pixels marked"
    groups = f" of {len(part.group_names)} alphabets" if part.group_names else ""
    return f"{len(part):,} pictures of {len(part.names):,} {'characters' if groups else 'persons'}{groups}"


def _sizes(data: Any) -> list[str]:
    """Return a line about the sizes of pictures, and one about those of boxes."""
    parts = [part for part in data.parts.values() if hasattr(part, "sizes")]
    if not parts:
        return []
    sizes = Counter(map(tuple, np.concatenate([part.sizes for part in parts]).tolist())).most_common()
    some = ", ".join(f"{count:,} of {width}x{height}" for (height, width), count in sizes[:4])
    lines = [f"{len(sizes)} size{'s' * (len(sizes) > 1)} of pictures: {some}{', ...' if len(sizes) > 4 else ''}"]
    boxed = [part for part in parts if hasattr(part, "boxes") and len(part.boxes)]
    if boxed:
        boxes, classes = (np.concatenate([getattr(part, name) for part in boxed]) for name in ("boxes", "classes"))
        sides = boxes[:, 2:] - boxes[:, :2]
        means = {name: sides[classes == k].mean(axis=0) for k, name in enumerate(data.classes) if (classes == k).any()}
        lines.append("mean sizes of boxes: " + ", ".join(f"{name} {w:.0f}x{h:.0f}" for name, (w, h) in means.items()))
    return lines


def _doubles(data: Any) -> list[str]:
    """Return a line about boxes of one class that may be one object."""
    found, first = 0, ""
    for part in data.parts.values():
        for row in range(len(part)):
            some = part.slice_of(row)
            boxes, classes = part.boxes[some].astype(np.float64), part.classes[some]
            alike = np.triu(_overlaps(boxes) > _ALIKE, 1) & (classes[:, None] == classes)
            if alike.any():
                found += int(alike.sum())
                i, j = np.argwhere(alike)[0] + 1
                first = first or f"{part.files[row]}, boxes {i} and {j}"
    return [f"{found} pairs of boxes of one class overlap by more than {_ALIKE}, as if labelled twice: {first}"
            f"{', ...' if found > 1 else ''}"] if found else []


def _overlaps(boxes: np.ndarray) -> np.ndarray:
    """Return the IoU of boxes (K, 4) with one another, (K, K)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    shares: np.ndarray = both / (areas[:, None] + areas - both)
    return shares
