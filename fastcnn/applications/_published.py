"""Weights that others published as .safetensors under names of their own, in an order that is known."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcnn.errors import ModelFileError
from fastcnn.models import Model


def published(path: Path | None, first: str) -> dict[str, Any] | None:
    """Return the arrays of a published file, which has an array `first`; None of any other file.

    Raises
    ------
    ModelFileError
        If a .safetensors file is damaged.
    """
    if path is None or path.suffix.lower() != ".safetensors":
        return None
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: expected a file of safetensors, got {error}") from None
    return arrays if first in arrays else None


def set_published(model: Model, arrays: Mapping[str, Any], in_order: Callable[[Mapping[str, Any]], list[Any]],
                  path: Path | None) -> None:
    """Give a model the arrays of a published file.

    Parameters
    ----------
    model : Model
    arrays : dict
    in_order : callable
        Returns them in the order of the model's weights.
    path : Path
        For errors.

    Raises
    ------
    ModelFileError
        If one is missing, or does not fit.
    """
    try:
        model.set_weights(in_order(arrays))
    except (LookupError, ValueError) as error:
        raise ModelFileError(f"{path}: expected the weights of {model.name}, got {len(arrays)} arrays that do not fit: "
                             f"{error}") from None
