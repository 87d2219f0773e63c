"""Where the error comes from: human, train, train-dev, dev and test beside one another, and what to do about it.

The figures are comparable: all of one network, in inference mode, of images as they are.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from fastcnn.data import PARTS
from fastcnn.errors import ArgumentError, unknown
from fastcnn.report.intervals import Estimate, estimate, exact
from fastcnn.report.words import figure, percent

#: What each gap is called, and the knobs for it.
KNOBS = {
    "avoidable bias": "train longer (--epochs), a larger network (--model), another --lr or --optimizer, less "
                      "--dropout, --l2 and --weight-decay",
    "variance": "more training data, --augment, --dropout, --l2 or --weight-decay, --patience, a smaller network",
    "data mismatch": "training images more like those of dev: look at both below, collect or make such images, "
                     "--augment what differs",
    "overfitting to dev": "a larger dev part (--dev), and fewer decisions by the one you have",
}


class Gap(NamedTuple):
    """The distance from one figure to the next.

    Attributes
    ----------
    name : str
        avoidable bias, variance, data mismatch or overfitting to dev.
    lower, upper : str
        The parts that it lies between; "human" before train.
    size : Estimate
    knobs : str
        What makes it smaller.

    Examples
    --------
    >>> found = fc.report.gaps({"train": np.zeros(50, bool), "dev": np.ones(50, bool)})
    >>> found.gaps[1].name, found.gaps[1].is_clear
    ('variance', True)
    """

    name: str
    lower: str
    upper: str
    size: Estimate
    knobs: str

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance: the interval lies above 0."""
        return self.size.low > 0


class Gaps(NamedTuple):
    """The errors of the parts, and the gaps between them.

    Attributes
    ----------
    errors : dict of str to Estimate
        By "human", where it is known, and the names of parts, in the order of `fastcnn.data.PARTS` with test last.
    gaps : tuple of Gap
    unit : str
        "%" for shares; else the word that follows a number.

    Examples
    --------
    >>> print(fc.report.gaps({"train": np.zeros(400, bool), "dev": np.arange(400) < 40}, human=0.0).sentence)
    Most is to be gained from variance: 10.0 points lie between train (0.0 %) and dev (10.0 %), with an interval from \
7.26 to 13.3. Knobs: more training data, --augment, --dropout, --l2 or --weight-decay, --patience, a smaller network.
    """

    errors: dict[str, Estimate]
    gaps: tuple[Gap, ...]
    unit: str

    @property
    def largest(self) -> Gap | None:
        """The largest gap that is more than chance."""
        return max((gap for gap in self.gaps if gap.is_clear), key=lambda gap: gap.size.value, default=None)

    @property
    def sentence(self) -> str:
        """What the gaps say, and the knobs for the largest."""
        if not self.gaps:
            return "There is one figure alone, so nothing to compare it with: give the run a dev part (--dev)."
        gap, told = self.largest, lambda value: figure(value, self.unit)
        if gap is None:
            wide = max(self.gaps, key=lambda one: one.size.high)
            return (f"No gap is larger than chance at these numbers of examples: {wide.name}, the widest, may be as "
                    f"much as {self._distance(wide.size.high)}. More dev examples would tell.")
        name = "avoidable bias, unless people make as many mistakes (--human-error tells)" if (
            gap.lower == "human" and self.errors["human"].value == 0) else gap.name
        return (f"Most is to be gained from {name}: {self._distance(gap.size.value)} lie between "
                f"{_part(gap.lower)} ({told(self.errors[gap.lower].value)}) and {_part(gap.upper)} "
                f"({told(self.errors[gap.upper].value)}), with an interval from "
                f"{self._number(gap.size.low)} to {self._number(gap.size.high)}. Knobs: {gap.knobs}.")

    def _distance(self, size: float) -> str:
        return f"{self._number(size)} points" if self.unit == "%" else figure(size, self.unit)

    def _number(self, size: float) -> str:
        return percent(size).rstrip(" %") if self.unit == "%" else figure(size, "")


def gaps(errors: Mapping[str, Any], human: float | None = None, unit: str = "%") -> Gaps:
    """Compare the errors of parts, and say what to work on.

    ::

        human  -> train       avoidable bias
        train  -> train-dev   variance (to dev where there is no train-dev part)
        train-dev -> dev      data mismatch
        dev    -> test        overfitting to dev

    Parameters
    ----------
    errors : dict of str to (N,) array
        By part ("train", "train_dev", "dev", "test"): of each example whether it is wrong (bool), or by how much. All
        are to be measured in inference mode, on unchanged images, with the same weights.
    human : float, optional
        The error of people, as an estimate of the least that is possible. 0 without it.
    unit : str
        "%" for shares of 1; else the word that follows a number.

    Returns
    -------
    Gaps

    Raises
    ------
    ArgumentError
        If there is no such part, or none at all.

    Examples
    --------
    >>> found = fc.report.gaps({"train": np.arange(900) < 90, "dev": np.arange(100) < 11}, human=0.01)
    >>> found.largest.name
    'avoidable bias'
    """
    strange = next((name for name in errors if name not in PARTS), None)
    if strange is not None:
        raise ArgumentError(unknown("gaps: part", strange, PARTS))
    if not errors:
        raise ArgumentError("gaps: expected the errors of a part at least, got none")
    order = [name for name in ("train", "train_dev", "dev", "test") if name in errors]
    found = {name: estimate(errors[name], unit == "%") for name in order}
    found = {name: one for name, one in found.items() if one.examples}
    whole = {"human": exact(0.0 if human is None else human)} | found if "train" in found else found
    return Gaps(whole, tuple(_between(whole)), unit)


def _between(errors: dict[str, Estimate]) -> list[Gap]:
    names = list(errors)
    found = []
    for lower, upper in pairwise(names):
        name = ("avoidable bias" if lower == "human" else "overfitting to dev" if lower == "dev" else
                "data mismatch" if lower == "train_dev" else "variance")
        found.append(Gap(name, lower, upper, errors[upper] - errors[lower], KNOBS[name]))
    return found


def _part(name: str) -> str:
    return {"human": "people", "train_dev": "train-dev"}.get(name, name)
