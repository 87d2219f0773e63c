"""The kernel calls of a training step, made again on arrays of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.replay import entry_of
from fastcnn.graph.step_notes import Argument, Noted, StepNotes, address, places
from fastcnn.memory_pool import UNUSED, references

#: A kernel, its arguments, and which of them are put in: (argument, which is given, shape), of which -1 is the step.
_Call = tuple[Callable[..., Any], tuple[Any, ...], tuple[tuple[int, int, Any], ...]]


class StepCalls:
    """The calls of a step, and the blocks of memory that they use.

    Blocks that hold something else by now, a loss that its user keeps, are others of the same size here.

    Parameters
    ----------
    d : Device
    record : StepNotes
        Of the step whose arrays they take, just after it.
    forward, back : list
        What `StepNotes.calls_as` returned.

    Attributes
    ----------
    bytes : int
        Of the blocks.
    slopes, changed : list
        As of `StepNotes`.
    """

    def __init__(self, d: device.Device, record: StepNotes, forward: list[Noted], back: list[Noted]) -> None:
        self._device = d
        blocks, used = _blocks(d), _used(record)
        taken = [key for key in used if references(blocks[key]) != UNUSED and key not in record.busy]
        #: Where each block lies now, and the address from which places in it are counted.
        self._memory = {key: (blocks[key][0], address(blocks[key][0])) for key in used}
        self.bytes = bytes_of(d, record)
        for key in taken:
            memory, first = blocks[key]
            self._memory[key] = d.empty((memory.nbytes - first,), np.uint8), address(memory) + first
        self._forward, self._back = self._made(forward), self._made(back)
        self._outputs = [self._argument(one) for one in record.outputs]
        self.slopes, self.changed = record.slopes, record.changed

    def _made(self, calls: list[Noted]) -> list[_Call]:
        found: list[_Call] = []
        for kernel, noted in calls:
            args = tuple(map(self._argument, noted))
            put = tuple((k, one.value, one.shape) if one.kind == "given" else (k, -1, None)
                        for k, one in enumerate(noted) if one.kind in ("given", "step"))
            found.append((entry_of(kernel, args), args, put))
        return found

    def _argument(self, one: Argument) -> Any:
        if one.kind == "given":
            return np.empty(one.shape, one.dtype)  # of the type of what is put in; nobody touches it
        if one.kind != "place":
            return one.value
        memory, begin = self._memory[one.value]
        return np.ndarray(one.shape, one.dtype, memory, one.address - begin, one.strides)

    def run_forward(self, xs: Sequence[np.ndarray], step: int) -> list[np.ndarray]:
        """Return the outputs for inputs, in a step of this number."""
        _run(self._forward, xs, step)
        return [copied(self._device, own) for own in self._outputs]

    def run_back(self, xs: Sequence[np.ndarray], dys: Sequence[Any], step: int) -> None:
        """Add to the gradients of the parameters.

        Parameters
        ----------
        xs, step : as `run_forward` had them
        dys : sequence of arrays
            Gradients of the outputs, of the kinds `slopes`.
        """
        given = [None if dy is None else self._device.ready(dy) for dy in dys]
        _run(self._back, [*xs, *given], step)


def bytes_of(d: device.Device, record: StepNotes) -> int:
    """Return how large the blocks of memory are that a step used.

    Parameters
    ----------
    d : Device
    record : StepNotes
    """
    blocks = _blocks(d)
    return sum(blocks[key][0].nbytes for key in _used(record))


def _blocks(d: device.Device) -> dict[int, tuple[np.ndarray, int]]:
    return {id(block[0]): block for pool in d._pool().values() for block in pool.blocks}


def _used(record: StepNotes) -> list[int]:
    return list(dict.fromkeys(one.value for one in places(record, record.forward, record.back)))


def copied(d: device.Device, x: np.ndarray) -> np.ndarray:
    """Return a copy of an array in memory of the pool.

    Parameters
    ----------
    d : Device
    x : array
    """
    y = d.empty(x.shape, x.dtype)
    d.copy(y, x)
    return y


def _run(calls: list[_Call], given: Sequence[Any], step: int) -> None:
    for kernel, args, put in calls:
        if put:
            own = list(args)
            for k, which, shape in put:
                own[k] = step if which < 0 else given[which].reshape(shape)
            kernel(*own)
        else:
            kernel(*args)
