"""What a model's outputs for one example say, for people and for programs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._saved import Saved

Answer = dict[str, Any]


def answers(saved: Saved, outputs: NDArray[Any], top: int) -> list[Answer]:
    """Return the most probable classes, or every label or number, of one example.

    Parameters
    ----------
    saved : Saved
    outputs : (K,) array
    top : int
        How many classes.
    """
    if saved.task == "regression":
        return [{"target": name, "value": float(value)} for name, value in zip(saved.classes, outputs, strict=True)]
    decision = saved.decision
    if saved.task == "multilabel":
        thresholds = decision.thresholds(saved.classes)
        return [{"label": name, "probability": round(float(value), 6), "is_so": bool(value >= threshold)}
                for name, value, threshold in zip(saved.classes, outputs, thresholds, strict=True)]
    probabilities = decision.probabilities(outputs[None])
    called = int(decision.called(probabilities, saved.classes)[0])
    order = np.argsort(-probabilities[0], kind="stable")
    best = [called, *order[order != called]][:top]  # what it is called goes before what is more probable
    return [{"class": saved.classes[i], "probability": round(float(probabilities[0, i]), 6)} for i in best]


def in_words(found: list[Answer]) -> str:
    """Return answers as a line has them."""
    return "   ".join(f"{one['target']} {one['value']:.6g}" if "target" in one else
                      f"{one.get('class', one.get('label'))} {one['probability']:.1%}" for one in found)  # fmt: skip
