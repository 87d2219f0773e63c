"""Keras's files, opened: an HDF5 file, or a zip archive with one in it.

    .h5             HDF5; attributes: keras_version, model_config, training_config; groups: the weights
    .weights.h5     HDF5; groups: the weights
    .keras          zip; config.json, metadata.json, model.weights.h5

The name of a file says nothing here, its first bytes do. An archive unpacks to no more than a model of this size can
need, and one that claims to unpack to much more than it holds is not unpacked.
"""

import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from fastcnn.errors import ModelFileError
from fastcnn.formats.file_kinds import HDF5, ZIP
from fastcnn.formats.hdf5 import Tree

WEIGHTS, CONFIG, ABOUT = "model.weights.h5", "config.json", "metadata.json"
_TIMES_THE_MODEL, _BESIDE = 8, 64 << 20  # an optimizer's moments, an average; names, the tree of groups
_LONGEST_TEXT, _RATIO = 64 << 20, 100  # bytes; what compression may save
_RESTORE = "restore it from a copy, or let Keras write it again"


class Description(NamedTuple):
    """What a file of a whole model says of it: as Keras's JSON has it, without weights."""

    config: dict[str, Any]
    training: dict[str, Any] | None
    version: str


def fault(path: Path, what: str, got: str, remedy: str = _RESTORE) -> ModelFileError:
    """Return the error for a file that is not what it should be.

    Parameters
    ----------
    path : Path
    what : str
        What was expected: weights, or a model.
    got, remedy : str
    """
    return ModelFileError(f"{path}: expected {what} written by Keras, got {got}; {remedy}")


class _RefusedError(Exception):
    """What was got, and what to do: becomes a `fault` once the path is known."""

    def __init__(self, got: str, remedy: str = _RESTORE) -> None:
        super().__init__(got, remedy)


@contextmanager
def weights_of(path: Path, model_bytes: int) -> Iterator[Tree]:
    """Give the file that holds weights.

    Parameters
    ----------
    path : Path
    model_bytes : int
        What the parameters take that the weights are for.
    """
    h5py_for("reading")
    with _told(path, "weights"):
        if _kind(path) == HDF5:
            with _tree(path) as tree:
                yield tree
            return
        with tempfile.TemporaryFile() as plain:
            _unpack(path, plain, _TIMES_THE_MODEL * model_bytes + _BESIDE)
            with _tree(plain) as tree:
                yield tree


def described(path: Path) -> Description:
    """Return what a file of a whole model says of it.

    Raises
    ------
    ModelFileError
        No such file, any damage, or a file of weights alone.
    """
    h5py_for("reading")
    with _told(path, "a model"):
        if _kind(path) == HDF5:
            with _tree(path) as tree:
                config, training, version = (
                    tree.text(tree.root, name) for name in ("model_config", "training_config", "keras_version"))
            if config is None:
                raise _RefusedError("weights without the structure of a model", "make the model and use load_weights, "
                            "or let Keras write the whole of it: keras_model.save('x.keras')")
            return Description(_dict("model_config", config),
                               None if training is None else _dict("training_config", training), version or "2")
        with zipfile.ZipFile(path) as archive:
            config, about = (_member(archive, name) for name in (CONFIG, ABOUT))
        structure = _dict(CONFIG, config)
        return Description(structure, structure.get("compile_config") or None,
                           str(_dict(ABOUT, about).get("keras_version", "3")))


def metadata_of(path: Path) -> dict[str, Any]:
    """Return what `fastcnn.saving.save_model` was told to keep in an archive; {} of any other file of Keras's."""
    with _told(path, "a model"):
        if _kind(path) == HDF5:
            return {}
        with zipfile.ZipFile(path) as archive:
            found = _dict(ABOUT, _member(archive, ABOUT)).get("metadata")
    return found if isinstance(found, dict) else {}


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Tell in one sentence what damage does to who reads it."""
    try:
        yield
    except ImportError:
        raise
    except _RefusedError as refusal:
        raise fault(path, what, *refusal.args) from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise fault(path, what, f"a zip archive (.keras) that is damaged ({error})") from error
    except OSError as error:
        raise fault(path, what, f"a file that cannot be read ({error})") from error
    except Exception as error:  # h5py raises nearly anything on damaged files: KeyError, TypeError, ValueError ...
        got = f"damage or a layout that Keras does not write ({type(error).__name__}: {error})"
        raise fault(path, what, got) from error


def _kind(path: Path) -> bytes:
    if not path.is_file():
        raise _RefusedError("a folder" if path.is_dir() else "no file", "name the file itself")
    with path.open("rb") as file:
        start = file.read(8)
    for kind in (HDF5, ZIP):
        if start.startswith(kind):
            return kind
    raise _RefusedError("neither an HDF5 file nor a .keras archive",
                "write it with keras_model.save_weights('x.weights.h5')")


def h5py_for(what: str) -> Any:
    """Return h5py; raise ImportError with what to install where it is not there.

    Parameters
    ----------
    what : str
        "reading" or "writing", for the message.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f'{what} Keras\'s files needs h5py: pip install "fastcnn[keras]"') from error
    return h5py


@contextmanager
def _tree(opened: Any) -> Iterator[Tree]:
    h5py = h5py_for("reading")

    def refuse(got: str, remedy: str = _RESTORE) -> NoReturn:
        raise _RefusedError(got, remedy)

    try:
        file = h5py.File(opened, "r")
    except OSError as error:
        raise _RefusedError(f"an HDF5 file (.h5) that cannot be read ({error})") from error
    with file:
        yield Tree(h5py, file, refuse)


def _unpack(path: Path, plain: Any, most: int) -> None:
    with zipfile.ZipFile(path) as archive:
        if WEIGHTS not in archive.namelist():
            raise _RefusedError(f"an archive without {WEIGHTS}", "write it with keras_model.save('x.keras'), in one "
                        "piece")
        member = archive.getinfo(WEIGHTS)
        most = min(most, _RATIO * member.compress_size + _BESIDE)
        if member.file_size > most:
            raise _RefusedError(f"{member.file_size:,} bytes of weights, more than the {most:,} that a file for this "
                              f"model can have", "check that it is the file of this model")
        with archive.open(member) as packed:  # gives no more than file_size, and compares the checksum at the end
            while block := packed.read(1 << 20):
                plain.write(block)
    plain.seek(0)


def _member(archive: zipfile.ZipFile, name: str) -> str:
    if name not in archive.namelist():
        raise _RefusedError(f"a zip archive without {name}, as .npz and .pt are, too",
                    "write it with keras_model.save('x.keras')")
    if archive.getinfo(name).file_size > _LONGEST_TEXT:
        raise _RefusedError(f"{archive.getinfo(name).file_size:,} bytes of {name}", "do not trust the file")
    return archive.read(name).decode()


def _dict(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(f"a damaged {name} ({error})") from error
    if not isinstance(value, dict):
        raise _RefusedError(f"a {name} that is no dict")
    return value
