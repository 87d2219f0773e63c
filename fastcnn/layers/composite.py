r"""Layers that `call` puts together: what it does with symbolic tensors is a graph, which runs in the layer's place.

::

    class Residual(layers.Layer):
        def __init__(self, filters, **kwargs):
            super().__init__(**kwargs)
            self.conv = layers.Conv2D(filters, 3, padding="same")

        def call(self, x):                  x --> Conv2D --> Add --> y      asked once for each shape; a model opens it,
            return x + self.conv(x)          \_________________/            and fuses, saves and exports what is inside
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import _hooks, initializers, symbolic
from fastcnn.errors import ArgumentError, StatefulCallError
from fastcnn.layers import added_loss, held_layers
from fastcnn.layers.building import Built
from fastcnn.layers.call import Call
from fastcnn.layers.twins import Shape


class Composite(Built):
    """The part of a layer that runs other layers by what its `call` did with tensors."""

    #: Whether it is a graph of other layers, `traced`, which run in its place: a model, or a layer with `call`.
    is_composite = False

    activity_regularizer: Any
    #: What `call` did: the calls between its input and its output.
    traced: Any = None

    _is_stateful = False  # whether `call` changes parameters: it is then called with arrays alone
    _graph: Any = None  # what runs: `fastcnn.graph.executable.Executable`
    _added: Sequence[symbolic.Tensor] = ()  # the losses that `add_loss` added where `call` was asked
    _told_losses: Sequence[float] = ()  # what they were when it was last called with arrays
    #: How many tensors `call` takes one by one; 1 where several are a list.
    call_takes = 1

    def add_loss(self, loss: Any) -> None:
        """Add to the loss that a model with the layer trains for; called in `call`.

        Parameters
        ----------
        loss : Tensor, or list of them
            Each is summed up, if it is no single number.

        Raises
        ------
        ArgumentError
            If it is none that `call` made of its input, or `call` is not being asked.
        """
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            if self not in symbolic.tracing() or not isinstance(one, symbolic.Tensor):
                raise ArgumentError(f"{self}: add_loss expected a tensor that call made of its input, within call, got "
                                    f"{type(one).__name__}; penalties on weights are regularizers of add_weight")
            symbolic.tracing()[-1]._added = [*symbolic.tracing()[-1]._added, added_loss.ended(one)]

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and regularizers of outputs added when it was last called with arrays, and the penalties on
        its weights.
        """
        penalties = [p.regularizer.value(p.array) for p in self.trainable_weights if p.regularizer is not None]
        return [*self._told_losses, *penalties]

    def _forward_by_call(self, x: Any, call: Call) -> tuple[Any, Callable[[Any], Any]]:
        """As `Layer.forward`, by the graph of what `call` did."""
        layer = self.sized(x) if self.is_open else self
        xs = layer.arranged(layer.checked(x))  # which builds it
        ys, way = layer._graph.forward(xs, call)

        def backward(dy: Any) -> Any:
            dxs = way(dy if isinstance(dy, tuple) else (dy,))
            return tuple(dxs) if self.many_inputs else dxs[0]

        return self.rearranged(ys), backward

    def _predict_by_call(self, x: Any) -> Any:
        """As `Layer.predict`, by the graph of what `call` did."""
        if self._is_stateful:
            return self._called_at_once(x)
        layer = self.sized(x) if self.is_open else self
        try:
            xs = layer.arranged(layer.checked(x))  # which builds it
        except StatefulCallError:
            if self.makes_weights or type(self).build is not Built.build:  # they went with what failed
                raise
            self._is_stateful = True
            return self._called_at_once(x)
        return self.rearranged(layer._infer(xs))

    def _called_at_once(self, x: Any) -> Any:
        """Return what `call` makes of arrays themselves: there is no graph where it changes parameters."""
        given = x if self.call_takes > 1 else (x,)
        told = {"training": False} if "training" in inspect.signature(self.call).parameters else {}
        found = self.call(*given, **told)
        if isinstance(found, (list, tuple)):
            return tuple(np.array(one) for one in found)
        return np.array(found)  # a copy: what is assigned later is not told afterwards

    def _infer(self, xs: Sequence[Any]) -> Any:
        """Return the outputs for arrays, and remember losses if there are any."""
        if not any(step.regularizer is not None for step in self._graph.whole.steps):
            return self._graph.infer(xs)
        ys, self._told_losses = self._graph.infer_with_losses(xs)
        return ys

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for that of the input; nothing is built."""
        if not self.has_call:
            return input_shape
        if self.built:
            found: Shape = self.for_shape(input_shape).output_shape
            return found
        # Built for the answer alone, and then as before: no weights, and no seed used up.
        with self.restored(), initializers.nothing_drawn():
            self.build(input_shape)
            found = self.output_shape
        return found

    def twin(self, shape: Shape) -> Any:
        """As `Built.twin`; what `call` does with another shape is another graph of the same layers."""
        if not self.has_call:
            return super().twin(shape)
        twin = self.replaced(nodes=[], _original=self.original)
        with self.calls_forgotten():
            twin.input_shape, twin.output_shape = shape, twin._built_by_call(shape)
        return twin

    def _built_by_call(self, shape: Shape) -> Shape:
        inputs, outputs = self.called_on(shape)
        tensors = tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)
        self._graph = _hooks.hooks["graph"](inputs, tensors, self.array_dtype, str(self), self._added)
        self.traced = self._graph.traced
        self.check_called(self.traced.layers)
        return tuple(one.shape for one in tensors) if len(tensors) > 1 else tensors[0].shape

    def placed(self) -> None:
        """Run, from now on, where the parameters are, which have moved to another device."""
        if self._graph is not None:
            self._graph.placed()

    def called_on(self, shape: Shape) -> tuple[list[Any], Any]:
        """Return symbolic inputs of a shape, or of several, and what `call` makes of them.

        Raises
        ------
        ArgumentError
            If that is something else than tensors.
        """
        shapes = shape if self.many_inputs else (shape,)
        inputs = [symbolic.operators["input"](one[1:], self.dtype_policy, f"{self.name}_input_{k}" if k else
                                              f"{self.name}_input") for k, one in enumerate(shapes)]
        # Neither True nor False: the graph serves training and prediction, and each layer hears which when it runs.
        told = {"training": symbolic.EITHER} if "training" in inspect.signature(self.call).parameters else {}
        self._added = ()
        with symbolic.asked(self):
            outputs = self.call(*inputs, **told) if self.call_takes > 1 else self.call(
                inputs if self.many_inputs else inputs[0], **told)
        each = list(outputs.values()) if isinstance(outputs, dict) else (
            outputs if isinstance(outputs, (list, tuple)) else [outputs])
        strange = [one for one in each if not isinstance(one, symbolic.Tensor)]
        if strange or not each:
            got = type(strange[0]).__name__ if strange else "nothing"
            raise ArgumentError(f"{self}: expected call to return tensors that layers made of its input, got {got}")
        return inputs, outputs

    def check_called(self, found: Sequence[Any]) -> None:
        """Raise ArgumentError if what `call` did would lose weights or penalties."""
        held = {id(one) for _, one in held_layers.all_within(self)}
        strange = next((one for one in found if one.weights and id(one) not in held), None)
        if strange is not None:
            raise ArgumentError(f"{self}: expected call to apply layers that it holds, got {strange}, whose weights "
                                f"nobody would train or save; make it in __init__, as an attribute")
        if self.activity_regularizer is not None:
            raise ArgumentError(f"{self}: activity_regularizer is not offered beside call; give it to the layer that "
                                f"call applies last")


def _one_by_one(called: Any) -> Any:
    """Return a `__call__` that takes several tensors one by one."""
    @functools.wraps(called)
    def call(self: Any, *xs: Any, **told: Any) -> Any:
        return called(self, list(xs) if len(xs) > 1 else xs[0], **told)

    return call


def check_class(cls: Any, base: Any) -> None:
    """Raise ArgumentError for a `call` that cannot become a graph.

    Parameters
    ----------
    cls : type
        With a `call` of its own.
    base : type
        `Layer`, which this room's other files have from `fastcnn.layers.base`.
    """
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    asked = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    cls.call_takes = len([name for name in asked if name != "training"])
    if cls.call_takes > 1:
        cls.__call__ = _one_by_one(cls.__call__)
    if not cls.call_takes:
        raise ArgumentError(f"{cls.__name__}: expected call(self, x) or call(self, x, training=None), got "
                            f"call(self, {', '.join(asked)})")
    if not cls.is_composite and (cls.forward is not base.forward or cls.predict is not base.predict):
        raise ArgumentError(f"{cls.__name__}: expected either call, which puts layers together, or forward and "
                            f"predict, got both; derive it from Layer, and hold layers as attributes")
