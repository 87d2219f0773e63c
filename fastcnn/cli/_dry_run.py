"""``fastcnn train --dry-run``: shapes, memory, measured speed, and when a training would end; nothing is written."""

import statistics
import time
from typing import Any

from fastcnn.callbacks import Callback, Logs
from fastcnn.cli._compiling import Compiling
from fastcnn.cli._minutes import steps_of
from fastcnn.cli._telling import introduce

_SECONDS, _LEAST, _MOST = 3.0, 3, 100  # how long is measured, and of how many steps
_WAITING = 2  # steps before those
_DEV = 1024  # images of dev that are measured


class Stopwatch(Callback):
    """Takes the time of steps, and ends training when it knows enough; the first ones wait for kernels.

    Attributes
    ----------
    seconds : list of float
        Of the steps that were measured.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last, self._steps = 0.0, 0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        now = time.perf_counter()
        self._steps += 1
        if self._steps > _WAITING:
            self.seconds.append(now - self._last)
        self._last = now
        if len(self.seconds) >= _MOST or (len(self.seconds) >= _LEAST and sum(self.seconds) > _SECONDS):
            self.model.stop_training = True


def dry_run(console: Any, prepared: Any, count: int = 1) -> dict[str, Any]:
    """Train for some steps on the real data, throw that away, and tell what the whole training would take.

    Parameters
    ----------
    console : Console
    prepared : Prepared
        With parts.
    count : int
        How many such trainings there are: folds.

    Returns
    -------
    figures : dict of str to float
    """
    config, dev = prepared.config, prepared.parts.get("dev")
    learner = prepared.learner(config)
    introduce(console, prepared, learner, config, None)
    learner.model.summary(console.print)
    fit = learner.fitted(prepared.parts, config)
    held_out = fit.pop("validation_data")
    size, steps, watch = fit["batch_size"] or len(fit["x"][0][0]), steps_of(fit), Stopwatch()
    with Compiling(console, "training"):
        learner.model.fit(**fit, epochs=-(-(_WAITING + _LEAST) // steps), verbose=0, callbacks=[watch])
    step = statistics.median(watch.seconds or [0.0])
    measuring = 0.0
    if dev is not None and held_out is not None:
        measuring = _seconds_on(learner, held_out, fit.get("augmentation")) * len(dev.y)
    epoch = steps * step + measuring
    in_all = f"{config.epochs} epochs"
    whole = config.epochs * epoch
    if config.steps is not None:
        in_all, whole = f"{config.steps:,} steps", config.steps * epoch / steps
    elif config.minutes is not None:
        in_all, whole = f"about {int(config.minutes * 60 / epoch * steps):,} steps", config.minutes * 60
    whole *= count
    figures = {"step_seconds": step, "images_per_second": size / max(step, 1e-9), "steps_per_epoch": steps,
               "epoch_seconds": epoch, "seconds": whole, "memory_bytes": _peak_memory()}  # fmt: skip
    of_dev = f", {measuring:.2f} s of them for dev" if dev is not None else ""
    in_all += f" for each of {count} folds" if count > 1 else ""
    end = time.strftime("%A %H:%M", time.localtime(time.time() + whole))
    console.print(f"step   {size} images, {1e3 * step:.3g} ms: {figures['images_per_second']:,.0f} images/s, measured "
                  f"on {len(watch.seconds)} steps")  # fmt: skip
    console.print(f"epoch  {steps:,} steps, {epoch:.2f} s{of_dev}")
    console.print(f"in all {in_all}, {_told(whole)}: begun now it would end on {end}")
    if figures["memory_bytes"]:
        console.print(f"memory {figures['memory_bytes'] / 2**20:,.0f} MiB at most")
    console.print("nothing was written")
    return figures


def _seconds_on(learner: Any, held_out: Any, augmentation: Any) -> float:
    """Return the seconds that the network takes for an image of dev: of arrays (x, y), or of batches of them."""
    some = held_out[0][:_DEV] if isinstance(held_out, tuple) else held_out[0][0]
    learner.model.predict(some, batch_size=256, verbose=0, augmentation=augmentation)
    begin = time.perf_counter()
    learner.model.predict(some, batch_size=256, verbose=0, augmentation=augmentation)
    return (time.perf_counter() - begin) / len(some)


def _peak_memory() -> int:
    """Return the most memory that this process had so far, in bytes; 0 where the system does not tell."""
    import sys

    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _told(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
