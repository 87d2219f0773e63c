"""How good a trained thing is on pictures: its figures by the words for people, the one that decides last."""

from typing import Any, NamedTuple

#: By task: words for people and the figure's name in what ``evaluate`` returns, the one that decides last.
FIGURES = {
    "detection": (("mAP@0.5:0.95", "AP"), ("mAP@0.5", "AP50")),
    "segmentation": (("PQ", "PQ"), ("AP@0.7", "AP70"), ("AP@0.5", "AP50"), ("IoU", "IoU"), ("Dice", "Dice")),
    "identity": (("verification accuracy", "verification_accuracy"), ("one-shot accuracy", "one_shot_accuracy")),
}


class SeenScore(NamedTuple):
    """Figures on some pictures.

    Attributes
    ----------
    figures : dict of str to float
        As people say them; the last one decides.
    examples : int
        Pictures.
    classes : dict of str to float
        What each class has of the one that decides; of none, empty.
    all : dict of str to float
        Everything that was measured, by its name in the library.
    """

    figures: dict[str, float]
    examples: int
    classes: dict[str, float]
    all: dict[str, float]

    def of_runs(self) -> "SeenScore":
        """Return the figures of one-shot runs alone."""
        return self._replace(figures={words: value for words, value in self.figures.items() if "one-shot" in words},
                             all={name: value for name, value in self.all.items() if "one_shot" in name})

    def show(self, console: Any, names: tuple[str, ...]) -> None:
        """Print a line for each class."""
        from rich import box
        from rich.table import Table

        if not self.classes:
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("class", overflow="fold")
        table.add_column(list(self.figures)[-1].removeprefix("m"), justify="right")
        for name in names:
            value = self.classes[name]
            table.add_row(name, f"{value:.4f}" if value == value else "-")
        console.print(table, soft_wrap=False)


def score_of(task: str, thing: Any, part: Any, examples: int | None = None, **how: Any) -> SeenScore:
    """Return what a trained thing reaches on pictures.

    Parameters
    ----------
    task : str
    thing : Detector, Segmenter or Recognizer
    part : BoxedImages, MaskedImages or IdentityImages, or a whole data set with one-shot runs
    examples : int, optional
        How many pictures they are, where `part` does not tell it.
    **how
        Further arguments of ``evaluate``.
    """
    found = {name: float(value) for name, value in thing.evaluate(part, **how).items()}
    names = getattr(part, "names", ()) if task == "detection" else ()
    figures = {words: found[name] for words, name in FIGURES[task] if name in found}
    classes = {name: found[name] for name in names if name in found}
    return SeenScore(figures, len(part) if examples is None else examples, classes, found)
