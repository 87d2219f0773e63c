"""Large pictures in tiles, without seams: each tile sees around it as far as a pixel of the answer does.

::

    window  +-----------------------+      the rows and columns of a window are those of a core and, on each side, at
            |   halo                |      least as many as a pixel's receptive field reaches; windows begin where the
            |    +-------------+    |      strides of the network do, and lie inside the picture, so that the border of
            |    |    core     |    |      the picture is met as without tiles
            |    +-------------+    |
            +-----------------------+

The last window ends with the picture, where the network pads it as it pads the whole.
"""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.layers import Conv2DTranspose, PadToMultiple
from fastcnn.models import Model
from fastcnn.vision.seen_by_units import receptive_fields

_LARGEST = 8192  # pixels a side: who sees farther sees all

def reach(model: Model) -> int:
    """Return how far a pixel of the output sees, in pixels to each side: what tiles must overlap by.

    Parameters
    ----------
    model : Model
        From pictures to maps of the same size, of open sizes.

    Raises
    ------
    ArgumentError
        If a pixel sees the whole picture, however large it is: a normalization by the picture, say.

    Examples
    --------
    >>> fc.vision.segmentation.reach(fc.vision.segmentation.unet(2, filters=4, depth=1))
    9
    """
    step = grid_step(model)
    side = 4 * step
    while side <= _LARGEST:
        known = model.for_shape((None, side, side, model.input_shape[-1]))
        fields = receptive_fields(known, _last(known))
        some = np.arange(side // 2, side // 2 + step)
        first, end = (np.stack([field[k][some] for field in fields]) for k in (0, 1))
        if first.min() > 0 and end.max() < side:
            return int(max((some - first).max(), (end - 1 - some).max()))
        side *= 2
    raise ArgumentError(f"{model}: expected a network whose pixels see a part of a picture, to compute it in tiles, "
                        f"got one that sees all of it; compute pictures whole, with tile=None")


def grid_step(model: Model) -> int:
    """Return at which pixels a tile may begin so that it is computed as the whole is: multiples of this number."""
    steps = [step.node for step in model.layer_graph().steps]
    multiples = [node.multiple for node in steps if isinstance(node, PadToMultiple)]
    strides = [max(node.strides) for node in steps if hasattr(node, "strides")
               and not isinstance(node, Conv2DTranspose)]
    # Winograd's tiles are of 4 x 4 results on each level: where they begin alike, sums are the same to the last bit.
    return 4 * (math.lcm(*multiples) if multiples else math.prod(strides))


def predict_in_tiles(model: Model, x: np.ndarray, tile: int, overlap: int | None = None) -> np.ndarray:
    """Return the model's output for a picture, computed tile by tile: that of the whole picture, in less memory.

    Parameters
    ----------
    model : Model
        From pictures to maps of the same size, of open sizes.
    x : (H, W, C) array
    tile : int
        Rows and columns of a tile with what it overlaps, rounded up to what the network's strides divide.
    overlap : int, optional
        `reach` of the model, without which it is found.

    Returns
    -------
    (H, W, K) array

    Raises
    ------
    ArgumentError
        If a tile is no larger than what it has to overlap.

    Examples
    --------
    >>> model = fc.vision.segmentation.unet(2, filters=4, depth=1)
    >>> x = np.random.default_rng(0).random((70, 90, 1), "float32")
    >>> whole = model.predict(x[None], verbose=0)[0]
    >>> float(np.abs(fc.vision.segmentation.predict_in_tiles(model, x, 48) - whole).max()) < 1e-6
    True
    """
    (tile,) = positive("predict_in_tiles", tile=tile)
    step, (h, w) = grid_step(model), x.shape[:2]
    side = -(-tile // step) * step
    if h <= side and w <= side:
        return np.array(model.predict(x[None], verbose=0))[0]
    halo = -(-(reach(model) if overlap is None else overlap) // step) * step
    if side <= 2 * halo:
        raise ArgumentError(f"predict_in_tiles: expected a tile of at least {2 * halo + step} pixels, since each side "
                            f"has to overlap by {halo} for {model}, got {tile}")
    whole: Any = None
    for row, rows in _windows(h, side, halo, step):
        for column, columns in _windows(w, side, halo, step):
            window = np.ascontiguousarray(x[row:row + side, column:column + side])
            found = np.asarray(model.predict(window[None], verbose=0))[0]
            if whole is None:
                whole = np.empty((h, w, found.shape[2]), found.dtype)
            whole[rows, columns] = found[rows.start - row:rows.stop - row, columns.start - column:columns.stop - column]
    return whole


def _windows(length: int, side: int, halo: int, step: int) -> list[tuple[int, slice]]:
    """Return where windows begin, and for which rows each of them answers.

    All are of one size but the last, which ends with the picture: the network is made for few sizes.
    """
    if length <= side:
        return [(0, slice(0, length))]
    found, answered, begin = list[tuple[int, slice]](), 0, 0
    while True:
        ends = begin + side >= length
        end = length if ends else begin + side - halo
        found.append((begin, slice(answered, end)))
        if ends:
            return found
        answered, begin = end, min(end - halo, -(-(length - side) // step) * step)


def _last(model: Model) -> str:
    """Return the name of the layer that gives the output."""
    graph = model.layer_graph()
    return next(step.node.name for step in graph.steps if graph.outputs[0] in step.outputs)
