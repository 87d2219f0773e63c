"""A run that goes on where it stood: ``--out RUN --resume auto``."""

import contextlib
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.cli._config import CONFIG, HEAD, OPTIONS, TOML, Config, Fork, as_given, read_config
from fastcnn.cli._run import MODEL, made_for_run
from fastcnn.errors import ArgumentError
from fastcnn.formats import hidden_files
from fastcnn.formats.files import expanded, write_atomically
from fastcnn.formats.locks import FolderLock

CHECKPOINTS, STOPPED = "checkpoints", "stopped.json"

_NO_MATTER = ("started", "versions", "minutes", "lineage")
_LENGTHS = ("minutes", "steps", "epochs")
_MAY_MOVE = ("data_dir",)  # a checkpoint knows the data themselves
_PLAIN = ("skip_damaged", "drop_bad", "cache_features")  # flags that are False where nobody gives them
_FILE = "model_digest"  # is compared, and never filled in: a file that was changed is told as such
_FORKS = ("steps", "epochs", "lr", "lr_schedule", "warmup")  # what no state depends on


def remembered(given: dict[str, Any]) -> Config | None:
    """Fill in what was not given with what the run in ``--out`` was begun with; return that, None for a new run.

    Parameters
    ----------
    given : dict
        The options of the command; changed.

    Raises
    ------
    ArgumentError
        If another number of folds or seeds is asked for.
    """
    out = expanded(given["out"])
    seeds, first = _seeds(out)
    if (out / TOML).is_file():
        if given["seeds"] not in (None, seeds):
            raise _other("seeds", given["seeds"], seeds)
        given["seeds"], given["seed"] = seeds, first if given["seed"] is None else given["seed"]
    recorded = read_config(out) or read_config(out / "fold-1") or read_config(out / f"seed-{first}")
    if recorded is None:
        return None
    folds = None if recorded.fold is None else recorded.fold[1]
    if given["folds"] not in (None, folds):
        raise _other("folds", given["folds"], folds)
    given["folds"] = folds
    values = as_given(recorded)
    if given["minutes"] is not None and recorded.minutes is not None:
        given["minutes"] = values["minutes"]  # None where they are settled: the steps stand
    if any(given[name] is not None for name in _LENGTHS):
        values = {option: value for option, value in values.items() if option not in _LENGTHS}
    for option, value in values.items():
        if option != _FILE and (given[option] is None or (option in _PLAIN and not given[option])):
            given[option] = value
    return msgspec.structs.replace(recorded, fold=None)


def _seeds(folder: Path) -> tuple[int | None, int | None]:
    """Return how many seeds a folder is of, and the first one; None where it is no such folder."""
    try:
        found = tomllib.loads((folder / TOML).read_text())
    except (OSError, ValueError):
        return None, None
    return found.get("seeds"), found.get("seed") if "seeds" in found else None


def going_on(asked: dict[str, Any], config: Config, recorded: Config) -> Config:
    """Return the configuration that a run goes on with: the one it was begun with, or a fork of it.

    Parameters
    ----------
    asked : dict
        The options as they were given.
    config, recorded : Config
        What they come to, and what the run has.

    Raises
    ------
    ArgumentError
        If something is asked for that would make it another training: other data, another model, another seed.
    """
    before, now = as_given(recorded), as_given(config)
    changed = {name: before[name] for name in OPTIONS if before[name] != now[name] and name not in _MAY_MOVE}
    if None in (before[_FILE], now[_FILE]):  # a run of a version that kept none, or a file that is gone
        changed.pop(_FILE, None)
    for option in changed:
        if option == _FILE:
            raise ArgumentError(f"--model {config.network}: expected the file that the run to go on with was begun "
                                f"with, got one that was changed; restore it, or begin another run in another --out")
        if option not in _FORKS:
            raise _other(option, now[option] if asked[option] is None else asked[option], before[option])
    config = msgspec.structs.replace(config, **{name: getattr(recorded, name) for name in _NO_MATTER})
    if not changed:
        return config
    place = _place(expanded(asked["out"]))
    if place is None:  # nothing was trained yet
        return config
    return msgspec.structs.replace(config, lineage=(*recorded.lineage, Fork(*place, changed)))


def _other(option: str, got: Any, wanted: Any) -> ArgumentError:
    return ArgumentError(f"--{option.replace('_', '-')} {got}: expected {'none' if wanted is None else wanted}, as the "
                         f"run to go on with was begun; leave it out, or begin another run in another --out")


def _place(folder: Path) -> tuple[int, int] | None:
    """Return how many epochs, and steps of the next, the newest checkpoint of a run has; None without one."""
    from fastcnn.callbacks.checkpoint_files import CheckpointFiles

    if is_complete(folder):
        raise ArgumentError(f"--out {folder}: expected a run to go on with, got one that is complete; train on from "
                            f"its model with --from, in another --out")
    found = CheckpointFiles(folder / CHECKPOINTS).newest()
    return None if found is None else (int(found[0]["epoch"]), int(found[0]["batch"]))


@contextlib.contextmanager
def open_run(out: Any, size: int) -> Iterator[Path]:
    """Give the folder of a run, or of folds, that was begun before, or a new one, for this process alone.

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
    if not _is_begun(folder):
        made_for_run(folder, size)
    lock = FolderLock(folder)
    if not lock.take():
        raise ArgumentError(f"--out {folder}: expected a run that nobody trains, got one that another process trains "
                            f"now; wait for its end, or name another")
    try:
        yield folder
    finally:
        lock.release()


def _is_begun(folder: Path) -> bool:
    toml = folder / TOML
    return (folder / CONFIG).exists() or (toml.is_file() and toml.read_bytes().startswith(HEAD.encode()))


def is_complete(folder: Path) -> bool:
    """Return whether a run has come to its end."""
    return (folder / MODEL).exists() and not (folder / CHECKPOINTS).exists() and not (folder / STOPPED).exists()


class _Stop(msgspec.Struct):
    """After how many epochs and steps of the next a run was stopped, and how many epochs were left."""

    epoch: int
    step: int
    epochs_left: int


def note_stop(folder: Path, epoch: int, step: int, left: int) -> None:
    """Note that a run was stopped after a step of an epoch, with so many epochs left, and cannot go on there."""
    write_atomically(folder / STOPPED, msgspec.json.encode(_Stop(epoch, step, left)) + b"\n")


def check_goes_on(folder: Path) -> None:
    """Check that a run was not stopped without checkpoints.

    Raises
    ------
    ArgumentError
        It was, and its model is all there is: another training there would write over it.
    """
    if not (folder / STOPPED).exists():
        return
    place, left = "", "N"
    with contextlib.suppress(OSError, msgspec.DecodeError):  # a damaged note tells as much: that it was stopped
        stop = msgspec.json.decode((folder / STOPPED).read_bytes(), type=_Stop)
        place, left = f" in epoch {stop.epoch + 1}", str(stop.epochs_left)
    raise ArgumentError(f"--out {folder}: expected a run to go on with, got one begun without --resume and stopped"
                        f"{place}, which kept no checkpoint; train on from its model with "
                        f"fastcnn train --from {shlex.quote(str(folder))} --epochs {left}")


def remove_checkpoints(folder: Path) -> None:
    """Remove what is not needed any more once the model is saved."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
