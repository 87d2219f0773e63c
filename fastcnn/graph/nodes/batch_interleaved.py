"""A run of narrow convolutions with the images of a batch interleaved: one image a lane of the vectors."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.kernels import codes
from fastcnn.layers.activation import is_activation
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.operations.batch_interleaved import batch_interleaved
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait, of

_POOLS = {Trait.MAX_POOL2D: geometry.MAX_POOL, Trait.AVERAGE_POOL2D: geometry.AVERAGE_POOL}


class BatchInterleaved:
    """Convolutions with few channels, their activations and poolings, with the images of a batch in the lanes.

    One kernel runs them all forward, and one backward (`kernels.cpu.fused.lanes`). What lies between the layers never
    leaves the L2 cache, and rows that no pooling window sees are not computed.

    Parameters
    ----------
    layers : list of Layer
        Convolutions, each with or without an activation's layer and a pooling after it: `stages_of` understands them.
    """

    traits, replayable, many_inputs = Trait.CALLS_KERNELS, True, False

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        self.stages = stages_of(layers)
        self.parameters = [p for layer in layers for p in layer.parameters]
        self.input_shape, self.output_shape = layers[0].input_shape, layers[-1].output_shape
        self._rounds = any(p.rounds for p in self.parameters)
        self._known: list[np.ndarray] = []
        self._flat: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def trainable_weights(self) -> list[Parameter]:
        return self.parameters

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        x = self.layers[0].checked(x)
        weights, gradients = self._memory()
        y, run_backward = batch_interleaved(x, weights, geometry.lanes(x.shape, self.stages),
                                            (x.shape[0], *self.output_shape[1:]), call.wants_dx)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            # The kernel adds to one flat array: the gradients themselves, or one that is shared out afterwards.
            sums = device.of(dy).zeros(weights.shape, dy.dtype) if gradients is None else gradients
            dx = run_backward(dy, sums)
            if gradients is None:
                self._share_out(sums)
            return dx

        return y, backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        """As `Layer.predict`."""
        return self.forward(x, Call(wants_dx=False))[0]

    def _memory(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the parameters as one flat array, and their gradients likewise if they lie side by side.

        In a compiled model they do (`fastcnn.parameter_blocks.Block`). Otherwise the values are copied at each call,
        and None stands for the gradients. Rounded filters are copies always.
        """
        if len(self._known) != len(self.parameters) or any(
                p.array is not known for p, known in zip(self.parameters, self._known, strict=True)):
            self._flat = _side_by_side(self.parameters)
            # Last, so that after an interrupt before it the next call looks again.
            self._known = [p.array for p in self.parameters]
        if self._flat is not None and not self._rounds:
            return self._flat
        d = device.of(self.parameters[0].array)
        flat = d.empty((sum(p.size for p in self.parameters),), self.parameters[0].dtype)
        for p, part in self._parts(flat):
            d.copy(part, (multiplied(p) if p.ndim > 1 else p.array).reshape(-1))
        return flat, None if self._flat is None else self._flat[1]

    def _share_out(self, sums: np.ndarray) -> None:
        for p, part in self._parts(sums):
            total = p.gradient.reshape(-1)
            device.of(sums).kernels.add(total, total, part)

    def _parts(self, flat: np.ndarray) -> Iterator[tuple[Parameter, np.ndarray]]:
        """Yield each parameter with its part of a flat array of all of them."""
        begin = 0
        for p in self.parameters:
            yield p, flat[begin:begin + p.size]
            begin += p.size


def _side_by_side(parameters: list[Parameter]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return views of values and gradients if the parameters follow one another in one block, else None."""
    block = parameters[0].block
    if block is None or any(p.block is not block for p in parameters):
        return None
    first = next(k for k, p in enumerate(block.parameters) if p is parameters[0])
    if [id(p) for p in block.parameters[first:first + len(parameters)]] != [id(p) for p in parameters]:
        return None
    begin = sum(p.size for p in block.parameters[:first])
    part = slice(begin, begin + sum(p.size for p in parameters))
    return block.values[part], block.gradients[part]


def stages_of(layers: Sequence[Any]) -> tuple[geometry.LaneStage, ...]:
    """Return layers as stages of `fastcnn.geometry.lanes`; raise ValueError, with the reason, if they are none."""
    stages: list[geometry.LaneStage] = []
    open_for = "convolution"
    for layer in layers:
        if Trait.CONV2D in of(layer):
            if not is_plain(layer):
                raise ValueError(f"{layer.name} has strides, dilation or groups")
            stages.append(geometry.LaneStage(layer.filters, layer.kernel_size, layer.padding, layer.use_bias,
                                             codes.LINEAR, 0.0, geometry.NO_POOL, (1, 1)))
            open_for = "activation"
            activation = layer.activation
        elif (pools := [code for trait, code in _POOLS.items() if trait in of(layer)]) and open_for != "convolution":
            if not layer.whole:
                raise ValueError(f"{layer.name} has windows that overlap, or a border")
            stages[-1] = stages[-1]._replace(pool=pools[0], pool_size=layer.pool_size)
            open_for = "convolution"
            continue
        elif open_for == "activation" and is_activation(layer):
            activation = layer.function
        else:
            raise ValueError(f"{layer.name} is no part of a stage")
        if activation is not None:
            if Trait.BY_CODE not in of(activation) or codes.saves_input(activation.code) or activation.beta:
                raise ValueError(f"{layer.name} has an activation of two numbers, or whose derivative wants its input")
            stages[-1] = stages[-1]._replace(code=activation.code, alpha=activation.alpha)
            open_for = "pooling"
    return tuple(stages)


def is_plain(layer: Any) -> bool:
    """Return whether a convolution has no strides, dilation or groups."""
    return bool(layer.strides == layer.dilation_rate == (1, 1) and layer.groups == 1)
