"""The errors a user can cause, each a child of a built-in one, and the one sentence they are made of.

A message says who speaks, what was expected, what came, and what to do:
``Conv2D "conv2d_1": expected input (N, 28, 28, 64), got (8, 28, 28, 32); it was built for 64 channels``.
"""

import difflib
from collections.abc import Iterable


class ArgumentError(ValueError):
    """A call or a setting that cannot be: an unknown name, a shape that does not fit. The command line exits with 2."""


class PathError(OSError, ArgumentError):
    """A path where no file can be written: no such folder, or a folder or a device of that name.

    It has the system's ``errno``, as the errors of Python's own functions. The command line exits with 3.
    """

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class DataError(ValueError):
    """Data that is missing, damaged or unfit for the model. The command line exits with 3."""


class DivergedError(ArithmeticError):
    """Training reached a loss that is not a number or not finite. The command line exits with 4."""


class ModelFileError(ValueError):
    """A file that is no saved model, or a damaged one. The command line exits with 5."""


class MissingError(AttributeError):
    """A name that Keras has and fastcnn has not; the message says what there is instead."""


class UnknownArgumentError(TypeError):
    """An argument that a call does not take; the message has the nearest that it does, or what there is instead."""


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest known ones first.

    Parameters
    ----------
    what : str
        Who asks and for what: ``'optimizer'``, ``'Conv2D "conv2d_1": activation'``.
    name : object
        What was given.
    known : iterable of str
        The names that would have been understood.
    """
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{what}: {name!r} is not known; {hint}known are {', '.join(known)}"
