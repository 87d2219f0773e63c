"""What a check of gradients has found, in numbers and in words."""

import math
from typing import NamedTuple

from fastcnn.auto_names import shortened
from fastcnn.graph.derivatives import LayerError

#: Up to which ratio a word holds (Ng, "Improving deep neural networks", week 1); beyond the last one it is wrong.
WORDS = ((1e-7, "right"), (1e-5, "probably right"), (1e-3, "doubtful"), (math.inf, "wrong"))
SUSPECT = ("doubtful", "wrong")


def word(ratio: float) -> str:
    """Return what a ratio says; NaN is wrong."""
    return next((name for limit, name in WORDS if ratio <= limit), "wrong")


class ParameterCheck(NamedTuple):
    """How far the gradient of a parameter is from differences of the loss.

    Attributes
    ----------
    path : str
        ``conv2d/kernel``
    size : int
        How many numbers the parameter has.
    compared : int
        How many of them were compared.
    kinks : int
        How many more were moved, and left out: the loss has no derivative there.
    ratio : float
        |g - d| / (|g| + |d|), with |.| the Euclidean norm of the gradient g and the differences d; NaN where all
        numbers were left out.
    rounding : float
        The ratio that the rounding of the loss alone may make; 1 where both derivatives are 0 but for it.
    worst : tuple of int
        The place of the number with the largest difference.
    gradient, difference : float
        Both slopes there.
    """

    path: str
    size: int
    compared: int
    kinks: int
    ratio: float
    rounding: float
    worst: tuple[int, ...]
    gradient: float
    difference: float

    @property
    def verdict(self) -> str:
        """What it means: "right", "probably right", "doubtful" or "wrong".

        "zero" where both derivatives are, as those of a bias before a batch normalization; "not told" where nothing was
        compared, or rounding is all that there is to see.
        """
        if not self.compared:
            return "not told"
        if self.rounding >= 1:
            return "zero"
        if self.ratio > self.rounding or math.isnan(self.ratio):
            return word(self.ratio)
        return next((name for limit, name in ((1e-5, "right"), (1e-3, "probably right")) if self.rounding <= limit),
                    "not told")


class GradientReport(list[ParameterCheck]):
    """A row for each parameter; `print` shows a table and what it says.

    Parameters
    ----------
    rows : list of ParameterCheck
    epsilon : float
        By how much numbers were moved both ways.
    layers : list of LayerError
        The layers whose backward pass was found not to be the derivative of their forward pass; looked for only where
        a parameter is not right.

    Attributes
    ----------
    epsilon, layers : as given
    """

    def __init__(self, rows: list[ParameterCheck], epsilon: float, layers: list[LayerError]) -> None:
        super().__init__(rows)
        self.epsilon, self.layers = epsilon, layers

    @property
    def verdict(self) -> str:
        """The worst of the rows: "right", "probably right", "doubtful" or "wrong"; "not told" where none is."""
        found = {row.verdict for row in self}
        return next((name for _, name in reversed(WORDS) if name in found), "not told")

    def __str__(self) -> str:
        named = [shortened(row.path) for row in self]
        wide = max(map(len, (*named, "parameter")))
        lines = [f"{'parameter':<{wide}}  {'compared':>14}  {'ratio':>7}"]
        for name, row in zip(named, self, strict=True):
            lines.append(f"{name:<{wide}}  {f'{row.compared} of {row.size}':>14}  {row.ratio:>7.0e}  {row.verdict}")
            if row.verdict in SUSPECT:
                lines[-1] += (f": at [{', '.join(map(str, row.worst))}] backward tells {row.gradient:.6g}, "
                              f"differences {row.difference:.6g}")
            elif row.kinks:
                lines[-1] += f", {row.kinks} more at kinks of the loss"
        return "\n".join([*lines, "", *self._words()])

    def _words(self) -> list[str]:
        """Return what the table says, in sentences."""
        said = [f"ratio: |g - d| / (|g| + |d|) of gradients and differences of the loss, where each number was moved "
                f"by {self.epsilon:g} both ways.",
                "Up to 1e-7 it is right, up to 1e-5 probably right, up to 1e-3 doubtful, and above wrong."]
        untold = [row.path for row in self if row.verdict == "not told"]
        if untold:
            said.append(f"Not told: {', '.join(untold)}. All numbers that were moved lie at kinks, as a bias of 0 does "
                        f"before a ReLU where inputs are blank, or are too small: check again after some training.")
        if self.verdict not in SUSPECT:
            said.append(f"The gradients{' that were compared' if untold else ''} are {self.verdict}.")
        elif not self.layers:
            said.append(f"The gradients are {self.verdict}, and no layer alone is: look at the loss, penalties, and "
                        f"nodes that run in the place of layers (model.fusions()).")
        said += [f'Backward of "{shortened(one.layer)}" is not the derivative of its forward with respect to {one.of}: '
                 f"they are {one.error:.0e} apart." for one in self.layers]
        return said
