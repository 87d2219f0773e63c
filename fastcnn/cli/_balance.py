"""How the targets of a data set are spread over its parts: a table, and what is wrong with it in lines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._examples import Examples
from fastcnn.datasets import Dataset

Parts = dict[str, Examples]

_NAMED = 5  # classes that a line names
_RARE = 10  # times fewer examples than the largest class has: a network may ignore such a class
_FAR = 10  # times the middle half of the numbers: so far from it lies what may be a mistake
_BARS = " ▁▂▃▄▅▆▇█"
_BINS = 16


def show_balance(console: Any, data: Dataset, parts: Parts) -> None:
    """Print how many of each class or label, or what range of numbers, each part has."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if data.task == "regression":
        table.add_column("target", overflow="fold")
        for name in ("part", "examples", "least", "mean", "largest"):
            table.add_column(name, justify="right")
        table.add_column("histogram", no_wrap=True, min_width=_BINS)
        for k, target in enumerate(data.targets):
            whole = _column(np.concatenate([part.y for part in parts.values()]), k)
            for name, part in parts.items():
                y = _column(part.y, k)
                table.add_row(target, name.replace("_", "-"), f"{len(y):,}",
                              *(f"{value:.5g}" for value in (y.min(), y.mean(), y.max())), _histogram(y, whole))
        console.print(table, soft_wrap=False)
        return
    table.add_column("class" if data.task == "classification" else "label", overflow="fold")
    for name in parts:
        table.add_column(name.replace("_", "-"), justify="right")
    for k, name in enumerate(data.classes):
        table.add_row(name, *(_counts(data, part, k) for part in parts.values()))
    table.add_row("all", *(f"{len(part.y):,}" for part in parts.values()))
    console.print(table, soft_wrap=False)
    if data.task == "multilabel":
        console.print("of each label: yes / no / unknown")


def _counts(data: Dataset, part: Examples, k: int) -> str:
    if data.task == "classification":
        return f"{int((part.y == k).sum()):,}"
    return " / ".join(f"{int((part.y[:, k] == value).sum()):,}" for value in (1, 0, -1))


def _column(y: NDArray[Any], k: int) -> NDArray[Any]:
    return y.reshape(len(y), -1)[:, k]


def _histogram(y: NDArray[Any], whole: NDArray[Any]) -> str:
    """Return a bar for each piece of the range of all parts."""
    counts, _ = np.histogram(y, _BINS, (whole.min(), whole.max()))
    heights = np.ceil(counts * (len(_BARS) - 1) / max(1, counts.max())).astype(int)
    return "".join(_BARS[height] for height in heights)


def balance(data: Dataset, parts: Parts) -> list[str]:
    """Return what is wrong: rare classes or labels, parts without some, numbers far from all others."""
    if data.task == "classification":
        return _of_classes(parts, data.classes)
    if data.task == "multilabel":
        return _of_labels(parts, data.classes)
    return [line for k, name in enumerate(data.targets) for line in _of_numbers(parts, name, k)]


def _of_labels(parts: Parts, labels: tuple[str, ...]) -> list[str]:
    lines = []
    for part, examples in parts.items():
        for value, word in ((1, "yes"), (0, "no")):
            missing = np.flatnonzero(~(examples.y == value).any(axis=0))
            if len(missing):
                lines.append(f"{part} has no {word} of {_listed(missing, labels)}")
    return lines


def _of_numbers(parts: Parts, name: str, k: int) -> list[str]:
    lines, train = [], parts["train"]
    y = _column(train.y, k)
    low, high = np.quantile(y, (0.25, 0.75))
    far = np.flatnonzero((y < low - _FAR * (high - low)) | (y > high + _FAR * (high - low)))
    if len(far) and high > low:
        listed = ", ".join(f"{train.names[row]} has {y[row]:g}" for row in far[:_NAMED])
        lines.append(f"{name}: half of all is from {low:g} to {high:g}, but {listed}"
                     f"{f' and {len(far) - _NAMED} more' if len(far) > _NAMED else ''}: is that right?")  # fmt: skip
    values = np.unique(y)
    if len(values) <= _NAMED and (values == np.rint(values)).all():
        lines.append(f"{name}: has the whole numbers {', '.join(f'{value:g}' for value in values)} alone, and is "
                     "learned as a number; write classes without a point")  # fmt: skip
    return lines


def _of_classes(parts: Parts, classes: tuple[str, ...]) -> list[str]:
    """Return a line for the classes of which the training part has few, and one for each part without some."""
    lines = []
    counts = {name: np.bincount(part.y, minlength=len(classes)) for name, part in parts.items()}
    for name, count in counts.items():
        missing = np.flatnonzero(count == 0)
        if len(missing):
            lines.append(f"{name} has nothing of {_listed(missing, classes)}")
    train = counts["train"]
    rare = np.flatnonzero((train > 0) & (train * _RARE < train.max()))
    if len(rare):
        few = " to ".join(f"{n:,}" for n in sorted({int(train[rare].min()), int(train[rare].max())}))
        lines.append(f"train has {train.max():,} examples of {classes[int(train.argmax())]}, but {few} of "
                     f"{_listed(rare, classes)}: a network may never name them")  # fmt: skip
    return lines


def _listed(labels: Any, classes: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return ", ".join(classes[label] for label in labels[:_NAMED]) + more
