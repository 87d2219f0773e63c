"""Pascal VOC's annotations: an XML file a picture, with corners in pixels.

Corners are taken as they are, x1 = xmin and x2 = xmax, so that a box of the whole picture has 0, 0, width and height.
The challenge itself counted pixels from 1 and the last one in; most tools since write them as here.
"""

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets.annotated.parsed import (
    COUNTS,
    DIFFICULT,
    NO_VALUES,
    Annotation,
    ParsedBox,
    Values,
    number_of,
    shown,
)
from fastcnn.datasets.annotated.safe_xml import walk

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def parse(data: bytes, source: str) -> Annotation:
    """Return what an XML file tells.

    Parameters
    ----------
    data : bytes
    source : str
        The file's name, for messages.

    Raises
    ------
    DataError
        As `walk`; a root other than ``annotation``.
    """
    boxes, own, sizes, head = list[ParsedBox](), dict[str, str](), dict[str, str](), dict[str, str]()
    line = [0]

    def enter(path: tuple[str, ...], number: int) -> None:
        if path == ("annotation", "object"):
            own.clear()
            line[0] = number

    def leave(path: tuple[str, ...], text: str) -> None:
        if path[:1] != ("annotation",):
            head.setdefault("root", path[0])
        elif path == ("annotation", "object"):
            boxes.append(_box(own, line[0]))
        elif path[:2] == ("annotation", "object"):
            if len(path) == 3 or (len(path) == 4 and path[2] == "bndbox"):
                own["/".join(path[2:])] = text
        elif path[:2] == ("annotation", "size"):
            sizes[path[-1]] = text
        elif len(path) == 2:
            head[path[1]] = text

    walk(data, source, enter, leave)
    problem = None if "root" not in head else f"expected an <annotation>, got a <{head['root'][:40]}>"
    told = [number_of(sizes[name]) if name in sizes else 0.0 for name in ("height", "width")]
    size = None
    if any(told) or np.isnan(told).any():
        if all(value >= 1 and value == int(value) for value in told):
            size = int(told[0]), int(told[1])
        else:
            problem = problem or f"expected a size in whole pixels, got width {shown(sizes.get('width'))} and height " \
                                 f"{shown(sizes.get('height'))}"
    return Annotation(source, None, head.get("filename", ""), size, boxes, problem)


def _box(told: dict[str, str], line: int) -> ParsedBox:
    label, corners = told.get("name", ""), [told.get(f"bndbox/{name}") for name in _CORNERS]
    kind = DIFFICULT if told.get("difficult", "0") not in ("0", "") else COUNTS
    if not label:
        return ParsedBox(line, label, NO_VALUES, kind, problem="has no class: <name> is missing or empty")
    for name, text in zip(_CORNERS, corners, strict=True):
        if text is None:
            return ParsedBox(line, label, NO_VALUES, kind, problem=f"has no <{name}> in a <bndbox>")
        if np.isnan(number_of(text)):
            return ParsedBox(line, label, NO_VALUES, kind, problem=f"{name} is {shown(text)}, no number")
    values: Values = tuple(map(number_of, corners))  # type: ignore[assignment]
    return ParsedBox(line, label, values, kind)


def escape(text: str) -> str:
    """Return a text as it stands in XML; that of the library imports what reads the web."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def written(picture: str, size: tuple[int, int], channels: int, boxes: NDArray[np.float32], labels: list[str],
            kinds: NDArray[np.uint8]) -> str:
    """Return the XML of one picture, which `parse` reads to the same boxes."""
    objects = [
        f"\t<object>\n\t\t<name>{escape(label)}</name>\n\t\t<difficult>{int(kind != COUNTS)}</difficult>\n"
        + "\t\t<bndbox>\n"
        + "".join(f"\t\t\t<{name}>{shortest(value)}</{name}>\n" for name, value in zip(_CORNERS, box, strict=True))
        + "\t\t</bndbox>\n\t</object>\n" for box, label, kind in zip(boxes, labels, kinds, strict=True)]
    return (f"<annotation>\n\t<filename>{escape(picture)}</filename>\n\t<size>\n\t\t<width>{size[1]}</width>\n"
            f"\t\t<height>{size[0]}</height>\n\t\t<depth>{channels}</depth>\n\t</size>\n{''.join(objects)}"
            f"</annotation>\n")


def shortest(value: np.floating | float) -> str:
    """Return the shortest text of a number that is read as the same number."""
    text = np.format_float_positional(value, trim="-")
    return text
