"""What users hand to fit, evaluate and predict, as lists with an entry for each input or output.

Keras takes one array, a list of them, or a dict by name; what is none of these is told in one sentence.
"""

import inspect
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastcnn.bfloat16 import is_bfloat16
from fastcnn.callbacks import Callback, Progress
from fastcnn.callbacks.progress import suiting_style
from fastcnn.data.mapped_rows import MappedRows
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.errors import ArgumentError, DataError, UnknownArgumentError, unknown
from fastcnn.geometry.arguments import is_integer
from fastcnn.objective import per_output


def array(value: Any, who: str, what: str) -> np.ndarray:
    """Return an array of numbers, of at least one dimension: the samples.

    Raises
    ------
    DataError
        If there are other things than numbers, or rows of different lengths.
    ArgumentError
        If there is nothing, or one number.
    """
    if value is None:
        raise ArgumentError(f"{who}: expected an array for {what}, got None")
    if isinstance(value, MappedRows | RaggedRows):  # stay where they lie, and as they are
        return value  # type: ignore[return-value]
    try:
        found = np.asarray(value)
    except ArgumentError:  # a symbolic tensor speaks for itself
        raise
    except ValueError:
        raise DataError(f"{who}: expected {what} as an array of numbers, got a {type(value).__name__} of rows of "
                        f"different lengths") from None
    except Exception as error:  # a tensor of another library's may refuse in its own way
        raise DataError(f"{who}: expected {what} as an array of numbers, got a {type(value).__name__} that NumPy "
                        f"cannot read: {error}") from None
    if is_bfloat16(found.dtype):
        found = found.astype(np.float32)
    if found.dtype.kind not in "buif":
        one = found.dtype.kind == "O" and not found.ndim
        hint = "; number the classes from 0" if what.startswith("y") else "; convert it with x.astype('float32')"
        if one:
            hint = "; an iterable of batches is given to fit, evaluate and predict as x, and nothing beside it"
        elif found.dtype.kind in "SU" and not what.startswith("y"):
            hint = "; read files into an array first, as fc.datasets.load does with a folder of pictures"
        got = type(value).__name__ if one else found.dtype
        raise DataError(f"{who}: expected numbers in {what}, got {got}{hint}")
    if not found.ndim:
        raise ArgumentError(f"{who}: expected an array of samples for {what}, got the number {found[()]}")
    return found


def only(x: Any, rank: int | None = None) -> Any:
    """Return the array in a list of one array, or in a dict of one; else what is given.

    Parameters
    ----------
    x : array, list or dict
    rank : int, optional
        How many dimensions the array has, where that is known; a list of one sample has fewer.
    """
    if isinstance(x, dict) and len(x) == 1:
        return next(iter(x.values()))
    alone = isinstance(x, (list, tuple)) and len(x) == 1 and isinstance(x[0], np.ndarray)
    return x[0] if alone and x[0].ndim == (x[0].ndim if rank is None else rank) else x


def inputs(x: Any, names: Sequence[str], shapes: Sequence[Any], who: str) -> list[Any]:
    """Return what was given for each input.

    Raises
    ------
    ArgumentError
        If an input is missing, or there are too many.
    """
    if isinstance(x, dict):
        missing = [name for name in names if name not in x]
        if missing:
            raise ArgumentError(f"{who}: expected inputs {', '.join(names)}, got none for {', '.join(missing)}")
        return [x[name] for name in names]
    if len(names) == 1:
        return [only(x, len(shapes[0]))]
    if not isinstance(x, (list, tuple)) or len(x) != len(names):
        got = f"{len(x)} of them" if isinstance(x, (list, tuple)) else type(x).__name__
        raise ArgumentError(f"{who}: expected a list of {len(names)} inputs, {', '.join(names)}, got {got}")
    return list(x)


