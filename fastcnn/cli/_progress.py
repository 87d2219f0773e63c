"""What a person sees of training: a line an epoch and, on a terminal, a bar beneath."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fastcnn.callbacks import Callback, Logs

_REFRESH = 0.1  # seconds between two updates of the bar


class Display(Callback):
    """Shows epoch, loss, accuracy, images a second and the time left.

    Parameters
    ----------
    console : Console
    bar : Progress or None
        Without it there are lines only.
    first_step_done : function
        Is called once, after the first step: all kernels are compiled then.

    Attributes
    ----------
    images, seconds : int, float
        Trained on after the first step, and the time that took: the first step waits for kernels.
    """

    def __init__(self, console: Console, bar: Progress | None, first_step_done: Callable[[], None]) -> None:
        self.console, self.bar, self._first_step_done = console, bar, first_step_done
        self.images = 0
        self.seconds = 0.0
        self._shown = 0.0
        self._is_first = True

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._epoch = epoch
        self._images, self._begin = 0, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        now = time.perf_counter()
        if self._is_first:
            self._is_first = False
            self._begin = now
            self._first_step_done()
            if self.bar is not None:
                steps = self.params["epochs"] * self.params["steps"]
                self._task = self.bar.add_task("", total=steps, epoch="", text="")
                self.bar.start()
        else:
            self._images += self._images_of(batch)
        if self.bar is not None and now - self._shown > _REFRESH:
            self._shown = now
            self._update(batch + 1, now, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        now = time.perf_counter()
        self.images += self._images
        self.seconds += now - self._begin
        rate = f"  {_rate(self._images, now - self._begin)}" if self._images else ""
        digits = len(str(self.params["epochs"]))
        self.console.print(f"epoch {epoch + 1:{digits}}/{self.params['epochs']}  {_values(logs)}{rate}")
        self._images, self._begin = 0, now

    def _images_of(self, batch: int) -> int:
        """Return how many images a batch has, the last one fewer; 0 where batches come as they are."""
        size, samples = self.params["batch_size"], self.params["samples"]
        return 0 if size is None else min(size, samples - batch * size)

    def _update(self, step: int, now: float, logs: Logs) -> None:
        assert self.bar is not None
        images, seconds = self.images + self._images, self.seconds + now - self._begin
        epochs, steps = self.params["epochs"], self.params["steps"]
        text = _values(logs)
        if images:
            left = epochs * steps - (self._epoch * steps + step)
            text += f"  {_rate(images, seconds)}  {_clock(left * self._images_of(0) * seconds / images)} left"
        self.bar.update(self._task, completed=self._epoch * steps + step, epoch=f"epoch {self._epoch + 1}/{epochs}",
                        text=text)


@contextlib.contextmanager
def display(console: Console, first_step_done: Callable[[], None]) -> Iterator[Display]:
    """Give a `Display` whose bar, where there is a terminal, is gone afterwards."""
    bar = None
    if console.is_terminal:
        bar = Progress(TextColumn("{task.fields[epoch]}"), BarColumn(None), TextColumn("{task.fields[text]}"),
                       console=console, transient=True, expand=True, refresh_per_second=10)
    try:
        yield Display(console, bar, first_step_done)
    finally:
        if bar is not None:
            bar.stop()


def _values(logs: Logs) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


def _rate(images: int, seconds: float) -> str:
    return f"{images / max(seconds, 1e-9):,.0f} images/s"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
