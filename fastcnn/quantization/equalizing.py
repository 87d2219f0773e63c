"""Channels made more alike before bytes stand for them, without another output of the model.

A tensor has one scale, so a channel that is small beside another keeps few of its 256 values. A rectifier, a pooling
and a concatenation commute with positive factors: what a product divides a channel by, the products behind it multiply
its weights by::

    relu((w x + b) / s) v s  =  relu(w x + b) v              s[c] = sqrt(largest of channel c / largest of all)

The root leaves half of the difference to the tensor and gives half to the filters behind, which have a scale for each
output only: factors that made all channels alike would do these more harm than good (Nagel et al., "Data-free
quantization through weight equalization and bias correction", 2019, section 4.1; there of weights' ranges, here of what
channels are seen to be).
"""

from collections.abc import Iterable, Mapping

import numpy as np

from fastcnn.graph.steps import Graph
from fastcnn.models import Model, clone_model
from fastcnn.quantization.calibration import Batches, values
from fastcnn.quantization.units import FUNCTION, IDLE, JOINS, KEEPS, MEAN, PRODUCT, LayerUnit, units_of
from fastcnn.traits import Trait, of

_LEAST = 0.01  # of the largest channel: what smaller ones are taken for, since a factor must not be 0
_RECTIFIED = (0.0, float("inf"))

Sources = tuple[int, ...]  # the products whose channels a tensor has, one after the other, by their numbers


def equalized(model: Model, batches: Batches) -> Model:
    """Return a model with the same outputs, up to rounding, whose channels are more alike; the given one is left alone.

    Parameters
    ----------
    model : Model
    batches : callable
        Begins the batches of inputs from the first one.
    """
    twin: Model = clone_model(model)
    twin.set_weights(model.get_weights())
    graph = twin.layer_graph(next(iter(batches())))
    units = units_of(graph)
    sources, fixed, read = _flow(graph, units)
    largest = _largest(values(graph, {units[k].outputs[0] for k in read}, batches()))
    tops = {k: largest[units[k].outputs[0]] for k in read}
    factors = {k: _factors(k, tops, read) for k in read if k not in fixed}
    for k, factor in factors.items():
        _divide(units[k], factor)
    for unit in units:
        of_input = sources.get(unit.inputs[0], ())
        if unit.kind == PRODUCT and of_input and _takes_factors(unit):
            _multiply(unit, np.concatenate([factors.get(k, np.ones(len(tops[k]))) for k in of_input]))
    return twin


def _flow(graph: Graph, units: list[LayerUnit]) -> tuple[dict[int, Sources], set[int], dict[int, list[Sources]]]:
    """Return the sources of each slot that has some, the products whose channels must stay, and who reads the others.

    The readers of a product are the sources of each tensor that a product behind it reads.
    """
    sources: dict[int, Sources] = {}
    fixed: set[int] = set()
    read: dict[int, list[Sources]] = {}
    for number, unit in enumerate(units):
        found = [sources.get(slot, ()) for slot in unit.inputs]
        passes = _passes(unit) and all(found)
        if unit.kind == PRODUCT and _takes_factors(unit):
            for one in found[0]:
                read.setdefault(one, []).append(found[0])
        elif not passes:
            fixed.update(one for many in found for one in many)
        if passes:
            sources[unit.outputs[0]] = tuple(one for many in found for one in many)
        elif unit.kind == PRODUCT and _gives_factors(unit):
            sources[unit.outputs[0]] = (number,)
    fixed.update(one for slot in graph.outputs for one in sources.get(slot, ()))
    return sources, fixed, read


def _passes(unit: LayerUnit) -> bool:
    """Return whether a positive factor of a channel goes through."""
    layer = unit.layer
    if unit.kind == JOINS:
        return bool(layer.axis in (-1, len(layer.output_shape) - 1))
    if unit.kind == FUNCTION:
        return bool(layer.function.clamp == _RECTIFIED)
    return unit.kind in (IDLE, MEAN) or (unit.kind == KEEPS and Trait.RESHAPING not in of(layer))


def _takes_factors(unit: LayerUnit) -> bool:
    groups = getattr(unit.layer, "groups", 1)
    return bool(Trait.DEPTHWISE2D in of(unit.layer) or groups == 1)


def _gives_factors(unit: LayerUnit) -> bool:
    """Return whether a product's channels may be divided: only rectifiers, and a normalization with gamma and beta."""
    clamps = [one.function.clamp for one in unit.clamps]
    own = getattr(unit.layer, "activation", None)
    if own is not None:
        clamps.append(own.clamp)
    ends = unit.affines[-1:]
    return all(clamp == _RECTIFIED for clamp in clamps) and all(
        Trait.BATCH_NORM in of(one) and one.gamma is not None and one.beta is not None for one in ends)


def _factors(number: int, tops: Mapping[int, np.ndarray], read: Mapping[int, list[Sources]]) -> np.ndarray:
    """Return what each channel of a product is divided by: it is compared with all that stand in a tensor beside it."""
    beside = {one for many in read[number] for one in many}
    top = max(float(tops[one].max(initial=0)) for one in beside)
    if not top > 0:
        return np.ones(len(tops[number]))
    return np.sqrt(np.maximum(tops[number], _LEAST * top) / top)


def _divide(unit: LayerUnit, factor: np.ndarray) -> None:
    last = unit.affines[-1] if unit.affines else unit.layer
    for p in (last.gamma, last.beta) if unit.affines else (last.kernel, last.bias):
        if p is not None:
            numbers = p.numpy().astype(np.float64)
            # Filters of a depthwise convolution are (KH, KW, C, M), of which C and M together are the output.
            over = numbers.reshape(*numbers.shape[:2], -1) if Trait.DEPTHWISE2D in of(last) and p.ndim > 1 else numbers
            p.assign((over / factor).reshape(numbers.shape))


def _multiply(unit: LayerUnit, factor: np.ndarray) -> None:
    kernel = unit.layer.kernel
    kernel.assign(kernel.numpy().astype(np.float64) * factor[:, None])


def _largest(found_in: Iterable[tuple[int, np.ndarray]]) -> dict[int, np.ndarray]:
    """Return the largest absolute number of each channel of slots.

    Parameters
    ----------
    found_in : iterable of (int, array)
        Slots and their numbers, batch by batch.
    """
    found: dict[int, np.ndarray] = {}
    for slot, x in found_in:
        top = np.abs(x.reshape(-1, x.shape[-1])).max(0, initial=0)
        found[slot] = np.maximum(found[slot], top) if slot in found else top
    return found
