"""What a file holds for a model's weights, layer by layer, and how it becomes theirs: all of it, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.errors import ModelFileError
from fastcnn.formats.tensors import StoredArray
from fastcnn.stored_parameters import assign_stored

_TOLD = 20


@dataclass
class Found:
    """What a file holds for one layer: a value for each of its parameters, or what is wrong."""

    layer: str
    values: list[tuple[Any, np.ndarray | StoredArray]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def assign(path: Path, model: Any, found: Sequence[Found], strange: Sequence[str], skip_mismatch: bool,
           remedy: str) -> None:
    """Set the parameters of a model's layers; nothing changes unless all fit, or what does not may be skipped.

    Parameters
    ----------
    path : Path
        For the message.
    model : Model
    found : list of Found
    strange : list of str
        What the file has and the model lacks.
    skip_mismatch : bool
        Leave a layer that does not fit as it is, with a warning, in the place of an error.
    remedy : str
        What to do, for the message, beside taking what fits.

    Raises
    ------
    ModelFileError
        If something does not fit, or no layer does.
    """
    wrong = [text for one in found for text in one.wrong] + list(strange)
    fitting = [one for one in found if not one.wrong]
    if wrong and not (skip_mismatch and fitting):
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise ModelFileError(f'{path}: expected the weights of {type(model).__name__} "{model.name}", '
                             f"got {', '.join(wrong[:_TOLD])}{more}; {remedy}, or take what fits with by_name=True"
                             f"{'' if skip_mismatch else ' or skip_mismatch=True'}")
    for one in found:
        if one.wrong:  # all warnings first: one may be turned into an error
            warn(f"{path}: {one.layer} is left as it is, since the file has {', '.join(one.wrong)}")
    for one in fitting:
        for parameter, value in one.values:
            if isinstance(value, StoredArray):
                assign_stored(parameter, value)
            else:
                parameter.assign(value)


def require_common(path: Path, model: Any, names: Sequence[str], found: Sequence[Found]) -> None:
    """Raise ModelFileError if a file's layers and a model's have no name in common: by_name would do nothing."""
    if not found:
        raise ModelFileError(f'{path}: expected layers of the names that {type(model).__name__} "{model.name}" has, '
                             f"got {', '.join(names[:_TOLD]) or 'none'}; leave by_name away where the order counts")
