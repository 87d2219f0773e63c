"""A 1x1 convolution, a depthwise one and another 1x1, in prediction; or two of them."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.operations.inverted_residual import InvertedResidualCall, block_call, block_geometry
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
    project : FusedConv, or None
        May take a residual.
    """

    traits, replayable = NONE, True

    def __init__(self, expand: FusedConv | None, window: FusedConv, project: FusedConv | None) -> None:
        self.expand, self.window, self.project = expand, window, project
        self.parts = [part for part in (expand, window, project) if part is not None]
        image, last = self.parts[0].image_shape, self.parts[-1]
        self.many_inputs, self.output_shape = last.many_inputs, last.output_shape
        self.input_shape = (image, last.output_shape) if last.many_inputs else image
        # Of bfloat16 it reads pairs of channels.
        self.predicts_short = expand is not None and all(part.image_shape[-1] % 2 == 0 for part in self.parts)
        self._run = InvertedResidualCall().run
        self._calls: dict[tuple[int, bool], tuple[np.ndarray, np.ndarray] | None] = {}  # by the batch; if in 16 bits

    @property
    def parameters(self) -> list[Parameter]:
        return [p for part in self.parts for p in part.parameters]

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, residual), all of bfloat16 where this node predicts so."""
        x, residual = x if self.many_inputs else (x, None)
        short = is_bfloat16(x.dtype) if isinstance(x, np.ndarray) else False
        x = x if short else self.parts[0].checked(x)
        call = self._call(x, short)
        if call is None:
            for part in self.parts[:-1]:
                x = part.predict_short(x) if short else part.predict(x)
            last, given = self.parts[-1], x if residual is None else (x, residual)
            return last.predict_short(given) if short else last.predict(given)
        residual = None if residual is None else device.of(residual).ready(residual)
        expand, project = (None if part is None else part.weights() for part in (self.expand, self.project))
        return self._run(x, (expand, self.window.weights(), project), residual, *call,
                         (x.shape[0], *self.output_shape[1:]), [p.version for p in self.parameters])

    def _call(self, x: np.ndarray, short: bool) -> tuple[np.ndarray, np.ndarray] | None:
        """Return geometry and ends of the one call for a batch; None where the parts alone are faster."""
        batch = x.shape[0]
        if (batch, short) not in self._calls:
            expand, project = (None if part is None else part.geometry((batch, *part.image_shape[1:]))
                               for part in (self.expand, self.project))
            window = self.window.geometry((batch, *self.window.image_shape[1:]))
            activations = [None if part is None else part.activation
                           for part in (self.expand, self.window, self.project)]
            self._calls[batch, short] = block_call(x, block_geometry(expand, window, project, x.shape[-1]), activations)
        return self._calls[batch, short]
