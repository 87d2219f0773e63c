"""A parameter group: a segment of what an optimizer trains, and what is kept for it."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.parameter_blocks import Segment
from fastcnn.parameters import state_like


class ParameterGroup(NamedTuple):
    """A segment and what an optimizer keeps for it.

    Attributes
    ----------
    segment : Segment
    state : list of array
        One for each of the optimizer's slots, of the shape of the segment's values.
    average : array or None
        The moving average of the values.
    spared : (P,) array of bool
        Which parameters have no weight decay.
    """

    segment: Segment
    state: list[np.ndarray]
    average: Any
    spared: np.ndarray

    @classmethod
    def of(cls, segment: Segment, starts: Sequence[float], averages: bool, spared: Sequence[bool]) -> "ParameterGroup":
        """Start the state of a segment with these numbers, one for each slot."""
        v = segment.values
        d = device.of(v)
        state, average = [d.full(v.shape, v.dtype, start) for start in starts], None
        if averages:
            average = state_like(v)
            d.copy(average, v)  # that of what is frozen at first, and trained later
        return cls(segment, state, average, np.array(spared))

    def only(self, wanted: set[int]) -> list["ParameterGroup"]:
        """Return what belongs to the parameters of these ids: itself, or a part for each, in the same memory."""
        s = self.segment
        if all(id(p) in wanted for p in s.parameters):  # one kernel call for all of them
            return [self]
        return [ParameterGroup(Segment(s.values[place], s.gradients[place], [p]),
                               [array[place] for array in self.state],
                               None if self.average is None else self.average[place], self.spared[k:k + 1])
                for k, (p, place) in enumerate(s.places()) if id(p) in wanted]


def norms(segment: Segment, array: np.ndarray) -> np.ndarray:
    """Return the norm of each parameter's part of an array of a segment's shape, on the host."""
    d, count = device.of(array), len(segment.parameters)
    found = d.empty((count,), np.float64)
    scratch = d.empty((d.kernels.squared_norms_scratch(count, array.dtype),), np.float64)
    d.kernels.squared_norms(found, scratch, array, d.constant(segment.offsets))
    return np.sqrt(d.get(found))


def scale_parts(segment: Segment, array: np.ndarray, factors: np.ndarray, limit: float = math.inf) -> None:
    """Multiply each parameter's part of an array of a segment's shape by its factor, and cut it to [-limit, limit].

    Parameters
    ----------
    segment : Segment
    array : array
        Changed.
    factors : (P,) float64 ndarray
    limit : float
    """
    d = device.of(array)
    d.kernels.scale_parts(array, d.put(factors), d.constant(segment.offsets), limit)
