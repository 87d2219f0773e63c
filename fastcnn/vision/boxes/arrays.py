"""Boxes as users give them: arrays of one type, and questions about what is hardly meant so."""

from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.geometry import boxes as forms


def doubted(boxes: Any, form: str, who: str) -> np.ndarray:
    """Return boxes (..., 4); a warning asks about numbers that hardly fit their form."""
    found = forms.as_boxes(boxes, who)
    question = forms.doubt(found, form)
    if question is not None:
        warn(f"{who}: expected boxes as {form}, got {question.partition(': ')[0]}: {question.partition(': ')[2]}")
    return found


def two_lists(a: Any, b: Any, who: str) -> tuple[np.ndarray, np.ndarray]:
    """Return two arrays (A, 4), (B, 4) of one type."""
    one, other = (forms.as_boxes(boxes, who) for boxes in (a, b))
    if one.ndim != 2 or other.ndim != 2:
        raise ArgumentError(f"{who}: expected boxes (A, 4) and (B, 4), got {one.shape} and {other.shape}")
    kind = np.result_type(one, other)
    return one.astype(kind, copy=False), other.astype(kind, copy=False)
