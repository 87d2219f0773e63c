"""The learning rate in the course of a training."""

from collections.abc import Callable

from fastcnn.callbacks import Callback, Logs
from fastcnn.optimizers import schedules

Rate = Callable[[int], float]

#: What part of all steps the rate grows over where nothing is said.
WARMUP = {"triangle": 0.25, "onecycle": 0.3}


class RateSchedule(Callback):
    """Sets the learning rate of each step, as one of `SCHEDULES` says it; the plan tells how many steps there are.

    Parameters
    ----------
    name : str
    learning_rate : float
        The highest.
    warmup : float
        Of all steps, the part in which the rate grows in a line, from 0 to below 1.
    cool_down : float
        For the schedule of that kind: see `cooldown`.
    steps : int, optional
        In all, after which it ends training; those of the epochs that are planned, if absent.
    """

    changes = ("_step",)

    def __init__(self, name: str, learning_rate: float, warmup: float = 0.0, cool_down: float = 0.5,
                 steps: int | None = None) -> None:
        self.name, self.learning_rate, self.warmup, self.cool_down = name, learning_rate, warmup, cool_down
        self.steps, self._step = steps, 0
        self._total, self._rate = 0, constant(learning_rate, 1, 0.0)

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        total = self.steps or self.params["epochs"] * self.params["steps"]
        if total != self._total:
            self._total, self._rate = total, self.of(total)
        self.model.optimizer.learning_rate = self._rate(self._step)
        self._step += 1

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if self.steps is not None and self._step >= self.steps:
            self.model.stop_training = True

    def of(self, total: int) -> Rate:
        """Return the learning rate of each of some steps."""
        if self.name == "onecycle":
            return schedules.OneCycle(self.learning_rate, total, self.warmup)
        warm = round(total * self.warmup)
        after = SCHEDULES[self.name](self.learning_rate, total - warm, self.cool_down)
        return lambda step: after(max(0, step - warm)) * (min(1.0, (step + 1) / warm) if warm else 1.0)


def constant(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that stays."""
    return lambda step: rate


def cooldown(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that stays, and falls to 0 in a straight line over the last part of the steps.

    After three epochs of MNIST it is worth 0.2 points of accuracy, and the last step is as good as any before it.

    References
    ----------
    Hu et al.: MiniCPM, arXiv:2404.06395, 2024: warmup-stable-decay.
    """
    return lambda step: rate * min(1, (1 - step / steps) / cool_down)


def linear(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that falls to 0 in a straight line."""
    return schedules.PolynomialDecay(rate, steps, 0.0)


def cosine(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that falls to 0 along half a wave."""
    return schedules.CosineDecay(rate, steps)


def exponential(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that falls by an equal factor in each step, to a hundredth."""
    return schedules.ExponentialDecay(rate, steps, 0.01)


def step(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that is divided by 10 after a half and after three quarters; He et al., 2015, for CIFAR-10."""
    bounds = [steps // 2 - 1, steps * 3 // 4 - 1]  # the last steps of a rate
    return schedules.PiecewiseConstantDecay(bounds, [rate, rate / 10, rate / 100])


def inverse_sqrt(rate: float, steps: int, cool_down: float) -> Rate:
    """Return a rate that falls with the square root of the steps, to a tenth."""
    return schedules.InverseSquareRootDecay(rate, max(1.0, steps / 99))  # type: ignore[arg-type]  # sqrt(1 + 99) = 10


#: By the names of the command line, without warm-up: (rate, steps, cool_down) -> the rate of each step.
SCHEDULES: dict[str, Callable[[float, int, float], Rate]] = {
    "cooldown": cooldown, "constant": constant, "linear": linear, "triangle": linear, "cosine": cosine,
    "onecycle": cosine, "exponential": exponential, "step": step, "inverse-sqrt": inverse_sqrt,
}  # fmt: skip
