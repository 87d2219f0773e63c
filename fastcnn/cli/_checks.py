"""What is wrong with a data set, in lines: balance of the classes, the same pictures in two parts."""

from typing import Any

import numpy as np

from fastcnn.cli._examples import Examples
from fastcnn.data.duplicates import equal_pairs

_NAMED = 5  # pairs, classes and files that a line names
_RARE = 10  # times fewer examples than the largest class has: a network may ignore such a class


def duplicates(parts: dict[str, Examples], most: int = _NAMED) -> list[str]:
    """Return a line for each two parts that share pictures, which names the first pairs."""
    found: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    for earlier, i, later, j, is_same in equal_pairs({name: part.x for name, part in parts.items()}):
        pair = parts[earlier].names[i], parts[later].names[j], is_same
        found.setdefault((earlier, later), []).append(pair)
    lines = []
    for (earlier, later), pairs in found.items():
        same = sum(is_same for *_, is_same in pairs)
        listed = ", ".join(f"{one} {'=' if is_same else '~'} {other}" for one, other, is_same in pairs[:most])
        more = f" and {len(pairs) - most:,} more" if len(pairs) > most else ""
        what = "1 picture" if len(pairs) == 1 else f"{len(pairs):,} pictures"
        lines.append(f"{what} of {later} in {earlier} too, {same:,} to the pixel (=), others nearly (~), "
                     f"so that {later} tells less: {listed}{more}")  # fmt: skip
    return lines


def balance(parts: dict[str, Examples], classes: tuple[str, ...]) -> list[str]:
    """Return a line for the classes of which the training part has few, and one for each part without some."""
    lines = []
    counts = {name: np.bincount(part.y, minlength=len(classes)) for name, part in parts.items()}
    for name, count in counts.items():
        missing = np.flatnonzero(count == 0)
        if len(missing):
            lines.append(f"{name} has no picture of {_listed(missing, classes)}")
    train = counts["train"]
    rare = np.flatnonzero((train > 0) & (train * _RARE < train.max()))
    if len(rare):
        few = " to ".join(f"{n:,}" for n in sorted({int(train[rare].min()), int(train[rare].max())}))
        lines.append(f"train has {train.max():,} pictures of {classes[int(train.argmax())]}, but {few} of "
                     f"{_listed(rare, classes)}: a network may never name them")  # fmt: skip
    return lines


def _listed(labels: Any, classes: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return ", ".join(classes[label] for label in labels[:_NAMED]) + more
