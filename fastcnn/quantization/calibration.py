"""The range of numbers that bytes shall cover, from what a network computes of some images.

``minmax`` takes the smallest and the largest number that was seen. ``entropy`` takes the part of that range whose bytes
tell most about the numbers: it cuts the tails off where the distribution of the bytes, spread out again, has the
smallest divergence of Kullback and Leibler from that of the numbers (Migacz, "8-bit inference with TensorRT", 2017).
``mse`` takes the part whose bytes differ least from the numbers: rounding costs a twelfth of a step's square for each
number within, and clipping the square of how far a number lies beyond.

The means of channels are noted as well: what rounded filters make of them on average is put right in the bias (Nagel et
al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.2).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph import execute
from fastcnn.graph.steps import Graph

METHODS = ("minmax", "entropy", "mse")

_BINS = 2048
_LEVELS = 256
_SHARES = np.linspace(0.25, 1.0, 61)  #: of the range, that are tried

Range = tuple[float, float]
Cost = Callable[[np.ndarray, int, int], float]
Batches = Callable[[], Iterable[list[np.ndarray]]]


def observed(graph: Graph, slots: set[int], batches: Batches, method: str
             ) -> tuple[dict[int, Range], dict[int, np.ndarray]]:
    """Return the range of each slot, and the means of its channels.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    slots : set of int
    batches : callable
        Begins the batches of inputs from the first one.
    method : str
        One of METHODS.
    """
    found: dict[int, Range] = {}
    sums: dict[int, Any] = {}
    counts: dict[int, Any] = {}
    for slot, x in values(graph, slots, batches()):
        low, high = found.get(slot, (np.inf, -np.inf))
        found[slot] = min(low, float(x.min(initial=np.inf))), max(high, float(x.max(initial=-np.inf)))
        rows = x.reshape(-1, x.shape[-1])
        sums[slot] = sums.get(slot, 0) + rows.sum(0, np.float64)
        counts[slot] = counts.get(slot, 0) + len(rows)
    means = {slot: sums[slot] / counts[slot] for slot in found}
    if method == "minmax":
        return found, means
    counts = {slot: np.zeros(_BINS, np.int64) for slot in found}
    for slot, x in values(graph, slots, batches()):
        if found[slot][0] < found[slot][1]:
            counts[slot] += np.histogram(x, _BINS, found[slot])[0]
    cost = _divergence if method == "entropy" else _squared_error
    return {slot: narrowed(counts[slot], *found[slot], cost) for slot in found}, means


def values(graph: Graph, slots: set[int], batches: Iterable[list[np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield slots and their numbers, batch by batch.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    slots : set of int
    batches : iterable of lists of arrays
    """
    for xs in batches:
        known: list[Any] = [None] * graph.slots
        for slot, x in zip(graph.inputs, xs, strict=True):
            known[slot] = x
            if slot in slots:
                yield slot, device.get(x)
        for step in graph.steps:
            y = step.node.predict(execute.arguments(step, known))
            for slot, one in zip(step.outputs, y if len(step.outputs) > 1 else (y,), strict=True):
                known[slot] = one
                if slot in slots:
                    yield slot, device.get(one)
            for slot in step.last_uses:
                known[slot] = None


def narrowed(counts: np.ndarray, low: float, high: float, cost: Cost | None = None) -> Range:
    """Return the part of a range that costs least.

    Parameters
    ----------
    counts : (bins,) array
        How many numbers lie in each of as many equal parts of the range.
    low, high : float
    cost : callable, optional
        (counts, first bin, bin beyond the last) -> what bytes cost that cover these bins; the divergence if absent.
    """
    cost = cost or _divergence
    if not low < high or not counts.any():
        return low, high
    edges = np.linspace(low, high, len(counts) + 1)
    counts = counts.astype(np.float64)
    zero = int(np.clip(np.searchsorted(edges, 0.0) - 1, 0, len(counts) - 1))
    counts[zero] = 0  # exact zeros, as of rectifiers, cost nothing under any range, and would outweigh all else
    if not counts.any():
        return low, high
    best, smallest = (low, high), np.inf
    for share in _SHARES[::-1]:
        first = int(np.searchsorted(edges, low * share if low < 0 else low))
        beyond = int(np.searchsorted(edges, high * share if high > 0 else high))
        if beyond - first < _LEVELS // 2:
            continue
        found = cost(counts, first, beyond)
        if found < smallest:
            best, smallest = (edges[first], edges[beyond]), found
    return float(best[0]), float(best[1])


def _divergence(counts: np.ndarray, first: int, beyond: int) -> float:
    """Return the divergence of numbers, clipped to some bins, from what bytes over these bins tell of them."""
    inside = counts[first:beyond]
    clipped = inside.copy()
    clipped[0] += counts[:first].sum()
    clipped[-1] += counts[beyond:].sum()
    levels = np.arange(len(inside)) * min(_LEVELS, len(inside)) // len(inside)
    filled = np.bincount(levels, inside > 0)
    spread = np.where(inside > 0, (np.bincount(levels, inside) / np.maximum(filled, 1))[levels], 0)
    p, q = clipped / clipped.sum(), spread / max(spread.sum(), 1e-300)
    there = p > 0
    return float(np.sum(p[there] * np.log(p[there] / np.maximum(q[there], 1e-12))))


def _squared_error(counts: np.ndarray, first: int, beyond: int) -> float:
    """Return the sum of squares by which numbers differ from bytes over some bins, in squares of a bin's width."""
    bins = np.arange(len(counts))
    outside = np.maximum(first - bins, 0) + np.maximum(bins - (beyond - 1), 0)
    step = (beyond - first) / (_LEVELS - 1)
    return float(counts[first:beyond].sum() * step**2 / 12 + np.sum(counts * outside.astype(np.float64) ** 2))
