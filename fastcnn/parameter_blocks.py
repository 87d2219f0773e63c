"""Flat blocks in which training keeps parameters.

`flatten` moves the parameters of a model into one array of values and one of gradients for each device and type, so
that an optimizer step is one kernel call and an all-reduce one collective. A parameter that lives in a block already
stays there (a layer in two compiled models), and the optimizer walks the segments.
"""

from itertools import pairwise

import numpy as np

from fastcnn import device
from fastcnn.parameters import Parameter


class Block:
    """Values and gradients of several parameters, side by side in two flat arrays.

    Parameters
    ----------
    parameters : list of Parameter
        Of one type; their arrays move into the block.
    """

    def __init__(self, parameters: list[Parameter]) -> None:
        sizes, first = [p.size for p in parameters], parameters[0]
        d = device.of(first.array)
        self.values, self.gradients = (d.zeros((sum(sizes),), first.dtype) for _ in range(2))
        self.parameters = parameters
        begin = 0
        for p, size in zip(parameters, sizes, strict=True):
            part = slice(begin, begin + size)
            p.move(self.values[part].reshape(p.shape), self.gradients[part].reshape(p.shape), self)
            begin += size


class Segment:
    """What an optimizer updates in one kernel call: flat values, their gradients, and the parameters they belong to.

    Parameters
    ----------
    values, gradients : flat arrays
    parameters : list of Parameter
        In the order in which they lie there.

    Attributes
    ----------
    offsets : (P + 1,) array
        Where each parameter begins, and the end.
    """

    def __init__(self, values: np.ndarray, gradients: np.ndarray, parameters: list[Parameter]) -> None:
        self.values, self.gradients, self.parameters = values, gradients, parameters
        self.offsets = np.cumsum([0, *(p.size for p in parameters)])

    def places(self) -> list[tuple[Parameter, slice]]:
        """Return each parameter and where it lies."""
        return [(p, slice(*ends)) for p, ends in zip(self.parameters, pairwise(self.offsets), strict=True)]


def flatten(parameters: list[Parameter]) -> list[Segment]:
    """Gather parameters that are in no block yet into blocks by type, and return their segments.

    Parameters
    ----------
    parameters : list of Parameter
        Each once, in the order of the model.
    """
    homeless: dict[tuple[str, np.dtype], list[Parameter]] = {}
    for p in parameters:
        if p.block is None:
            homeless.setdefault((device.of(p.array).name, p.dtype), []).append(p)
    for group in homeless.values():
        Block(group)
    blocks = list(dict.fromkeys(p.block for p in parameters if p.block is not None))
    wanted = set(map(id, parameters))
    segments = []
    for block in blocks:
        if all(id(p) in wanted for p in block.parameters):
            segments.append(Segment(block.values, block.gradients, block.parameters))
        else:
            mine = [p for p in block.parameters if id(p) in wanted]
            segments += [Segment(p.array.reshape(-1), p.gradient.reshape(-1), [p]) for p in mine]
    return segments
