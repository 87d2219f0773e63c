"""The sections of a page that show examples: mistakes, mistakes to tag, likely wrong labels, train beside dev."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.report import charts
from fastcnn.report.confident_learning import label_issues
from fastcnn.report.differing import differences
from fastcnn.report.evidence import Answered, Evidence, columns
from fastcnn.report.inline_pictures import data_uri, for_the_eye
from fastcnn.report.intervals import estimate
from fastcnn.report.picked_mistakes import confident_mistakes, sample, worst
from fastcnn.report.sections_of_errors import judged
from fastcnn.report.tagging import tag_shares
from fastcnn.report.words import percent

_CONFIDENT, _TO_TAG, _ISSUES, _RIGHT, _BESIDE = 24, 100, 48, 12, 12
_WORST = 18  # pictures with what was found in them, which are large
_COMPARED = 2000  # examples of a part
_CELLS = 4  # of a table's row that are shown


class Album:
    """Shows examples of a part.

    Parameters
    ----------
    evidence : Evidence
    side : int
        Pixels of the longer side, at most.
    """

    def __init__(self, evidence: Evidence, side: int) -> None:
        self.evidence, self.side = evidence, side

    def cards(self, part: Answered, index: NDArray[Any], more: Sequence[dict[str, Any]] | None = None
              ) -> list[dict[str, Any]]:
        """Return a card for each of some examples: its name, its picture or cells, what it is and was called."""
        if not len(index):
            return []
        rows = np.asarray(part.x[index])
        pictures = [data_uri(one, self.side) for one in for_the_eye(rows, self.evidence.scale)] if rows.ndim == 4 else (
            [None] * len(index))
        found = []
        for k, at in enumerate(index.tolist()):
            found.append({"name": str(part.names[at]), "picture": pictures[k], **self._words(part, at),
                          "cells": self._cells(rows[k]) if rows.ndim == 2 else None,
                          "is_small": rows.ndim == 4 and max(rows.shape[1:3]) <= 48} | (more[k] if more else {}))
        return found

    def _words(self, part: Answered, at: int) -> dict[str, str]:
        classes, y, outputs = self.evidence.classes, part.y[at], part.outputs[at]
        if self.evidence.task == "classification":
            called = int(outputs.argmax())
            return {"is": str(classes[int(y)]), "called": str(classes[called]), "sure": percent(float(outputs[called]))}
        if self.evidence.task == "multilabel":
            wrong = [k for k in range(len(classes)) if y[k] >= 0 and (outputs[k] > 0.5) != (y[k] == 1)]
            return {"is": ", ".join(str(classes[k]) for k in wrong if y[k] == 1) or "-", "sure": "",
                    "called": ", ".join(f"{classes[k]} ({percent(float(outputs[k]))})" for k in wrong if y[k] == 0)
                    or "-"}
        truth = columns(part.y[at : at + 1])[0]
        return {"is": ", ".join(f"{value:.4g}" for value in truth), "sure": "",
                "called": ", ".join(f"{value:.4g}" for value in outputs)}

    def _cells(self, row: NDArray[Any]) -> str:
        """Return the features of a row that are furthest from those of the training part."""
        names = self.evidence.features or [f"feature {k}" for k in range(len(row))]
        mean, std = self._usual
        far = np.argsort(-np.abs(np.nan_to_num((row - mean) / std)), kind="stable")[:_CELLS]
        return ", ".join(f"{names[k]} {row[k]:.4g}" for k in far)

    @functools.cached_property
    def _usual(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The mean and standard deviation of features, in the training part if there is one."""
        part = self.evidence.parts.get("train") or next(iter(self.evidence.parts.values()))
        some = np.asarray(part.x[:_COMPARED], np.float64)
        std = some.std(axis=0)
        return some.mean(axis=0), np.where(std > 0, std, 1)


def of_mistakes(evidence: Evidence, album: Album) -> dict[str, Any] | None:
    """Return the surest mistakes of dev, or the examples with the largest errors."""
    chosen = judged(evidence)
    if chosen is None:
        return None
    name, part = chosen
    found = confident_mistakes(part.outputs, part.y, _CONFIDENT) if evidence.task == "classification" else (
        worst(_losses(evidence, name, part), _CONFIDENT))
    return {"part": name, "cards": album.cards(part, found), "task": evidence.task}


