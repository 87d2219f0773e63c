"""``--minutes`` and ``--steps``: how long a training is that is no number of epochs."""

import math
import time
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.cli._compiling import Compiling
from fastcnn.cli._config import write_config
from fastcnn.cli._fitting import what_fit_takes
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
            budget = step_budget(learner.model, **what_fit_takes(learner, parts, config), minutes=config.minutes,
                                 since=since)  # fmt: skip
        config = msgspec.structs.replace(config, steps=budget.steps)
        left = config.minutes * 60 - (time.perf_counter() - since)
        console.print(f"time   {left:.0f} s of {config.minutes:g} min are left for {budget.steps:,} steps of "
                      f"{1e3 * budget.seconds_per_step:.3g} ms")  # fmt: skip
    if config.steps is None:
        return config
    fit = what_fit_takes(learner, parts, config)
    in_epoch = math.ceil(len(fit["y"]) / fit["batch_size"])
    config = msgspec.structs.replace(config, epochs=math.ceil(config.steps / in_epoch))
    write_config(folder, config)
    return config
