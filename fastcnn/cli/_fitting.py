"""The training itself: what `fit` is told, and what listens to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastcnn.callbacks import BackupAndRestore, Callback, SwapEMAWeights
from fastcnn.cli._compiling import Compiling
from fastcnn.cli._console import Record
from fastcnn.cli._interrupt import StopAfterStep, stop_on_interrupt
from fastcnn.cli._prepared import Learner
from fastcnn.cli._progress import display
from fastcnn.cli._resume import CHECKPOINTS
from fastcnn.cli._run import HISTORY
from fastcnn.cli._run_callbacks import HistoryFile, StopWhenDiverged
from fastcnn.cli._schedule import RateSchedule
from fastcnn.cli._snapshots import RunSnapshots
from fastcnn.cli._stopping import Patience
from fastcnn.errors import DivergedError, NotFiniteLossError


def fit(console: Any, learner: Learner, parts: dict[str, Any], config: Any, folder: Path,
        resumes: bool, record: Record) -> StopAfterStep:
    """Train; return the callback that knows whether and where Ctrl-C ended it.

    Parameters
    ----------
    console : Console
    learner : Learner
    parts : dict of str to Examples
    config : Config
    folder : Path
        Of the run.
    resumes : bool
        Whether checkpoints are kept, and gone on from.
    record : function of a dict
        Hears of each epoch, for programs.
    """
    model = learner.model
    with (
        Compiling(console, "training") as compiling,
        display(console, compiling.done) as shown,
        stop_on_interrupt(console.print) as stop,
    ):
        callbacks = [*learner.callbacks, *_of(learner, config, folder, console.print),
                     HistoryFile(folder / HISTORY, record)]  # fmt: skip
        if resumes:
            stop.backup = BackupAndRestore(folder / CHECKPOINTS, save_freq="auto", delete_checkpoint=False)
            callbacks.append(stop.backup)
        try:
            model.fit(**learner.fitted(parts, config), epochs=config.epochs, verbose=0,
                      callbacks=[*callbacks, shown, stop])  # fmt: skip
        except KeyboardInterrupt:
            if not stop.is_stopped:
                raise
        except NotFiniteLossError as error:
            raise _named(error, learner, parts, config) from error
        finally:
            model.optimizer.learning_rate = config.learning_rate  # not where it fell to: who trains on begins with it
    if not stop.is_stopped:
        speed = f", {shown.images / shown.seconds:,.0f} images/s" if shown.images else ""
        console.print(f"trained in {shown.seconds:.1f} s{speed}")
    return stop


def _named(error: NotFiniteLossError, learner: Learner, parts: dict[str, Any], config: Any) -> DivergedError:
    """Return what is said of a loss that is not finite: in which step, of which picture, which part of it."""
    if error.epoch is None or error.step is None:  # in a validation
        return error
    sample = f"sample {error.row} of the batch" if error.sample is None else learner.called(error.sample, parts)
    return DivergedError(
        f"training: expected a finite loss, got {error.value:g} in epoch {error.epoch + 1}, step {error.step + 1}, in "
        f"its {error.parts} of {sample}; nothing was saved, try a smaller --lr than {config.learning_rate:g}"
    )


def _of(learner: Learner, config: Any, folder: Path, tell: Callable[[str], None]) -> list[Callback]:
    """Return the callbacks that a configuration asks for."""
    rate = config.learning_rate
    schedule = RunSnapshots(learner, config, folder) if config.snapshots else RateSchedule(
        config.lr_schedule, rate, config.warmup, config.cool_down, config.steps)  # fmt: skip
    found: list[Callback] = [schedule, StopWhenDiverged(rate)]
    if config.ema:
        found.append(SwapEMAWeights(swap_on_epoch=True))
    if config.patience is not None:
        found.append(Patience(config.patience, tell))
    return found
