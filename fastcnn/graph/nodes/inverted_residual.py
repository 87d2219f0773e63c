"""A 1x1 convolution, a depthwise one and another 1x1, in prediction."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.operations.activation import LINEAR, clamp_of
from fastcnn.operations.inverted_residual import InvertedResidualCall, block_geometry, suits
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE


class InvertedResidual:
    """Expansion, window and projection of MobileNet v2, folded with what stands around them.

    One kernel computes all three, so that intermediate results stay in the cache of the core that makes them. Where
    that is slower, the three run one after the other.

    Parameters
    ----------
    expand : FusedConv, or None
    window : FusedConv
    project : FusedConv
        May take a residual.
    """

    traits, replayable = NONE, True

    def __init__(self, expand: FusedConv | None, window: FusedConv, project: FusedConv) -> None:
        self.parts = [part for part in (expand, window, project) if part is not None]
        self.expand, self.window, self.project = expand, window, project
        self.many_inputs, self.output_shape = project.many_inputs, project.output_shape
        image = self.parts[0].image_shape
        self.input_shape = (image, project.output_shape) if project.many_inputs else image
        clamps = [LINEAR if part is None else clamp_of(part.activation) or LINEAR for part in (expand, window, project)]
        self._run = InvertedResidualCall(clamps).run
        self._geometries: dict[int, np.ndarray | None] = {}  # by the batch

    @property
    def parameters(self) -> list[Parameter]:
        return [p for part in self.parts for p in part.parameters]

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, residual)."""
        x, residual = x if self.many_inputs else (x, None)
        x = self.parts[0].checked(x)
        g = self._geometry(x)
        if g is None:
            for part in self.parts[:-1]:
                x = part.predict(x)
            return self.project.predict(x if residual is None else (x, residual))
        residual = None if residual is None else device.of(residual).ready(residual)
        expand = None if self.expand is None else self.expand.weights()
        return self._run(x, (expand, self.window.weights(), self.project.weights()), residual, g,
                         (x.shape[0], *self.output_shape[1:]), [p.version for p in self.parameters])

    def _geometry(self, x: np.ndarray) -> np.ndarray | None:
        """Return the geometry of the one call for a batch; None where three are faster."""
        batch = x.shape[0]
        if batch not in self._geometries:
            expand = None if self.expand is None else self.expand.geometry(x.shape)
            window, project = (part.geometry((batch, *part.image_shape[1:])) for part in (self.window, self.project))
            g = block_geometry(expand, window, project, x.shape[-1])
            self._geometries[batch] = g if suits(g, device.of(x)) else None
        return self._geometries[batch]
