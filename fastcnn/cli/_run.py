"""The folder of a run: the model, its history and its configuration. A folder without a model is not left behind."""

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fastcnn.cli._config import CONFIG, TOML
from fastcnn.errors import ArgumentError
from fastcnn.formats import locks
from fastcnn.formats.files import expanded, write_atomically

MODEL, HISTORY, SPLIT = "model.safetensors", "history.jsonl", "split.csv"
FOLDS, SEEDS = "folds.json", "seeds.json"


def write_figures(path: Path, values: list[float], figure: str) -> None:
    """Write ``folds.json`` or ``seeds.json``: the figure that decides, on dev, of each fold or seed."""
    write_atomically(path, msgspec.json.encode({f"dev_{figure.replace(' ', '_')}": values}) + b"\n")


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
    for name in (HISTORY, CONFIG, TOML, SPLIT):
        with contextlib.suppress(OSError):
            os.unlink(folder / name)
    for path in made:
        with contextlib.suppress(OSError):
            path.rmdir()  # refuses where somebody else has put something
