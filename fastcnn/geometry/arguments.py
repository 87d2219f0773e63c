"""What users give in several forms, understood in one place: integers, one or several, and padding."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError

Padding = str | int | Sequence[Any]
Sides = tuple[tuple[int, int], ...]


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer, Python's or NumPy's; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def positive(who: Any, **values: Any) -> list[int]:
    """Return positive integers as Python's.

    Raises
    ------
    ArgumentError
        If one is something else; `who` is whose arguments they are, by name.
    """
    for name, value in values.items():
        if not is_integer(value) or value < 1:
            raise ArgumentError(f"{who}: expected {name} to be a positive integer, got {value!r}")
    return [int(value) for value in values.values()]


def number(value: Any, who: Any, expected: str, good: Callable[[float], bool] = lambda n: True) -> float:
    """Return a finite number as Python's; True and False are none.

    Parameters
    ----------
    value : object
    who : object
        Whose argument it is.
    expected : str
        What it is, for the message: ``a rate with 0 <= rate < 1``.
    good : callable, optional
        Whether a number is in its range.

    Raises
    ------
    ArgumentError
        If it is something else.
    """
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or not good(value):
        raise ArgumentError(f"{who}: expected {expected}, got {value!r}")
    return float(value)


def axis_of_samples(value: Any, who: Any, name: str = "axis") -> int:
    """Return an axis that is not 0, the batch, or raise ArgumentError; `name` is the argument's, of `who`."""
    found = integer(value, who, name)
    if found == 0:
        raise ArgumentError(f"{who}: expected an {name} other than 0, the batch, got {value!r}")
    return found


def axes(value: Any, who: Any, name: str, empty: bool = False) -> tuple[int, ...]:
    """Return an axis, or several, none of which is 0, the batch, and none there twice.

    Parameters
    ----------
    value : int or sequence of int
    who : object
    name : str
        The argument's.
    empty : bool
        Whether there may be none.

    Raises
    ------
    ArgumentError
        If they are something else.
    """
    found = integers(value, who, name)
    if 0 in found or len(set(found)) < len(found) or not (found or empty):
        raise ArgumentError(f"{who}: expected {name} to name axes once each, and not 0, the batch, got {value!r}")
    return found


def several(value: Any, count: int, who: str, lowest: int = 1) -> tuple[int, ...]:
    """Return `value`, an integer or `count` of them, as `count` integers of at least `lowest`.

    Raises
    ------
    ArgumentError
        If it is neither, or an entry is less than `lowest`.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(values) != count or not all(map(is_integer, values)) or min(values) < lowest:
        many = "" if count == 1 else f" or {count} of them"
        raise ArgumentError(f"{who}: expected an integer of at least {lowest}{many}, got {value!r}")
    return tuple(int(v) for v in values)


def integer(value: Any, who: Any, name: str) -> int:
    """Return an integer as Python's, or raise ArgumentError; `name` is the argument's, of `who`."""
    if not is_integer(value):
        raise ArgumentError(f"{who}: expected {name} to be an integer, got {value!r}")
    return int(value)


def integers(value: Any, who: Any, name: str) -> tuple[int, ...]:
    """Return an integer, or a sequence of them, as a tuple.

    Raises
    ------
    ArgumentError
        If it is neither; `name` is the argument's, of `who`.
    """
    values = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,)
    if not all(map(is_integer, values)):
        raise ArgumentError(f"{who}: expected {name} to be an integer or several, got {value!r}")
    return tuple(int(v) for v in values)


def explicit_padding(padding: Any, rank: int, who: str, names: Sequence[str] = ()) -> Sides:
    """Return (before, after) of each of `rank` dimensions, for p, (p, ..) or ((before, after), ..).

    In one dimension (before, after) is enough.

    Parameters
    ----------
    padding : int or sequence
    rank : int
    who : str
        Whose argument it is, for the message.
    names : sequence of str
        What the caller takes besides, for the message.

    Raises
    ------
    ArgumentError
        If `padding` is none of these.
    """
    given = padding
    if is_integer(padding):
        padding = (padding,) * rank
    elif rank == 1 and isinstance(padding, (tuple, list)) and len(padding) == 2:
        padding = (padding,)
    if not isinstance(padding, (tuple, list)) or len(padding) != rank:
        named = "".join(f'"{name}", ' for name in names)
        raise ArgumentError(f"{who}: expected {named}an integer, or (before, after) of {rank} "
                            f"dimension{'s' * (rank > 1)}, got {given!r}")
    pairs = [several(p, 2, who, lowest=0) for p in padding]
    return tuple((pair[0], pair[1]) for pair in pairs)


def padding_argument(padding: Any, rank: int, who: Any, causal: bool = False) -> str | Sides:
    """Return padding in the one form that layers keep: a name in lower case, or (before, after) of each dimension.

    Parameters
    ----------
    padding : str, int or tuple
        "valid", "same", or as `explicit_padding`.
    rank : int
    who : object
        The layer, for the message.
    causal : bool
        Whether "causal" is a name as well.

    Raises
    ------
    ArgumentError
        If `padding` is none of these.
    """
    names = ("valid", "same", "causal") if causal else ("valid", "same")
    if isinstance(padding, str) and padding.lower() in names:
        return padding.lower()
    return explicit_padding(padding, rank, f"{who}: padding", names)


def same_padding(length: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding before and after that makes ceil(length / stride) windows, the odd element at the end."""
    outputs = -(-length // stride)
    total = max(0, (outputs - 1) * stride + (window - 1) * dilation + 1 - length)
    return total // 2, total - total // 2


def padding_of(padding: Padding, size: Sequence[int], window: Sequence[int], strides: Sequence[int],
               dilation: Sequence[int], who: str) -> Sides:
    """Return (before, after) of each dimension; "causal", in one, puts all zeros before, so that no output looks ahead.

    Raises
    ------
    ArgumentError
        If `padding` is not one of those that `padding_argument` takes.
    """
    known = padding_argument(padding, len(size), who, causal=len(size) == 1)
    if known == "valid":
        return ((0, 0),) * len(size)
    if known == "same":
        return tuple(map(same_padding, size, window, strides, dilation))
    if known == "causal":
        return (((window[0] - 1) * dilation[0], 0),)
    assert not isinstance(known, str)
    return known
