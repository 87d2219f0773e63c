"""Seeing: where things are, which pixels, who it is, in whose style, and what a network has learned.

What stands here works with models and pictures alike; each task has a folder of its own.
"""

from fastcnn.vision import boxes, detection, identity, rcnn, segmentation
from fastcnn.vision.detecting import detect
from fastcnn.vision.explanations import explain
from fastcnn.vision.identity.verification import verify
from fastcnn.vision.recipe import Recipe
from fastcnn.vision.seen_by_units import receptive_fields
from fastcnn.vision.segmentation.segmenter import segment
from fastcnn.vision.sliding_windows import to_convolutional, window_step
from fastcnn.vision.style import stylize
from fastcnn.vision.trained import kind_of, load

__all__ = ["Recipe", "boxes", "detect", "detection", "explain", "identity", "kind_of", "load", "rcnn",
           "receptive_fields", "segment", "segmentation", "stylize", "to_convolutional", "verify", "window_step"]
