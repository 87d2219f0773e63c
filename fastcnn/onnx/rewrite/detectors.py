"""Regions of each image, and detections after suppression: as `fastcnn.onnx.exporter.regions` writes them.

ONNX's operators take the regions of all images as one list, and give boxes as a list of whatever length. A model has
as many of each image, so the nodes around these operators, which say so, belong to them::

    Reshape (-1, 4) of boxes (N, R, 4), RoiAlign, Reshape (-1, R, C, PH, PW)                 RegionsAlign
    the same with the image before each box, MaxRoiPool                                      RegionsPool
    NonMaxSuppression, ScatterND, TopK, ..., Where                                           Detections
"""

from dataclasses import replace

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.rewrite.patterns import Patterns

_NONE = [0, 0, 0, 0, 0, -1]


class _NoMatchError(Exception):
    """The nodes are others."""


class _Walk:
    """A way from a node back to those that it is made of."""

    def __init__(self, p: Patterns) -> None:
        self.p, self.inside = p, list[OnnxNode]()

    def back(self, name: str, *operators: str) -> OnnxNode:
        """Return the last of some nodes, each of which makes the first input of the one before it."""
        found: OnnxNode | None = None
        for operator in operators:
            found = self.p.maker.get(name if found is None else found.inputs[0])
            if found is None or found.domain or found.operator != operator or id(found) in self.p.gone or (
                    id(found) in self.p.new):
                raise _NoMatchError
            if not any(found is one for one in self.inside):
                self.inside.append(found)
        assert found is not None
        return found

    def numbers(self, name: str) -> list[float]:
        found = self.p.constant(name)
        if found is None:
            raise _NoMatchError
        numbers: list[float] = found.reshape(-1).tolist()
        return numbers

    def require(self, *conditions: bool) -> None:
        if not all(conditions):
            raise _NoMatchError

    def put(self, last: OnnxNode, new: OnnxNode) -> bool:
        """Let a node stand for all, unless somebody else reads what lies inside."""
        known = {id(node) for node in self.inside} | {id(last)}
        names = {name for node in self.inside for name in node.outputs if name}
        self.require(not names & self.p.results,
                     all(id(reader) in known for name in names for reader in self.p.readers[name]))
        self.p.put(last, self.inside, new)
        return True


def regions_of_each(p: Patterns, node: OnnxNode) -> bool:
    """Put one node in the place of RoiAlign or MaxRoiPool and what is around it, which ends with this Reshape."""
    maker = p.maker.get(node.inputs[0]) if node.operator == "Reshape" and len(node.inputs) == 2 else None
    if maker is None or maker.operator not in ("RoiAlign", "MaxRoiPool"):
        return False
    walk = _Walk(p)
    try:
        pooled = walk.back(node.inputs[0], maker.operator)
        if pooled.operator == "RoiAlign":
            listed, images = pooled.inputs[1], pooled.inputs[2]
        else:
            rows = walk.back(pooled.inputs[1], "Concat")
            walk.require(len(rows.inputs) == 2, rows.attributes.get("axis") in (1, -1))
            listed = rows.inputs[1]
            images = walk.back(rows.inputs[0], "Unsqueeze", "Cast").inputs[0]
        flat = walk.back(listed, "Reshape")
        shape = walk.back(images, "Reshape", "Gather", "NonZero", "ConstantOfShape", "Shape")
        taken = p.maker[p.maker[images].inputs[0]]
        sizes = [int(n) for n in walk.numbers(node.inputs[1])]
        walk.require(
            walk.numbers(flat.inputs[1]) == [-1, 4], walk.numbers(taken.inputs[1]) == [0],
            taken.attributes.get("axis", 0) == 0, shape.inputs[0] == flat.inputs[0],
            (shape.attributes.get("start"), shape.attributes.get("end")) == (0, 2), len(sizes) == 5, sizes[0] == -1)
        named = {"RoiAlign": "RegionsAlign", "MaxRoiPool": "RegionsPool"}[pooled.operator]
        return walk.put(node, replace(node, operator=named, inputs=(pooled.inputs[0], flat.inputs[0]),
                                      attributes=pooled.attributes | {"sizes": sizes[1:]}))
    except _NoMatchError:
        return False


def detections(p: Patterns, node: OnnxNode) -> bool:
    """Put one node in the place of a suppression whose boxes become a table, which ends with this Where."""
    if node.operator != "Where" or "NonMaxSuppression" not in p.operators:
        return False
    walk = _Walk(p)
    try:
        rows = walk.back(node.inputs[1], "Concat")
        walk.require(walk.numbers(node.inputs[2]) == _NONE, len(rows.inputs) == 3, rows.attributes["axis"] in (2, -1))
        gathered = walk.back(rows.inputs[0], "GatherND")
        at = walk.back(gathered.inputs[1], "Unsqueeze", "Mod")
        kind = walk.back(rows.inputs[2], "Unsqueeze", "Cast", "Div")
        best = walk.back(rows.inputs[1], "Unsqueeze")
        greater = walk.back(node.inputs[0], "Unsqueeze", "Greater")
        top = walk.back(best.inputs[0], "TopK")
        left = top.inputs[0]
        if p.maker[left].operator == "Pad":
            padded = walk.back(left, "Pad")
            walk.require(walk.numbers(padded.inputs[2]) == [-np.inf])
            left = padded.inputs[0]
        table = walk.back(left, "Reshape", "ScatterND")
        flat = p.maker[left]
        scores = walk.back(table.inputs[0], "ConstantOfShape", "Shape").inputs[0]
        chosen, taken = walk.back(table.inputs[1], "NonMaxSuppression"), walk.back(table.inputs[2], "GatherND")
        empty = np.asarray(p.maker[table.inputs[0]].attributes.get("value", 0.0)).reshape(-1)
        boxes = [walk.numbers(one.inputs[1]) for one in (at, kind)]
        walk.require(
            (gathered.inputs[0], gathered.attributes.get("batch_dims")) == (chosen.inputs[0], 1),
            at.inputs[0] == kind.inputs[0] == top.outputs[1], greater.inputs[0] == best.inputs[0] == top.outputs[0],
            walk.numbers(greater.inputs[1]) == [-np.inf], empty.tolist() == [-np.inf], boxes[0] == boxes[1],
            taken.inputs == (scores, table.inputs[1]), chosen.inputs[1] == scores,
            walk.numbers(flat.inputs[1]) == [0, -1], top.attributes.get("axis", -1) in (1, -1),
            chosen.attributes.get("center_point_box", 0) == 0, len(chosen.inputs) >= 4,
            walk.numbers(chosen.inputs[2]) >= boxes[0])
        score = walk.numbers(chosen.inputs[4])[0] if len(chosen.inputs) > 4 and chosen.inputs[4] else None
        attributes = {"most": int(walk.numbers(top.inputs[1])[0]), "iou": walk.numbers(chosen.inputs[3])[0],
                      "boxes_count": int(boxes[0][0])} | ({} if score is None else {"score": score})
        return walk.put(node, replace(node, operator="Detections", inputs=(chosen.inputs[0], scores),
                                      attributes=attributes))
    except (_NoMatchError, KeyError, IndexError):
        return False
