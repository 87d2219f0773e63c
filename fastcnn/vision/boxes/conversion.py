"""Boxes in other forms, their areas, and what an image has of them."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import boxes as forms
from fastcnn.geometry.arguments import positive
from fastcnn.vision.boxes.arrays import doubted


def convert(boxes: Any, source: str, target: str = "xyxy", image_size: tuple[int, int] | None = None) -> np.ndarray:
    """Return boxes in another form.

    A warning asks about numbers that hardly fit the form, such as shares where pixels are told.

    Parameters
    ----------
    boxes : (..., 4) array
    source, target : str
        "xyxy" two corners, "yxyx" the same with y first, "xywh" the first corner and the size (COCO), "cxcywh" the
        centre and the size; with "rel_" before it in shares of the image's width and height (YOLO: "rel_cxcywh").
    image_size : (int, int), optional
        Height and width of the image; needed from pixels to shares and back.

    Returns
    -------
    (..., 4) array
        float64 of float64, else float32.

    Raises
    ------
    ArgumentError
        If a form is not known, the boxes are none, or the size is missing.

    Examples
    --------
    >>> fc.vision.boxes.convert([[10, 20, 30, 40]], "xywh")
    array([[10., 20., 40., 60.]], dtype=float32)
    >>> fc.vision.boxes.convert([[0.5, 0.5, 0.5, 0.25]], "rel_cxcywh", image_size=(480, 640))
    array([[160., 180., 480., 300.]], dtype=float32)
    """
    found = doubted(boxes, forms.form_of(source, "convert"), "convert")
    one, other = (forms.form_of(name, "convert") for name in (source, target))
    if one.startswith("rel_") != other.startswith("rel_") and image_size is None:
        raise ArgumentError(f"convert: expected the image's size to go from {source} to {target}; give "
                            f"image_size=(height, width)")
    if image_size is not None:
        if not isinstance(image_size, (tuple, list)) or len(image_size) != 2:
            raise ArgumentError(f"convert: expected image_size to be (height, width), got {image_size!r}")
        image_size = tuple(positive("convert", height=image_size[0], width=image_size[1]))  # type: ignore[assignment]
    return forms.converted(found, one, other, image_size)


def area(boxes: Any) -> np.ndarray:
    """Return the area of each box; 0 for one whose second corner lies before the first.

    Parameters
    ----------
    boxes : (..., 4) array

    Examples
    --------
    >>> fc.vision.boxes.area([[0, 0, 4, 3], [5, 5, 2, 9]])
    array([12.,  0.], dtype=float32)
    """
    found = forms.as_boxes(boxes, "area")
    areas: np.ndarray = np.maximum(found[..., 2:] - found[..., :2], 0).prod(-1)
    return areas


def clip(boxes: Any, image_size: tuple[int, int]) -> np.ndarray:
    """Return boxes cut off at the borders of an image.

    Parameters
    ----------
    boxes : (..., 4) array
    image_size : (int, int)
        Height and width.

    Examples
    --------
    >>> fc.vision.boxes.clip([[-3, 2, 9, 5]], (4, 6))
    array([[0., 2., 6., 4.]], dtype=float32)
    """
    found = forms.as_boxes(boxes, "clip")
    height, width = image_size
    return np.clip(found, 0, np.array([width, height] * 2, found.dtype))
