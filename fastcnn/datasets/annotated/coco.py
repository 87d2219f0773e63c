"""COCO's annotations: one JSON file for all pictures, with left, top, width and height in pixels."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from fastcnn.datasets.annotated.parsed import (
    COUNTS,
    CROWD,
    DIFFICULT,
    NO_VALUES,
    Annotation,
    ParsedBox,
    Values,
    number_of,
    shown,
)
from fastcnn.errors import DataError

MOST_BYTES = 2 << 30


def parse(data: bytes, source: str) -> tuple[list[Annotation], tuple[str, ...]]:
    """Return what a JSON file tells of its pictures, and the names of the classes in the order of their ids.

    Parameters
    ----------
    data : bytes
    source : str
        The file's name, for messages.

    Raises
    ------
    DataError
        No JSON, or one without lists of images, annotations and categories that have what they must.
    """
    tree, text = loaded(data, source), data.decode("utf-8", "replace")
    images, entries, categories = (_list(tree, key, source) for key in ("images", "annotations", "categories"))
    names = dict[Any, str]()
    for number, one in enumerate(categories):
        key, name = _id(one, "id"), one.get("name") if isinstance(one, dict) else None
        if key is None or not isinstance(name, str) or not name or key in names or name in names.values():
            raise DataError(f"{source}, category {number + 1}: expected an id and a name of its own, got {shown(one)}")
        names[key] = name
    order = sorted(names, key=lambda key: (isinstance(key, str), key))
    classes = tuple(names[key] for key in order)
    boxes = dict[Any, list[ParsedBox]]()
    lines = _lines(text, "annotations")
    for number, one in enumerate(entries):
        line = next(lines, None)
        box = _box(one, number, line, names)
        boxes.setdefault(_id(one, "image_id"), []).append(box)
    found, seen = list[Annotation](), set[Any]()
    places = _lines(text, "images")
    for number, one in enumerate(images):
        line, key = next(places, None), _id(one, "id")
        picture = one.get("file_name") if isinstance(one, dict) else None
        if key is None or key in seen or not isinstance(picture, str) or not picture:
            said = f"image {number + 1} has no id or file_name of its own"
            found.append(Annotation(source, line, "", None, [], said))
            continue
        seen.add(key)
        size, problem = _size(one)
        found.append(Annotation(source, line, picture, size, boxes.pop(key, []), problem))
    lost = [box for some in boxes.values() for box in some]
    found += [Annotation(source, box.line, "", None, [box], "an annotation of an image that is not in the list")
              for box in lost]
    return found, classes


def loaded(data: bytes, source: str) -> dict[str, Any]:
    """Return the object that a JSON file holds."""
    if len(data) > MOST_BYTES:
        raise DataError(f"{source}: expected at most {MOST_BYTES >> 30} GB of JSON, got {len(data):,} bytes")
    try:
        tree = json.loads(data)
    except RecursionError:
        raise DataError(f"{source}: expected JSON, got lists within one another without end") from None
    except ValueError as error:  # also of bytes that are no text, and of numbers of thousands of digits
        raise DataError(f"{source}: expected whole JSON, got a damaged one ({error})") from None
    if not isinstance(tree, dict):
        raise DataError(f"{source}: expected COCO's object with images, annotations and categories, got "
                        f"{type(tree).__name__}")
    return tree


def _list(tree: dict[str, Any], key: str, source: str) -> list[Any]:
    found = tree.get(key)
    if not isinstance(found, list):
        raise DataError(f"{source}: expected COCO's lists images, annotations and categories, got "
                        f"{'no' if key not in tree else 'something else as'} {key}")
    return found


def _id(entry: Any, key: str) -> Any:
    """Return an id, a number or a text; None if there is none."""
    found = entry.get(key) if isinstance(entry, dict) else None
    return found if isinstance(found, (int, str)) and not isinstance(found, bool) else None


def _size(entry: dict[str, Any]) -> tuple[tuple[int, int] | None, str | None]:
    height, width = entry.get("height"), entry.get("width")
    if height is None and width is None:
        return None, None
    told = number_of(height), number_of(width)
    if all(value >= 1 and value == int(value) for value in told if not math.isnan(value)) and not any(
            map(math.isnan, told)):
        return (int(told[0]), int(told[1])), None
    return None, f"expected a size in whole pixels, got width {shown(width)} and height {shown(height)}"


def _box(entry: Any, number: int, line: int | None, names: dict[Any, str]) -> ParsedBox:
    if not isinstance(entry, dict):
        return ParsedBox(line, "", NO_VALUES, problem=f"annotation {number + 1} is {shown(entry)}, no object")
    who = f"annotation {number + 1} (id {shown(entry.get('id'))})"
    kind = CROWD if entry.get("iscrowd") in (1, True) else DIFFICULT if entry.get("ignore") in (1, True) else COUNTS
    key = _id(entry, "category_id")
    if key not in names:
        return ParsedBox(line, "", NO_VALUES, kind, problem=f"{who} has a category_id that is none of the categories: "
                                                            f"{shown(entry.get('category_id'))}")
    told = entry.get("bbox")
    values = [math.nan if isinstance(one, str) else number_of(one) for one in told] if isinstance(told, list) else []
    if len(values) != 4 or any(map(math.isnan, values)):
        return ParsedBox(line, names[key], NO_VALUES, kind, problem=f"{who} has a bbox that is not four numbers: "
                                                                    f"{shown(told)}")
    left, top, width, height = values
    corners: Values = (left, top, left + width, top + height)
    area = number_of(entry.get("area")) if not isinstance(entry.get("area"), str) else math.nan
    return ParsedBox(line, names[key], corners, kind, area)


def _lines(text: str, key: str) -> Iterator[int]:
    """Yield the lines where the entries of a list begin; nothing where they cannot be told."""
    at = text.find(f'"{key}"')
    at = text.find("[", at) if at >= 0 else -1
    decoder, line, counted = json.JSONDecoder(), 1, 0
    while at >= 0:
        at += 1
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if at >= len(text) or text[at] == "]":
            return
        line += text.count("\n", counted, at)
        counted = at
        yield line
        try:
            _, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        at -= 1


def written(pictures: Sequence[tuple[str, tuple[int, int]]], rows: Sequence[Sequence[tuple[Any, ...]]],
            classes: Sequence[str]) -> str:
    """Return the JSON of pictures, which `parse` reads to the same boxes.

    Parameters
    ----------
    pictures : sequence of (file name, (height, width))
    rows : for each, a sequence of (x1, y1, x2, y2, class, kind, area)
    classes : sequence of str
    """
    annotations = list[dict[str, Any]]()
    for number, boxes in enumerate(rows, 1):
        for x1, y1, x2, y2, label, kind, area in boxes:
            box = [float(x1), float(y1), float(x2) - float(x1), float(y2) - float(y1)]
            told = box[2] * box[3] if math.isnan(area) else float(area)
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": int(label) + 1,
                                "bbox": box, "area": told, "iscrowd": int(kind == CROWD),
                                **({"ignore": 1} if kind == DIFFICULT else {})})
    images = [{"id": number, "file_name": name, "height": size[0], "width": size[1]}
              for number, (name, size) in enumerate(pictures, 1)]
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, 1)]
    lines = [f'"{key}": [\n{joined}\n]' for key, joined in (
        (key, ",\n".join(json.dumps(one) for one in some)) for key, some in (
            ("images", images), ("annotations", annotations), ("categories", categories)))]
    return "{" + ",\n".join(lines) + "}\n"
