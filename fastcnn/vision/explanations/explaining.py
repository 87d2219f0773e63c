"""One call for all methods: what a model sees in a picture, with the picture that shows it."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.models.network import Network
from fastcnn.vision.explanations import drawing
from fastcnn.vision.explanations.ascent import ascend
from fastcnn.vision.explanations.gradients import grad_cam, guided_gradients, saliency
from fastcnn.vision.explanations.occluding import occlusion
from fastcnn.vision.explanations.passes import Passes
from fastcnn.vision.explanations.patches import ExcitingPatch, exciting_patches

METHODS = ("gradcam", "saliency", "guided", "occlusion", "patches", "ascent")
_OF_A_LAYER = ("gradcam", "patches", "ascent")


@dataclass
class Explanation:
    """What `explain` found.

    Attributes
    ----------
    method : str
    target : int
        The class that is explained; the unit for "patches" and "ascent".
    heat : (H, W) array, or None
        How much each pixel matters.
    picture : (h, w, 3) array of uint8
        To look at: the picture and its heat; for "patches" those, and beside them the pictures they are of, in which a
        frame is what the unit sees.
    patches : list of ExcitingPatch
        The strongest first, for "patches".
    activity : list of float
        Of the unit at each step, for "ascent".

    Examples
    --------
    >>> found = fc.vision.explain(model, photo)      # doctest: +SKIP
    >>> found.save("seen.png")                       # doctest: +SKIP
    """

    method: str
    target: int
    heat: np.ndarray | None
    picture: np.ndarray
    patches: list[ExcitingPatch] = field(default_factory=list)
    activity: list[float] = field(default_factory=list)

    @property
    def peak(self) -> tuple[int, int] | None:
        """Row and column of the pixel that matters most; None where no pixel speaks for the class."""
        if self.heat is None or not self.heat.max() > 0:
            return None
        return divmod(int(self.heat.argmax()), self.heat.shape[1])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its ending says the format."""
        from fastcnn.datasets.rgb import write_picture

        write_picture(path, self.picture)


def explain(model: Network, x: Any, method: str = "gradcam", *, layer: str | None = None, target: int | None = None,
            **options: Any) -> Explanation:
    """Return what a model sees in a picture, and a picture that shows it.

    Parameters
    ----------
    model : Model
    x : (H, W, C) array
        The picture as the model takes it; for "patches" pictures (N, H, W, C).
    method : {"gradcam", "saliency", "guided", "occlusion", "patches", "ascent"}
        As the functions of `fastcnn.vision.explanations`; "ascent" takes of `x` nothing.
    layer : str, optional
        For "gradcam", "patches" and "ascent": as ``model.summary()`` names it; within a model inside ``inner/conv``.
    target : int, optional
        The class, or the unit of the layer; the model's own answer, or unit 0, without it.
    **options
        Of the method: window, stride, value; count; steps, learning_rate, jitter, penalty, seed.

    Raises
    ------
    ArgumentError
        If there is no such method, layer or class.
    DataError
        If it is no picture of the model's.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    >>> fc.vision.explain(model, np.ones((8, 8, 1), "float32"), target=1).heat.shape
    (8, 8)
    """
    if method not in METHODS:
        raise ArgumentError(unknown("explain: method", method, METHODS))
    if layer is not None and method not in _OF_A_LAYER:
        raise ArgumentError(f"explain: expected no layer for method {method!r}, which looks at pixels, got {layer!r}; "
                            f"{', '.join(_OF_A_LAYER)} take one")
    if options and method in ("saliency", "guided"):
        raise ArgumentError(f"explain: expected no options for method {method!r}, got {', '.join(options)}")
    if method == "ascent":
        picture, activity = ascend(model, layer, target or 0, **options)
        return Explanation(method, target or 0, None, drawing.enlarged(drawing.as_bytes(picture)), activity=activity)
    passes = Passes(model, "explain", x)
    x = passes.pictures(x)
    if method == "patches":
        if layer is None:
            raise ArgumentError("explain: expected a layer for method 'patches', got none; summary() names them")
        found = exciting_patches(model, x, layer, target or 0, **options)
        shown = [drawing.enlarged(drawing.as_bytes(one.pixels)) for one in found]
        whole = [drawing.framed(drawing.as_bytes(x[one.picture]), one.box) for one in found]
        both = drawing.side_by_side([drawing.sheet(shown), drawing.sheet(whole)])
        return Explanation(method, target or 0, None, both, patches=found)
    if len(x) != 1:
        raise ArgumentError(f"explain: expected one picture for method {method!r}, got {len(x)}")
    if target is None:
        target = int(passes.targets(passes.forward(x).values[passes.output], None)[0])
    plain = drawing.as_bytes(x[0])
    if method == "guided":
        slope = guided_gradients(model, x, target)[0]
        pictures, heat = [plain, drawing.signed(slope)], np.abs(slope).max(-1)
    else:
        heat = {"gradcam": lambda: grad_cam(model, x, target, layer, **options), "saliency": lambda: saliency(
            model, x, target), "occlusion": lambda: occlusion(model, x, target, **options)}[method]()[0]
        pictures = [plain, drawing.with_heat(plain, heat)]
    return Explanation(method, target, heat, drawing.side_by_side([drawing.enlarged(one) for one in pictures]))
