"""Learning rates that follow the number of steps, with Keras's names: ``SGD(learning_rate=CosineDecay(0.1, 10_000))``.

`WarmUp` puts a growing rate before any other, and `ByEpoch` counts epochs where a schedule counts steps.
"""

from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.optimizers.schedules.base import LearningRateSchedule
from fastcnn.optimizers.schedules.composed import ByEpoch, WarmUp
from fastcnn.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts, OneCycle
from fastcnn.optimizers.schedules.decays import (
    ExponentialDecay,
    InverseSquareRootDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = ["ByEpoch", "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseSquareRootDecay",
           "InverseTimeDecay", "LearningRateSchedule", "OneCycle", "PiecewiseConstantDecay", "PolynomialDecay",
           "WarmUp", "deserialize", "serialize"]

_CLASSES: dict[str, type[LearningRateSchedule]] = {c.__name__: c for c in (
    ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, InverseTimeDecay, InverseSquareRootDecay, CosineDecay,
    CosineDecayRestarts, OneCycle, WarmUp, ByEpoch)}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return a configuration of a schedule, which `deserialize` understands and JSON can hold.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule

    Examples
    --------
    >>> optimizers.schedules.serialize(optimizers.schedules.CosineDecay(0.1, 200))["class_name"]
    'CosineDecay'
    """
    return learning_rate_schedule.serialized()


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """Return the schedule of a configuration.

    Parameters
    ----------
    config : dict
        As `serialize` makes it.

    Raises
    ------
    ArgumentError
        If its class is not known.

    Examples
    --------
    >>> schedule = optimizers.schedules.CosineDecay(0.1, 200)
    >>> optimizers.schedules.deserialize(optimizers.schedules.serialize(schedule))(200)
    0.0
    """
    name = config.get("class_name")
    if name not in _CLASSES:
        raise ArgumentError(unknown("learning rate schedule", name, _CLASSES))
    own = config.get("config", {}).items()
    return _CLASSES[name].from_config({
        key: deserialize(value) if isinstance(value, dict) else value for key, value in own})
