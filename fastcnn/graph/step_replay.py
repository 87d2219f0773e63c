"""Replay of training steps: what two steps that are alike have done, later ones only do again.

Finding out what to do takes 15 to 40 microseconds a kernel beside maps that fill the caches: a tenth of the step of a
small network, in which all threads but one wait. The third and the fourth step of a shape write their calls down. If
both made the same ones, later steps only make them::

    steps 1, 2    layers      3, 4    layers, calls written down      5 ..    kernel, kernel, ...

Arrays keep the places that they had in step 4, one after the other in the same blocks of memory, which belong to the
replay from then on. What differs from step to step is put in: inputs, the gradients of outputs, the number of the step.
Who gets an output gets a copy. A replay ends, and its memory is free, when the network predicts, other shapes come, or
something is no more as it was: switches, a parameter that lies elsewhere, the momentum of statistics, or any other
attribute of a layer.

Only layers take part that promise to do nothing but call kernels (`Trait.CALLS_KERNELS`); bfloat16 does not.
"""

import itertools
import operator
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.graph import execute
from fastcnn.graph.node import is_replayable
from fastcnn.graph.step_calls import StepCalls, bytes_of, copied
from fastcnn.graph.step_notes import NotingRecorder, StepNotes, foreign, kind_of
from fastcnn.graph.steps import Graph
from fastcnn.kernel_recorder import standing_in
from fastcnn.layers.base import Backward, Call
from fastcnn.traits import Trait, of

_FIRST, _SELDOM = 2, 64  # steps before calls are written down; as many at most where replays end soon
_WORTH = 32  # steps of a replay
_TRIES = 3  # pairs of steps that differ, before nobody tries any more
_MEMORY = 1 << 30  # bytes of the blocks of all replays together
_keepers: list["weakref.ref[StepReplay]"] = []  # who has memory, the newest last
_ARRAY, _GRADIENT, _VERSION = map(operator.attrgetter, ("array", "_gradient", "version"))


