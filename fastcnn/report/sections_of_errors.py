"""The sections of a page that tell how good the network is: gaps, curves, classes, groups, calibration, numbers."""

from typing import Any

import numpy as np

from fastcnn.report import charts
from fastcnn.report.bias_and_variance import Gaps, gaps
from fastcnn.report.by_class import ClassScores, class_scores, group_scores, label_scores
from fastcnn.report.evidence import Answered, Evidence, columns
from fastcnn.report.intervals import estimate
from fastcnn.report.learning_curves import curves
from fastcnn.report.reliability import calibration, fit_temperature, of_confidence, with_temperature
from fastcnn.report.words import percent

_MOST_CLASSES = 30  # of which the confusion matrix is a table
_MOST_GROUPS = 20
_MOST_TARGETS = 6
_LAG = 0.1  # of the accuracy in training, which inference does not reach
_SHADES = 6  # of the cells of a confusion matrix, by classes h1 to h6 of the page


def of_gaps(evidence: Evidence) -> dict[str, Any] | None:
    """Return the errors of the parts, and what lies between them."""
    errors = evidence.all_errors
    if not errors:
        return None
    found: Gaps = gaps(errors, evidence.human_error, evidence.unit)
    return {"found": found, "chart": charts.draw_gaps(found), "is_human_known": evidence.human_error is not None,
            "lag": _lag(evidence, found),
            "drawn": {name: (len(errors[name]), whole) for name, whole in evidence.wholes.items() if whole}}


def of_curves(evidence: Evidence) -> dict[str, Any] | None:
    """Return the curves of training."""
    found = curves(evidence.history)
    if not found.curves or not found.curves[0].epochs:
        return None
    return {"charts": [charts.draw_curve(one) for one in found.curves if one.epochs], "notes": found.notes}


def judged(evidence: Evidence) -> tuple[str, Answered] | None:
    """Return the part that is looked at closely: dev, else test, else train."""
    return next(((name, evidence.parts[name]) for name in ("dev", "test", "train") if name in evidence.parts), None)


def of_classes(evidence: Evidence) -> dict[str, Any] | None:
    """Return what is known by class, label and group, of dev."""
    chosen = judged(evidence)
    if chosen is None or evidence.task == "regression":
        return None
    name, part = chosen
    score = class_scores if evidence.task == "classification" else label_scores
    found = score(part.outputs, part.y, evidence.classes)
    rows: list[dict[str, Any]] = [
        {"name": one, "precision": p, "recall": r, "f1": f, "charts": [charts.draw_estimate(e) for e in (p, r, f)]}
        for one, p, r, f in zip(found.names, found.precision, found.recall, found.f1, strict=True)]
    rows.sort(key=lambda row: np.nan_to_num(row["f1"].value, nan=2.0))
    return {"part": name, "rows": rows, "matrix": _matrix(found), "confused": found.confused(),
            "groups": _groups(evidence, name, part)}


def of_calibration(evidence: Evidence) -> dict[str, Any] | None:
    """Return whether probabilities mean what they say, on dev, and the temperature that is fitted there."""
    chosen = judged(evidence)
    if chosen is None or evidence.task == "regression":
        return None
    name, part = chosen
    if evidence.task == "multilabel":
        known = part.y >= 0
        found = of_confidence(part.outputs[known], part.y[known] == 1)
        return {"part": name, "found": found, "chart": charts.draw_reliability(found), "temperature": None}
    found = calibration(part.outputs, part.y)
    temperature = fit_temperature(part.outputs, part.y)
    warmed = calibration(with_temperature(part.outputs, temperature), part.y)
    sure = float(part.outputs.max(axis=1).mean()) if len(part.y) else 0.0
    right = float((part.outputs.argmax(axis=1) == part.y).mean()) if len(part.y) else 0.0
    return {"part": name, "found": found, "chart": charts.draw_reliability(found), "temperature": temperature,
            "warmed": warmed, "sure": sure, "right": right}


def of_numbers(evidence: Evidence) -> dict[str, Any] | None:
    """Return how far told numbers are from true ones, by target and part."""
    chosen = judged(evidence)
    if chosen is None or evidence.task != "regression":
        return None
    rows = []
    for k, target in enumerate(evidence.classes):
        for name, part in evidence.parts.items():
            truth = columns(part.y)[:, k]
            error = part.outputs[:, k].astype(np.float64) - truth
            spread = float(truth.var())
            rows.append({"target": target, "part": name, "mae": estimate(np.abs(error)),
                         "rmse": float(np.sqrt((error**2).mean())),
                         "r2": 1 - float((error**2).mean()) / spread if spread > 0 else float("nan")})
    name, part = chosen
    truths = columns(part.y)
    drawn = [(charts.draw_scatter(truths[:, k], part.outputs[:, k], target),
              charts.draw_histogram(part.outputs[:, k] - truths[:, k], f"error of {target}"))
             for k, target in enumerate(evidence.classes[:_MOST_TARGETS])]
    return {"part": name, "rows": rows, "charts": [chart for pair in drawn for chart in pair],
            "groups": _groups(evidence, name, part)}


def _lag(evidence: Evidence, found: Gaps) -> str | None:
    """Return a sentence where the network is much worse in inference mode than it was in training, on what it learned.

    Dropout, augmentation and an epoch's beginning make it the other way round, so statistics are to blame.
    """
    last = evidence.history[-1].get("accuracy") if evidence.history else None
    if evidence.task != "classification" or "train" not in found.errors or not isinstance(last, float):
        return None
    now = 1 - found.errors["train"].low
    if now > last - _LAG:
        return None
    return (f"In training {percent(last)} were right, and in inference mode {percent(1 - found.errors['train'].value)} "
            "of the same examples: the moving statistics of batch normalization lag behind the weights. Train longer "
            "(--epochs), or take BatchNormalization(momentum=0.9).")


def _groups(evidence: Evidence, name: str, part: Answered) -> dict[str, Any] | None:
    """Return the error of groups, the worst first, and the mean over them, each counting alike."""
    if part.groups is None:
        return None
    found = group_scores(evidence.errors(name), part.groups, evidence.unit == "%")
    if len(found) < 2:
        return None
    return {"rows": found[:_MOST_GROUPS], "number": len(found), "worst": found[0], "unit": evidence.unit,
            "mean": float(np.mean([one.error.value for one in found]))}


def _matrix(found: ClassScores) -> dict[str, Any] | None:
    """Return the confusion matrix with a shade for each cell: by its share of the row."""
    if found.confusion is None or len(found.names) > _MOST_CLASSES:
        return None
    shares = found.confusion / np.maximum(found.confusion.sum(axis=1, keepdims=True), 1)
    shades = np.where(found.confusion > 0, np.ceil(np.sqrt(shares) * _SHADES), 0).astype(int)
    return {"names": found.names, "rows": [
        (name, [(count, shade, row == column) for column, (count, shade) in enumerate(zip(counts, own))])
        for row, (name, counts, own) in enumerate(zip(found.names, found.confusion.tolist(), shades.tolist()))]}
