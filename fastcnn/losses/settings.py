"""Settings that several losses have, checked where they are given."""

from typing import Any

from fastcnn.geometry.arguments import integer, number


def smoothing_of(who: object, value: Any) -> float:
    """Return a label_smoothing from 0 to 1, or raise ArgumentError; `who` is the loss."""
    return number(value, type(who).__name__, "0 <= label_smoothing <= 1", lambda s: 0 <= s <= 1)


def axis_of(who: object, value: Any) -> int:
    """Return the axis of the outputs that a loss is taken over, or raise ArgumentError; `who` is the loss."""
    return integer(value, type(who).__name__, "axis")


def gamma_of(who: object, value: Any) -> float:
    """Return the gamma of a focal loss, at least 0, or raise ArgumentError; `who` is the loss."""
    return number(value, type(who).__name__, "gamma of at least 0", lambda g: g >= 0)
