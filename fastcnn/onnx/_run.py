"""Running a file: by layers where they can, by operators where not, for whatever shapes come."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx import _partition
from fastcnn.onnx._executor import Program, alive
from fastcnn.onnx._graph import OnnxGraph
from fastcnn.onnx._schedule import OtherShapesError, Schedule

_SHAPES = 4  # schedules that are kept


class Runner:
    """A graph, ready for inputs.

    The first shapes that come get a schedule at once, others when they come twice in a row: to write one costs some
    fifty runs by operators, and where every image has its own size it would be of no use.

    Parameters
    ----------
    graph : OnnxGraph
    who : str
        What errors call it.

    Attributes
    ----------
    program : Program
        The graph by operators alone.
    """

    def __init__(self, graph: OnnxGraph, who: str) -> None:
        self.program = Program(graph, who)
        self._graph = replace(graph, nodes=tuple(alive(graph))) if _partition.worth(graph) else None
        self._schedules: dict[Any, Schedule | None] = {}
        self._seen: Any = None
        self._busy = threading.Lock()

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the outputs for the inputs, both in the graph's order."""
        if self._graph is None:
            return self.program.run(inputs)
        key = tuple([(x.shape, x.dtype) if isinstance(x, np.ndarray) else None for x in inputs])
        if key not in self._schedules and (not self._schedules or self._seen == key):
            with self._busy:
                if key not in self._schedules:
                    return self._scheduled(key, inputs)
        self._seen = key
        found = self._schedules.get(key)
        if found is not None:
            try:
                return found.run(inputs)
            except OtherShapesError:
                self._schedules[key] = None
        return self.program.run(inputs)

    def _scheduled(self, key: Any, inputs: Sequence[Any]) -> list[Any]:
        """Write the schedule for inputs, and return their outputs."""
        assert self._graph is not None
        found = _partition.schedule(self._graph, self.program.who, inputs)
        if len(self._schedules) >= _SHAPES:
            self._schedules.clear()
        self._schedules[key] = None if found is None else found[0]
        return self.program.run(inputs) if found is None else found[1]
