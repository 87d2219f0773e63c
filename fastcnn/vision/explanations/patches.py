"""What a unit looks for: the parts of pictures that excite it most, each as large as the unit sees."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.vision.explanations.passes import Passes
from fastcnn.vision.seen_by_units import receptive_fields


class ExcitingPatch(NamedTuple):
    """A part of a picture.

    Attributes
    ----------
    picture : int
        Which of the pictures.
    value : float
        How much it excites the unit.
    box : (int, int, int, int)
        Left, top, right, bottom in pixels; right and bottom are the first ones outside.
    pixels : (h, w, C) array
    """

    picture: int
    value: float
    box: tuple[int, int, int, int]
    pixels: np.ndarray


def exciting_patches(model: Network, x: Any, layer: str, unit: int, count: int = 9, batch_size: int = 64
                     ) -> list[ExcitingPatch]:
    """Return the patches that excite a unit most, each of another picture, the strongest first.

    Of equal ones the picture with the lower index comes first, in it the place further up, then further left.

    Parameters
    ----------
    model : Model
    x : (N, H, W, C) array
        Pictures as the model takes them.
    layer : str
        A layer with feature maps (H', W', K).
    unit : int
        Which of its K channels.
    count : int
        Patches at most.
    batch_size : int

    Raises
    ------
    ArgumentError
        If there is no such layer or unit.

    References
    ----------
    Zeiler, Fergus: Visualizing and understanding convolutional networks, 2013, figure 2.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4, 4, 1)), layers.Conv2D(1, 3, name="c", kernel_initializer="ones")])
    >>> pictures = np.zeros((2, 4, 4, 1), "float32")
    >>> pictures[1, 3, 3] = 1
    >>> best = fc.vision.explanations.exciting_patches(model, pictures, "c", unit=0, count=1)[0]
    >>> best.picture, best.box
    (1, (1, 1, 4, 4))
    """
    passes = Passes(model, "exciting_patches", x)
    (tops, bottoms), (lefts, rights) = receptive_fields(passes.model, layer)
    x, at = passes.pictures(x), passes.slot(layer)
    found: list[ExcitingPatch] = []
    for start in range(0, len(x), batch_size):
        maps = device.get(passes.forward(x[start:start + batch_size], at).values[at])
        if not 0 <= unit < maps.shape[-1]:
            raise ArgumentError(f"exciting_patches: expected a unit from 0 to {maps.shape[-1] - 1} of {layer!r}, got "
                                f"{unit}")
        one = maps[..., unit].reshape(len(maps), -1)
        for k, place in enumerate(one.argmax(1)):
            row, column = divmod(int(place), maps.shape[2])
            box = int(lefts[column]), int(tops[row]), int(rights[column]), int(bottoms[row])
            pixels = x[start + k, box[1]:box[3], box[0]:box[2]]
            found.append(ExcitingPatch(start + k, float(one[k, place]), box, pixels))
        found = sorted(found, key=lambda patch: -patch.value)[:count]  # stable: the lower index stays first
    return found
