"""The layers of a model, timed one by one, and where each stands under the machine's roofline.

    floor = max(operations / peak, bytes / bandwidth),   share = floor / seconds

Operations are those of products, two a multiply-add. Bytes count each array once: forward reads input and parameters
and writes the output; backward reads input, output's gradient and parameters, and writes the gradients of input and
parameters. What fits into a cache together is taken to come from there. A layer that fastcnn fuses with its neighbours
is timed alone all the same; the whole step is timed as it runs.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device, training
from fastcnn.bench.machine import Machine
from fastcnn.errors import ArgumentError
from fastcnn.graph.trace import opened
from fastcnn.layers.base import Call


class Timing(NamedTuple):
    """One direction of a layer, or a whole step.

    Attributes
    ----------
    seconds : float
        Of a call, the median.
    operations, bytes : int
    level : str
        The memory that the bytes are taken to come from.
    share : float or None
        Of the roofline: how near the seconds are to the least possible; None where nothing is to be done.
    torch_seconds : float or None
        PyTorch's, where it was asked.
    """

    seconds: float
    operations: int
    bytes: int
    level: str
    share: float | None
    torch_seconds: float | None = None


class LayerTiming(NamedTuple):
    """A layer.

    Attributes
    ----------
    name, kind : str
        The layer's name and class.
    input_shape, output_shape : tuple
        With the batch; of the first input where there are several.
    passes : dict
        forward and, where there is something to learn, backward.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    passes: dict[str, Timing]


class Subject(NamedTuple):
    """A layer with its input, a tuple of several, and the gradient of its output, ready to be timed."""

    layer: Any
    x: Any
    y: np.ndarray
    dy: np.ndarray
    call: Call
    learns: bool

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        return self.x if isinstance(self.x, tuple) else (self.x,)

    def run(self) -> tuple[float, float]:
        """Return the seconds of one forward and one backward pass; 0 for a backward pass that nobody needs."""
        wait = device.of(self.dy).synchronize
        start = time.perf_counter()
        _, backward = self.layer.forward(self.x, self.call)
        wait()
        middle = time.perf_counter()
        if not self.learns:
            return middle - start, 0.0
        backward(self.dy)
        wait()
        return middle - start, time.perf_counter() - middle

    def costs(self) -> dict[str, tuple[int, int]]:
        """Return operations and bytes of each pass."""
        products = 2 * len(self.y) * self.layer.multiply_adds()
        parameters, read = sum(p.array.nbytes for p in self.layer.parameters), sum(x.nbytes for x in self.inputs)
        if device.of(self.y).shares_memory(self.inputs[0], self.y):  # a view, such as Flatten's
            return {"forward": (0, 0)} | ({"backward": (0, 0)} if self.learns else {})
        found = {"forward": (products, read + parameters + self.y.nbytes)}
        if self.learns:
            ways = bool(self.layer.trainable_weights) + self.call.wants_dx
            moved = read + self.dy.nbytes + 2 * parameters + read * self.call.wants_dx
            found["backward"] = ways * products, moved
        return found


def subjects(model: Any, batch: int) -> list[Subject]:
    """Return the layers of a model, each with the input that the ones before it make from random numbers.

    Parameters
    ----------
    model : Model
        Built.
    batch : int

    Raises
    ------
    ArgumentError
        If the model is not built, or has several inputs or outputs.
    """
    if getattr(model, "traced", None) is None or not model.layers:
        raise ArgumentError(f"bench: expected a model with layers, built, got {model!r}")
    if model.is_open:
        raise ArgumentError(f"bench: expected a model of one size, got {model!r}; "
                            f"model.for_shape((None, 224, 224, 3)), say, is the model for one")
    graph = opened(model.traced)
    if len(graph.inputs) > 1 or len(graph.outputs) > 1 or any(len(step.outputs) > 1 for step in graph.steps):
        raise ArgumentError(f"bench: expected a model of one input and one output, got {model!r}")
    draw = np.random.default_rng(0)
    d = next((device.of(p.array) for p in model.weights), device.current())
    slots: dict[int, np.ndarray] = {
        graph.inputs[0]: d.put(draw.random((batch, *model.input_shape[1:])).astype(model.array_dtype))}
    found, learning = [], {graph.inputs[0]: False}
    for step in graph.steps:
        layer, (output,) = step.node, step.outputs
        x = tuple(slots[slot] for slot in step.inputs) if layer.many_inputs else slots[step.inputs[0]]
        call = Call(0, 0, any(learning[slot] for slot in step.inputs))
        y = layer.forward(x, call)[0]
        learning[output] = call.wants_dx or bool(layer.trainable_weights)
        dy = d.put((draw.standard_normal(y.shape) / y.shape[0]).astype(y.dtype))
        found.append(Subject(layer, x, y, dy, call, learning[output]))
        slots[output] = y
    return found


