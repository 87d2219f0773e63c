"""Images sampled where another tensor says: the second half of a spatial transformer."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.regions import grid
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.regions import INTERPOLATIONS, OUTSIDE, grid_sample


class GridSample(Layer):
    """Images at the places of a grid: (N, H, W, C) and (N, OH, OW, 2) to (N, OH, OW, C). ONNX: GridSample.

    A place is (x, y), from -1 to 1 on the image. The image gets gradients, and so does the grid (of a nearest pixel
    there is none). Names are PyTorch's, `torch.nn.functional.grid_sample`.

    Parameters
    ----------
    interpolation : str
        "bilinear", "nearest" or "bicubic" (Keys, with a = -3/4).
    padding_mode : str
        What lies outside: "zeros", "border" (the nearest pixel of the border) or "reflection" (the image mirrored).
    align_corners : bool
        Whether -1 and 1 are the middles of the outermost pixels; else their outer edges.

    References
    ----------
    Jaderberg, Simonyan, Zisserman, Kavukcuoglu: Spatial transformer networks, NeurIPS 2015.

    Examples
    --------
    >>> x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
    >>> middle, corner = [0, 0], [1, 1]
    >>> grid = np.array([[[middle, corner]]], "float32")
    >>> layers.GridSample(align_corners=True).predict((x, grid)).reshape(2)
    array([1.5, 3. ], dtype=float32)
    """

    many_inputs = True

    def __init__(self, interpolation: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value, known in (("interpolation", interpolation, INTERPOLATIONS),
                                   ("padding_mode", padding_mode, OUTSIDE)):
            if value not in known:
                raise ArgumentError(unknown(f"{self}: {name}", value, known))
        self.interpolation, self.padding_mode, self.align_corners = interpolation, padding_mode, bool(align_corners)
        self._how = grid(INTERPOLATIONS[interpolation], OUTSIDE[padding_mode], self.align_corners)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2 or [len(one) for one in input_shape] != [4, 4] or input_shape[1][3] != 2:
            raise ArgumentError(f"{self}: expected two inputs, images (N, H, W, C) and a grid (N, OH, OW, 2), got "
                                f"{' and '.join(map(str, input_shape))}")
        return None, *input_shape[1][1:3], input_shape[0][3]

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        images, places = self.checked(x)
        return grid_sample(images, places, self._how)
