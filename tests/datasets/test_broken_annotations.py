"""Broken annotation files: whatever the bytes, there is a record or one line, never another exception."""

import json
import random

import numpy as np
import pytest

from fastcnn.datasets.annotated import coco, pascal_voc, yolo
from fastcnn.datasets.annotated.assembling import assemble
from fastcnn.errors import DataError
from tests.datasets import annotated_files as files

NASTY = ["", "0", "-1", "nan", "inf", "-inf", "1e999", "1e-320", "1_0", "0x1f", "½", "٣", "\0", "9" * 400, "true",
         "null", "../../etc/passwd", "/dev/zero", "a\\..\\b", "&amp;", "&lol;", "<!ENTITY x 'y'>", "<![CDATA[x]]>",
         "\ufeff", "\u202e", "p0.png", " ", "\r\n", "{}", "[]", '"', "<", ">", "1,5", "1.5.2", "--1", "+3", "0.5",
         "60.0000001"]


def _mutated(draw, text):
    """Return a text with some of it cut, doubled, swapped or replaced by what readers stumble over."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        a, b = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
        b = min(b, a + draw.choice((0, 1, 4, 30, 300)))
        how = draw.randrange(6)
        if how == 0:
            del data[a:b]
        elif how == 1:
            data[a:a] = data[a:b] * draw.choice((1, 2, 20))
        elif how == 2:
            data[a:b] = draw.choice(NASTY).encode("utf-8", "surrogatepass")
        elif how == 3 and data:
            data[a % len(data)] = draw.randrange(256)
        elif how == 4:
            del data[a:]
        else:
            data[a:b] = bytes(reversed(data[a:b]))
        data = data[:20_000]
    return bytes(data)


def _replaced(draw, tree):
    """Return a tree of JSON with one of its parts replaced."""
    tree = json.loads(json.dumps(tree))
    place, key = tree, draw.choice(list(tree))
    while isinstance(place[key], (dict, list)) and place[key] and draw.random() < 0.9:
        place = place[key]
        key = draw.choice(list(place)) if isinstance(place, dict) else draw.randrange(len(place))
    other = draw.choice([None, True, -1, 0, 1.5, 1e308, float("nan"), float("inf"), 10**400, "x", "../p0.png", [], {},
                         [1, 2], [None] * 4, ["1", 2, 3, 4], [1e308, 1e308, 1e308, 1e308], {"id": []}, "p0.png"])
    if draw.random() < 0.2 and isinstance(place, dict):
        del place[key]
    else:
        place[key] = other
    return tree


def _texts():
    boxes = [("cat", 1, 2, 30, 20), ("dog", 5.5, 0, 60, 40)]
    tree = {"images": [{"id": k, "file_name": f"p{k}.png", "height": 40, "width": 60} for k in range(2)],
            "annotations": [{"id": k, "image_id": k % 2, "category_id": 7, "bbox": [1, 2, 20, 30.5], "area": 5,
                             "iscrowd": 0} for k in range(3)], "categories": [{"id": 7, "name": "cat"}]}
    return files.xml(boxes, "p0.png"), tree, "0 0.5 0.5 1 1\n1 0.25 0.25 0.5 0.5\n", "names:\n  0: cat\n  1: 'dog'\n"


def _read(root, kind, data):
    """Read an annotation as a data set does, and check what is kept of it."""
    if kind == "names":
        return yolo.names_in(data.decode("utf-8", "replace"), "data.yaml")
    if kind == "coco":
        annotations, names = coco.parse(data, "a.json")
    else:
        annotations = [pascal_voc.parse(data, "a.xml") if kind == "voc" else yolo.parse(data, "a.txt", "p0.png")]
        names = ("cat", "dog") if kind == "yolo" else None
    form = "shares of centres" if kind == "yolo" else "corners"
    found = assemble(root, annotations, [root], names, form)
    for row, (height, width) in enumerate(found.record.sizes.tolist()):
        boxes = found.record.boxes[found.record.slice_of(row)]
        assert (boxes >= 0).all()
        assert (boxes <= np.float32([width, height, width, height])).all()
    assert all("\n" not in str(fault) or fault.what for fault in found.faults)
    return found


def _broken(root, count, seed):
    """Read so many broken files; return how many were refused, had faults, or none."""
    draw, (xml, tree, labels, names) = random.Random(seed), _texts()
    ends = {"refused": 0, "faults": 0, "sound": 0}
    for _ in range(count):
        kind = draw.choice(("voc", "voc", "voc", "coco", "coco", "yolo", "yolo", "names"))
        if kind == "coco":
            some = _replaced(draw, tree) if draw.random() < 0.6 else tree
            data = json.dumps(some).encode() if some is not tree else _mutated(draw, json.dumps(tree, indent=1))
        else:
            data = _mutated(draw, {"voc": xml, "yolo": labels, "names": names}[kind])
        try:
            found = _read(root, kind, data)
        except DataError as error:
            ends["refused"] += str(error).startswith(("a.", "data.yaml"))
        except BaseException as error:
            raise AssertionError(f"{kind}: {data!r}") from error
        else:
            ends["faults" if getattr(found, "faults", None) else "sound"] += 1
    assert sum(ends.values()) == count  # all that are refused are so by the file's name
    return ends


@pytest.fixture
def root(tmp_path):
    for k in range(2):
        files.picture(tmp_path / f"p{k}.png", seed=k)
    return tmp_path


def test_hundreds_of_broken_files_end_in_a_record_or_in_one_line(root):
    ends = _broken(root, 600, 0)
    assert min(ends.values()) > 50, ends


@pytest.mark.slow
def test_a_hundred_thousand_broken_files_end_in_a_record_or_in_one_line(root):
    ends = _broken(root, 100_000, 1)
    assert min(ends.values()) > 5_000, ends
