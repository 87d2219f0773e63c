"""A trained model reaches the disk, whatever happens: in the folder of its run, or failing that somewhere else."""

import contextlib
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from fastcnn._interrupts import deferred
from fastcnn.cli._config import CONFIG, Config, write_config
from fastcnn.cli._run import HISTORY, MODEL, free_name
from fastcnn.formats.files import expanded


def keep(save: Callable[[Path, bool], None], config: Config, folder: Path) -> None:
    """Save a trained model in the folder of its run.

    Where that fails, it is saved in the working folder, the home or the folder of temporary files instead; where what
    is known about it cannot be saved, it is saved without.

    Parameters
    ----------
    save : callable
        Writes a file, with or without what is known about the model: `Learner.save`.
    config : Config
    folder : Path
        Made again if somebody has removed it.

    Raises
    ------
    Exception
        What went wrong, with a note that says where the model is.
    """
    with deferred(whole=True):  # somebody impatient must not lose what was trained
        try:
            _save(save, True, config, folder)
        except Exception as error:
            known = isinstance(error, OSError)
            tried = [folder] if not known else []
            tried += [free_name(place, f"fastcnn-{folder.name}") for place in _places()]
            for place in tried:
                with contextlib.suppress(Exception):
                    _save(save, known, config, place)
                    if place != folder:
                        with contextlib.suppress(OSError):
                            shutil.copy(folder / HISTORY, place / HISTORY)
                    error.add_note(said(place, known=known))
                    break
                if place != folder:
                    shutil.rmtree(place, ignore_errors=True)
            else:
                error.add_note(f"nor could the trained model be saved in {', '.join(str(p.parent) for p in tried)}")
            raise


def said(folder: Path, known: bool = True) -> str:
    """Return where a model is, for a note."""
    return f"the trained model is saved in {shlex.quote(str(folder))}" + ("" if known else ", without its classes")


def _save(save: Callable[[Path, bool], None], known: bool, config: Config, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / MODEL, known)
    if not (folder / CONFIG).exists():
        write_config(folder, config)


def _places() -> list[Path]:
    """Return folders in which something can usually be written: the working one, the home, that of temporary files."""
    found = []
    for place in (Path.cwd, lambda: expanded("~"), lambda: Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):  # the working folder is gone, or no folder takes a temporary file
            if (path := place().absolute()).is_dir():  # a home may be named and not be there
                found.append(path)
    return list(dict.fromkeys(found))
