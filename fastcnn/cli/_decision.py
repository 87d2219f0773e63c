"""How a run decides: from which probability on it says yes, and how sure its probabilities are.

Both are chosen on dev, and kept in the file of the model.

In the file's metadata::

    temperature    that probabilities are brought to
    decision       {"rule": "f1", "of": {"malignant": {"threshold": 0.31, "recall": 0.97, ...}}}: for each label, or for
                   the second of two classes, or the one that was named
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError, unknown
from fastcnn.tuning.limits import RATES

KEY, TEMPERATURE = "decision", "temperature"

_HALF = float(np.nextafter(0.5, 1))  # above one half, as without a threshold


class Decision(NamedTuple):
    """What a file says of its answers.

    Attributes
    ----------
    rule : str or None
        What the thresholds were chosen for; None without any.
    rates : dict of str to dict
        By label or class: threshold, and what came of it on dev.
    temperature : float
        1 leaves probabilities as they are.
    """

    rule: str | None = None
    rates: dict[str, dict[str, float]] = {}  # noqa: RUF012  (never written to)
    temperature: float = 1.0

    @classmethod
    def of(cls, metadata: dict[str, Any]) -> "Decision":
        """Return what metadata say."""
        known = metadata.get(KEY)
        found = known if isinstance(known, dict) and isinstance(known.get("of"), dict) else {}
        return cls(found.get("rule"), found.get("of", {}), float(metadata.get(TEMPERATURE, 1.0)))

    def metadata(self) -> dict[str, Any]:
        """Return what is kept in the file."""
        kept: dict[str, Any] = {} if self.rule is None else {KEY: {"rule": self.rule, "of": self.rates}}
        return kept if self.temperature == 1 else kept | {TEMPERATURE: self.temperature}

    def probabilities(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return probabilities (N, K) of classes, of what a model answers."""
        from fastcnn.cli._report import as_probabilities
        from fastcnn.report import with_temperature

        found = as_probabilities(outputs)
        return found if self.temperature == 1 else with_temperature(found, self.temperature)

    def thresholds(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return from which probability on each label is said; one half where nothing was chosen."""
        return np.array([self.rates.get(name, {}).get("threshold", _HALF) for name in names])

    def called(self, probabilities: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
        """Return the classes (N,) that probabilities (N, K) are called: of two, by the threshold of one of them."""
        found: NDArray[np.int64] = probabilities.argmax(axis=1)
        for name, one in self.rates.items():
            if len(names) == 2 and name in names:
                at = list(names).index(name)
                found = np.where(probabilities[:, at] >= one["threshold"], at, 1 - at)
        return found

    def lines(self) -> list[str]:
        """Return what people are told of it."""
        told = [f"{name}: yes from {one['threshold']:.4g} on, chosen on dev for {self.rule}"
                for name, one in self.rates.items()]
        return told if self.temperature == 1 else [f"temperature {self.temperature:.4g}, fitted on dev", *told]


def chosen(task: str, names: Sequence[str], outputs: NDArray[Any], y: NDArray[Any], before: Decision, *,
           rule: str | None, positive: str | None, is_calibrated: bool) -> Decision:
    """Return what is decided by the outputs for dev; what is not asked for stays as it was before.

    Parameters
    ----------
    task : str
    names : sequence of str
        Of the outputs.
    outputs, y : (N, K) array, (N,) or (N, K) array
        Of dev.
    before : Decision
    rule : str or None
        As `fastcnn.report.choose_threshold` takes it.
    positive : str or None
        Of two classes the one that a threshold is of; the second by default.
    is_calibrated : bool
        Whether a temperature is fitted.

    Raises
    ------
    ArgumentError
        A task without thresholds, or without a temperature; more than two classes.
    DataError
        Dev has no example that is so, or none that is not; no threshold keeps the bound.
    """
    from fastcnn.report import choose_threshold, fit_temperature

    require_possible(task, names, rule, positive, is_calibrated)
    found = before
    if is_calibrated:
        found = found._replace(temperature=fit_temperature(Decision().probabilities(outputs), y))
        if rule is None and before.rule is not None:  # a threshold is one of probabilities as they are told
            rule, positive = before.rule, positive or next(iter(before.rates), None)
    if rule is None:
        return found
    p = found.probabilities(outputs) if task == "classification" else np.asarray(outputs)
    rates = {}
    for k, name in enumerate(names):
        if task == "classification":
            if name != (positive or names[1]):
                continue
            rates[name] = choose_threshold(p[:, k], np.asarray(y) == k, rule)._asdict()
        else:
            known = y[:, k] >= 0
            rates[name] = choose_threshold(p[known, k], y[known, k] == 1, rule)._asdict()
    return found._replace(rule=rule, rates=rates)


def rates_of(task: str, names: Sequence[str], outputs: NDArray[Any], y: NDArray[Any],
             decision: Decision) -> dict[str, float]:
    """Return what comes of the thresholds: of one of two classes, or, of labels, of the worst one.

    Raises
    ------
    ArgumentError
        More than two classes; numbers.
    DataError
        No example that is so, or none that is not.
    """
    from fastcnn.report import rates_at

    positive = next(iter(decision.rates), None) if task == "classification" else None
    require_possible(task, names, "f1", positive, False)
    thresholds = decision.thresholds(names)
    if task == "classification":
        at = list(names).index(positive or names[1])
        found = [rates_at(decision.probabilities(outputs)[:, at], np.asarray(y) == at, float(thresholds[at]))]
    else:
        found = [rates_at(outputs[y[:, k] >= 0, k], y[y[:, k] >= 0, k] == 1, float(thresholds[k]))
                 for k in range(len(names))]
    worst = {"false_positive_rate": max}
    return {name: worst.get(name, min)(getattr(one, name) for one in found) for name in RATES}


def measured(task: Any, kind: str, names: Sequence[str], outputs: NDArray[Any], y: NDArray[Any],
             decision: Decision, with_rates: bool = True) -> Any:
    """Return how good a model is that decides so, as `Task.measure` returns it.

    Parameters
    ----------
    task : Task
    kind : str
        "classification", "multilabel" or "regression".
    names : sequence of str
    outputs, y : arrays
    decision : Decision
    with_rates : bool
        Whether the figures have the rates of its thresholds, for which there must be examples of both kinds.
    """
    if decision == Decision():
        return task.measure(outputs, y)
    rates = {} if decision.rule is None or not with_rates else rates_of(kind, names, outputs, y, decision)
    if kind == "multilabel":
        return task.measure(outputs, y, decision.thresholds(names))._replace(rates=rates)
    from fastcnn.cli._report import measure

    p = decision.probabilities(outputs)
    return measure(p, y, decision.called(p, names))._replace(rates=rates)


def require_possible(task: str, names: Sequence[str], rule: str | None, positive: str | None,
                     is_calibrated: bool) -> None:
    """Raise unless a network of such outputs can have what is asked for; see `chosen`."""
    from fastcnn.report.decision_thresholds import read_rule

    if rule is not None:
        read_rule(rule)
    if is_calibrated and task != "classification":
        raise ArgumentError(f"--calibrate: expected a network of classes, whose probabilities have one temperature, "
                            f"got one for {task}; leave it out")
    if rule is not None and not (task == "multilabel" or (task == "classification" and len(names) == 2)):
        got = f"{len(names)} classes" if task == "classification" else task
        raise ArgumentError(f"--threshold: expected a network of two classes, or of labels, got {got}; leave it out")
    if positive is not None and (task != "classification" or rule is None):
        raise ArgumentError("--positive: expected --threshold for a network of two classes, got none; leave it out")
    if positive is not None and positive not in names:
        raise ArgumentError(unknown("--positive", positive, names))


def keep(file: Path, decision: Decision) -> None:
    """Write a decision into the file of a model; its weights keep their bytes.

    Raises
    ------
    ArgumentError
        A file of Keras.
    """
    from fastcnn.formats import safetensors

    if file.suffix.lower() != ".safetensors":
        raise ArgumentError(f"{file}: expected a model saved by fastcnn, .safetensors, which keeps what is decided, "
                            f"got {file.suffix}; save it as that")
    safetensors.change_metadata(file, lambda known: undecided(known) | decision.metadata())


def undecided(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a file without what was decided."""
    return {name: value for name, value in metadata.items() if name not in (KEY, TEMPERATURE)}
