"""Layers that the importer makes, and tensors as those layers want them: in which order, and in which shape."""

import inspect
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.geometry.reshape import free_target
from fastcnn.layers.base import Layer
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._layout_view import Dim, View, channels_last, laid_out, reshaped, run_of, runs, transposed, with_size
from fastcnn.onnx.operators._memory import check_size
from fastcnn.symbolic import Tensor

#: The name of a later value, and the transposes on the way to it.
Later = tuple[str, tuple[tuple[int, ...], ...]]


class NotOfferedError(Exception):
    """A node that no layer stands for, with the reason; `node` says which, where it is none that is at hand."""

    def __init__(self, reason: str, node: OnnxNode | None = None) -> None:
        super().__init__(reason)
        self.node = node


class Arranging:
    """The part of `Importer` that makes layers.

    Attributes
    ----------
    values : dict
        What each name of the file is: a view, or an array.
    names : Counter
        Of layers, as they were wanted.
    moved : dict
        What was arranged already.
    dtype : str
    """

    values: dict[str, Any]
    names: Counter[str]
    moved: dict[Any, Tensor]
    dtype: str

    def name(self, wanted: str) -> str:
        """Return a name for a layer that no other has."""
        plain = re.sub(r"[^0-9A-Za-z_.\-]+", "_", wanted).strip("_.") or "layer"
        count = self.names[plain]
        self.names[plain] += 1
        return self.name(f"{plain}_{count}") if count else plain

    def apply(self, node: OnnxNode | None, make: Callable[..., Layer], x: Any, *args: Any, weights: Any = None,
              **kwargs: Any) -> Any:
        """Make a layer, call it and set its weights; return the tensor, or tensors.

        Parameters
        ----------
        node : OnnxNode or None
            For the name.
        make : layer class
        x : Tensor or list of them
        *args, **kwargs
            The layer's arguments.
        weights : list of arrays, optional
        """
        label = make.__name__.lower() if node is None else node.name or f"{node.operator}_{node.outputs[0]}"
        if weights is not None:
            kwargs |= {name: "zeros" for name in inspect.signature(make.__init__).parameters
                       if name == "kernel_initializer"}
        layer = make(*args, name=self.name(label), dtype=self.dtype, **kwargs)
        y = layer(x)
        for made in y if isinstance(y, (list, tuple)) else [y]:
            check_size(layer.name, made.shape[1:], self.dtype)
        if weights is not None:
            layer.set_weights([np.asarray(w, self.dtype) for w in weights])
        return y

    def also(self, node: OnnxNode, later: Later, view: View) -> View:
        """Return the output of a node, which is the value of a later name, too, if nodes were taken with it."""
        name, turns = later
        if name != node.outputs[0]:
            after = view
            for turn in turns:
                after = transposed(after, [axis - 1 for axis in turn[1:]])
            self.values[name] = after
        return view

    def arranged(self, view: View, groups: Sequence[Dim], shape: Sequence[int] | None = None) -> Tensor:
        """Return a tensor with the atoms of `groups` one after the other, a dimension for each; moved where needed.

        Parameters
        ----------
        view : View
        groups : sequence of tuple of int
        shape : sequence of int, optional
            Other dimensions of the same order.
        """
        pieces, order, sizes = runs(view, groups)
        shape = tuple(sizes if shape is None else shape)
        key = view.tensor, pieces, order, shape
        if key not in self.moved:
            tensor = view.tensor
            if order != tuple(range(len(order))):
                tensor = self.apply(None, layers.Permute, self.shaped(tensor, pieces), tuple(at + 1 for at in order))
            self.moved[key] = self.shaped(tensor, shape)
        return self.moved[key]

    def shaped(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """Return a tensor with other dimensions of the same memory."""
        old, new = tensor.shape[1:], tuple(shape)
        return tensor if old == new else self.apply(None, layers.Reshape, tensor, free_target(old, new))

    def regrouped(self, view: View, sizes: Sequence[int]) -> View:
        """Return the view with other dimensions; in memory of the file's order where they cut across what there is."""
        sizes = tuple(sizes)
        if min(sizes, default=1) < 1 or math.prod(sizes) != view.elements:
            raise NotOfferedError(f"{[None, *view.shape]} as {[None, *sizes]}")
        found = reshaped(view, sizes)
        return laid_out(self.arranged(view, view.dims, sizes)) if found is None else found

    def exposed(self, view: View, axis: int) -> tuple[Tensor, int, Callable[[Tensor], View]]:
        """Return a tensor with a dimension of the file for one of its axes, and the way back to a view.

        Parameters
        ----------
        view : View
        axis : int
            The dimension, without the batch.

        Returns
        -------
        Tensor
        int
            The tensor's axis.
        function
            Of a tensor with another length along that axis.
        """
        first, count = run_of(view, axis)
        if count is None:
            last = view.is_natural or len(view.dims) < 2
            return self.exposed(laid_out(self.arranged(view, view.dims)) if last else self.in_channels_last(view), axis)
        before, n = math.prod(view.sizes[:first]), view.shape[axis]
        shape = view.tensor.shape[1:]
        at = next((k for k, m in enumerate(shape) if m == n and math.prod(shape[:k]) == before), None)
        tensor = view.tensor if at is not None else self.shaped(
            view.tensor, (before, n, math.prod(view.sizes[first + count:])))
        at = 2 if at is None else at + 1
        return tensor, at, lambda y: with_size(view, y, axis, first, count, y.shape[at])

    def in_channels_last(self, view: View) -> View:
        """Return the view with its first dimension last in memory."""
        return channels_last(self.image(view))

    def image(self, view: View, rank: int | None = None) -> Tensor:
        """Return (N, ..., C) of the file's (N, C, ...).

        Raises
        ------
        NotOfferedError
            If it has another number of dimensions than `rank` and the channels.
        """
        if not view.dims or (rank is not None and len(view.dims) != rank + 1):
            raise NotOfferedError(f"an input of {len(view.dims) + 1} dimensions")
        return self.arranged(view, (*view.dims[1:], view.dims[0]))

    def flat(self, view: View) -> Tensor:
        """Return (N, numbers) in the order of memory."""
        return self.arranged(view, (tuple(range(len(view.sizes))),))

    def with_last(self, view: View, axis: int) -> tuple[Tensor, Callable[[Tensor], View]]:
        """Return (N, ..., numbers along one dimension), and the way from such a tensor back to a view.

        Parameters
        ----------
        view : View
        axis : int
            The dimension, without the batch.
        """
        last = view.dims[axis]
        others = tuple(atom for atom in range(len(view.sizes)) if atom not in last)
        if (*others, *last) == tuple(range(len(view.sizes))) and view.tensor.shape[-1] == view.shape[axis]:
            return view.tensor, view.on
        tensor = self.arranged(view, (others, last))
        return tensor, lambda y: self.moved_as(view, y, (others, last))

    @staticmethod
    def moved_as(view: View, tensor: Tensor, groups: Sequence[Dim]) -> View:
        """Return the view of what has the atoms of `view` in the order of `groups`."""
        place = {atom: at for at, atom in enumerate(atom for group in groups for atom in group)}
        sizes = tuple(view.sizes[atom] for atom in place)
        return View(tensor, sizes, tuple(tuple(place[atom] for atom in dim) for dim in view.dims))

    def constant(self, value: Any, what: str) -> np.ndarray:
        """Return an input that has to be a constant."""
        if not isinstance(value, np.ndarray):
            raise NotOfferedError(f"{what} that is computed from the data")
        return value
