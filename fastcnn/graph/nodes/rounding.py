"""A node whose layers compute in bfloat16: what comes in, goes out and comes back is rounded.

While a model trains, what such nodes hand to one another lies in 16 bits, and so does what they save for the way back:
there a training holds most of its memory. Inside a node the numbers lie in arrays of float32, which are free as soon as
it has run; but where a CPU multiplies pairs of bfloat16, nodes that can (`trains_short`, `predicts_short`) read and
write 16 bits.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.bfloat16 import is_bfloat16
from fastcnn.graph.node import is_replayable
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.layers.base import Backward, Call
from fastcnn.operations.activation import clamp_of
from fastcnn.operations.bfloat16 import NarrowSaving, narrowed, round_in_place, rounded, widened
from fastcnn.operations.saved import saving_by
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait, of


class Rounding:
    """A node between arrays of numbers of bfloat16.

    Inside it the arithmetic is float32: only what layers hand on, forward or backward, loses its last bits. A gradient
    is rounded once, where it enters, after those of all readers of an output were added.

    Parameters
    ----------
    node : Layer or node
    enters : tuple of bool
        For each input, whether it may have numbers of float32, which are rounded on a copy.
    leaves : tuple of bool
        For each output, whether it is rounded. One that the model returns, and nobody else reads, is not.
    narrow : tuple of bool
        For each output, whether training stores it in 16 bits: only such nodes read it.
    returns : tuple of bool
        For each input, whether its gradient goes back in 16 bits: no other gradient is added to it, or those that are
        lie in 16 bits, too.
    short : tuple of bool
        For each output, whether predictions store it in 16 bits, if training does: somebody writes or reads it so.
        Empty where nodes may not read and write 16 bits.
    """

    def __init__(self, node: Any, enters: Sequence[bool], leaves: Sequence[bool], narrow: Sequence[bool],
                 returns: Sequence[bool], short: Sequence[bool] = ()) -> None:
        self.node, self.enters, self.leaves = node, tuple(enters), tuple(leaves)
        self.narrow, self.returns = tuple(narrow), tuple(returns)
        self._predicted_narrow = tuple(a and b for a, b in zip(narrow, short, strict=False))
        self.name = getattr(node, "name", type(node).__name__)
        self.traits, self.many_inputs, self.replayable = node.traits, node.many_inputs, is_replayable(node)
        self.input_shape, self.output_shape = node.input_shape, node.output_shape
        self.holds_layers = getattr(node, "holds_layers", False)
        # A product writes memory of its own, which may be written once more.
        self._in_place = len(self.leaves) == 1 and bool(getattr(node, "multiply_adds", int)() or _has_product(node))
        self._trains_short = bool(short) and self.leaves == (True,) and _keeps(node, "trains_short")
        self._predict_short = _short_prediction(node) if self._predicted_narrow == (True,) else None

    @property
    def parameters(self) -> Sequence[Parameter]:
        found: Sequence[Parameter] = self.node.parameters
        return found

    @property
    def trainable_weights(self) -> Sequence[Parameter]:
        found: Sequence[Parameter] = self.node.trainable_weights
        return found

    def held_layers(self) -> dict[str, Any]:
        """As `Layer.held_layers`."""
        found: dict[str, Any] = self.node.held_layers() if self.holds_layers else {}
        return found

    def forward(self, x: Any, call: Call = Call()) -> tuple[Any, Backward]:
        """As `Layer.forward`."""
        saving = NarrowSaving()
        if self._trains_short:
            return self._forward_short(x, call, saving)
        x = self._entered(self._widened(x, saving))
        with saving_by(saving):
            y, back = self.node.forward(x, call)

        def backward(dy: Any) -> Any:
            dx = back(tuple(map(_taken, dy)) if isinstance(dy, tuple) else _taken(dy))
            return self._returned(dx) if any(self.returns) else dx

        return self._narrowed(y, saving), backward

    def _forward_short(self, x: Any, call: Call, saving: NarrowSaving) -> tuple[Any, Backward]:
        """As `forward`, by a node whose arrays are of bfloat16."""
        x = tuple(map(_short, x)) if isinstance(x, tuple) else _short(x)
        with saving_by(saving):
            y, back = self.node.forward(x, call)
        del x  # what the way back wants of it, it has

        def backward(dy: Any) -> Any:
            dx = back(_short(dy))
            if isinstance(dx, tuple):
                return tuple(one if returns or one is None else widened(one)
                             for one, returns in zip(dx, self.returns, strict=True))
            return dx if self.returns[0] or dx is None else widened(dx)

        return y if self.narrow[0] else widened(y), backward

    def predict(self, x: Any) -> Any:
        """As `Layer.predict`."""
        if not self._predicted_narrow:
            return self._left(self.node.predict(self._entered(x)))
        xs = x if isinstance(x, tuple) else (x,)
        if self._predict_short is not None and all(
                enters or is_bfloat16(one.dtype) for one, enters in zip(xs, self.enters, strict=True)):
            xs = tuple(map(_short, xs))
            return self._predict_short(xs if self.many_inputs else xs[0])
        x = tuple(widened(one) if is_bfloat16(one.dtype) else rounded(one) if enters else one
                  for one, enters in zip(xs, self.enters, strict=True))
        y = self.node.predict(x if self.many_inputs else x[0])
        if not isinstance(y, tuple):
            return narrowed(y) if self._predicted_narrow[0] else self._left(y)
        return tuple(narrowed(one) if narrow else rounded(one) if leaves else one
                     for one, narrow, leaves in zip(y, self._predicted_narrow, self.leaves, strict=True))

    @staticmethod
    def _widened(x: Any, saving: NarrowSaving) -> Any:
        """Return inputs as arrays of float32; those in 16 bits need not be saved anew."""
        def wide(one: np.ndarray) -> np.ndarray:
            if not is_bfloat16(one.dtype):
                return one
            found = widened(one)
            saving.know(found, one)
            return found

        return tuple(map(wide, x)) if isinstance(x, tuple) else wide(x)

    def _narrowed(self, y: Any, saving: NarrowSaving) -> Any:
        """Return outputs as training stores them."""
        if not any(self.narrow):
            return self._left(y)
        if not isinstance(y, tuple):
            return saving.narrow(y)
        return tuple(saving.narrow(one) if narrow else rounded(one) if leaves else one
                     for one, narrow, leaves in zip(y, self.narrow, self.leaves, strict=True))

    def _returned(self, dx: Any) -> Any:
        """Return gradients of inputs as they go back."""
        if not isinstance(dx, tuple):
            return None if dx is None else narrowed(dx)
        return tuple(narrowed(one) if returns and one is not None else one
                     for one, returns in zip(dx, self.returns, strict=True))

    def _entered(self, x: Any) -> Any:
        if not any(self.enters):
            return x
        if not self.many_inputs:
            return rounded(x)
        return tuple(rounded(one) if enters else one for one, enters in zip(x, self.enters, strict=True))

    def _left(self, y: Any) -> Any:
        if not any(self.leaves):
            return y
        if not isinstance(y, tuple):
            return self._stored(y)
        return tuple(self._stored(one) if leaves else one for one, leaves in zip(y, self.leaves, strict=True))

    def _stored(self, y: np.ndarray) -> np.ndarray:
        if not self._in_place:
            return rounded(y)
        round_in_place(y)
        return y


def _short(x: np.ndarray) -> np.ndarray:
    """Return an array in 16 bits."""
    return x if is_bfloat16(x.dtype) else narrowed(x)


def _taken(dy: np.ndarray) -> np.ndarray:
    """Return a gradient of an output as its node takes it."""
    return widened(dy) if is_bfloat16(dy.dtype) else rounded(dy)


def predicts_short(node: Any) -> bool:
    """Return whether a node predicts arrays of bfloat16 from such arrays.

    Parameters
    ----------
    node : Layer or node
        A product does so that ends in a clamp at most.
    """
    return _keeps(node, "predicts_short") and (Trait.PRODUCT not in of(node) or clamp_of(node.activation) is not None)


def _short_prediction(node: Any) -> Callable[[Any], np.ndarray] | None:
    """Return how a node predicts arrays of bfloat16 from such arrays, None if it does not."""
    if not predicts_short(node):
        return None
    found: Callable[[Any], np.ndarray] = FusedConv.of(node).predict_short if Trait.PRODUCT in of(node) else node.predict
    return found


def _keeps(node: Any, promise: str) -> bool:
    """Return whether a node keeps a promise: a class of the user's own may inherit it, and have verbs of its own."""
    layer = getattr(node, "product", node)
    return bool(getattr(node, promise, False)) and type(layer).__module__.startswith("fastcnn.")


def _has_product(node: Any) -> bool:
    return getattr(node, "product", None) is not None or getattr(node, "convolution", None) is not None
