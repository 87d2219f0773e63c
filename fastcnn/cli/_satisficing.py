"""What a model must satisfy whatever else it is good at: costs that are measured, and rates at its threshold."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastcnn.cli._decision import Decision
from fastcnn.errors import ArgumentError, unknown
from fastcnn.tuning.limits import RATES


def known_rates(run: Path) -> dict[str, float]:
    """Return what came of a run's thresholds on dev, of the worst label; nothing where none was chosen."""
    from fastcnn.cli._run import MODEL
    from fastcnn.saving import load_metadata

    file = run / MODEL  # folds and seeds have none
    rates = list(Decision.of(load_metadata(file)).rates.values()) if file.is_file() else []
    if not rates:
        return {}
    return {name: (max if name == "false_positive_rate" else min)(one[name] for one in rates) for name in RATES}


def limits_kept(limits: Sequence[str], file: Path, figures: dict[str, float],
                rates: Callable[[], dict[str, float]]) -> list[dict[str, Any]]:
    """Return for each limit what was measured, and whether it is kept.

    Parameters
    ----------
    limits : sequence of str
        "latency_ms<=2", "false_positive_rate<=0.01", or any of `figures`.
    file : Path
        Of the model.
    figures : dict
        What was measured already.
    rates : function
        Returns rates at the threshold; asked where a limit is of one.

    Raises
    ------
    ArgumentError
        A limit of nothing that is known.
    """
    from fastcnn.tuning import limit_of
    from fastcnn.tuning.measuring import COSTS, costs

    read = [limit_of(text) for text in limits]
    known = {name.replace(" ", "_"): value for name, value in figures.items()}
    for one in read:
        if one.figure not in (*COSTS, *RATES, *known):
            raise ArgumentError(unknown("--subject-to", one.figure, (*COSTS, *RATES, *known)))
    if any(one.figure in RATES and one.figure not in known for one in read):
        known |= rates()
    known |= costs(file, {one.figure for one in read})
    return [{"limit": str(one), "value": known[one.figure], "is_kept": one.excess(known) <= 0} for one in read]
