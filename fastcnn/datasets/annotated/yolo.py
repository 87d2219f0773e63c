"""YOLO's annotations: a text file a picture; class, centre, width and height, as shares of the picture."""

import math
import re

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets.annotated.parsed import NO_VALUES, Annotation, ParsedBox, Values, number_of, shown
from fastcnn.errors import DataError

MOST_BYTES = 16 << 20


def parse(data: bytes, source: str, picture: str) -> Annotation:
    """Return what a text file tells; values are shares, as they stand.

    Parameters
    ----------
    data : bytes
    source, picture : str
        The file's name, and its picture's.

    Raises
    ------
    DataError
        A file that is no text, or too large.
    """
    if len(data) > MOST_BYTES:
        raise DataError(f"{source}: expected at most {MOST_BYTES >> 20} MB of text, got {len(data):,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: expected text, got bytes that are none ({error.reason})") from None
    boxes = [_box(words, number) for number, line in enumerate(text.split("\n"), 1) if (words := line.split())]
    return Annotation(source, None, picture, None, boxes)


def _box(words: list[str], line: int) -> ParsedBox:
    if len(words) != 5:
        more = "; outlines of more numbers are not read" if len(words) > 6 else ""
        return ParsedBox(line, "", NO_VALUES, problem=f"expected a class and four numbers, got {len(words)} "
                                                      f"words{more}")
    if not re.fullmatch(r"\d{1,9}", words[0], re.ASCII):
        return ParsedBox(line, "", NO_VALUES, problem=f"has a class that is no whole number from 0: {shown(words[0])}")
    values: Values = tuple(map(number_of, words[1:]))  # type: ignore[assignment]
    if any(map(math.isnan, values)):
        return ParsedBox(line, int(words[0]), NO_VALUES, problem=f"is not four numbers: {shown(' '.join(words[1:]))}")
    return ParsedBox(line, int(words[0]), values)


def written(size: tuple[int, int], boxes: NDArray[np.float32], classes: NDArray[np.int64]) -> str:
    """Return the text of one picture, which is read to the same boxes."""
    lines = []
    for (x1, y1, x2, y2), label in zip(boxes.astype(np.float64).tolist(), classes.tolist(), strict=True):
        height, width = size
        lines.append(f"{label} {(x1 + x2) / 2 / width!r} {(y1 + y2) / 2 / height!r} {(x2 - x1) / width!r} "
                     f"{(y2 - y1) / height!r}\n")
    return "".join(lines)


def names_in(text: str, source: str) -> tuple[str, ...]:
    """Return the names of the classes that a ``data.yaml`` or a list of names, one a line, tells.

    Of YAML the three ways are read in which the names are written: ``names: [a, b]``, and ``- a`` or ``0: a`` below.

    Raises
    ------
    DataError
        No names, or numbers that are not 0, 1, 2 ...
    """
    if not source.lower().endswith((".yaml", ".yml")):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    found = re.search(r"^names[ \t]*:[ \t]*(.*)$", text, re.M)
    if found is None:
        raise DataError(f"{source}: expected names of the classes, as in \"names: [cat, dog]\", got none")
    rest = found[1].split(" #")[0].strip()
    if rest.startswith("["):
        whole = text[found.start(1):].partition("]")[0].lstrip("[")
        items = [_plain(word) for word in whole.replace("\n", " ").split(",") if word.strip()]
        return tuple(items)
    if rest.startswith("{"):
        pairs = [word.partition(":") for word in text[found.start(1):].partition("}")[0].lstrip("{").split(",")]
    else:
        pairs, dashes = [], []
        for line in text[found.end():].splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            item = re.match(r"[ \t]*-[ \t]+(.+)$", line)
            pair = re.match(r"[ \t]+(\d+)[ \t]*(:)[ \t]*(.+)$", line)
            if item:
                dashes.append(_plain(item[1]))
            elif pair:
                pairs.append((pair[1], pair[2], pair[3]))
            else:
                break
        if dashes:
            return tuple(dashes)
    numbered = {key.strip(): _plain(name) for key, _, name in pairs if key.strip()}
    if not numbered or sorted(numbered) != sorted(map(str, range(len(numbered)))):
        raise DataError(f"{source}: expected names of the classes numbered from 0, got {shown(rest or 'nothing')}")
    return tuple(numbered[str(k)] for k in range(len(numbered)))


def _plain(word: str) -> str:
    word = word.strip()
    if not word.startswith(("'", '"')):
        word = word.split(" #")[0].strip()
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word
