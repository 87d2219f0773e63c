"""Boxes in the forms that files and libraries have, and the one form inside.

Inside a box is the corners x1, y1, x2, y2, in pixels of the image, half-open: it is x2 - x1 wide, the whole image of
w x h pixels has (0, 0, w, h), and whole numbers are edges of pixels. The forms, with W and H the sides of a box::

    xyxy      x1 y1 x2 y2                torchvision, Pascal VOC (whose numbers are pixels counted from 1, both inside)
    yxyx      y1 x1 y2 x2                TensorFlow, ONNX's NonMaxSuppression
    xywh      x1 y1 W H                  COCO
    cxcywh    centre x, y, W H           YOLO, which has it in shares: rel_cxcywh

Before each may stand ``rel_``: shares of the image's width and height.
"""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown

_PLAIN = ("xyxy", "yxyx", "xywh", "cxcywh")
#: Keras's names of two forms.
_OTHER = {"center_xywh": "cxcywh", "rel_center_xywh": "rel_cxcywh"}
FORMS = (*_PLAIN, *(f"rel_{form}" for form in _PLAIN))


def as_boxes(boxes: Any, who: str, dtype: Any = None) -> np.ndarray:
    """Return boxes (..., 4) in `dtype`, in the floating type of an array, or in float32; [] has no box.

    Raises
    ------
    ArgumentError
        If they are no boxes.
    """
    found = np.asarray(boxes)
    if found.dtype.kind not in "fiu":
        raise ArgumentError(f"{who}: expected numbers for boxes, got {found.dtype}")
    if found.shape == (0,):
        found = found.reshape(0, 4)
    if found.ndim < 1 or found.shape[-1] != 4:
        raise ArgumentError(f"{who}: expected boxes (..., 4), got {found.shape}")
    kind = dtype or (np.float64 if isinstance(boxes, np.ndarray) and found.dtype == np.float64 else np.float32)
    return np.ascontiguousarray(found, kind)


def form_of(name: str, who: str) -> str:
    """Return the name of a form as it stands in `FORMS`, or raise ArgumentError."""
    found = _OTHER.get(name, name)
    if found not in FORMS:
        raise ArgumentError(unknown(f"{who}: form", name, FORMS))
    return found


def converted(boxes: np.ndarray, source: str, target: str, image_size: tuple[int, int] | None = None) -> np.ndarray:
    """Return boxes in another form, computed in double precision, in their own type.

    Parameters
    ----------
    boxes : (..., 4) array
    source, target : str
        Of `FORMS`.
    image_size : (int, int), optional
        Height and width, which shares are of.
    """
    size = np.ones(4) if image_size is None else np.array([image_size[1], image_size[0]] * 2, np.float64)
    a, b, c, d = np.moveaxis(np.asarray(boxes, np.float64), -1, 0)
    plain = source.removeprefix("rel_")
    if plain == "yxyx":
        a, b, c, d = b, a, d, c
    elif plain == "xywh":
        c, d = a + c, b + d
    elif plain == "cxcywh":
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    x1, y1, x2, y2 = np.stack([a, b, c, d]) * (size if source != plain else np.ones(4)).reshape(4, *(1,) * a.ndim)
    plain = target.removeprefix("rel_")
    forms = {"xyxy": (x1, y1, x2, y2), "yxyx": (y1, x1, y2, x2), "xywh": (x1, y1, x2 - x1, y2 - y1),
             "cxcywh": ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)}
    share = size if target != plain else np.ones(4)
    return (np.stack(forms[plain], -1) / (share[[1, 0, 3, 2]] if plain == "yxyx" else share)).astype(boxes.dtype)


def doubt(boxes: np.ndarray, form: str) -> str | None:
    """Return a question about boxes that are hardly meant in a form; None if there is nothing to ask.

    Parameters
    ----------
    boxes : (..., 4) array
    form : str
        Of `FORMS`.
    """
    rows = boxes.reshape(-1, 4)
    rows = rows[np.isfinite(rows).all(1)]
    if not rows.size:
        return None
    if form.startswith("rel_"):
        return "values above 2: are these pixels?" if rows.max() > 2 else None
    if rows.min() >= 0 and rows.max() <= 1 and (rows != np.rint(rows)).any():
        return "all values below 1: are these shares?"
    turned = (rows[:, 2] < rows[:, 0]) | (rows[:, 3] < rows[:, 1])
    if form in ("xyxy", "yxyx") and len(rows) > 1 and turned.mean() > 0.5:
        return "most second corners lie before the first: are these corner and size, xywh?"
    if form in ("xywh", "cxcywh") and (rows[:, 2:] < 0).any():
        return "widths or heights below 0: are these two corners, xyxy?"
    return None
