"""The folder of a run: the model, its history and its configuration. A folder without a model is not left behind."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote_to_bytes

import msgspec

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import locks
from fastcnn.formats.files import expanded, write_atomically

MODEL, HISTORY, CONFIG, SPLIT = "model.safetensors", "history.jsonl", "config.json", "split.csv"
FOLDS = "folds.json"

_FILE_URL = "file://"
_Count = Annotated[int, msgspec.Meta(ge=1)]


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a run was made of.

    Parameters
    ----------
    dataset : str
        A name, or an absolute path. Paths that are no UTF-8 are written as URLs, ``file:///data/caf%E9``.
    data_dir : str or None
        An absolute path.
    image_size : (height, width) or None
        What pictures were brought to.
    fit : {"crop", "pad", "stretch"}
        And how: see `fastcnn.datasets.Pictures`.
    skip_damaged : bool
        Whether pictures that cannot be read were passed over.
    dev, train_dev, test : float or None
        What was asked for as the share of a part; ``split.csv`` has what became of it.
    group_by : str or None
        What tells which pictures stay in one part: a column of a table, or an expression for their paths.
    fold : (k, K) or None
        The number of the fold, from 1, that was dev, and how many there are.
    model : str
        A name of `fastcnn.applications`, or that of the model trained on from.
    epochs, batch_size : int
    optimizer : str
    learning_rate : float
    cool_down : float
        The part of all steps, the last, over which the learning rate falls to 0.
    seed : int
    started : str
        Local time.
    versions : dict
        Of fastcnn and of what decides about results.
    source : str or None
        The run or file whose weights training began with, written as ``from``.
    """

    dataset: str
    model: str
    epochs: _Count
    batch_size: _Count
    optimizer: str
    learning_rate: float
    cool_down: Annotated[float, msgspec.Meta(gt=0, le=1)]
    seed: int
    started: str
    versions: dict[str, str]
    data_dir: str | None = None
    image_size: tuple[_Count, _Count] | None = None
    fit: Literal["crop", "pad", "stretch"] = "crop"
    skip_damaged: bool = False
    dev: float | None = None
    train_dev: float | None = None
    test: float | None = None
    group_by: str | None = None
    fold: tuple[_Count, _Count] | None = None
    source: str | None = msgspec.field(name="from", default=None)


def write_config(folder: Path, config: Config) -> None:
    """Write ``config.json``."""
    text = msgspec.json.encode(_with_paths(config, _as_text))
    write_atomically(folder / CONFIG, msgspec.json.format(text, indent=2) + b"\n")


def read_config(folder: Path) -> Config | None:
    """Return the configuration of a run, or None where there is no such file.

    Raises
    ------
    ModelFileError
        If it is damaged.
    """
    path = folder / CONFIG
    try:
        return _with_paths(msgspec.json.decode(path.read_bytes(), type=Config), _as_path)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{path}: expected the configuration of a run, got {error}; name {MODEL} itself, or restore the file"
        ) from error


def _with_paths(config: Config, change: Callable[[str], str]) -> Config:
    paths = {name: getattr(config, name) for name in ("dataset", "data_dir", "source")}
    return msgspec.structs.replace(config, **{name: change(path) for name, path in paths.items() if path is not None})


def _as_text(path: str) -> str:
    """Return a path as JSON can hold it: one with bytes that are no UTF-8 as a URL, which comes back the same."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _FILE_URL + quote(os.fsencode(path))
    return path


def _as_path(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text.removeprefix(_FILE_URL))) if text.startswith(_FILE_URL) else text


def write_folds(folder: Path, accuracies: list[float]) -> None:
    """Write ``folds.json``: the accuracy on dev of each fold that was trained."""
    write_atomically(folder / FOLDS, msgspec.json.encode({"dev_accuracy": accuracies}) + b"\n")


@contextlib.contextmanager
def new_run(out: str | None, model: str, size: int, what: str = MODEL, who: str = "--out") -> Iterator[Path]:
    """Make the folder of a run, and remove it again if it is left without a model, or `what` is named, in it.

    Parameters
    ----------
    out : str or None
        The folder, new or empty; ``runs/<time>-<model>`` if None.
    model : str
        For that name.
    size : int
        Bytes that the model will need.
    what : str
        The file that makes the folder worth keeping.
    who : str
        The argument that names the folder, for errors.

    Raises
    ------
    ArgumentError
        If `out` holds something.
    OSError
        If the folder cannot be made, or its disk is too full.
    """
    folder = expanded(out) if out is not None else free_name(Path("runs"), f"{time.strftime('%Y%m%d-%H%M%S')}-{model}")
    made = made_for_run(folder, size, who)
    try:
        yield folder
    finally:
        if not (folder / what).exists():
            _discard(folder, made)


def made_for_run(folder: Path, size: int, who: str = "--out") -> list[Path]:
    """Make a folder for a run, and return those that had to be made for it; arguments and errors are `new_run`'s."""
    made = _make(folder, who)
    try:
        _require_space(folder, size)
    except OSError:
        _discard(folder, made)
        raise
    return made


def free_name(parent: Path, name: str) -> Path:
    """Return a path in `parent` that does not exist: two runs may start in one second."""
    count = 2
    path = parent / name
    while path.exists():
        path, count = parent / f"{name}-{count}", count + 1
    return path


def _make(folder: Path, who: str = "--out") -> list[Path]:
    """Make a folder with its parents, and return those that did not exist, the innermost first."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = sorted(entry.name for entry in folder.iterdir() if entry.name != locks.NAME)
    except FileExistsError:
        raise ArgumentError(f"{who} {folder}: expected a new or an empty folder, got a file; name another") from None
    except OSError as error:
        _discard(folder, made)
        raise OSError(
            error.errno, f"{who} {folder}: expected a folder that can be made and written, got: {error.strerror}"
        ) from error
    if content:
        raise ArgumentError(
            f"{who} {folder}: expected a new or an empty folder, got one that holds {', '.join(content[:3])}"
            f"{' ...' if len(content) > 3 else ''}; name another, so that no run is lost"
        )
    return made


def _require_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + 65536:  # the history and the configuration are small
        raise OSError(
            errno.ENOSPC, f"{folder}: expected {size + 65536:,} bytes free for the model, got {free:,}; free some space"
        )


def _discard(folder: Path, made: list[Path]) -> None:
    for name in (HISTORY, CONFIG, SPLIT):
        with contextlib.suppress(OSError):
            os.unlink(folder / name)
    for path in made:
        with contextlib.suppress(OSError):
            path.rmdir()  # refuses where somebody else has put something


def versions() -> dict[str, str]:
    """Return the versions of what decides about a run's results."""
    import platform

    import numba
    import numpy as np

    from fastcnn._version import __version__

    return {"fastcnn": __version__, "numpy": np.__version__, "numba": numba.__version__,
            "python": platform.python_version()}
