"""Small helpers, with Keras's names."""

import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.errors import ArgumentError
from fastcnn.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = ["CustomObjectScope", "clear_session", "custom_object_scope", "get_custom_objects", "get_registered_name",
           "get_registered_object", "plot_model", "prefetch", "register_keras_serializable", "set_random_seed",
           "to_categorical"]


def prefetch(batches: Iterable[Any], size: int = 1) -> Iterable[Any]:
    """Return the same batches, made in a thread ahead of the training step.

        model.fit(prefetch(batches), epochs=3)

    It pays where batches wait for a disk or a network, or come from NumPy or Pillow. Where pure Python makes them, it
    may cost time. See `fastcnn.training.prefetch`.

    Parameters
    ----------
    batches : iterable of (x, y) or (x, y, sample_weight)
        Each in memory of its own.
    size : int
        How many batches may be there beside the one that is trained on.

    Examples
    --------
    >>> batches = [(np.ones((8, 2)), np.ones((8, 1)))] * 3
    >>> len(list(fc.utils.prefetch(batches)))
    3
    """
    from fastcnn import training

    return training.prefetch(batches, size)


def plot_model(model: Any, to_file: Any = "model.svg", **shown: Any) -> Any:
    """Draw a built model and write it as SVG; Graphviz is not needed.

    Parameters
    ----------
    model : Model
    to_file : path-like
        Ends in ``.svg``.
    **shown
        As Keras's: show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
        (`fastcnn.models.plot.plot_model` tells them all).

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((8,)), layers.Dense(1)])
    >>> picture = fc.utils.plot_model(model, "model.svg")
    """
    from fastcnn.models import plot

    return plot.plot_model(model, to_file, **shown)


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Turn integer labels (N,) or (N, 1) into one-hot rows, float32 (N, num_classes).

    Parameters
    ----------
    x : array of int
    num_classes : int, optional
        The largest label and one more if absent.

    Raises
    ------
    ArgumentError
        If a label is no integer, or outside the classes.

    Examples
    --------
    >>> fc.utils.to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "bui" and not np.array_equal(labels, np.rint(labels)):
        raise ArgumentError(f"to_categorical: expected integer labels, got {labels.dtype}")
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    labels = labels.astype(np.int64).reshape(-1)
    count = num_classes if num_classes is not None else int(labels.max(initial=-1)) + 1
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        raise ArgumentError(f"to_categorical: expected labels 0..{count - 1}, got {labels.min()}..{labels.max()}")
    out = np.zeros((labels.size, count), np.float32)
    out[np.arange(labels.size), labels] = 1
    return out.reshape(*shape, count)


def set_random_seed(seed: int) -> None:
    """Restart the sequence of seeds, and Python's and NumPy's generators, as Keras does.

    The same seed and the same program give the same model, bit for bit. `fastcnn.random.set_random_seed` leaves the
    generators of others alone.

    Parameters
    ----------
    seed : int
        Not negative; NumPy's generator takes its last 32 bits.

    Examples
    --------
    >>> fc.utils.set_random_seed(1)
    >>> first = np.random.rand()
    >>> fc.utils.set_random_seed(1)
    >>> np.random.rand() == first
    True
    """
    from fastcnn import random as seeds

    seeds.set_random_seed(seed)
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # the generator of the process, which Keras's scripts draw their data from


def clear_session(free_memory: bool = True) -> None:
    """Restart the numbers of automatic layer names, and give memory that nobody uses back to the system.

    Parameters
    ----------
    free_memory : bool
        Whether memory is given back.

    Examples
    --------
    >>> fc.utils.clear_session()
    >>> layers.Dense(10).name
    'dense'
    """
    from fastcnn import device, metrics
    from fastcnn.layers.base import names

    names.forget()
    metrics.forget_names()
    if free_memory:
        device.release()


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("utils")
