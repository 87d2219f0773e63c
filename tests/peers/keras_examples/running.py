"""Running a script on fastcnn, or on Keras: what differs is what `import keras` means."""

import contextlib
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from tests.peers.keras_examples import material

FOLDER = Path(__file__).parent
HELPERS = ("__init__", "material", "running")


def scripts() -> list[str]:
    """Return the names of the examples."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS)


def for_fastcnn(text: str) -> str:
    """Return a script of Keras's with its import lines changed, and nothing else."""
    text = re.sub(r"^import keras$", "import fastcnn as keras", text, flags=re.M)
    return re.sub(r"^from keras\b", "from fastcnn", text, flags=re.M)


def run(name: str, package: Any, folder: Path) -> None:
    """Run an example in a folder that is empty.

    Parameters
    ----------
    name : str
    package : module
        `fastcnn` or `keras`.
    folder : Path
    """
    text = (FOLDER / f"{name}.py").read_text()
    if package.__name__ == "fastcnn":
        text = for_fastcnn(text)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        for data, load_data in material.DATASETS.items():
            module = getattr(package.datasets, data, None)
            if module is not None:
                stack.enter_context(mock.patch.object(module, "load_data", load_data))
        exec(compile(text, os.fspath(FOLDER / f"{name}.py"), "exec"), vars(SimpleNamespace(__name__="__main__")))
