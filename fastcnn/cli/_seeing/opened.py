"""A run that sees, or a file of one, opened: a detector and the like, with the configuration that it was trained by."""

from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.cli._config import Config, read_config
from fastcnn.cli._run import MODEL, SPLIT
from fastcnn.cli._saved import find_file


class OpenedSeen(NamedTuple):
    """What was read.

    Attributes
    ----------
    path : Path
        Of the file.
    thing : Detector, Segmenter or Recognizer
    task : str
    config : Config or None
        Of the run in which it lies.
    """

    path: Path
    thing: Any
    task: str
    config: Config | None

    def split_of(self, dataset: str) -> Path | None:
        """Return the file that says which picture was in which part of the data set; None where there is none."""
        path = self.path.parent / SPLIT
        return path if self.config is not None and self.config.dataset == dataset and path.is_file() else None


def open_seen(path: str) -> OpenedSeen | None:
    """Return what a run or a file holds if it sees; None if it is a model of anything else.

    Raises
    ------
    ArgumentError
        If nothing is there.
    ModelFileError
        If it is no model, or a damaged one.
    """
    from fastcnn.vision.trained import kind_of, load

    file = find_file(path)
    task = kind_of(file)
    if task is None:
        return None
    return OpenedSeen(file, load(file), task, read_config(file.parent) if file.name == MODEL else None)
