"""Arrays before a training: labels as rows, rows of length 1, samples dealt out to two parts."""

from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer


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


def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """Return an array whose vectors along an axis have the length 1; those of zeros stay.

    Parameters
    ----------
    x : array
    axis : int
    order : float
        Of the norm: 2 for the length, 1 for the sum of sizes, infinity for the largest.

    Examples
    --------
    >>> fc.utils.normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = np.asarray(x)
    try:
        norm = np.linalg.norm(x, order, axis, keepdims=True)
    except (ValueError, np.exceptions.AxisError) as error:
        raise ArgumentError(f"normalize: expected an axis and an order of a norm for an array {x.shape}, got "
                            f"axis={axis!r} and order={order!r} ({error})") from None
    norm[norm == 0] = 1
    return x / norm


def split_dataset(dataset: Any, left_size: float | None = None, right_size: float | None = None,
                  shuffle: bool = False, seed: int | None = None, preferred_backend: str | None = None) -> Any:
    """Deal samples out to two parts, of the same kind: ``(x, y), (x_val, y_val) = split_dataset((x, y), 0.8)``.

    Parameters
    ----------
    dataset : array; tuple, list or dict of arrays of as many samples; sequence or iterable of samples
        Of arrays, both parts are arrays, in the same tuple, list or dict. Else they are lists of samples.
    left_size, right_size : float or int, optional
        A part of all, from 0 to 1, or how many samples. One that is absent gets the rest.
    shuffle : bool
        Whether samples are dealt out in a random order.
    seed : int, optional
        Of that order.
    preferred_backend : None
        As in Keras; it changes nothing.

    Raises
    ------
    ArgumentError
        If both sizes are absent, or they are more than there is.

    Examples
    --------
    >>> fc.utils.split_dataset(np.arange(5), left_size=0.6)
    (array([0, 1, 2]), array([3, 4]))
    """
    names: list[Any] | None
    parts: list[Any]
    if isinstance(dataset, dict):
        names, parts = list(dataset), [np.asarray(one) for one in dataset.values()]
    elif isinstance(dataset, np.ndarray) or _are_arrays(dataset):
        names, parts = None, [dataset] if isinstance(dataset, np.ndarray) else [np.asarray(one) for one in dataset]
    else:
        names, parts = None, [list(dataset)]
    counts = {len(one) for one in parts}
    if len(counts) != 1 or not counts.pop():
        raise ArgumentError(f"split_dataset: expected arrays of as many samples, got "
                            f"{', '.join(str(len(one)) for one in parts) or 'none'}")
    count = len(parts[0])
    left, right = _sizes(left_size, right_size, count)
    order = random.generator(seed).permutation(count) if shuffle else np.arange(count)

    def part(index: np.ndarray) -> Any:
        some = [one[index] if isinstance(one, np.ndarray) else [one[k] for k in index] for one in parts]
        if names is not None:
            return dict(zip(names, some, strict=True))
        return type(dataset)(some) if _are_arrays(dataset) else some[0]

    return part(order[:left]), part(order[count - right:])


def _are_arrays(dataset: Any) -> bool:
    """Return whether it is a tuple or list of arrays, each of which has all samples."""
    return isinstance(dataset, (tuple, list)) and bool(dataset) and all(
        isinstance(one, np.ndarray) and one.ndim > 0 for one in dataset) and len({len(one) for one in dataset}) == 1


def _sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError("split_dataset: expected left_size or right_size, got neither")
    told: list[int | None] = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            told.append(None)
        elif is_integer(size) and 0 < size < count:
            told.append(int(size))
        elif isinstance(size, (float, np.floating)) and 0 < size < 1:
            told.append(round(float(size) * count))
        else:
            raise ArgumentError(f"split_dataset: expected {name} between 0 and 1, or samples from 1 to {count - 1} of "
                                f"{count}, got {size!r}")
    first, second = told
    first = count - (second or 0) if first is None else first
    second = count - first if second is None else second
    if not first or not second or first + second > count:
        raise ArgumentError(f"split_dataset: expected two parts of {count} samples, got {first} and {second}")
    return first, second
