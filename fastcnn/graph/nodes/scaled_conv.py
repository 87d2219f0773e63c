"""A 1x1 convolution with what scales the channels of its input, in prediction."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.scaled_convolution import ChannelScale, predict_scaled_convolution, suits
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE


class ScaledConv:
    """A 1x1 convolution of an image whose channels something scales first: one kernel call, without an array between.

        y = conv(f(scale x + offset))

    Where the kernel does not suit, both run one after the other.

    Parameters
    ----------
    before : node
        A normalization with ReLU, or the product of an image and a number for each of its channels, the gate.
    conv : FusedConv
        May take a residual.
    """

    traits, replayable = NONE, True

    def __init__(self, before: Any, conv: FusedConv) -> None:
        self.before, self.conv, self.gated = before, conv, before.many_inputs
        self.output_shape, self.many_inputs = conv.output_shape, self.gated or conv.many_inputs
        shapes = [*before.input_shape] if self.gated else [before.input_shape]
        shapes += [conv.output_shape] if conv.many_inputs else []
        self.input_shape = tuple(shapes) if self.many_inputs else shapes[0]
        self._made: tuple[ChannelScale, list[int]] | None = None  # of a normalization, and from which versions

    @property
    def parameters(self) -> list[Parameter]:
        return [*self.before.parameters, *self.conv.parameters]

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return the output for x, or for (x, gate and residual, if there are)."""
        given = list(x) if self.many_inputs else [x]
        residual = given.pop() if self.conv.many_inputs else None
        scaled = self._in_one_call(given, residual)
        if scaled is not None:
            return scaled
        y = self.before.predict(tuple(given) if self.gated else given[0])
        return self.conv.predict(y if residual is None else (y, residual))

    def _in_one_call(self, given: list[np.ndarray], residual: np.ndarray | None) -> np.ndarray | None:
        """Return the output, or None where the kernel does not suit."""
        # A gate may be a constant, which is one sample; where it is the image, the pass makes as many as there are.
        x, gate = self.before.checked(tuple(given)) if self.gated else (self.before.layer.checked(given[0]), None)
        d, g = device.of(x), self.conv.geometry(x.shape)
        if not suits(g, d) or (gate is not None and len(gate) not in {1, len(x)}):
            return None
        first = (self._normalization(d) if gate is None else
                 ChannelScale(gate.reshape(len(gate), x.shape[3]), NOTHING[x.dtype], False))
        kernel, bias = self.conv.weights()
        return predict_scaled_convolution(x, first, kernel, bias, self.conv.activation, g,
                                          (x.shape[0], *self.output_shape[1:]),
                                          None if residual is None else d.ready(residual))

    def _normalization(self, d: device.Device) -> ChannelScale:
        """Return scale and offset of the normalization, as its parameters are now."""
        layer, made = self.before.layer, self._made
        versions = [p.version for p in layer.parameters]
        if made is None or versions != made[1]:
            dtype, shape = layer.variable_dtype, layer.output_shape[-1:]
            scale, offset = (np.broadcast_to(one, shape).astype(dtype) for one in layer.channel_affine())
            made = self._made = ChannelScale(d.put(scale.reshape(1, -1)), d.put(offset), True), versions
        return made[0]
