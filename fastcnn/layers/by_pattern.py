"""Layers of a model by patterns of their names, as a shell has them for files: ``conv*``."""

import fnmatch
from collections.abc import Container, Iterable
from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.layers.held_layers import all_within


def by_pattern(model: Any, patterns: Iterable[str], who: str, besides: Container[Any] = ()) -> dict[str, list[Any]]:
    """Return the layers that each pattern means, those inside other layers and models too.

    Parameters
    ----------
    model : Model
    patterns : iterable of str
        For names, ``conv2d_1``, and for paths, ``features/conv2d_1``. ``*`` is any text, ``?`` any character.
    who : str
        For errors.
    besides : container of Layer
        Which none of them means.

    Raises
    ------
    ArgumentError
        If a pattern means none; it tells the names that there are.
    """
    known = [(path, one) for path, one in all_within(model) if one not in besides]
    found = {}
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise ArgumentError(f"{who}: expected patterns of layer names, such as 'conv*', got {pattern!r}")
        those = [one for path, one in known
                 if fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(one.name, pattern)]
        if not those:
            names = [path for path, one in known if one.weights and not one.held_layers()]
            raise ArgumentError(unknown(f"{who}: layer", pattern, names))
        found[pattern] = list(dict.fromkeys(those))
    return found
