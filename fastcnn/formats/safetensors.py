"""The file of a saved model: safetensors, with the structure and a digest of everything in its header.

The tensors lie under their parameters' paths, and any reader of safetensors opens them. ``__metadata__`` holds

    format      fastcnn
    version     1
    algorithms  by which table algorithms were chosen where it was made (`fastcnn.config.algorithm_table`)
    structure   JSON: class_name and config of the model, and what compile was given, where it can be held
    metadata    JSON: the caller's own dict
    digests     JSON: the SHA-256 of each tensor's bytes by path, in the order of the model's weights
    digest      the SHA-256 of the whole header, taken with 64 zeros in the place of this digest

since safetensors has no checksum of its own.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from fastcnn import config
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import file_kinds, tensors
from fastcnn.formats.files import write_atomically

_VERSION = "1"
_BLANK = "0" * 64
_LONGEST_HEADER = 100_000_000  # bytes: the limit of safetensors itself
_TYPES = {name: short for short, name in tensors.TYPES.items()}
_RESTORE = "restore it from a copy or save the model again"
_ONNX = "fc.onnx.load or `fastcnn import-onnx` reads it"
_CONVERT = "open it with the program that wrote it, and pass the arrays to set_weights"
_ARRAYS = "safetensors.numpy.load_file gives the arrays in it, for set_weights"


class Blueprint(msgspec.Struct):
    """What a model or a layer is made from."""

    class_name: str
    config: dict[str, Any]
    compile: dict[str, Any] | None = None  # of the whole model alone
    input_shape: list[Any] | None = None  # of a model that is built by its `call`
    frozen: list[int] = []  # which of the layers within are not trainable


class Contents(msgspec.Struct):
    """What the header tells."""

    structure: Blueprint
    metadata: dict[str, Any]
    digests: dict[str, str]


class _Header(msgspec.Struct):
    texts: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def save(path: Path, contents: Callable[[], tuple[dict[str, Any], dict[str, np.ndarray]]], metadata: dict[str, Any],
         overwrite: bool) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    contents : function
        Returns structure and tensors as `pack` takes them; asked once the path is known to be good.
    metadata : dict
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ArgumentError
        A path without the suffix, a file that is there, or what JSON cannot hold.
    OSError
        The system refuses: a full disk, no permission, no such folder.
    """
    if path.suffix.lower() != ".safetensors":
        raise ArgumentError(
            f"{path}: expected a path that ends in {', '.join(file_kinds.SUFFIXES[:-1])} or {file_kinds.SUFFIXES[-1]}, "
            f"got {path.suffix or 'no suffix'}; save as {path.stem or 'model'}.safetensors"
        )
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path}: expected a new file, got one that exists; choose another, or replace "
                            f"it with overwrite=True or --overwrite")
    structure, arrays = contents()
    write_atomically(path, *pack(structure, metadata, arrays))


