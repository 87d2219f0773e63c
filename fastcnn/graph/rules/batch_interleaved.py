"""Runs of narrow convolutions: their few channels do not fill a vector, but the images of a batch do."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import config, device, geometry
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved, stages_of
from fastcnn.graph.rules.questions import has
from fastcnn.graph.rules.rule import Match, Rule
from fastcnn.traits import Trait, of

#: The largest run: what a block of images saves, and the sums of its gradients, are then about L2's size (in vectors of
#: 64 bytes).
_LARGEST = 24576
#: The widest convolution, as channels in times channels out: wider ones fill vectors with channels. Where Winograd's
#: algorithm may run, it is faster from half of that on (32 to 64 channels: 14.6 ms a step against 18.2).
_WIDEST, _WIDEST_BESIDE_WINOGRAD = 2048, 1024


def _is_stage(node: Any) -> bool:
    return bool(of(node) & (Trait.CONV2D | Trait.MAX_POOL2D | Trait.AVERAGE_POOL2D | Trait.POINTWISE))


def _why_not(match: Match) -> str | None:
    layers = match.nodes
    try:
        stages = stages_of(layers)
    except ValueError as error:
        return str(error)
    frozen = next((layer for layer in layers if not layer.trainable), None)
    if frozen is not None:
        return f"{frozen.name} is frozen"
    wide = next((layer for layer in layers if Trait.CONV2D in of(layer) and _is_wide(layer)), None)
    if wide is not None:
        return f"{wide.name} is wide: {wide.input_shape[-1]} channels to {wide.filters}"
    if _size(layers, stages) > _LARGEST:
        return f"{layers[-1].name} makes the run larger than the cache of a core"
    if not match.context.fills_lanes:
        return "the batch has fewer images than a vector has lanes"
    return None


def _size(layers: Sequence[Any], stages: tuple[geometry.LaneStage, ...]) -> int:
    g = geometry.lanes((1, *layers[0].input_shape[1:]), stages)
    return int(max(g[0]["saved"], g[0]["weights"], (g["oh"] * g["ow"] * g["k"]).max()))


def _is_wide(layer: Any) -> bool:
    _, h, w, c = layer.input_shape
    if c * layer.filters > _WIDEST:
        return True
    some = geometry.conv2d((64, h, w, c), layer.filters, layer.kernel_size, layer.strides, layer.padding)
    winograd = (config.winograd() and layer.array_dtype == np.float32
                and device.of(layer.kernel.array).kernels.winograd_forward_suits(some, False))
    return winograd and c * layer.filters > _WIDEST_BESIDE_WINOGRAD


BATCH_INTERLEAVED = (
    Rule("narrow convolutions, with activations and poolings", (has(Trait.CONV2D), _is_stage),
         lambda match: BatchInterleaved(match.nodes), _why_not, training=True, prediction=True, is_run=True),
)
