"""``--snapshots``: the models at the ends of the cycles of a training, each as a run in the folder of the run."""

import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.callbacks import Snapshots
from fastcnn.cli._config import write_config
from fastcnn.cli._run import MODEL, SPLIT
from fastcnn.cli._task import told
from fastcnn.errors import ArgumentError

_NAME = "snapshot-{cycle}"


class RunSnapshots(Snapshots):
    """Keeps a run for each cycle: ``evaluate`` takes several, which have one ``split.csv``.

    Parameters
    ----------
    learner : Learner
    config : Config
    folder : Path
        Of the run.
    """

    def __init__(self, learner: Any, config: Any, folder: Path) -> None:
        super().__init__(f"{_NAME}/{MODEL}", config.snapshots, config.learning_rate, config.steps)
        self._learner, self._config, self._folder = learner, config, folder

    def path(self, cycle: int) -> Path:
        return self._folder / super().path(cycle)

    def save(self, cycle: int) -> None:
        path = self.path(cycle)
        path.parent.mkdir(exist_ok=True)
        write_config(path.parent, self._config)
        shutil.copyfile(self._folder / SPLIT, path.parent / SPLIT)
        self._learner.save(path)


def require_plain(config: Any) -> None:
    """Raise ArgumentError for what keeps other weights than those at the ends of cycles."""
    for option, value in (("ema", config.ema), ("patience", config.patience)):
        if value:
            raise ArgumentError(f"--snapshots: expected no --{option}, which keeps other weights than those at the end "
                                f"of a cycle, got {value:g}; leave one of the two out")


def tell_snapshots(console: Any, prepared: Any, learner: Any, folder: Path, count: int) -> None:
    """Tell how good each snapshot is on dev, how good all are together, and how they become one model."""
    from fastcnn.saving import load_model

    runs = [folder / _NAME.format(cycle=cycle) for cycle in range(1, count + 1)]
    there = [run for run in runs if (run / MODEL).exists()]
    dev = prepared.parts.get("dev")
    if dev is not None and there:
        images = learner.standard.images(dev.x, learner.scale)
        outputs = [load_model(run / MODEL, compile=False).predict(images, batch_size=256, verbose=0) for run in there]
        measured = [list(learner.task.measure(one, dev.y).figures.items())[-1]
                    for one in (*outputs, np.mean(outputs, axis=0))]  # fmt: skip
        alone = ", ".join(told(*one) for one in measured[:-1])
        console.print(f"cycles dev {measured[-1][0]} of each: {alone}; of all together {told(*measured[-1])}")
    console.print(f"as one model    fastcnn evaluate {shlex.quote(str(folder))}/snapshot-* --part dev --save "
                  "ensemble.safetensors")  # fmt: skip
