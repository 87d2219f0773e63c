"""What metrics have counted: copied, and added up over parts of the data."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import dtype_policies
from fastcnn.array_like import ArrayLike
from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter


def dtype_name(dtype: Any, who: str) -> str:
    """Return the name of a type that a metric is told, the default one's for None.

    Raises
    ------
    ArgumentError
        If there is no such type.
    """
    if isinstance(dtype, (str, np.dtype, type)) and not (isinstance(dtype, str) and "float16" in dtype):
        try:
            return np.dtype(dtype).name
        except TypeError:
            pass
    return dtype_policies.get(dtype, who).variable_dtype.name


class Counted(ArrayLike):
    """One of the sums of a metric, as Keras's variables are: looked at, and assigned.

    Parameters
    ----------
    metric : Metric
    attribute : str
        Of its `sums`.
    """

    def __init__(self, metric: Any, attribute: str) -> None:
        self._metric, self._attribute = metric, attribute

    @property
    def name(self) -> str:
        """The name of what is counted: total, count, ..."""
        return self._attribute.lstrip("_")

    @property
    def path(self) -> str:
        """The metric's name and its own."""
        return f"{self._metric.name}/{self.name}"

    @property
    def value(self) -> np.ndarray:
        """The sum so far."""
        return np.asarray(getattr(self._metric, self._attribute))

    def assign(self, value: Any) -> None:
        """Set the value, of the same shape."""
        value = np.asarray(value, self.dtype)
        if value.shape != self.shape:
            raise ArgumentError(f"{self.path}: expected a value of shape {self.shape}, got {value.shape}")
        if self._attribute not in self._metric.sums:
            raise ArgumentError(f"{self.path}: expected no value, since it follows from others that are counted; "
                                f"reset_state starts anew, and set_state goes on from get_state")
        setattr(self._metric, self._attribute, value.copy() if value.ndim else value.item())

    def __repr__(self) -> str:
        return f"<Counted {self.path} {self.value}>"


def counted(metric: Any) -> dict[str, Any]:
    """As `Metric.get_state`."""
    names = metric.sums or [name for name, value in vars(metric).items() if _is_counted(value)]
    own = {name: value.numpy() for name, value in vars(metric).items() if isinstance(value, Parameter)}
    return {name: copy.deepcopy(getattr(metric, name)) for name in names} | own


def count_on(metric: Any, state: dict[str, Any]) -> None:
    """As `Metric.set_state`."""
    for name, value in copy.deepcopy(state).items():
        if isinstance(vars(metric).get(name), Parameter):
            getattr(metric, name).assign(value)
        else:
            setattr(metric, name, value)


def merge(metric: Any, others: Sequence[Any]) -> None:
    """As `Metric.merge_state`, of a list."""
    if not metric.sums:
        raise ArgumentError(f"{metric.name}: merge_state is not offered by {type(metric).__name__}; tell the names of "
                            f"what it adds up as `sums`, or write merge_state")
    check(metric, others, metric.sums)
    for other in others:
        for name in metric.sums:
            setattr(metric, name, getattr(metric, name) + getattr(other, name))


def check(metric: Any, others: Sequence[Any], names: Sequence[str]) -> None:
    """Raise ArgumentError if one of several metrics is another, or has counted another number of things.

    Parameters
    ----------
    metric : Metric
    others : sequence of Metric
        Those that it is to include.
    names : sequence of str
        The attributes whose shapes tell it.
    """
    for other in others:
        if type(other) is not type(metric) or not _same(metric.get_config(), other.get_config()):
            raise ArgumentError(f"{metric.name}: expected metrics like {metric!r} to merge, got {other!r}")
        for name in names:
            mine, its = np.asarray(getattr(metric, name)), np.asarray(getattr(other, name))
            if mine.shape != its.shape and mine.any() and its.any():  # 0: nothing counted yet
                raise ArgumentError(f"{metric.name}: expected counts of shape {mine.shape} to merge, got {its.shape}")


def _is_counted(value: Any) -> bool:
    """Return whether an attribute holds numbers, or lists and dicts of them."""
    if isinstance(value, (list, dict)):
        return all(map(_is_counted, value.values() if isinstance(value, dict) else value))
    return isinstance(value, (bool, int, float, np.generic, np.ndarray))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two configurations are equal but for the name."""
    return one.keys() == other.keys() and all(
        name == "name" or np.array_equal(one[name], other[name]) for name in one)