def of_found(evidence: Evidence, side: int) -> dict[str, Any] | None:
    """Return the pictures in which least is found rightly, or that are taken for others, with what was found."""
    name = next((one for one in ("dev", "test", "train") if one in evidence.seen), None)
    if name is None:
        return None
    part = evidence.seen[name]
    cards = [{"name": str(part.names[k]), "picture": data_uri(part.draw(k), 3 * side), "cells": None,
              "is_small": False, "error": percent(float(part.errors[k]))}
             for k in worst(part.errors, _WORST).tolist()]
    return {"part": name, "cards": cards, "what": "Dice" if evidence.task == "segmentation" else "AP",
            "figures": evidence.class_figures}


def of_tagging(evidence: Evidence, album: Album) -> dict[str, Any] | None:
    """Return mistakes of dev, drawn at random, to be tagged, and the shares of the tags that there are."""
    part = evidence.parts.get("dev")
    if part is None or evidence.task == "regression":
        return None
    errors = evidence.errors("dev")
    found = sample(errors > 0, _TO_TAG)
    if not len(found):
        return None
    tags, error = evidence.tags, estimate(errors).value
    return {"cards": album.cards(part, found), "mistakes": int((errors > 0).sum()), "error": error, "tags": tags,
            "shares": tag_shares(tags, error) if tags is not None else []}


def of_labels(evidence: Evidence, album: Album) -> dict[str, Any] | None:
    """Return labels that are probably wrong: of dev and test alike, or of all examples with cross-fitted answers."""
    if evidence.task != "classification":
        return None
    looked_at = {"cross-fitted": evidence.crossed} if evidence.crossed is not None else {
        name: evidence.parts[name] for name in ("dev", "test") if name in evidence.parts}
    parts = []
    for name, part in looked_at.items():
        found = label_issues(part.y, part.outputs)
        shown = found.examples[:_ISSUES]
        more = [{"suggested": str(evidence.classes[int(one)]), "margin": percent(float(margin))}
                for one, margin in zip(found.suggested[:_ISSUES], found.margin[:_ISSUES])]
        parts.append({"name": name, "number": len(found.examples), "examples": len(part.y), "share": found.share,
                      "cards": album.cards(part, shown, more)})
    if not parts:
        return None
    name, part = next(iter(looked_at.items()))
    right = sample(part.outputs.argmax(axis=1) == part.y, _RIGHT)
    return {"parts": parts, "right": album.cards(part, right), "is_crossed": evidence.crossed is not None,
            "lacks_test": evidence.crossed is None and "test" not in looked_at}


def of_differences(evidence: Evidence, album: Album) -> dict[str, Any] | None:
    """Return in what train and dev differ, with examples of both."""
    if not {"train", "dev"} <= set(evidence.parts):
        return None
    train, dev = evidence.parts["train"], evidence.parts["dev"]
    some = [sample(np.ones(len(part.y), bool), _COMPARED) for part in (train, dev)]
    rows = [np.asarray(part.x[index], np.float32) / np.float32(evidence.scale)
            for part, index in zip((train, dev), some)]
    found = differences(rows[0], rows[1], evidence.features or None)
    if not found:
        return None
    first = found[0]
    # The dev examples that are furthest on the side to which dev differs, and training examples as they come.
    side = -1 if first.size >= 0 else 1
    far = some[1][np.argsort(side * first.dev_values, kind="stable")[:_BESIDE]] if first.is_clear and len(
        first.dev_values) == len(some[1]) else sample(np.ones(len(dev.y), bool), _BESIDE, seed=1)
    common = sample(np.ones(len(train.y), bool), _BESIDE, seed=1)
    return {"rows": found, "first": first, "train": album.cards(train, common), "dev": album.cards(dev, far),
            "chart": charts.draw_histogram(first.train_values, first.name, first.dev_values),
            "number": sum(one.is_clear for one in found), "classes": _class_shares(evidence, train, dev)}


def _class_shares(evidence: Evidence, train: Answered, dev: Answered) -> list[tuple[str, float, float]]:
    """Return the classes whose shares differ most between the parts."""
    if evidence.task != "classification":
        return []
    shares = [np.bincount(part.y, minlength=len(evidence.classes)) / max(len(part.y), 1) for part in (train, dev)]
    order = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:5]
    return [(str(evidence.classes[k]), float(shares[0][k]), float(shares[1][k])) for k in order]


def _losses(evidence: Evidence, name: str, part: Answered) -> NDArray[Any]:
    """Return how bad each example is: the cross-entropy of its wrong labels, or the distance of its numbers."""
    if evidence.task == "regression":
        return evidence.errors(name)
    own = np.where(part.y == 1, part.outputs, 1 - part.outputs)
    wrong = (part.y >= 0) & (own <= 0.5)
    found: NDArray[Any] = np.where(wrong, -np.log(np.maximum(own, 1e-12)), 0.0).sum(axis=1)
    return found
