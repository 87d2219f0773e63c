"""A run that goes on where it stood: ``--out RUN --resume auto``."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.cli._config import CONFIG, OPTIONS, Config, as_given, read_config
from fastcnn.cli._run import MODEL, made_for_run
from fastcnn.errors import ArgumentError
from fastcnn.formats import hidden_files
from fastcnn.formats.files import expanded
from fastcnn.formats.locks import FolderLock

CHECKPOINTS = "checkpoints"

_NO_MATTER = ("started", "versions")


def remembered(given: dict[str, Any]) -> Config | None:
    """Fill in what was not given with what the run in ``--out`` was begun with; return that, None for a new run.

    Parameters
    ----------
    given : dict
        The options of the command; changed.
    """
    recorded = read_config(expanded(given["out"]))
    if recorded is None:
        return None
    for option, value in as_given(recorded).items():
        if given[option] is None or given[option] is False:
            given[option] = value
    return recorded


def require_same(asked: dict[str, Any], config: Config, recorded: Config) -> Config:
    """Return the configuration that a run was begun with; raise ArgumentError if another one is asked for now.

    Parameters
    ----------
    asked : dict
        The options as they were given.
    config, recorded : Config
        What they come to, and what the run has.
    """
    before, now = as_given(recorded), as_given(config)
    for option in OPTIONS:
        old, new = before[option], now[option]
        if old != new:
            word, got = option.replace("_", "-"), new if asked[option] is None else asked[option]
            wanted = "none" if old is None else old
            raise ArgumentError(f"--{word} {got}: expected {wanted}, as the run to go on with was begun; leave it out, "
                                f"or begin another run in another --out")
    return msgspec.structs.replace(config, **{name: getattr(recorded, name) for name in _NO_MATTER})


@contextlib.contextmanager
def open_run(out: Any, size: int) -> Iterator[Path]:
    """Give the folder of a run that was begun before, or a new one, for this process alone.

    Parameters
    ----------
    out : path-like
    size : int
        Bytes that the model will need.

    Raises
    ------
    ArgumentError
        If the folder holds something else, or another process trains there.
    OSError
        If it cannot be made, or its disk is too full.
    """
    folder = expanded(out)
    hidden_files.sweep(folder)
    if not (folder / CONFIG).exists():
        made_for_run(folder, size)
    lock = FolderLock(folder)
    if not lock.take():
        raise ArgumentError(f"--out {folder}: expected a run that nobody trains, got one that another process trains "
                            f"now; wait for its end, or name another")
    try:
        yield folder
    finally:
        lock.release()


def is_complete(folder: Path) -> bool:
    """Return whether a run has come to its end."""
    return (folder / MODEL).exists() and not (folder / CHECKPOINTS).exists()


def remove_checkpoints(folder: Path) -> None:
    """Remove what is not needed any more once the model is saved."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
