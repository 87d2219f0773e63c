"""Targets and outputs as rows, one for each position: the axes of the outputs that a loss is taken over lie last."""

import math
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.operations.layout import from_rows, rows_along


class InRows:
    """The part of a loss that knows its positions."""

    name: str
    #: The axes of the outputs that a loss is taken over.
    axes: tuple[int, ...] = (-1,)

    def positions(self, y_pred: np.ndarray) -> tuple[int, ...]:
        """Return the shape of the positions: that of the outputs without the axes of the loss."""
        if self.axes == (-1,):
            return y_pred.shape[:-1]
        gone = self._axes(y_pred.ndim)
        return tuple(n for i, n in enumerate(y_pred.shape) if i not in gone)

    def rows(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """Return targets of the outputs' shape as rows (positions, elements of the axes); a view where it can be."""
        length = y.shape[-1] if self.axes == (-1,) else math.prod(y.shape[i] for i in self._axes(y.ndim))
        count = math.prod(self.positions(y))
        return np.ascontiguousarray(self._last(y), dtype).reshape(count, length)

    def output_rows(self, y_pred: np.ndarray) -> np.ndarray:
        """As `rows`, of the outputs themselves, on their device."""
        y_pred = device.of(y_pred).ready(y_pred)
        if self.axes == (-1,):
            return y_pred.reshape(math.prod(y_pred.shape[:-1]), y_pred.shape[-1])
        return rows_along(y_pred, self._axes(y_pred.ndim), self.name)

    def _axes(self, ndim: int) -> tuple[int, ...]:
        wrong = [axis for axis in self.axes if not -ndim < axis < ndim or axis == 0]
        if wrong:
            raise ArgumentError(f"{self.name}: expected axis within outputs of {ndim} dimensions, and not the batch's, "
                                f"got {wrong[0]}")
        return tuple(axis % ndim for axis in self.axes)

    def _last(self, y: np.ndarray) -> np.ndarray:
        if self.axes == (-1,):
            return y
        gone = self._axes(y.ndim)
        return y.transpose([i for i in range(y.ndim) if i not in gone] + list(gone))

    def _unrowed(self, gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return rows of gradients in the shape of the outputs."""
        if self.axes == (-1,):
            return gradient.reshape(shape)
        return from_rows(gradient, shape, self._axes(len(shape)), self.name)
