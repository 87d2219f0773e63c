"""Which kernels a model takes, by a rehearsal: what further processes do that compile them (`kernels_ahead`).

Such a process makes the model again, without its weights. It takes a training step, or predicts, on arrays in memory
that nobody touches, and writes the calls of kernels down instead of making them.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.graph.rehearsal import Calls, rehearsing
from fastcnn.models import data
from fastcnn.models.files import reading
from fastcnn.training import train_step

#: A kernel, and the types of its arguments.
Kernel = tuple[Any, tuple[Any, ...]]


def work(told: dict[str, Any]) -> None:
    """Compile the kernels of what `kernels_ahead` tells: the task of a process that has no other.

    Parameters
    ----------
    told : dict
    """
    config.set_fusion(told["fusion"])
    config.set_winograd(told["winograd"])
    config.set_algorithm_choice(told["algorithms"])
    model = reading.made_from(told["structure"])
    arrays = [_placeholders(some) for some in told["arrays"]]
    if told["verb"] == "train":
        device.compile_missing(kernels_of_step(model, *arrays), told["parent"])
    device.compile_missing(kernels_of_prediction(model, arrays[0]), told["parent"])


def _placeholders(shapes: Any) -> Any:
    """Return arrays of some shapes, in memory that takes no room as long as nobody writes to it."""
    return None if shapes is None else [None if one is None else np.zeros(*one) for one in shapes]


def kernels_of_step(model: Any, xs: list[Any], ys: list[Any], weights: list[Any] | None) -> list[Kernel]:
    """Return the kernels of a training step, each with the types of its arguments, in their order.

    The model is of no use afterwards: it takes the step for made.

    Parameters
    ----------
    model : Model
        Compiled.
    xs, ys, weights : list of arrays
        A batch. Targets are changed: the first class is theirs.
    """
    for y in ys:
        if y is not None and y.ndim > 1 and y.size and y.dtype.kind == "f":
            y[..., 0] = 1  # probabilities, perhaps
    trainer = model._trainer
    with _rehearsing() as calls:
        samples = data.labelled(trainer, _one_or_all(xs), _one_or_all(ys), weights and _one_or_all(weights),
                                f"{model}", trains=True, one_batch=True)
        trainer.optimizer.build(trainer.trained)
        for batch in samples.batches(len(samples)):
            train_step(trainer, batch)
    return _kernels(calls)


def kernels_of_prediction(model: Any, xs: list[Any]) -> list[Kernel]:
    """Return the kernels of a prediction, as `kernels_of_step` does.

    Parameters
    ----------
    model : Model
    xs : list of arrays
    """
    with _rehearsing() as calls:
        model.executables.get(xs).infer(xs)
    return _kernels(calls)


@contextlib.contextmanager
def _rehearsing() -> Iterator[Calls]:
    with rehearsing(device.current()) as (calls, _), np.errstate(all="ignore"):
        yield calls


def _kernels(calls: Calls) -> list[Kernel]:
    """Return what was called, each once; what is no kernel is left out."""
    return list(dict.fromkeys((kernel, kernel.types_of(args)) for kernel, args in calls if hasattr(kernel, "types_of")))


def _one_or_all(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays
