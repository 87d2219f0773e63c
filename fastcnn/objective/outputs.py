"""What users tell `compile` in all of Keras's forms, as lists with an entry for each output."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastcnn import losses, metrics
from fastcnn.errors import ArgumentError
from fastcnn.losses import Loss
from fastcnn.metrics import Metric


def per_output(value: Any, names: Sequence[str], who: str) -> list[Any]:
    """Return one entry for each output, from one entry for all of them, a list, or a dict by name.

    Parameters
    ----------
    value : object
        One for all outputs, a list, or a dict by name.
    names : sequence of str
        Of the outputs.
    who : str
        Who asks, for the message of an error.

    Raises
    ------
    ArgumentError
        If a list has another length, or a dict another name.
    """
    if isinstance(value, dict):
        strange = set(value) - set(names)
        if strange:
            raise ArgumentError(f"{who}: expected the names {', '.join(names)}, got {', '.join(map(str, strange))}")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ArgumentError(f"{who}: expected {len(names)} entries, for {', '.join(names)}, got {len(value)}")
        return list(value)
    return [value] * len(names)


def metrics_of(wanted: Any, names: Sequence[str], who: str) -> list[list[Metric]]:
    """Return the metrics of each output: Keras takes a list of them, a list of lists, or a dict by name."""
    each = _listed(wanted)
    if isinstance(wanted, dict):
        each = per_output(wanted, names, who)
    elif wanted is None or (len(names) == 1 and not any(isinstance(one, (list, tuple)) for one in each)):
        each = [each] * len(names)
    else:
        each = per_output(each, names, who)
    return [[metrics.get(one) for one in _listed(ones)] for ones in each]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, dict)) else [value]


def loss_of(identifier: Any) -> Loss | str:
    """Return a loss, or the word "crossentropy" ("ce"), for the one that suits the shapes of the data.

    Parameters
    ----------
    identifier : str, dict, class or Loss
    """
    word = isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce")
    return identifier if word else losses.get(identifier)


def losses_of(given: Any) -> Any:
    """Return the loss of one output, or those of several, in the form in which they are given.

    Parameters
    ----------
    given : what `loss_of` takes, or a list or dict of it
        None for an output without one.
    """
    if isinstance(given, dict):
        return {name: None if one is None else loss_of(one) for name, one in given.items()}
    if isinstance(given, (list, tuple)):
        return [None if one is None else loss_of(one) for one in given]
    return loss_of(given)