def pack(structure: dict[str, Any], metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[bytes]:
    """Return the bytes of a file, in pieces; the same model gives the same bytes.

    Parameters
    ----------
    structure : dict
        As `Blueprint`.
    metadata : dict
    arrays : dict of arrays of numbers

    Raises
    ------
    ArgumentError
        Blueprint or metadata that JSON cannot hold.
    """
    # Copies, so that the digests are of what is written even while another thread trains on.
    payload = {name: array.tobytes() for name, array in arrays.items()}
    # safetensors writes its metadata in another order in each process, so the header is made here.
    texts = {
        "format": "fastcnn",
        "version": _VERSION,
        "algorithms": config.algorithm_table(),
        "structure": as_json("structure of the model", structure),
        "metadata": as_json("metadata", metadata),
        "digests": as_json("names of the weights", {name: _sha256(data) for name, data in payload.items()}),
        "digest": _BLANK,
    }
    entries: dict[str, Any] = {"__metadata__": texts}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + len(payload[name])
        entries[name] = {"dtype": _TYPES[array.dtype.name], "shape": array.shape, "data_offsets": (begin, end)}
    header = as_json("header", entries).encode()
    header += b" " * (-len(header) % 8)
    header = _with_digest(header, _BLANK, _sha256(header))
    return [len(header).to_bytes(8, "little"), header, *payload.values()]


def read(path: Path) -> tuple[Contents, dict[str, np.ndarray]]:
    """Return what the header tells, and the tensors in the order of the model's weights; all is checked.

    Raises
    ------
    ModelFileError
        No such file, a file of another kind or version, or any damage.
    """
    with _opened(path) as file:
        return _read_all(path, file)


def read_staying(path: Path) -> tuple[Contents, dict[str, np.ndarray | tensors.StoredArray]]:
    """As `read`; large tensors are checked, too, and stay in the file where the system allows it."""
    with _opened(path) as file:
        return _read_all(path, file, stay=True)


def unpack(data: bytes, who: str) -> tuple[Contents, dict[str, np.ndarray]]:
    """As `read`, for the bytes of `pack` in one piece; `who` has them, for messages."""
    return _read_all(Path(who), io.BytesIO(data))


def _read_all(path: Path, file: BinaryIO, stay: bool = False) -> tuple[Contents, dict[str, Any]]:
    start = _read_header(path, file)
    contents = _parse(path, start[8:])
    size = file.seek(0, os.SEEK_END) - len(start)
    try:
        entries = json.loads(start[8:])
        del entries["__metadata__"]
        places = tensors.places(entries, size)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise fault(path, f"{size} bytes of weights, which its header does not expect ({error})") from error
    found, digests = dict[str, Any](), dict[str, str]()
    for name, array, digest in tensors.read(path, file, places, len(start), stay):
        found[name], digests[name] = array, digest
    names = dict.fromkeys([*contents.digests, *found])
    if wrong := [repr(name) for name in names if digests.get(name) != contents.digests.get(name)]:
        raise fault(path, f"damaged weights {', '.join(wrong)}")
    return contents, {name: found[name] for name in names}


def change_metadata(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write a file anew with other metadata, whole or not at all; structure and weights stay as they are.

    Parameters
    ----------
    path : Path
    change : function
        From the metadata that it has to those that it gets.

    Raises
    ------
    ModelFileError
        As `read`.
    ArgumentError
        Metadata that JSON cannot hold.
    OSError
        The system refuses.
    """
    contents, arrays = read(path)
    blueprint = msgspec.to_builtins(contents.structure)
    structure = {name: value for name, value in blueprint.items() if value not in (None, [])}  # those are the defaults
    write_atomically(path, *pack(structure, change(contents.metadata), arrays))


def read_contents(path: Path) -> Contents:
    """As `read`, for the header alone: the weights are neither read nor checked."""
    with _opened(path) as file:
        return _parse(path, _read_header(path, file)[8:])


def fault(path: Path, got: str, remedy: str = _RESTORE) -> ModelFileError:
    """Return the error for a file that is not what it should be."""
    return ModelFileError(f"{path}: expected a model saved by fastcnn, got {got}; {remedy}")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if not path.is_file():  # a pipe would block forever
            raise fault(path, "a folder" if path.is_dir() else "no file", "name the file itself")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise fault(path, f"a file that cannot be read ({error.strerror})", "check disk and permissions") from error


def _read_header(path: Path, file: BinaryIO) -> bytes:
    """Return the header and its length before it; a length is believed only where the file has as many bytes."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) == 8 and length <= min(size - 8, _LONGEST_HEADER):
        return start + file.read(length)
    if kind := file_kinds.named(start):
        raise fault(path, kind, _CONVERT)
    if length > _LONGEST_HEADER and file_kinds.begins_as_onnx(start):
        raise fault(path, "an ONNX model", _ONNX)
    raise fault(path, f"{size} bytes that are cut short, damaged or of another kind")


def _parse(path: Path, header: bytes) -> Contents:
    try:
        texts = msgspec.json.decode(header, type=_Header).texts
    except (ValueError, RecursionError) as error:
        raise fault(path, "a damaged header or a file of another kind") from error
    if texts.get("format") != "fastcnn":
        raise fault(path, "a safetensors file of another program or a damaged header", _ARRAYS)
    if (version := texts.get("version", "")) != _VERSION:
        raise fault(path, f"version {version[:9]!r} of the format instead of {_VERSION}", "update fastcnn")
    digest = texts.get("digest", "")
    if _sha256(_with_digest(header, digest, _BLANK)) != digest:
        raise fault(path, "a damaged header")
    try:
        return Contents(
            msgspec.json.decode(texts["structure"], type=Blueprint),
            msgspec.json.decode(texts["metadata"], type=dict[str, Any]),
            msgspec.json.decode(texts["digests"], type=dict[str, str]),
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise fault(path, f"a header with wrong entries ({error})") from error


def as_json(who: str, value: Any) -> str:
    """Return a value as text of JSON; raise ArgumentError for what JSON cannot hold.

    Parameters
    ----------
    who : str
        What it is, for the message.
    value : object
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_listed)
        text.encode()  # refuses half a surrogate pair, which no reader takes
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(
            f"{who}: expected numbers, strings, lists and dicts, as JSON has them, got: {error}; change it, then save"
        ) from error
    return text


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"an object of type {type(value).__name__}")


def _sha256(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


def _with_digest(header: bytes, old: str, new: str) -> bytes:
    # A quote inside a JSON string is escaped, so these bytes can only be the entry itself.
    return header.replace(f'"digest":"{old}"'.encode(), f'"digest":"{new}"'.encode(), 1)
