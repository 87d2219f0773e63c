"""A run that goes on where it stood: ``--out RUN --resume auto``."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.cli._run import CONFIG, MODEL, Config, made_for_run, read_config
from fastcnn.errors import ArgumentError
from fastcnn.formats import hidden_files
from fastcnn.formats.files import expanded
from fastcnn.formats.locks import FolderLock

CHECKPOINTS = "checkpoints"

#: The options that decide about a result, and what the configuration calls them.
_OPTIONS = {"dataset": "dataset", "data_dir": "data_dir", "size": "image_size", "fit": "fit",
            "skip_damaged": "skip_damaged", "dev": "dev", "train_dev": "train_dev", "test": "test",
            "group_by": "group_by", "model": "model", "epochs": "epochs", "batch_size": "batch_size",
            "optimizer": "optimizer", "lr": "learning_rate", "seed": "seed", "from": "source"}
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
    for option, name in _OPTIONS.items():
        if given[option] is None or given[option] is False:
            given[option] = getattr(recorded, name)
    if recorded.source is not None:
        given["model"] = None  # it is that of the run that training began from
    if recorded.image_size is None:
        given["fit"] = given["size"] = None
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
    for option, name in _OPTIONS.items():
        old, new = getattr(recorded, name), getattr(config, name)
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
