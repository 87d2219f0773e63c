"""What pixels a model takes, told by options where its file does not tell it: those of Keras, ONNX and the like."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from fastcnn.cli._transfer_values import Channels
from fastcnn.cli._values import Rate

white_option = click.option(
    "--white", type=Rate(), metavar="VALUE",
    help="The largest pixel that the model takes, 1 or 255, where its file does not tell. Default: 1.",
)  # fmt: skip


def pixel_options(command: Any) -> Any:
    """Add --white, --mean and --std."""
    for option in (
        click.option("--std", type=Channels(0.0), metavar="NUMBER,...",
                     help="And what it wants them divided by then: 0.229,0.224,0.225."),
        click.option("--mean", type=Channels(), metavar="NUMBER,...",
                     help="What the model wants subtracted from pixels of 0 to 1, a number a channel, where its file "
                          "does not tell: 0.485,0.456,0.406 for many of ImageNet. Needs --std."),
        white_option,
    ):  # fmt: skip
        command = option(command)
    return command


class Pixels(NamedTuple):
    """What was asked for.

    Attributes
    ----------
    mean, std : tuple of float, or None
        Of pixels from 0 to 1: a number a channel, or one for all.
    white : float or None
        The largest pixel, in the place of these.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    white: float | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Pixels":
        """Return what a command was given.

        Raises
        ------
        UsageError
            Of --mean and --std one alone; --white beside them.
        """
        mean, std = (None if given[name] is None else tuple(given[name]) for name in ("mean", "std"))
        if (mean is None) != (std is None):
            one, other = ("--mean", "--std") if std is None else ("--std", "--mean")
            raise click.UsageError(f"{one}: expected {other} with it; say both")
        if given["white"] is not None and mean is not None:
            raise click.UsageError("--white and --mean exclude one another: each says what pixels the model takes")
        return cls(mean, std, given["white"])

    @property
    def option(self) -> str | None:
        """The option by which something was asked for, with its value; None for nothing."""
        if self.mean is not None:
            return f"--mean {','.join(map('{:g}'.format, self.mean))}"
        return None if self.white is None else f"--white {self.white:g}"
