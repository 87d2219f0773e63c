"""A 1x1 convolution, a depthwise one and another 1x1, in prediction."""

from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.operations.activation import clamp_of
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE

_NO_FILTERS = {np.dtype(kind): np.empty((1, 1, 0, 0), kind) for kind in (np.float32, np.float64)}


class InvertedResidual:
    """Expansion, window and projection of MobileNet v2, folded with what stands around them.

    One kernel computes them, so that what lies between stays where it is made; where it does not suit, the three run
    one after the other.

    Parameters
    ----------
    expand : FusedConv, or None
    window : FusedConv
    project : FusedConv
        May take an addend.
    """

    traits, replayable = NONE, True

    def __init__(self, expand: FusedConv | None, window: FusedConv, project: FusedConv) -> None:
        self.parts = [part for part in (expand, window, project) if part is not None]
        self.expand, self.window, self.project, self.adds = expand, window, project, project.adds
        self.input_shape, self.output_shape = self.parts[0].input_shape, project.output_shape
        self._known: dict[int, tuple[np.ndarray, bool]] = {}
        self._packed: Any = None

    @property
    def many_inputs(self) -> bool:
        return self.adds

    @property
    def parameters(self) -> list[Parameter]:
        return [p for part in self.parts for p in part.parameters]

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, addend)."""
        x, addend = x if self.adds else (x, None)
        x = self.parts[0].checked(x)
        g, suits = self._geometry(x.shape)
        if not suits or (addend is not None and not addend.flags.c_contiguous):
            for part in self.parts[:-1]:
                x = part.predict(x)
            return self.project.predict(x if addend is None else (x, addend))
        return self._in_one(x, addend, g)

    def _geometry(self, shape: tuple[int, ...]) -> tuple[np.ndarray, bool]:
        found = self._known.get(shape[0])
        if found is None:
            middle = self.window.geometry((shape[0], *self.window.input_shape[1:]))
            last = self.project.geometry((shape[0], *self.project.input_shape[1:]))
            first = last.copy()
            first["c"], first["k"] = shape[-1], 0
            if self.expand is not None:
                first = self.expand.geometry(shape)
            g = np.concatenate([first, middle, last])
            found = self._known[shape[0]] = g, bool(device.cpu.kernels.inverted_residual_suits(g))
        return found

    def _in_one(self, x: np.ndarray, addend: np.ndarray | None, g: np.ndarray) -> np.ndarray:
        d, dtype = device.of(x), x.dtype
        parts = self.expand, self.window, self.project
        (expand, expand_bias), (window, window_bias), (project, project_bias) = (_arrays(p, dtype) for p in parts)
        clamps = [clamp_of(None if part is None else part.activation) or (0.0, 0.0) for part in parts]
        state = [p.version for p in self.parameters], config.winograd()
        kept, ready = self._packed, 1
        if kept is None or kept[0] != state:
            size = d.kernels.inverted_residual_forward_packed(g, dtype)
            kept, ready = (state, d.empty((size,), dtype), np.array(clamps, dtype).reshape(-1)), 0
        y = d.empty((x.shape[0], *self.output_shape[1:]), dtype)
        scratch = d.empty((d.kernels.inverted_residual_forward_scratch(g, dtype),), dtype)
        d.kernels.inverted_residual_forward(
            y, scratch, kept[1], x, expand, expand_bias, window.reshape(*window.shape[:2], 1, -1), window_bias,
            project, project_bias, NOTHING[dtype] if addend is None else addend.reshape(-1), kept[2], ready, g)
        self._packed = kept  # now: other threads take what they find for packed
        return y


def _arrays(part: FusedConv | None, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the filters and the bias of a part, of size 0 where there is none."""
    if part is None:
        return _NO_FILTERS[dtype], NOTHING[dtype]
    kernel, bias = part.weights()
    return kernel.array, NOTHING[dtype] if bias is None else bias.array
