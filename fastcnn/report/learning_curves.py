"""What the history of a training tells: its curves, and a sentence for each thing that shows in them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_NO_CURVES = ("epoch", "steps", "seconds", "cpu_seconds", "learning_rate", "lr", "images_per_second")
_FLAT = 0.01  # of the first value: a loss that moves less stands still
_LATE = 0.2  # of the epochs, the last ones


class Curve(NamedTuple):
    """A quantity by epochs.

    Attributes
    ----------
    name : str
    epochs : tuple of int
    train, dev : tuple of float or None
        What was measured in training and on dev.

    Examples
    --------
    >>> fc.report.curves([{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]).curves[0].dev
    (2.1,)
    """

    name: str
    epochs: tuple[int, ...]
    train: tuple[float, ...] | None
    dev: tuple[float, ...] | None


class Curves(NamedTuple):
    """The curves of a training.

    Attributes
    ----------
    curves : tuple of Curve
        The loss first.
    notes : tuple of str
        What shows in them.

    Examples
    --------
    >>> fc.report.curves([]).curves
    ()
    """

    curves: tuple[Curve, ...]
    notes: tuple[str, ...]


def curves(history: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[float]]) -> Curves:
    """Return the curves of a training, and what shows in them.

    Values of training are means over an epoch, of weights that change and images that are augmented: they are no
    measure of the training error, which `gaps` compares.

    Parameters
    ----------
    history : sequence of dict, or dict of sequences
        The lines of a run's ``history.jsonl``, or ``history.history`` of `Model.fit`.

    Examples
    --------
    >>> found = fc.report.curves({"loss": [1.0, 0.5, 0.2], "val_loss": [1.1, 0.6, 0.9]})
    >>> found.notes[0]
    'The loss on dev was least in epoch 2 of 3 and has risen since, by 50 %: --patience keeps the best weights.'
    """
    lines = _lines(history)
    names = list(dict.fromkeys(name.removeprefix("val_") for line in lines for name, value in line.items()
                               if name not in _NO_CURVES and isinstance(value, (int, float))))
    found = []
    for name in sorted(names, key=lambda one: one != "loss"):
        has = [any(key in line for line in lines) for key in (name, f"val_{name}")]
        some = [line for line in lines if all(key in line for key, is_there in zip((name, f"val_{name}"), has)
                                              if is_there)]
        train, dev = (tuple(float(line[key]) for line in some) if is_there else None
                      for key, is_there in zip((name, f"val_{name}"), has))
        found.append(Curve(name, tuple(int(line["epoch"]) for line in some), train, dev))
    return Curves(tuple(found), tuple(_notes(next((one for one in found if one.name == "loss"), None))))


def smoothed(values: Sequence[float], momentum: float = 0.7) -> list[float]:
    """Return an exponentially weighted mean of values, whose first ones are not drawn to 0.

        v_t = momentum v_(t-1) + (1 - momentum) x_t,  mean_t = v_t / (1 - momentum^t)

    Parameters
    ----------
    values : sequence of float
    momentum : float

    Examples
    --------
    >>> [round(value, 6) for value in fc.report.smoothed([1.0, 1.0])]
    [1.0, 1.0]
    """
    mean, found = 0.0, []
    for t, value in enumerate(values, 1):
        mean = momentum * mean + (1 - momentum) * value
        found.append(mean / (1 - momentum**t))
    return found


def _lines(history: Any) -> list[dict[str, Any]]:
    if isinstance(history, Mapping):
        number = max((len(values) for values in history.values()), default=0)
        return [{"epoch": k + 1} | {name: values[k] for name, values in history.items() if k < len(values)}
                for k in range(number)]
    return [{"epoch": k} | dict(line) for k, line in enumerate(history, 1)]


def _notes(loss: Curve | None) -> list[str]:
    if loss is None or len(loss.epochs) < 3:
        return []
    found, count = [], len(loss.epochs)
    late = max(1, round(_LATE * count))
    dev, train = loss.dev, loss.train
    if any(not np.isfinite(value) for some in (dev, train) if some for value in some):
        return ["The loss was infinite or no number: training diverged. Take a smaller --lr."]
    if dev is not None:
        best = int(np.argmin(dev))
        # The mean of the last epochs, since a single one jumps.
        rise = (float(np.mean(dev[-late:])) - dev[best]) / max(abs(dev[best]), 1e-12)
        if rise > 0.1 and best < count - 1 - late // 2:
            found.append(f"The loss on dev was least in epoch {loss.epochs[best]} of {loss.epochs[-1]} and has risen "
                         f"since, by {100 * rise:.0f} %: --patience keeps the best weights.")
    if train is not None:
        fell = train[0] - min(train)
        if abs(fell) <= _FLAT * abs(train[0]):
            found.append("The training loss stands still from the beginning: try a larger --lr, another --optimizer, "
                         "or `fastcnn train --overfit-batch`, which tells whether anything can be learned.")
        elif count >= 5 and dev is not None and not found:
            before, after = float(np.mean(dev[-2 * late:-late])), float(np.mean(dev[-late:]))
            if after < 0.97 * before:
                found.append("The loss on dev still falls at the end: more --epochs may make it better.")
    return found