def measure(ready: list[Subject], machine: Machine, rounds: int, seconds: float,
            peer: Callable[[int], tuple[float, float] | None] | None = None) -> list[LayerTiming]:
    """Time each layer in rounds, and its peer between them.

    Parameters
    ----------
    ready : list of Subject
    machine : Machine
    rounds : int
    seconds : float
        Of one round of one layer.
    peer : function, optional
        The number of a layer -> its median seconds of forward and backward in one round, or None.
    """
    rows = []
    for number, subject in enumerate(ready):
        own, others = [], []
        for _ in range(rounds):
            _pause(peer)
            own.append(_medians(subject.run, seconds))
            if peer is not None and (answer := peer(number)) is not None:
                others.append(answer)
        passes = {}
        for place, (name, (operations, size)) in enumerate(subject.costs().items()):
            took = statistics.median(one[place] for one in own)
            other = statistics.median(one[place] for one in others) if others else None
            floor = machine.floor(operations, size, subject.y.dtype.name)
            share = floor / took if size else None
            passes[name] = Timing(took, operations, size, machine.level(size).name, share, other)
        layer = subject.layer
        rows.append(LayerTiming(layer.name, type(layer).__name__, subject.inputs[0].shape, subject.y.shape, passes))
    return rows


def whole(model: Any, batch: int, rounds: int, seconds: float,
          peer: Callable[[str], float | None] | None = None) -> dict[str, tuple[float, float | None]]:
    """Return the seconds of a training step and of a prediction of the batch, each beside the peer's.

    Parameters
    ----------
    model : Model
        It is compiled, and trained a little: with cross-entropy after a softmax, else for the mean squared error.
    batch, rounds : int
    seconds : float
        Of one round.
    peer : function, optional
        "step" or "prediction" -> its median seconds in one round, or None.
    """
    draw = np.random.default_rng(1)
    x = draw.random((batch, *model.input_shape[1:])).astype(model.array_dtype)
    if classifies(model):
        y: Any = draw.integers(0, model.output_shape[-1], batch)
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    else:
        y = draw.random((batch, *model.output_shape[1:])).astype(model.array_dtype)
        model.compile(optimizer="adam", loss="mean_squared_error")
    model.train_on_batch(x, y)

    def timed(run: Callable[[], Any]) -> Callable[[], tuple[float]]:
        def once() -> tuple[float]:
            start = time.perf_counter()
            run()
            return (time.perf_counter() - start,)

        return once

    def step() -> float:
        return float(device.get(training.train_step(model, training.Batch([x], [y], None)).losses[0]).mean())

    found = {}
    for name, run in (("step", step), ("prediction", lambda: device.get(model.infer(x)))):
        own, others = [], []
        for _ in range(rounds):
            _pause(peer)
            own.append(_medians(timed(run), seconds)[0])
            if peer is not None and (answer := peer(name)) is not None:
                others.append(answer)
        found[name] = statistics.median(own), statistics.median(others) if others else None
    return found


def classifies(model: Any) -> bool:
    """Return whether the model ends with a softmax over classes."""
    last = model.layers[-1]
    function = getattr(last, "activation", None) or getattr(last, "function", None)
    return getattr(function, "name", None) == "softmax" and len(model.output_shape) == 2


def _pause(peer: Any) -> None:
    """Wait until the peer's threads have stopped spinning."""
    if peer is not None:
        time.sleep(0.05)


def _medians(run: Callable[[], tuple[float, ...]], seconds: float) -> list[float]:
    """Return the median of each number that `run` returns, over at least three calls after one not counted."""
    run()
    found: list[tuple[float, ...]] = []
    end = time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < end:
        found.append(run())
    return [statistics.median(column) for column in zip(*found, strict=True)]
