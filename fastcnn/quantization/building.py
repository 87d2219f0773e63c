"""A model with quantized layers, from the units of another one and the ranges of its tensors."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.graph.nodes.fused_conv import folded_bias, folded_kernel
from fastcnn.graph.steps import Graph
from fastcnn.models import Model
from fastcnn.operations.quantized import Quantization, of_range
from fastcnn.operations.quantized_product import integer_bias
from fastcnn.quantization.calibration import Range
from fastcnn.quantization.units import IDLE, JOINS, KEEPS, PRODUCT, LayerUnit

_LARGEST = 127
_BIAS = 2.0**30  # what a bias may be as an integer


def quantizations(units: Iterable[LayerUnit], slots: set[int], ranges: Mapping[int, Range]) -> dict[int, Quantization]:
    """Return the quantization of each slot; tensors that are only put elsewhere have that of where they come from.

    Parameters
    ----------
    units : iterable of LayerUnit
        Those that are quantized.
    slots : set of int
        That bytes stand for.
    ranges : mapping
    """
    first = {slot: slot for slot in slots}

    def root(slot: int) -> int:
        while first[slot] != slot:
            slot = first[slot]
        return slot

    for unit in units:
        if unit.kind in (KEEPS, JOINS) and unit.outputs[0] in slots:
            for slot in unit.inputs:
                first[root(slot)] = root(unit.outputs[0])
    merged: dict[int, Range] = {}
    for slot in sorted(slots):
        low, high = merged.get(root(slot), (0.0, 0.0))
        merged[root(slot)] = min(low, ranges[slot][0]), max(high, ranges[slot][1])
    return {slot: of_range(*merged[root(slot)]) for slot in slots}


def built(model: Model, graph: Graph, units: Iterable[LayerUnit], quantized: Iterable[LayerUnit],
          known: Mapping[int, Quantization], means: Mapping[int, np.ndarray]) -> Model:
    """Return a model in which some units are quantized. It shares no weights with the other one.

    Parameters
    ----------
    model : Model
    graph : Graph
        Its layers.
    units, quantized : iterable of LayerUnit
    known : mapping
        The quantization of each slot that bytes stand for.
    means : mapping
        Of the channels of each of these.
    """
    tensors: dict[int, Any] = {}
    in_bytes: dict[int, Any] = {}
    inputs = []
    for slot, tensor in zip(graph.inputs, model.inputs, strict=True):
        tensors[slot] = layers.Input(tensor.shape[1:], name=tensor.name)
        inputs.append(tensors[slot])
    chosen, copies = set(map(id, quantized)), dict[int, Any]()

    def as_bytes(slot: int) -> Any:
        if slot not in in_bytes:
            layer = layers.QuantizeDequantize(*known[slot], name=f"{tensors[slot].name}_quantized")
            in_bytes[slot] = layer(tensors[slot])
        return in_bytes[slot]

    for unit in units:
        if unit.kind == IDLE:
            (slot,), (out,) = unit.inputs, unit.outputs
            tensors[out] = tensors[slot]
            if slot in known and known.get(out) == known[slot]:
                in_bytes[out] = as_bytes(slot)
            continue
        is_quantized = id(unit) in chosen
        given = [as_bytes(slot) if is_quantized else in_bytes.get(slot, tensors[slot]) for slot in unit.inputs]
        if is_quantized and unit.kind == PRODUCT:
            found = _product(unit, known[unit.inputs[0]], means[unit.inputs[0]], given[0])
            for layer in unit.clamps:
                found = _copied(layer, copies)(found)
        else:
            found = _copied(unit.layer, copies)(given if unit.layer.many_inputs else given[0])
            for layer in (*unit.affines, *unit.clamps):
                found = _copied(layer, copies)(found)
        outputs = found if isinstance(found, (list, tuple)) else (found,)
        tensors.update(zip(unit.outputs, outputs, strict=True))
        for slot in unit.outputs if is_quantized else ():
            if slot in known:
                as_bytes(slot)
    outputs = [tensors[slot] for slot in graph.outputs]
    return Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0],
                 name=model.name)


def _copied(layer: Any, copies: dict[int, Any]) -> Any:
    """Return a copy of a layer with the same weights: one, however often it is called."""
    if id(layer) not in copies:
        copies[id(layer)] = copy.copy(layer)
    return copies[id(layer)]


def _product(unit: LayerUnit, source: Quantization, mean: np.ndarray, x: Any) -> Any:
    """Return the output of the quantized layer of a product."""
    layer = unit.layer
    kernel = folded_kernel(layer, unit.affines, np.float64)
    bias = folded_bias(layer, unit.affines)
    config = layer.get_config()
    use_bias = layer.bias is not None or bool(unit.affines)
    told = {"activation": config["activation"], "use_bias": use_bias, "name": layer.name}
    if isinstance(layer, layers.Dense):
        made: Any = layers.QuantizedDense(layer.units, **told)
    else:
        window = {name: config[name] for name in ("kernel_size", "strides", "padding", "dilation_rate")}
        if isinstance(layer, layers.DepthwiseConv2D):
            kernel, groups = kernel.reshape(*kernel.shape[:2], 1, -1), layer.input_shape[-1]
        else:
            groups = layer.groups
        made = layers.QuantizedConv2D(layer.output_shape[-1], groups=groups, **window, **told)
    y = made(x)
    integers, scale, rounded = quantized_weights(kernel, bias, source, mean)
    made.set_weights([integers, scale, rounded] if use_bias else [integers, scale])
    return y


def quantized_weights(kernel: np.ndarray, bias: np.ndarray, source: Quantization, mean: np.ndarray
                      ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a kernel as integers of 8 bits, the scale of each filter, and the bias as sums can hold it.

    The bias takes up what rounding the kernel does to an average input.

    Parameters
    ----------
    kernel : (..., C // groups, K) array
    bias : (K,) array
    source : Quantization
        Of the input.
    mean : (C,) array
        Of its channels.
    """
    largest = np.abs(kernel).reshape(-1, kernel.shape[-1]).max(0)
    # A filter of next to nothing beside a large bias: the bias must fit the integers, too.
    scale = np.maximum(largest / _LARGEST, np.abs(bias) / source.scale / _BIAS)
    scale = np.where(scale > np.finfo(np.float32).tiny, scale, 1.0).astype(np.float32)
    integers = np.clip(np.rint(kernel / scale.astype(np.float64)), -_LARGEST, _LARGEST).astype(np.int8)
    lost = (kernel - integers * scale.astype(np.float64)).reshape(-1, *kernel.shape[-2:]).sum(0)
    groups = len(mean) // len(lost)
    by_group = lost.reshape(len(lost), groups, -1)
    bias = bias + np.einsum("cgk,gc->gk", by_group, mean.reshape(groups, -1)).reshape(-1)
    step = np.float32(source.scale) * scale
    return integers, scale, (integer_bias(bias, step) * step.astype(np.float64)).astype(np.float32)