def targets(y: Any, names: Sequence[str], samples: int, who: str, asks: Sequence[bool] | None = None) -> list[Any]:
    """Return the targets of each output, None where there are none.

    Parameters
    ----------
    y : array, or list or dict of them
        Where some outputs alone ask for targets, it may be of these alone.
    names : sequence of str
        Of the outputs.
    samples : int
    who : str
        For errors.
    asks : sequence of bool, optional
        For each output whether it has a loss or a metric; the targets of others are left out.
    """
    if asks is not None and len(names) > 1 and not isinstance(y, dict):
        given = list(y) if isinstance(y, (list, tuple)) else [y]
        if len(given) == sum(asks) < len(names) and all(isinstance(one, np.ndarray) for one in given):
            rest = iter(given)
            y = [next(rest) if asked else None for asked in asks]
    if y is None:
        found = [None] * len(names)
    elif isinstance(y, dict):
        found = per_output(y, names, f"{who}: y")
    elif len(names) == 1:
        listed = isinstance(y, (list, tuple)) and len(y) == 1 and isinstance(y[0], np.ndarray)
        found = [y[0] if listed and y[0].ndim and len(y[0]) == samples else y]
    elif isinstance(y, (list, tuple)):
        found = per_output(y, names, f"{who}: y")
    else:
        raise ArgumentError(f"{who}: expected a list or dict of {len(names)} targets, {', '.join(names)}, "
                            f"got {type(y).__name__}")
    return [None if one is None or (asks is not None and not asks[k]) else array(one, who, "y")
            for k, one in enumerate(found)]


def weights(sample_weight: Any, names: Sequence[str], who: str) -> list[Any]:
    """Return the weights of the samples for each output: one array is for all of them."""
    who = f"{who}: sample_weight"
    listed = isinstance(sample_weight, (list, tuple))
    if listed and len(names) == 1:
        sample_weight = only(sample_weight)
        listed = False
    found = per_output(sample_weight, names, who) if listed or isinstance(sample_weight, dict) else [
        sample_weight] * len(names)
    return [None if one is None else array(one, who, "the weights") for one in found]


def joint_targets(y: Any, names: Sequence[str], loss: Any, samples: int, who: str) -> list[Any]:
    """Return the targets of a loss over all outputs: one for all of them, one for each, or those that the loss names.

    Parameters
    ----------
    y : array, or list or dict of them
    names : sequence of str
        Of the outputs.
    loss : JointLoss
    samples : int
    who : str
        For errors.
    """
    names = names if loss.target_names is None else loss.target_names
    listed = isinstance(y, (list, tuple)) and bool(y) and all(
        isinstance(one, (np.ndarray, MappedRows, RaggedRows)) and len(one) == samples for one in y)
    if isinstance(y, dict) or (listed and len(y) > 1):
        found = per_output(y if isinstance(y, dict) else list(y), names, f"{who}: y")
    elif y is None or (loss.target_names is not None and len(names) > 1):
        raise ArgumentError(f"{who}: expected the targets of {loss.name}, {', '.join(names)}, got "
                            f"{'none' if y is None else 'one'}")
    else:
        found = [y[0] if listed else y]
    return [array(one, who, f"y: {name}") for one, name in zip(found, names, strict=False)]


def joint_weights(sample_weight: Any, targets: int, who: str) -> list[Any]:
    """Return the weights of the samples for a loss over all outputs, which takes one array, for each of the targets."""
    if sample_weight is None:
        return [None] * targets
    if isinstance(sample_weight, (list, tuple, dict)) and np.ndim(next(iter(
            sample_weight.values() if isinstance(sample_weight, dict) else sample_weight), 0.0)):
        raise ArgumentError(f"{who}: expected one array of weights, of the samples, for a loss that takes all outputs, "
                            f"got a {type(sample_weight).__name__} of them")
    return [array(sample_weight, f"{who}: sample_weight", "the weights")] * targets


def of_classes(y: np.ndarray, class_weight: Any, who: str) -> np.ndarray:
    """Return the weight of each sample: that of its class, from integer labels or rows with a one at the label."""
    who = f"{who}: class_weight"
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(f"{who}: expected a dict {{class: factor}}, got {class_weight!r}")
    for label, factor in class_weight.items():
        if not isinstance(label, numbers.Integral) or label < 0:
            raise ArgumentError(f"{who}: expected {{class: factor}} with classes from 0, got {label!r}")
        if not isinstance(factor, numbers.Real) or not np.isfinite(float(factor)) or factor < 0:
            raise ArgumentError(f"{who}: expected a finite number of at least 0 as the factor of class {label}, "
                                f"got {factor!r}")
    if isinstance(y, RaggedRows):
        raise ArgumentError(f"{who}: expected one class for a sample, got rows of {y.kind}; use sample_weight")
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)
    if labels.size != len(y):
        raise ArgumentError(f"{who}: expected one class for a sample, got targets {y.shape}; use sample_weight")
    labels, known = labels.reshape(-1), sorted(class_weight)
    factors = np.array([float(class_weight[label]) for label in known] or [1.0])
    at = np.searchsorted(known, labels).clip(0, max(0, len(known) - 1))
    named = np.isin(labels, known)
    return np.where(named, factors[at], 1.0)


