"""What a model is about to do, told to processes that compile its kernels meanwhile (`rehearsed_kernels`).

A model with classes of one's own cannot be told, and is compiled by its own process alone.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import msgspec

from fastcnn import config, device

_WORKER = "fastcnn.models.rehearsed_kernels"

Shapes = list[tuple[tuple[int, ...], str] | None]


def expect_training(model: Any, xs: Sequence[Any], ys: Sequence[Any], weights: Sequence[Any] | None) -> None:
    """Tell that a model takes its first step of a training.

    Parameters
    ----------
    model : Model
    xs, ys, weights : sequence of arrays
        Of the batch.
    """
    _expect(model, "train", xs, ys, weights)


def expect_prediction(model: Any, xs: Sequence[Any]) -> None:
    """Tell that a model predicts for the first time.

    Parameters
    ----------
    model : Model
    xs : sequence of arrays
    """
    _expect(model, "predict", xs, (), None)


def _expect(model: Any, verb: str, xs: Sequence[Any], *more: Sequence[Any] | None) -> None:
    try:
        of, told = weakref.ref(model), [_shapes(some) for some in (xs, *more)]
    except AttributeError:  # targets that a loss of one's own takes, or weights in a list: no arrays
        return
    device.expect(xs[0], lambda: _described(of(), verb, told))


def _shapes(arrays: Sequence[Any] | None) -> Shapes | None:
    return None if arrays is None else [None if one is None else (one.shape, one.dtype.str) for one in arrays]


def _described(model: Any, verb: str, arrays: list[Shapes | None]) -> dict[str, Any] | None:
    """Return what `rehearsed_kernels.work` takes; None for a model that another process cannot make."""
    if model is None or model.has_call:
        return None
    try:
        structure = model.blueprint()
        if verb == "train" and "compile" not in structure:
            return None
        told = {"structure": structure, "verb": verb, "arrays": arrays,
                "fusion": config.fusion(), "winograd": config.winograd(), "algorithms": config.algorithm_choice()}
        plain: dict[str, Any] = msgspec.to_builtins(told, str_keys=True)
        return plain | {"module": _WORKER}
    except Exception:  # something of one's own, which no file could hold either: its get_config may raise anything
        return None
