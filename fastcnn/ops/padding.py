"""Tensors with a border: of a number, or of what lies inside, mirrored."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, unknown
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import is_floating, primitive, same
from fastcnn.ops.selection import take


def _onnx_pad(writer: Any, names: Any, shapes: Any, *, sides: Any, value: float) -> str:
    ends = [before for before, _ in sides] + [after for _, after in sides]
    return str(writer.node("Pad", [names[0], writer.constant(np.asarray(ends, np.int64), "pads"),
                                   writer.constant(np.asarray(float(value)), "value")]))


def _padded(shape: Any, *, sides: Any, **_: Any) -> Any:
    return tuple(None if n is None else n + a + b for n, (a, b) in zip(shape, sides, strict=True))


@primitive(_padded, same, onnx=_onnx_pad)
def _pad(x: Any, sides: Any, value: float) -> Any:
    d = device.of(x)
    y = d.full(tuple(n + a + b for n, (a, b) in zip(x.shape, sides, strict=True)), x.dtype, value)
    at = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, sides, strict=True))
    d.write(y, at, x)
    old = x.shape

    def backward(dy: Any) -> Any:
        dx = d.empty(old, dy.dtype)
        d.read(dx, dy, at)
        return (dx,)

    return y, backward if is_floating(x) else None


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Any:
    """Return a tensor with a border: of a number, or of what lies inside, mirrored.

    Parameters
    ----------
    x : array or tensor
    pad_width : int, (before, after), or one such pair for each axis
    mode : str
        "constant", "reflect" (the edge is the mirror) or "symmetric" (the mirror lies behind it).
    constant_values : float, optional
        0 if absent.

    Examples
    --------
    >>> fc.ops.pad([1, 2], (1, 2))
    array([0, 1, 2, 0, 0], dtype=int32)
    """
    (x,) = meet("ops.pad", x)
    try:
        sides = np.broadcast_to(np.asarray(pad_width, np.int64), (x.ndim, 2)).tolist()
    except ValueError:
        raise ArgumentError(f"ops.pad: expected pad_width as (before, after) for each of {x.ndim} axes, "
                            f"got {pad_width!r}") from None
    if min(min(pair) for pair in sides) < 0:
        raise ArgumentError(f"ops.pad: expected a pad_width of at least 0, got {pad_width!r}")
    if mode == "constant":
        return _pad(x, sides=sides, value=constant_values or 0)
    if mode not in ("reflect", "symmetric"):
        raise ArgumentError(unknown("ops.pad: mode", mode, ("constant", "reflect", "symmetric")))
    if constant_values is not None:
        raise ArgumentError(f"ops.pad: expected no constant_values with mode={mode!r}, got {constant_values!r}")
    for axis, (before, after) in enumerate(sides):
        if before or after:
            n = x.shape[axis]
            if n is None or (mode == "reflect" and n < 2):
                raise ArgumentError(f"ops.pad: expected an axis of two entries at least to mirror, got axis {axis} of "
                                    f"{tuple(x.shape)}")
            x = take(x, np.pad(np.arange(n), (before, after), mode=mode), axis)  # type: ignore[call-overload]
    return x
