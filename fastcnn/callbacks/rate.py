"""What callbacks ask of an optimizer whose learning rate they set."""

from typing import Any

from fastcnn.errors import ArgumentError


def require_number(callback: Any, optimizer: Any) -> None:
    """Raise ArgumentError where a schedule, or a function, says the learning rate."""
    if not optimizer.has_constant_rate:
        raise ArgumentError(f"{type(callback).__name__}: expected an optimizer whose learning_rate is a number, got "
                            f"one with a schedule; leave out one of the two")
