"""``--minutes`` and ``--steps``: how long a training is that is no number of epochs."""

import math
import time
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.cli._compiling import Compiling
from fastcnn.cli._config import write_config
from fastcnn.models import step_budget


def settled(console: Any, learner: Any, parts: dict[str, Any], config: Any, folder: Path, since: float) -> Any:
    """Return the configuration with steps, where minutes are asked for, and with epochs, where steps are.

    Steps that were measured are written to the run: what goes on with it, or trains the same again, has them.

    Parameters
    ----------
    console : Console
    learner : Learner
    parts : dict of str to Examples
    config : Config
    folder : Path
        Of the run.
    since : float
        When the minutes began, by ``time.perf_counter()``.
    """
    if config.minutes is not None and config.steps is None:
        with Compiling(console, "training"):
            budget = step_budget(learner.model, **learner.fitted(parts, config), minutes=config.minutes,
                                 since=since)  # fmt: skip
        config = msgspec.structs.replace(config, steps=budget.steps)
        left = config.minutes * 60 - (time.perf_counter() - since)
        console.print(f"time   {left:.0f} s of {config.minutes:g} min are left for {budget.steps:,} steps of "
                      f"{1e3 * budget.seconds_per_step:.3g} ms")  # fmt: skip
    if config.steps is None:
        return config
    config = msgspec.structs.replace(config, epochs=math.ceil(config.steps / steps_of(learner.fitted(parts, config))))
    write_config(folder, config)
    return config


def steps_of(fit: dict[str, Any]) -> int:
    """Return how many steps an epoch has, by the arguments of `Model.fit`: of arrays, or of batches."""
    return len(fit["x"]) if fit["batch_size"] is None else math.ceil(len(fit["x"]) / fit["batch_size"])
