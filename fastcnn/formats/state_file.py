"""A state as a file: nested dicts and lists of numbers, text, None and arrays, with the digests of our safetensors.

The tree is the structure of the file, as JSON; its arrays are the tensors, named by their places in it. What JSON has
not is written as a dict with one key:

    {"array": "callbacks/0/1/best"}     that tensor               {"scalar": ...}   the one number of that tensor
    {"float": "-inf"}                   inf, -inf or nan          {"integer": "0x1f..."}   one beyond 53 bits
    {"tuple": [...]}                                              {"dict": [[key, value], ...]}   one of any keys

Numbers come back with all their bits.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import safetensors
from fastcnn.formats.files import write_atomically

_KIND = "TrainingState"
_OURS = frozenset(("array", "scalar", "float", "integer", "tuple", "dict"))
_EXACT = 1 << 53


def save(path: Path, state: Any, metadata: dict[str, Any]) -> None:
    """Write a state to one file, whole or not at all.

    Parameters
    ----------
    path : Path
    state : dict
    metadata : dict
        What JSON can hold.

    Raises
    ------
    ArgumentError
        If there is something else in it.
    OSError
        The system refuses: a full disk, no permission, no such folder.
    """
    write_atomically(path, *pack(state, metadata))


def pack(state: Any, metadata: dict[str, Any]) -> list[bytes]:
    """Return the bytes that `save` writes, in pieces."""
    arrays: dict[str, np.ndarray] = {}
    tree = _written(state, "", arrays)
    return safetensors.pack({"class_name": _KIND, "config": {"state": tree}}, metadata, arrays)


def read(path: Path) -> tuple[Any, dict[str, Any]]:
    """Return the state and the metadata of a file of `save`.

    Raises
    ------
    ModelFileError
        No such file, a file of another kind, or any damage.
    """
    return _state_of(path, *safetensors.read(path))


def unpack(data: bytes, who: str) -> tuple[Any, dict[str, Any]]:
    """As `read`, for the bytes of `pack` in one piece; `who` has them, for messages."""
    return _state_of(Path(who), *safetensors.unpack(data, who))


def _state_of(path: Path, contents: safetensors.Contents, arrays: dict[str, np.ndarray]) -> tuple[Any, dict[str, Any]]:
    if contents.structure.class_name != _KIND:
        raise ModelFileError(f"{path}: expected the state of a training, got a saved {contents.structure.class_name}")
    try:
        return _read(contents.structure.config["state"], arrays), contents.metadata
    except (KeyError, TypeError, ValueError) as error:
        raise safetensors.fault(path, f"a state with wrong entries ({error})") from error


def _written(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        name = place.lstrip("/") or "state"
        array = np.asarray(value)
        arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if isinstance(value, int):
        return value if abs(value) < _EXACT else {"integer": hex(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, (list, tuple)):
        items = [_written(one, f"{place}/{k}", arrays) for k, one in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value) and not (len(value) == 1 and _OURS & value.keys()):
            return {key: _written(one, f"{place}/{key}", arrays) for key, one in value.items()}
        return {"dict": [[_written(key, f"{place}/key {k}", arrays), _written(one, f"{place}/{k}", arrays)]
                         for k, (key, one) in enumerate(value.items())]}
    raise ArgumentError(f"state: expected numbers, text, None, arrays, and lists and dicts of them, got a "
                        f"{type(value).__name__} at {place.lstrip('/')}")


def _read(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_read(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    kind = next(iter(value)) if len(value) == 1 else ""
    if kind not in _OURS:
        return {key: _read(one, arrays) for key, one in value.items()}
    content = value[kind]
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "float":
        return float(content)
    if kind == "integer":
        return int(content, 16)
    if kind == "tuple":
        return tuple(_read(one, arrays) for one in content)
    return {_read(key, arrays): _read(one, arrays) for key, one in content}
