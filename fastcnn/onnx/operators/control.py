"""Sequences of tensors, optional values, and graphs inside nodes.

A sequence is a Python list of arrays, an optional value that is absent is None. A graph arrives as a function of its
inputs that returns the list of its outputs.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators.arrays import integers, type_of

_MOST_ROUNDS = 1_000_000

Body = Callable[..., list[Any]]


@operator("If")
def if_(condition: np.ndarray, *, then_branch: Body, else_branch: Body) -> tuple[Any, ...]:
    return tuple(then_branch() if bool(condition.reshape(-1)[0]) else else_branch())


@operator("Loop")
def loop(count: np.ndarray | None = None, condition: np.ndarray | None = None, *state: Any, body: Body,
         outputs: int) -> tuple[Any, ...]:
    """Call body(round, condition, *state) -> condition, *state, *to_stack until one of both ends it."""
    rounds = math.inf if count is None else int(count.reshape(-1)[0])
    going, values = condition is None or bool(condition.reshape(-1)[0]), list(state)
    stacks: list[list[Any]] | None = None
    at = 0
    while going and at < rounds:
        if at == _MOST_ROUNDS:
            raise ModelFileError(f"Loop: expected an end within {_MOST_ROUNDS:,} rounds, got none")
        result = body(np.array(at, np.int64), np.array(going), *values)
        going, values, scanned = bool(np.asarray(result[0]).reshape(-1)[0]), result[1 : 1 + len(state)], result[
            1 + len(state) :]
        stacks = stacks or [[] for _ in scanned]
        at += 1
        for stack, new in zip(stacks, scanned):
            check_size("Loop", (at, *np.shape(new)), np.asarray(new).dtype)
            stack.append(new)
    if stacks is None:
        stacks = [[] for _ in range(outputs - len(values))]
    return *values, *(np.stack(part) if part else np.zeros(0, np.float32) for part in stacks)


@operator("Scan")
def scan(*arrays: Any, body: Body, num_scan_inputs: int, scan_input_axes: Any = None, scan_input_directions: Any = None,
         scan_output_axes: Any = None, scan_output_directions: Any = None, opset: int) -> tuple[Any, ...]:
    """Call body(*state, *slices) -> *state, *to_stack for each slice of the scanned inputs."""
    if opset < 9:
        raise ModelFileError("Scan: expected operator set 9 or newer, got 8, whose Scan has a batch of its own")
    state, scanned = list(arrays[: len(arrays) - num_scan_inputs]), arrays[len(arrays) - num_scan_inputs :]
    axes = scan_input_axes or [0] * num_scan_inputs
    back = scan_input_directions or [0] * num_scan_inputs
    moved = [np.moveaxis(a, axis, 0)[:: -1 if reverse else 1] for a, axis, reverse in zip(scanned, axes, back)]
    stacks: list[list[Any]] = []
    for slices in zip(*moved):
        result = body(*state, *map(np.asarray, slices))
        state, new = result[: len(state)], result[len(state) :]
        stacks = stacks or [[] for _ in new]
        for stack, value in zip(stacks, new):
            stack.append(value)
    along = scan_output_axes or [0] * len(stacks)
    turned = scan_output_directions or [0] * len(stacks)
    return *state, *(np.stack(part[:: -1 if reverse else 1], axis)
                     for part, axis, reverse in zip(stacks, along, turned))


@operator("SequenceEmpty")
def sequence_empty(*, dtype: int = 1) -> list[Any]:
    return []


@operator("SequenceConstruct")
def sequence_construct(*arrays: Any) -> list[Any]:
    return list(arrays)


@operator("SequenceInsert")
def sequence_insert(sequence: list[Any], value: Any, position: np.ndarray | None = None) -> list[Any]:
    at = len(sequence) if position is None else integers(position)[0]
    return [*sequence[:at], value, *sequence[at:]]


@operator("SequenceErase")
def sequence_erase(sequence: list[Any], position: np.ndarray | None = None) -> list[Any]:
    at = (-1 if position is None else integers(position)[0]) % len(sequence)
    return [*sequence[:at], *sequence[at + 1 :]]


@operator("SequenceAt")
def sequence_at(sequence: list[Any], position: np.ndarray) -> Any:
    return sequence[integers(position)[0]]


@operator("SequenceLength")
def sequence_length(sequence: list[Any]) -> np.ndarray:
    return np.array(len(sequence), np.int64)


@operator("SplitToSequence")
def split_to_sequence(x: np.ndarray, split: np.ndarray | None = None, *, axis: int = 0, keepdims: int = 1) -> list[Any]:
    if split is None:
        parts = np.split(x, x.shape[axis], axis)
        return parts if keepdims else [part.squeeze(axis) for part in parts]
    step = integers(split)
    ends = range(step[0], x.shape[axis], step[0]) if split.ndim == 0 else np.cumsum(step)[:-1]
    return np.split(x, list(ends), axis)


@operator("ConcatFromSequence")
def concat_from_sequence(sequence: list[Any], *, axis: int, new_axis: int = 0) -> np.ndarray:
    return np.stack(sequence, axis) if new_axis else np.concatenate(sequence, axis)


@operator("Optional")
def optional(value: Any = None, *, type: Any = None) -> Any:
    return value


@operator("OptionalGetElement")
def optional_get_element(value: Any) -> Any:
    if value is None:
        raise ModelFileError("OptionalGetElement: expected a value, got an empty optional")
    return value


@operator("OptionalHasElement")
def optional_has_element(value: Any = None) -> np.ndarray:
    return np.array(value is not None)


def _random(shape: Any, dtype: np.dtype, seed: float, draw: Any) -> np.ndarray:
    generator = np.random.default_rng(int(np.float32(seed).view(np.uint32)))
    return draw(generator, shape).astype(dtype)


@operator("RandomUniformLike", pure=False)
def random_uniform_like(x: np.ndarray, *, dtype: int | None = None, high: float = 1.0, low: float = 0.0,
                        seed: float = 0.0) -> np.ndarray:
    kind = x.dtype if dtype is None else type_of(dtype)
    return _random(x.shape, kind, seed, lambda generator, shape: generator.uniform(low, high, shape))


@operator("RandomNormalLike", pure=False)
def random_normal_like(x: np.ndarray, *, dtype: int | None = None, mean: float = 0.0, scale: float = 1.0,
                       seed: float = 0.0) -> np.ndarray:
    kind = x.dtype if dtype is None else type_of(dtype)
    return _random(x.shape, kind, seed, lambda generator, shape: generator.normal(mean, scale, shape))