class StepReplay:
    """What a graph that trains did in its last steps, and their replay.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        parts = [part for step in graph.steps for part in _parts_of(step.node)]
        self._is_plain = all(Trait.CALLS_KERNELS in of(part) and is_replayable(part) for part in parts) and not any(
            step.regularizer is not None or step.rounds or not step.training for step in graph.steps)
        self._attributes = [vars(part) for part in {id(part): part for part in parts}.values()]
        self._parameters = list({id(p): p for step in graph.steps for p in step.node.parameters}.values())
        self._wait = _FIRST
        self._begin(None, None)

    def _begin(self, key: Any, owner: Any) -> None:
        self._key, self._owner = key, owner  # which is held, so that no other gets its id
        self._steps = self._tries = self._made = 0
        self._last: StepNotes | None = None
        self._calls: StepCalls | None = None
        self._open: weakref.ref[_Way] | None = None  # the way back that may not have ended

    def let_go(self) -> None:
        """Free the memory; what comes begins anew."""
        if self._calls is not None and self._made < _WORTH:
            self._wait = min(_SELDOM, 2 * self._wait)
        self._begin(None, None)

    def forward(self, xs: Sequence[np.ndarray], call: Call, penalties: list[float] | None, owner: Any
                ) -> tuple[list[np.ndarray], Backward]:
        """As `forward` of this module.

        Parameters
        ----------
        xs, call, penalties, owner : as there
        """
        d = device.of(xs[0])
        if (not self._is_plain or not d.replays or d.recorder is not None or call.wants_dx or not call.training
                or not all(x.flags.carray for x in xs)):
            return execute.forward(self._graph, xs, call, penalties)
        key = id(owner), threading.get_ident(), call.seed, config.state(), [(x.shape, x.dtype) for x in xs]
        way = None if self._open is None else self._open()
        if key != self._key or (way is not None and not way.is_over):  # a step whose way back is still to come
            self.let_go()
            self._begin(key, owner)
        calls = self._calls  # which another thread that predicts may let go at any time
        if calls is not None:
            if self._is_as_it_was():
                return self._again(calls, xs, call)
            self.let_go()
            self._begin(key, owner)
        self._steps += 1
        if self._steps <= self._wait or self._tries > _TRIES:
            return execute.forward(self._graph, xs, call, penalties)
        return self._written(d, xs, call)

    def _is_as_it_was(self) -> bool:
        """Return whether calls that were written down are still those of a step."""
        arrays = itertools.chain(map(_ARRAY, self._parameters), map(_GRADIENT, self._parameters))
        return (all(map(operator.is_, arrays, self._arrays)) and list(map(_VERSION, self._frozen)) == self._versions
                and _are_alike(self._settings(), self._then))

    def _settings(self) -> list[Any]:
        """Return all attributes of the layers: a user may set any of them between two steps."""
        return list(itertools.chain.from_iterable(map(dict.values, self._attributes)))

    def _again(self, calls: StepCalls, xs: Sequence[np.ndarray], call: Call) -> tuple[list[np.ndarray], Backward]:
        """Make the calls of a step."""
        self._made += 1
        try:
            ys = calls.run_forward(xs, call.step)
        finally:  # Ctrl-C is raised when a kernel has already written
            for p, by in zip(self._parameters, calls.changed, strict=True):
                p.version += by
        way = _Way(self, calls, xs, call)
        self._open = weakref.ref(way)
        return ys, way

    def back_by_layers(self, calls: StepCalls, xs: Sequence[np.ndarray], call: Call, dys: Sequence[Any]) -> None:
        """Go the way back of a step that was replayed where gradients are others than they were: of none, a number.

        Parameters
        ----------
        calls : StepCalls
        xs, call : as `forward` had them
        dys : sequence of arrays
            Gradients of the outputs, or None.
        """
        statistics = [(p, p.numpy()) for p, by in zip(self._parameters, calls.changed, strict=True) if by]
        try:
            back = execute.forward(self._graph, xs, call)[1]
        finally:
            for p, value in statistics:  # which the step has already changed
                p.assign(value)
        self.let_go()
        back(list(dys))

    def _written(self, d: device.Device, xs: Sequence[np.ndarray], call: Call) -> tuple[list[np.ndarray], Backward]:
        """Run a step, and write its calls down."""
        record, before = StepNotes(call.step, d.blocks_in_use()), list(map(_VERSION, self._parameters))
        writer = NotingRecorder(d, xs, self._parameters)
        # One for both ways: operations keep the device that they met on the way forward.
        recording = device.RecordingDevice(d, writer)
        with standing_in(recording):
            ys, back = execute.forward(self._graph, xs, call)
        record.forward, record.outputs = writer.taken(), [writer.noted(y) for y in ys]
        record.is_plain = all(one.kind == "place" for one in record.outputs)
        record.changed = [now - old for now, old in zip(map(_VERSION, self._parameters), before, strict=True)]
        held = [*xs, *ys]  # until the way back is over, so that nothing else comes to lie there

        def backward(dys: Sequence[Any]) -> list[Any]:
            writer.give([*xs, *dys])
            with standing_in(recording):
                dxs: list[Any] = back(list(dys))
            record.back, record.slopes = writer.taken(), list(map(kind_of, dys))
            record.is_plain &= writer.is_plain and all(dy is None or dy.flags.carray for dy in dys)
            held.clear()
            writer.give(())
            self._end(d, record, foreign(record, writer, d))
            return dxs

        return [copied(d, y) for y in ys], backward

    def _end(self, d: device.Device, record: StepNotes, is_foreign: bool) -> None:
        """Compare a step with the one before; if they are alike, the next ones only make the calls."""
        last, self._last = self._last, record
        if not record.is_plain:
            self._tries = _TRIES + 1
        if last is None or not record.is_plain or last.step == record.step:
            return
        found = None if is_foreign else record.calls_as(last)
        if found is None:
            self._tries += 1
            return
        self._last = None
        if bytes_of(d, record) > _MEMORY:
            self._tries = _TRIES + 1
            return
        calls = StepCalls(d, record, *found)
        trained = {id(p) for step in self._graph.steps for p in step.node.trainable_weights}
        self._frozen = [p for p, by in zip(self._parameters, calls.changed, strict=True)
                        if id(p) not in trained and by == 0]
        self._arrays = [*map(_ARRAY, self._parameters), *map(_GRADIENT, self._parameters)]
        self._versions = list(map(_VERSION, self._frozen))
        self._calls, self._then, self._made = calls, self._settings(), 0
        self._let_others_go(calls.bytes)

    def _let_others_go(self, wanted: int) -> None:
        """Have no more memory in all replays than `_MEMORY`: the oldest ones end."""
        left = [weakref.ref(self)]
        for one in [ref() for ref in reversed(_keepers)]:
            calls = None if one is None or one is self else one._calls
            if one is None or calls is None:
                continue
            wanted += calls.bytes
            if wanted > _MEMORY:
                one.let_go()
            else:
                left.append(weakref.ref(one))
        _keepers[:] = left[::-1]


class _Way:
    """The way back of a step that was replayed. Who keeps it afterwards keeps no memory."""

    def __init__(self, replay: StepReplay, calls: StepCalls, xs: Sequence[np.ndarray], call: Call) -> None:
        self._needs: tuple[StepReplay, StepCalls, Sequence[np.ndarray], Call] | None = replay, calls, xs, call
        self._nothing: list[Any] = [None] * len(xs)

    @property
    def is_over(self) -> bool:
        return self._needs is None

    def __call__(self, dys: Sequence[Any]) -> list[Any]:
        if self._needs is not None:
            replay, calls, xs, call = self._needs
            if list(map(kind_of, dys)) == calls.slopes:
                calls.run_back(xs, dys, call.step)
            else:
                replay.back_by_layers(calls, xs, call, dys)
            self._needs = None
        return self._nothing


def _are_alike(now: list[Any], then: list[Any]) -> bool:
    """Return whether attributes are the same objects, or equal; of one list with another Python asks that quickly."""
    try:
        return now == then
    except (ValueError, TypeError):  # arrays of several numbers are neither
        return False


def _parts_of(node: Any) -> list[Any]:
    """Return a node and the layers that it stands for."""
    held = [one for one in vars(node).values() if hasattr(one, "trainable_weights")]
    return [node, *held, *getattr(node, "layers", ())]


def forward(graph: Graph, xs: Sequence[np.ndarray], call: Call, penalties: list[float], owner: Any
            ) -> tuple[list[np.ndarray], Backward]:
    """As `fastcnn.graph.execute.forward`, of a training step; one like those before is replayed.

    Parameters
    ----------
    graph, xs, call, penalties : as there
    owner : object
        Whoever makes the gradients of the outputs: of another one, steps are others.
    """
    if graph.replay is None:
        graph.replay = StepReplay(graph)
    found: tuple[list[np.ndarray], Backward] = graph.replay.forward(xs, call, penalties, owner)
    return found
