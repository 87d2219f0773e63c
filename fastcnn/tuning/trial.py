"""A trial: values of the parameters, and what came of them."""

from typing import Any, NamedTuple


class TuningTrial(NamedTuple):
    """One of the trainings of a search.

    Attributes
    ----------
    number : int
        From 0, the configuration as it stands, without anything of the space.
    values : dict
        Of the parameters by name; empty for number 0.
    score : float or None
        What is to be large, or small; None where the training failed.
    figures : dict of str to float
        All that is known of it: figures on dev, latency, parameters.
    excess : dict of str to float
        By how much each constraint is broken; not above 0 is good.
    epochs : int or None
        After how many it was left behind by halving; None for one that came to its end.
    failure : str
        The sentence of one that failed.
    """

    number: int
    values: dict[str, Any]
    score: float | None
    figures: dict[str, float]
    excess: dict[str, float]
    epochs: int | None = None
    failure: str = ""

    @property
    def is_feasible(self) -> bool:
        """Whether it has a score, came to its end, and keeps all limits."""
        return self.score is not None and self.epochs is None and all(one <= 0 for one in self.excess.values())
