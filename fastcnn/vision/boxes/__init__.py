"""Boxes as arrays: compared, brought from one form into another, matched, suppressed.

A box is its corners x1, y1, x2, y2, in pixels of the image, half-open: x2 - x1 wide. `convert` brings other forms into
this one. All functions take lists or arrays (..., 4) and compute in float32, or in float64 where that is given.
"""

from fastcnn.geometry.letterbox import Letterbox
from fastcnn.vision.boxes.anchoring import anchor_sides, anchors, decode, encode
from fastcnn.vision.boxes.conversion import area, clip, convert
from fastcnn.vision.boxes.overlaps import ciou, diou, giou, iou, match
from fastcnn.vision.boxes.suppression import nms, soft_nms

__all__ = ["Letterbox", "anchor_sides", "anchors", "area", "ciou", "clip", "convert", "decode", "diou", "encode",
           "giou", "iou", "match", "nms", "soft_nms"]
