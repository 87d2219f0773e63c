"""The trials of a search on disk: Optuna's journal, a line for each trial that is over.

One process writes it, which holds a lock on the folder that dies with it; so no lock outlives a process, and no trial
runs for ever in the file (optuna#5921, #1532). What is not over is not in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.formats.locks import FolderLock
from fastcnn.tuning.sampling import as_optuna, optuna
from fastcnn.tuning.space import Space
from fastcnn.tuning.trial import TuningTrial

NAME = "journal.log"
_STUDY = "fastcnn"


class Journal:
    """Trials that are over, and more of them.

    Parameters
    ----------
    folder : Path
        It is there.
    space : dict
    is_maximized : bool
    """

    def __init__(self, folder: Path, space: Space, is_maximized: bool) -> None:
        self._library, self._space = optuna(), space
        path = folder / NAME
        _drop_half_line(path)
        journal = self._library.storages.journal
        storage = journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=_NoLock()))
        self.study = self._library.create_study(study_name=_STUDY, storage=storage, load_if_exists=True,
                                                direction="maximize" if is_maximized else "minimize")

    def trials(self) -> list[TuningTrial]:
        """Return those that are over, by number."""
        found = [_trial(one) for one in self.study.get_trials(deepcopy=False)]
        return sorted(found, key=lambda one: one.number)

    def add(self, trial: TuningTrial) -> None:
        """Write one that is over."""
        self.study.add_trial(as_optuna(trial, self._space, self._library))


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder for this process.

    Raises
    ------
    ArgumentError
        If another process searches there.
    """
    lock = FolderLock(folder)
    if not lock.take():
        raise ArgumentError(f"{folder}: expected a search that nobody makes, got one that another process makes now; "
                            "wait for its end, or name another folder")
    try:
        yield
    finally:
        lock.release()


class _NoLock:
    """The folder is locked already."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _trial(one: Any) -> TuningTrial:
    told = one.user_attrs
    return TuningTrial(told["number"], told["values"], one.value, told["figures"], dict(one.constraints),
                       told["epochs"], told["failure"])


def _drop_half_line(path: Path) -> None:
    """Cut off the end of a line that a kill or a full disk left without its end."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    if text and not text.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(text.rfind(b"\n") + 1)
