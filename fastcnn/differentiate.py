"""Gradients of what one likes: of a model's outputs, or of any function of tensors, with respect to its arguments.

::

    values, dx = fc.gradients(model, images)                            d sum(outputs) / d images
    loss, dx = fc.gradients(lambda x: ops.mean(model(x)[:, 3]), images)

The function is asked with symbolic tensors what it does, as the ``call`` of a layer is; that graph runs there and back.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device, random, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.graph import execute, trace
from fastcnn.graph.executable import Executable
from fastcnn.layers.base import Call, Layer
from fastcnn.parameters import Parameter, state_like
from fastcnn.symbolic import Tensor

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_KEPT = 4  # graphs of a model, by shapes


class _Asked:
    """Stands for the function among the layers of `fastcnn.symbolic.tracing`, while it is asked."""

    takes_training = True
    forgets_calls = True  # a function is asked again and again: layers would remember all of it

    def __init__(self, variables: Sequence[Parameter]) -> None:
        self.parameters, self.trainable = list(variables), True

    def held_layers(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return "gradients"


class _Traced:
    """A function of tensors of some shapes, as a graph, and the form of its results."""

    def __init__(self, function: Any, xs: Sequence[np.ndarray], given: Any, variables: Sequence[Parameter] | None
                 ) -> None:
        inputs = [_input(x, k, isinstance(function, Layer)) for k, x in enumerate(xs)]
        with symbolic.asked(_Asked(variables or ())):
            self.form = function(_in_form(given, iter(inputs)))
        self.results = _leaves(self.form)
        made = [one for one in self.results if isinstance(one, Tensor)]
        strange = [one for one in self.results if not isinstance(one, Tensor) and not device.is_array(one)]
        if strange or not made:
            raise ArgumentError(f"gradients: expected a function that returns tensors made of its argument by layers, "
                                f"fc.ops and operators, got {type(strange[0]).__name__ if strange else 'none'}")
        if not any(one.dtype in _FLOATS for one in made):
            raise ArgumentError(f"gradients: expected a result of a floating type, got {made[0].dtype}")
        self.kinds = [one.dtype for one in made]
        traced = trace.trace(inputs, made, "gradients")
        whole = trace.opened(traced, training=False)
        if variables is None and not any(step.training for step in whole.steps):
            for step in whole.steps:  # nobody asks for the gradients of weights
                if isinstance(step.node, Layer) and step.node.trainable:
                    step.node = step.node.replaced(_original=None, _trainable=False)
        self.run = Executable(traced, traced.layers, xs[0].dtype, whole)


def gradients(function: Callable[[Any], Any], x: Any, variables: Sequence[Parameter] | None = None) -> tuple[Any, Any]:
    """Return what a function of tensors computes, and the gradient of the sum of all its results.

    Nothing is kept: neither gradients in layers nor what led to them. Layers run as in inference; where the function
    says ``layer(x, training=True)``, that layer runs as in training.

    Parameters
    ----------
    function : Model, Layer or callable
        Takes one argument, in the form of `x`, and returns a tensor, or a list, tuple or dict of them. It works with
        layers, models, `fastcnn.ops` and operators, and is asked anew in each call.
    x : array, or a list, tuple or dict of arrays
        float64 stays so; integers have no gradient, and are told as they are.
    variables : list of Parameter, optional
        With respect to which the gradients are, in the place of `x`.

    Returns
    -------
    values : array, or list, tuple or dict of them
        The results, in the form in which the function returns them.
    gradients : array, or in the form of `x`; a list for `variables`
        Zeros for what the results do not depend on, None for integers.

    Raises
    ------
    ArgumentError
        If the function returns something else than tensors, or `x` is no number or has no dimension.

    Examples
    --------
    >>> value, gradient = fc.gradients(lambda x: fc.ops.sum(x ** 2), np.array([1.0, 3.0], "float32"))
    >>> value, gradient
    (array(10., dtype=float32), array([2., 6.], dtype=float32))
    """
    if not callable(function):
        raise ArgumentError(f"gradients: expected a model or a function of tensors, got {type(function).__name__}")
    xs = [_array(one, function) for one in _leaves(x)]
    if not xs:
        raise ArgumentError("gradients: expected an array at least, got none")
    if variables is not None:
        strange = [one for one in variables if not isinstance(one, Parameter)]
        if strange:
            raise ArgumentError(f"gradients: expected parameters as variables, such as model.trainable_variables, got "
                                f"{type(strange[0]).__name__}")
    graph = _graph_of(function, xs, x, variables)
    # Gradients of weights go to memory of their own in the meantime.
    lent = {id(p): (p, p._gradient) for p in _learning(graph)}
    for p, _ in lent.values():
        p._gradient = state_like(p.array)
    try:
        call = Call(step=next(random.calls_of_gradients))  # each call of a layer that trains draws other numbers
        values, back = execute.forward(graph.run.get(len(xs[0])), graph.run.entered(xs), call)
        dxs = back([device.of(y).full(y.shape, y.dtype, 1) if kind in _FLOATS else None
                    for y, kind in zip(values, graph.kinds, strict=True)])
        found = None if variables is None else [
            device.get(p._gradient).copy() if id(p) in lent and p._gradient is not None else np.zeros(p.shape, p.dtype)
            for p in variables]
    finally:
        for p, before in lent.values():
            p._gradient = before
    computed = iter(values)
    results = _in_form(graph.form, iter([device.get(next(computed) if isinstance(one, Tensor) else one).copy()
                                         for one in graph.results]))
    if found is not None:
        return results, found
    each = [None if one.dtype not in _FLOATS else np.zeros_like(one) if dx is None else device.get(dx).copy()
            for one, dx in zip(xs, dxs, strict=True)]
    return results, _in_form(x, iter(each))


def _graph_of(function: Any, xs: Sequence[np.ndarray], given: Any, variables: Sequence[Parameter] | None) -> _Traced:
    """Return the graph of a function; that of a model is kept, since nobody can change what it does."""
    if not isinstance(function, Layer) or not function.built:
        return _Traced(function, xs, given, variables)
    known: dict[Any, _Traced] = function.__dict__.setdefault("_gradient_graphs", {})  # they end with it
    key = tuple((x.shape[1:], x.dtype) for x in xs), variables is None, config.state()
    if key not in known:
        while len(known) >= _KEPT:
            known.pop(next(iter(known)))
        known[key] = _Traced(function, xs, given, variables)
    return known[key]


def _learning(graph: _Traced) -> list[Parameter]:
    """Return the parameters that a way back would add gradients to."""
    return [p for step in graph.run.whole.steps for p in step.node.trainable_weights]


def _array(x: Any, function: Any) -> np.ndarray:
    """Return what a user gives as an array with a dimension at least, of a type that layers take."""
    found = device.get(x) if device.is_array(x) else np.asarray(x)
    if found.dtype.kind not in "buif" or not found.ndim:
        raise ArgumentError(f"gradients: expected arrays of numbers with a dimension at least, got "
                            f"{type(x).__name__} of {found.dtype} and shape {found.shape}")
    if isinstance(function, Layer):
        kind: Any = function.array_dtype
    elif found.dtype.kind == "f":
        kind = found.dtype if isinstance(x, np.ndarray) and found.dtype in _FLOATS else np.float32
    else:
        kind = found.dtype
    return np.require(found, kind, ["C", "W"])


def _input(x: np.ndarray, k: int, any_batch: bool) -> Tensor:
    """Return a symbolic input; a function is told the whole shape, which a batch of a model's is not part of."""
    policy = x.dtype.name if x.dtype in _FLOATS else "float32"
    tensor: Tensor = symbolic.operators["input"](x.shape[1:], policy, f"x_{k}")
    tensor.dtype = x.dtype
    if not any_batch:
        tensor.shape = x.shape
    return tensor


def _leaves(form: Any) -> list[Any]:
    """Return what lists, tuples and dicts hold, or the thing itself."""
    if isinstance(form, dict):
        form = list(form.values())
    return [leaf for one in form for leaf in _leaves(one)] if isinstance(form, (list, tuple)) else [form]


def _in_form(form: Any, values: Any) -> Any:
    """Return values one after the other in the form of lists, tuples and dicts."""
    if isinstance(form, dict):
        return {key: _in_form(one, values) for key, one in form.items()}
    if isinstance(form, tuple) and hasattr(form, "_fields"):
        return type(form)(*(_in_form(one, values) for one in form))
    return type(form)(_in_form(one, values) for one in form) if isinstance(form, (list, tuple)) else next(values)
