"""A search whose trials are calls of a function of one's own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastcnn.tuning.journal import Journal, alone_in
from fastcnn.tuning.limits import Limit
from fastcnn.tuning.space import Space
from fastcnn.tuning.study import Study
from fastcnn.tuning.trial import TuningTrial


def scored(objective: Callable[[dict[str, Any]], Any], space: Space, draw: Callable[[int, Any], dict[str, Any]],
           trials: int, limits: Sequence[Limit], is_maximized: bool, tell: Callable[[TuningTrial], None],
           folder: Path | None) -> Study:
    """Call the function for each trial; with a folder, those that are over are kept in its journal.

    Parameters are those of `search`; `draw` gives the values of a trial by its number and what is known.
    """
    if folder is None:
        known = _called(objective, draw, trials, limits, tell, [], None)
        return Study(None, space, known, is_maximized)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        journal = Journal(folder, space, is_maximized)
        known = _called(objective, draw, trials, limits, tell, journal.trials(), journal)
    return Study(folder, space, known, is_maximized)


def _called(objective: Callable[[dict[str, Any]], Any], draw: Callable[[int, Any], dict[str, Any]], trials: int,
            limits: Sequence[Limit], tell: Callable[[TuningTrial], None], known: list[TuningTrial],
            journal: Journal | None) -> list[TuningTrial]:
    for number in range(1 + len(known), trials + 1):
        values = draw(number, known)
        try:
            found = objective(dict(values))
            figures = {name: float(one) for name, one in found.items()} if isinstance(found, Mapping) else {
                "score": float(found)}
            trial = TuningTrial(number, values, next(iter(figures.values())), figures,
                                {str(one): one.excess(figures) for one in limits})
        except ArithmeticError as error:  # a loss that is not finite
            trial = TuningTrial(number, values, None, {}, {}, failure=str(error))
        if journal is not None:
            journal.add(trial)
        known = [*known, trial]
        tell(trial)
    return known
