"""The kernel calls of a training step, written down without holding the memory of their arrays, and compared."""

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.kernel_recorder import Recorder

_SMALL = 1 << 16  # bytes of an array of the host whose content is compared; of a larger one nothing is known

Noted = tuple[Any, list[Any]]  # a kernel, and what tells its arguments


class Argument(NamedTuple):
    """What tells an argument of a kernel again. It holds no memory of the pool.

    Attributes
    ----------
    kind : str
        ``place``: an array in a block of the pool. ``given``: one that each step is given anew. ``kept``: another
        array. ``step``: the number of the step. ``value``: what is no array.
    value : object
        The identity of the block; which array is given: first come inputs, then gradients of outputs; the array; the
        value.
    shape, strides, dtype
        Of an array.
    address : int
        Where an array in a block begins.
    content : bytes or None
        Of an array that is kept, the same in all steps; None of a parameter.
    """

    kind: str
    value: Any = None
    shape: tuple[int, ...] = ()
    dtype: Any = None
    strides: tuple[int, ...] = ()
    address: int = 0
    content: bytes | None = None


STEP = Argument("step", 0)


class NotingRecorder(Recorder):
    """Writes calls down and makes them.

    Parameters
    ----------
    d : Device
    given : sequence of arrays
        Inputs.
    parameters : sequence of Parameter

    Attributes
    ----------
    is_plain : bool
        Whether all arguments were such that later steps can have them.
    own : set of int
        Identities of the arrays in which the parameters and their gradients lie.
    blocks : dict of int to weakref
        The blocks of the pool that were used, by their identities.
    """

    def __init__(self, d: device.Device, given: Sequence[Any], parameters: Sequence[Any]) -> None:
        super().__init__(d.kernels, [])
        self._noted = list[Noted]()
        self._device, self._blocks, self.blocks = d, d.blocks(), dict[int, weakref.ref[np.ndarray]]()
        self.own = {id(_root(one)) for p in parameters for one in (p.array, p._gradient) if one is not None}
        self.is_plain = True
        self.give(given)

    def give(self, given: Sequence[Any]) -> None:
        """Know these arrays as what a step is given.

        Parameters
        ----------
        given : sequence of arrays, or None
        """
        there = [(which, x) for which, x in enumerate(given) if x is not None]
        self._given = {id(_root(x)): (which, x) for which, x in there}
        self.is_plain &= len(self._given) == len(there)  # of two in one memory nothing tells which a kernel was given

    def taken(self) -> list[Noted]:
        """Return the calls since the last time."""
        calls, self._noted = self._noted, []
        return calls

    def of(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        """As `Recorder.of`."""
        def call(*args: Any) -> Any:
            result = kernel(*args)
            if result is None:  # what is no kernel tells a size, or which kernel suits
                self._noted.append((kernel, list(map(self.noted, args))))
            return result

        return call

    def noted(self, value: Any) -> Argument:
        """Return what tells an argument again.

        Parameters
        ----------
        value : object
        """
        if not isinstance(value, np.ndarray):
            self.is_plain &= np.isscalar(value)
            return Argument("value", value)
        root = _root(value)
        which, x = self._given.get(id(root), (-1, None))
        if x is not None:
            self.is_plain &= (value.size == x.size and value.dtype == x.dtype and value.flags.carray
                              and address(value) == address(x))
            return Argument("given", which, value.shape, value.dtype)
        if root.dtype == np.uint8 and id(root) not in self._blocks:
            self._blocks = self._device.blocks()
        if id(root) in self._blocks:
            if id(root) not in self.blocks:
                self.blocks[id(root)] = weakref.ref(root)
            return Argument("place", id(root), value.shape, value.dtype, value.strides, address(value))
        if id(root) in self.own:
            return Argument("kept", value, value.shape, value.dtype, address=address(value))
        self.is_plain &= value.nbytes <= _SMALL
        content = value.tobytes() if value.nbytes <= _SMALL else None
        return Argument("kept", value, value.shape, value.dtype, content=content)


class StepNotes:
    """What one step did.

    Parameters
    ----------
    step : int
        Its number.
    busy : set of int
        Identities of the blocks of memory that were in use when it began.

    Attributes
    ----------
    is_plain : bool
    forward, back : list
        Calls of the two ways.
    outputs : list
    slopes : list
        `kind_of` the gradients of the outputs.
    changed : list of int
        By how much the versions of the parameters rose.
    """

    def __init__(self, step: int, busy: set[int]) -> None:
        self.step, self.busy, self.is_plain = step, busy, True
        self.forward, self.back = list[Noted](), list[Noted]()
        self.outputs, self.slopes, self.changed = list[Any](), list[Any](), list[int]()

    def calls_as(self, other: "StepNotes") -> tuple[list[Noted], list[Noted]] | None:
        """Return the calls of both ways as those of all steps, on the arrays of this one; None if the other's differ.

        Parameters
        ----------
        other : StepNotes
            Of another step.
        """
        if self.slopes != other.slopes or self.changed != other.changed:
            return None
        steps = other.step, self.step
        forward, back = _merged(other.forward, self.forward, steps), _merged(other.back, self.back, steps)
        return None if forward is None or back is None else (forward, back)


def _merged(first: list[Noted], second: list[Noted], steps: tuple[int, int]) -> list[Noted] | None:
    if [(kernel, len(args)) for kernel, args in first] != [(kernel, len(args)) for kernel, args in second]:
        return None
    merged = [(kernel, [_same(*pair, steps) for pair in zip(a, b, strict=True)])
              for (kernel, a), (_, b) in zip(first, second, strict=True)]
    return None if any(one is None for _, args in merged for one in args) else merged


def _same(a: Argument, b: Argument, steps: tuple[int, int]) -> Argument | None:
    """Return what an argument of two steps is in all of them; None if they differ."""
    if a.kind == b.kind == "value":
        given = repr(a.value), repr(b.value)  # which tells 1 from 1.0
        return b if given[0] == given[1] else STEP if given == (repr(steps[0]), repr(steps[1])) else None
    if a.kind == "place":  # in whichever block
        return b if a._replace(value=b.value, address=b.address) == b else None
    if a.kind == "kept":
        return b if a._replace(value=None) == b._replace(value=None) else None
    return b if a == b else None


def foreign(record: StepNotes, writer: NotingRecorder, d: device.Device) -> bool:
    """Return whether a step used memory that held something else than parameters before, or that is no longer there.

    Parameters
    ----------
    record : StepNotes
    writer : NotingRecorder
        What wrote it down.
    d : Device
        Whose pool the memory is of; a step in which somebody gave memory back may have met other blocks of the same
        identity.
    """
    now = d.blocks()
    if any(key not in now or block() is None for key, block in writer.blocks.items()):
        return True
    return any(one.value in record.busy and one.value not in writer.own
               for one in places(record, record.forward, record.back))


def places(record: StepNotes, *calls: list[Noted]) -> Iterator[Argument]:
    """Yield the arrays in blocks of the pool that some calls and the outputs of a step are.

    Parameters
    ----------
    record : StepNotes
    *calls : list
    """
    for one in itertools.chain(record.outputs, *(args for some in calls for _, args in some)):
        if one.kind == "place":
            yield one


def kind_of(x: np.ndarray | None) -> Any:
    """Return the shape and the type of an array, None of none.

    Parameters
    ----------
    x : array or None
    """
    return None if x is None else (x.shape, x.dtype)


def _root(x: np.ndarray) -> np.ndarray:
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def address(x: np.ndarray) -> int:
    """Return where an array begins.

    Parameters
    ----------
    x : array
    """
    found: int = x.__array_interface__["data"][0]
    return found
