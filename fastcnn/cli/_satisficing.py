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
                rates: Callable[[], dict[str, float]] | None = None, size: tuple[int, int] | None = None
                ) -> list[dict[str, Any]]:
    """Return for each limit what was measured, and whether it is kept.

    Parameters
    ----------
    limits : sequence of str
        "latency_ms<=2", "false_positive_rate<=0.01", or any of `figures`.
    file : Path
        Of the model.
    figures : dict
        What was measured already.
    rates : function, optional
        Returns rates at the threshold; asked where a limit is of one. Without it there is no threshold.
    size : (int, int), optional
        Height and width of a picture, for a network that takes any.

    Raises
    ------
    ArgumentError
        A limit of nothing that is known, or that cannot be measured of this network.
    """
    from fastcnn.tuning import limit_of
    from fastcnn.tuning.measuring import COSTS, costs

    read = [limit_of(text) for text in limits]
    known = {name.replace(" ", "_"): value for name, value in figures.items()}
    names = (*COSTS, *(RATES if rates is not None else ()), *known)
    for one in read:
        if one.figure not in names:
            raise ArgumentError(unknown("--subject-to", one.figure, names))
    if rates is not None and any(one.figure in RATES and one.figure not in known for one in read):
        known |= rates()
    known |= costs(file, {one.figure for one in read}, size)
    for one in read:
        if one.figure not in known:
            raise ArgumentError(f"--subject-to {one}: expected a network of one input and size, got {file}, which "
                                f"takes more or any; leave it out")
    return [{"limit": str(one), "value": known[one.figure], "is_kept": one.excess(known) <= 0} for one in read]


def lines_of(kept: Sequence[dict[str, Any]]) -> list[str]:
    """Return what `limits_kept` found, for people."""
    return [f"limit  {one['limit']}: {one['value']:.4g}, {'kept' if one['is_kept'] else 'broken'}" for one in kept]
