"""What a search found: its trials, the best of them, and which parameters decide."""

import csv
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.formats.files import write_atomically
from fastcnn.tuning.sampling import as_optuna, optuna
from fastcnn.tuning.space import Space
from fastcnn.tuning.trial import TuningTrial


class Study:
    """The trials of a search.

    Parameters
    ----------
    folder : Path or None
        Where they are.
    space : dict
    trials : sequence of TuningTrial
    is_maximized : bool

    Attributes
    ----------
    trials : list of TuningTrial
        By number.

    Examples
    --------
    >>> study = fc.tuning.search({"space": {"x": {"low": -1.0, "high": 1.0}}}, lambda values: -values["x"] ** 2,
    ...                          trials=20, seed=1)
    >>> abs(study.best.values["x"]) < 0.3
    True
    """

    def __init__(self, folder: Path | None, space: Space, trials: Sequence[TuningTrial], is_maximized: bool) -> None:
        self.folder, self.space, self.is_maximized = folder, space, is_maximized
        self.trials = sorted(trials, key=lambda one: one.number)

    def ranked(self) -> list[TuningTrial]:
        """Return the trials, the best first: what keeps all limits, then what does not, what halving left, failures.

        Of two with one score the lower number is first.
        """
        def key(one: TuningTrial) -> Any:
            kind = 0 if one.is_feasible else 1 if one.score is not None and one.epochs is None else 2
            kind = 3 if one.score is None else kind
            score = 0.0 if one.score is None else -one.score if self.is_maximized else one.score
            return kind, -(one.epochs or 0), score, one.number

        return sorted(self.trials, key=key)

    @property
    def best(self) -> TuningTrial:
        """The best trial that keeps all limits.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        first = self.ranked()[0] if self.trials else None
        if first is None or not first.is_feasible:
            raise ArgumentError(f"search: expected a trial that ended and keeps all limits, got none of "
                                f"{len(self.trials)}; allow more, or widen the space")
        return first

    @property
    def baseline(self) -> TuningTrial | None:
        """Trial 0, the configuration as it stands, if it was trained."""
        return next((one for one in self.trials if one.number == 0 and not one.values), None)

    def importances(self) -> dict[str, float]:
        """Return how much each parameter decides whether a trial is among the better ones; they sum to 1.

        Empty where fewer than four trials tell.

        References
        ----------
        Watanabe, Bansal, Hutter: PED-ANOVA: Efficiently quantifying hyperparameter importance in arbitrary subspaces,
        IJCAI 2023.
        """
        library = optuna()
        told = [one for one in self.trials if one.score is not None and one.values and one.epochs is None]
        if len(told) < 4 or len(self.space) < 2:
            return {}
        study = library.create_study(direction="maximize" if self.is_maximized else "minimize")
        for one in told:
            study.add_trial(as_optuna(one._replace(excess={}), self.space, library))
        evaluator = library.importance.PedAnovaImportanceEvaluator()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = library.importance.get_param_importances(study, evaluator=evaluator, params=list(self.space))
            except (RuntimeError, ValueError):  # all scores are equal, say
                return {}
        total = sum(found.values())
        return {name: value / total for name, value in found.items()} if total > 0 else {}

    def table(self) -> str:
        """Return all trials as CSV, the best first."""
        figures = sorted({name for one in self.trials for name in one.figures})
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "score", "is_feasible", "epochs", *self.space, *figures, "failure"])
        for one in self.ranked():
            writer.writerow([one.number, _cell(one.score), int(one.is_feasible), one.epochs or "",
                             *(_cell(one.values.get(name)) for name in self.space),
                             *(_cell(one.figures.get(name)) for name in figures), one.failure])
        return text.getvalue()

    def save_table(self, path: Path) -> None:
        """Write `table` to a file."""
        write_atomically(path, self.table().encode())


def _cell(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
