"""The arguments of optimizers, checked: each function raises ArgumentError for what cannot be."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError


def rate(who: object, value: Any) -> float:
    """Return a learning rate that is a number, or raise ArgumentError."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not value >= 0:
        raise ArgumentError(f"{type(who).__name__}: expected a learning_rate of at least 0, or a schedule, "
                            f"got {value!r}")
    return float(value)


def within(who: object, **factors: float) -> None:
    """Raise ArgumentError for a factor that is not in 0 <= factor < 1."""
    for name, value in factors.items():
        if not 0 <= value < 1:
            raise ArgumentError(f"{type(who).__name__}: expected 0 <= {name} < 1, got {value!r}")


def positive(who: object, **numbers: float) -> None:
    """Raise ArgumentError for a number that is not positive."""
    for name, value in numbers.items():
        if not value > 0:
            raise ArgumentError(f"{type(who).__name__}: expected a positive {name}, got {value!r}")


def check_decay(who: object, weight_decay: float | None) -> None:
    """Weight decay is not negative."""
    if weight_decay is not None and not weight_decay >= 0:
        raise ArgumentError(f"{type(who).__name__}: expected weight_decay of at least 0, got {weight_decay!r}")


def check_clipping(who: object, clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None) -> None:
    """One limit of gradients at most is given, and it is positive."""
    given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
    limits = {name: limit for name, limit in given.items() if limit is not None}
    if len(limits) > 1:
        raise ArgumentError(f"{type(who).__name__}: expected one of clipnorm, clipvalue and global_clipnorm, "
                            f"got {clipnorm}, {clipvalue} and {global_clipnorm}")
    positive(who, **limits)


def check_average(who: object, ema_momentum: float, ema_overwrite_frequency: int | None) -> None:
    """A moving average has a share from 0 to 1, and takes the place of the values every so many steps."""
    if not 0 <= ema_momentum <= 1:
        raise ArgumentError(f"{type(who).__name__}: expected 0 <= ema_momentum <= 1, got {ema_momentum!r}")
    if ema_overwrite_frequency is not None and not (
            isinstance(ema_overwrite_frequency, int) and ema_overwrite_frequency >= 1):
        raise ArgumentError(f"{type(who).__name__}: expected ema_overwrite_frequency to be a positive integer, "
                            f"got {ema_overwrite_frequency!r}")


def check_accumulation(who: object, loss_scale_factor: float | None, gradient_accumulation_steps: int | None) -> None:
    """Gradients are gathered over two steps or more, and not scaled."""
    if loss_scale_factor is not None:
        raise ArgumentError(f"{type(who).__name__}: loss_scale_factor={loss_scale_factor!r} is not offered; leave it "
                            f"at None: float32 and float64 do not need it")
    if gradient_accumulation_steps is not None and not (
            isinstance(gradient_accumulation_steps, int) and gradient_accumulation_steps >= 2):
        raise ArgumentError(f"{type(who).__name__}: expected gradient_accumulation_steps to be an integer of at least "
                            f"2, got {gradient_accumulation_steps!r}")