def positive(who: str, **values: Any) -> None:
    """Raise ArgumentError for what is no positive integer."""
    for name, value in values.items():
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
            raise ArgumentError(f"{who}: expected {name} to be a positive integer, got {value!r}")


def positive_or_none(who: str, **values: Any) -> None:
    """Raise ArgumentError for what is neither a positive integer nor None."""
    positive(who, **{name: value for name, value in values.items() if value is not None})


def refuse(who: str, others: Mapping[str, Any], offered: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise for arguments of Keras's that are offered with one value alone, and for those that nobody knows.

    Parameters
    ----------
    who : str
    others : dict
        What was given beside the known arguments.
    offered : dict
        The only value of each of Keras's arguments.
    known : sequence of str
        The other arguments, for the sentence about a name that is not known.

    Raises
    ------
    ArgumentError, UnknownArgumentError
    """
    for name, value in others.items():
        if name not in offered:
            raise UnknownArgumentError(unknown(f"{who}: argument", name, [*known, *offered]))
        if type(value) is not type(offered[name]) or value != offered[name]:
            raise ArgumentError(f"{who}: {name}={value!r} is not offered; leave it at {offered[name]!r}")


def check(good: bool, who: str, expected: str, got: Any) -> None:
    """Raise ArgumentError unless what was given is good."""
    if not good:
        raise ArgumentError(f"{who}: expected {expected}, got {got!r}")


def verbosity(verbose: Any, who: str) -> int:
    """Return 0, 1 or 2: "auto" is 1 on a terminal and in a notebook, else 2."""
    check(verbose in ("auto", 0, 1, 2), who, 'verbose to be 0, 1, 2 or "auto"', verbose)
    if verbose == "auto":
        return 2 if suiting_style() == "lines" else 1
    return int(verbose)


def every_callback(callbacks: Any, verbose: int, who: str) -> list[Callback]:
    """Return the callbacks of a training, with the one that tells how it goes."""
    found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
    for one in found:
        check(isinstance(one, Callback), who, "callbacks that are instances of fc.callbacks.Callback", one)
    if not verbose or any(isinstance(one, Progress) for one in found):
        return found
    style = suiting_style()
    return [*found, Progress("lines" if verbose == 2 else "line" if style == "lines" else style)]


def names_of(method: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that a method offers."""
    return [name for name in inspect.signature(method).parameters if name not in ("self", "others")]


#: How Keras is to compute, as compile is told: what each may be.
_HINTS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "run_eagerly": ("True or False", lambda value: isinstance(value, (bool, np.bool_))),
    "auto_scale_loss": ("True or False", lambda value: isinstance(value, (bool, np.bool_))),
    "jit_compile": ("True, False or 'auto'", lambda value: value == "auto" or isinstance(value, (bool, type(None)))),
    "steps_per_execution": ("an integer of at least 1", lambda value: is_integer(value) and value >= 1),
}


def check_hints(who: str, others: dict[str, Any], known: Sequence[str]) -> None:
    """Raise for arguments of compile that are neither known nor hints of how Keras is to compute.

    Hints change nothing here.
    """
    refuse(who, {name: value for name, value in others.items() if name not in _HINTS}, {}, tuple(known))
    for name, value in others.items():
        check(_HINTS[name][1](value), who, f"{name} to be {_HINTS[name][0]}", value)


def listed(metrics: Any) -> Any:
    """Return metrics as a list; a dict or None as it is.

    Parameters
    ----------
    metrics : metric, list, tuple, dict or None
    """
    is_whole = metrics is None or isinstance(metrics, dict)
    return metrics if is_whole else list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
