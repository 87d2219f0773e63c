"""Truth values: of comparisons, of numbers that are not finite, and logic. None of them has a derivative."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.tensor_shapes import together
from fastcnn.operations import selection
from fastcnn.ops.casting import cast, meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, truth, unchanged


def _broadcast(*shapes: Any, **_: Any) -> Any:
    return together(shapes, "ops")


_COMPARISONS = {"equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
                "greater": np.greater, "greater_equal": np.greater_equal, "logical_and": np.logical_and,
                "logical_or": np.logical_or, "logical_xor": np.logical_xor}
_TESTS = {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "logical_not": np.logical_not}
_ONNX = {"equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
         "greater_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor",
         "logical_not": "Not", "isnan": "IsNaN", "isinf": "IsInf"}


def _onnx_compare(writer: Any, names: Any, shapes: Any, *, relation: str) -> str:
    if relation == "not_equal":
        return str(writer.node("Not", [writer.node("Equal", names)]))
    if relation == "isfinite":
        return str(writer.node("Not", [writer.node("Or", [writer.node("IsNaN", names), writer.node("IsInf", names)])]))
    return str(writer.node(_ONNX[relation], names))


@primitive(_broadcast, truth, onnx=_onnx_compare)
def _compare(a: Any, b: Any, relation: str) -> Any:
    return on_host(_COMPARISONS[relation], a, b), None


@primitive(unchanged, truth, onnx=_onnx_compare)
def _test(x: Any, relation: str) -> Any:
    return on_host(_TESTS[relation], x), None


@primitive(_broadcast, lambda condition, a, b: a, onnx=lambda w, names, shapes: w.node("Where", names))
def _where(condition: Any, a: Any, b: Any) -> Any:
    if not is_floating(a):
        return on_host(np.where, condition, a, b), None
    mask = on_host(lambda c: c.astype(a.dtype), condition)
    rank, shapes = max(mask.ndim, a.ndim, b.ndim), (a.shape, b.shape)
    arrays = [x.reshape((1,) * (rank - x.ndim) + x.shape) for x in (mask, a, b)]
    y, back = selection.where(arrays)

    def backward(dy: Any) -> Any:
        _, da, db = back(dy)
        return None, da.reshape(shapes[0]), db.reshape(shapes[1])

    return y, backward


def _compared(relation: str, x1: Any, x2: Any) -> Any:
    return _compare(*meet(f"ops.{relation}", x1, x2), relation=relation)


def equal(x1: Any, x2: Any) -> Any:
    """Return whether x1 = x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.equal([1, 2], 2)
    array([False,  True])
    """
    return _compared("equal", x1, x2)


def not_equal(x1: Any, x2: Any) -> Any:
    """Return whether x1 and x2 differ.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.not_equal([1, 2], 2)
    array([ True, False])
    """
    return _compared("not_equal", x1, x2)


def less(x1: Any, x2: Any) -> Any:
    """Return whether x1 < x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.less([1, 2], 2)
    array([ True, False])
    """
    return _compared("less", x1, x2)


def less_equal(x1: Any, x2: Any) -> Any:
    """Return whether x1 <= x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.less_equal([1, 2, 3], 2)
    array([ True,  True, False])
    """
    return _compared("less_equal", x1, x2)


def greater(x1: Any, x2: Any) -> Any:
    """Return whether x1 > x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.greater([1, 2, 3], 2)
    array([False, False,  True])
    """
    return _compared("greater", x1, x2)


def greater_equal(x1: Any, x2: Any) -> Any:
    """Return whether x1 >= x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.greater_equal([1, 2], 2)
    array([False,  True])
    """
    return _compared("greater_equal", x1, x2)


def _logic(relation: str, *operands: Any) -> Any:
    given = [cast(x, "bool") for x in operands]
    return (_compare if len(given) == 2 else _test)(*given, relation=relation)


def logical_and(x1: Any, x2: Any) -> Any:
    """Return whether both are other than 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.logical_and([True, True], [True, False])
    array([ True, False])
    """
    return _logic("logical_and", x1, x2)


def logical_or(x1: Any, x2: Any) -> Any:
    """Return whether one is other than 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.logical_or([False, True], [False, False])
    array([False,  True])
    """
    return _logic("logical_or", x1, x2)


def logical_xor(x1: Any, x2: Any) -> Any:
    """Return whether one of them, and not the other, is other than 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.logical_xor([True, True], [True, False])
    array([False,  True])
    """
    return _logic("logical_xor", x1, x2)


def logical_not(x: Any) -> Any:
    """Return whether a number is 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.logical_not([True, False])
    array([False,  True])
    """
    return _logic("logical_not", x)


def isnan(x: Any) -> Any:
    """Return whether a number is NaN.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.isnan([1.0, np.nan])
    array([False,  True])
    """
    return _test(*meet("ops.isnan", x, floating=True), relation="isnan")


def isinf(x: Any) -> Any:
    """Return whether a number is infinite.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.isinf([1.0, -np.inf])
    array([False,  True])
    """
    return _test(*meet("ops.isinf", x, floating=True), relation="isinf")


def isfinite(x: Any) -> Any:
    """Return whether a number is neither infinite nor NaN.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.isfinite([1.0, np.nan])
    array([ True, False])
    """
    return _test(*meet("ops.isfinite", x, floating=True), relation="isfinite")


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return x1 where the condition holds, else x2. What is not chosen may be infinite or NaN, and has no gradient.

    Parameters
    ----------
    condition, x1, x2 : arrays or tensors
        Which broadcast. Without x1 and x2, places where a condition holds are not offered.

    Examples
    --------
    >>> fc.ops.where([True, False], 1.0, 0.0)
    array([1., 0.], dtype=float32)
    """
    if x1 is None or x2 is None:
        raise ArgumentError("ops.where: expected a condition and two tensors to choose from, got no two; how many "
                            "places there are nobody knows before there is data")
    return _where(cast(condition, "bool"), *meet("ops.where", x1, x2))
