"""The check of gradients: what backward passes tell, beside differences of the loss."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import is_integer
from fastcnn.graph.derivatives import layer_errors
from fastcnn.layers import held_layers
from fastcnn.layers.base import Call
from fastcnn.layers.dropout import Dropout, GaussianDropout, GaussianNoise
from fastcnn.models import data
from fastcnn.models.gradient_report import SUSPECT, GradientReport, ParameterCheck, word
from fastcnn.models.retyped import in_float64

_ROUNDING = 8 * np.finfo(np.float64).eps  # of a loss: what its sums lose, about
_BEND = 1e-4  # of a slope: where both sides differ by more there is a kink between, or the loss is curved
_CLOSER = 16  # times: a kink stays, a curve looks straight, and what lay aside is left out


def check_gradients(model: Any, x: Any, y: Any, *, sample_weight: Any = None, epsilon: float = 1e-6,
                    numbers: int | None = 30, seed: int = 0) -> GradientReport:
    """Compare the gradients of all parameters with two-sided differences of the loss, and say what that means.

        d = (loss(w + epsilon) - loss(w - epsilon)) / (2 epsilon),     ratio = |g - d| / (|g| + |d|)

    A copy of the model does it that computes in float64, with the same kernels and fusions; the model has the bits
    that it had, and what is drawn afterwards is as if this had not been. float32 could not tell: its losses have seven
    digits, and their differences one or two. In float64 right gradients come to ratios of 1e-10 to 1e-8.

    Penalties are part of the loss. Dropout and noise are off, augmentation changes the images of all passes alike, and
    normalization by the batch is as in training. Where the loss has a kink (a ReLU of exactly 0) there is no
    derivative; such numbers are left out, and counted. Where a parameter is not right, each layer is looked at alone.

    Parameters
    ----------
    model : Model
        Built and compiled. It should be checked at its start, and again after some training, when it is no longer in a
        special place.
    x, y, sample_weight
        As `Model.train_on_batch` takes them: one batch, a small one.
    epsilon : float
        By how much each number is moved.
    numbers : int, optional
        How many numbers of each parameter are moved, drawn at random; None moves all. Each takes two passes.
    seed : int
        Which ones are drawn.

    Returns
    -------
    GradientReport
        A row for each trainable parameter, with its path, ratio and verdict; `print` shows them.

    Raises
    ------
    ArgumentError, DataError
        If an argument or the data does not fit, the model cannot be made again in float64, or two passes over the batch
        give two losses.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> report = fc.check_gradients(model, np.ones((4, 2)), np.ones((4, 1)))
    >>> report.verdict, [row.verdict for row in report]
    ('right', ['right', 'right', 'right', 'right'])
    """
    who = f"{model}: check_gradients"
    if not getattr(model, "built", False) or model.optimizer is None:
        raise ArgumentError(f"{who}: expected a model that is built and compiled")
    if not 0 < epsilon < 1:
        raise ArgumentError(f"{who}: expected 0 < epsilon < 1, got {epsilon!r}")
    if numbers is not None and not (is_integer(numbers) and numbers > 0):
        raise ArgumentError(f"{who}: expected numbers to be a positive integer or None, got {numbers!r}")
    one = _Pass(model, x, y, sample_weight, who)
    start = one.loss()
    if not math.isfinite(start):
        raise DataError(f"{who}: expected a finite loss, got {start}")
    if (again := one.loss()) != start:
        raise ArgumentError(f"{who}: expected the same loss of two passes over the same batch, got {start!r} and "
                            f"{again!r}; a layer that draws numbers takes them from call.key(seed)")
    gradients = one.gradients()
    draw = np.random.default_rng(seed)
    paths = {id(p): path for path, p in one.copy.named_weights().items()}
    rows = [_checked(p, gradients[id(p)], paths.get(id(p), p.path), start, one.loss, epsilon, numbers, draw)
            for p in one.trainer.trained]
    wrong = any(row.verdict in SUSPECT for row in rows)
    return GradientReport(rows, epsilon, one.wrong_layers() if wrong else [])


class _Pass:
    """Passes of a copy of the model in float64 over one batch."""

    def __init__(self, model: Any, x: Any, y: Any, sample_weight: Any, who: str) -> None:
        self.copy = in_float64(model, who)
        for _, layer in held_layers.all_within(self.copy):
            if isinstance(layer, (Dropout, GaussianDropout)):
                layer.rate = 0.0
            elif isinstance(layer, GaussianNoise):
                layer.stddev = 0.0
        trainer = self.trainer = model._trainer.of(self.copy)
        # Metrics are looked at where targets are checked, which resets them: those of the model keep their counts.
        trainer.compiled = trainer.compiled | {
            key: copy.deepcopy(trainer.compiled.get(key)) for key in ("metrics", "weighted_metrics")}
        samples = data.labelled(trainer, x, y, sample_weight, who, trains=True, one_batch=True)
        (self.batch,) = samples.batches(len(samples))
        self.call = Call(trainer.seed, model.optimizer.iterations, wants_dx=False)
        self.statistics = [(p, p.numpy()) for p in self.copy.weights if not p.trainable]

    def loss(self) -> float:
        """Return the loss of the batch with all penalties."""
        return self._forward()[0]

    def gradients(self) -> dict[int, np.ndarray]:
        """Return the gradients of the parameters by identity, flat."""
        _, backward = self._forward()
        backward()
        self.trainer.penalty(adds_gradients=True)
        return {id(p): p.grad.reshape(-1).copy() for p in self.trainer.trained}

    def wrong_layers(self) -> list[Any]:
        """Return the layers whose backward pass is not the derivative of their forward pass."""
        errors = layer_errors(self.copy.layer_graph(self.batch.xs), self.batch.xs, self.call)
        return [one for one in errors if word(one.error) in SUSPECT]

    def _forward(self) -> tuple[float, Callable[[], Any]]:
        found = self.trainer.forward_with_loss(*self.batch, self.call)
        for p, value in self.statistics:  # which the pass has moved
            p.assign(value)
        means = [target.weight * float(device.get(losses).mean())
                 for target, losses in zip(self.trainer.objective.targets, found.losses, strict=True)
                 if losses is not None]
        return sum(means) + found.penalty + self.trainer.penalty(adds_gradients=False), found.backward


def _checked(parameter: Any, gradient: np.ndarray, path: str, start: float, loss: Callable[[], float], epsilon: float,
             numbers: int | None, draw: np.random.Generator) -> ParameterCheck:
    """Return how far a parameter's gradient is from differences, of so many of its numbers."""
    kept = parameter.numpy()
    moved, flat = kept.copy(), kept.reshape(-1)
    picked = np.arange(flat.size) if numbers is None else np.sort(
        draw.choice(flat.size, min(flat.size, numbers), replace=False))
    rounding = _ROUNDING * max(1.0, abs(start))  # of a loss

    def slopes(place: int, step: float) -> tuple[float, float]:
        """Return the slopes of the loss above and below where a number is."""
        found = []
        for by in (step, -step):
            moved.reshape(-1)[place] = flat[place] + by
            parameter.assign(moved)
            found.append((loss() - start) / (moved.reshape(-1)[place] - flat[place]))
        moved.reshape(-1)[place] = flat[place]
        return found[0], found[1]

    differences, noise, smooth = np.zeros(len(picked)), np.zeros(len(picked)), np.ones(len(picked), bool)
    for k, place in enumerate(picked):
        step, (above, below) = epsilon, slopes(place, epsilon)
        if (bend := abs(above - below)) > 2 * rounding / step + _BEND * max(abs(above), abs(below)):
            step, (above, below) = epsilon / _CLOSER, slopes(place, epsilon / _CLOSER)
            smooth[k] = abs(above - below) <= 2 * rounding / step + 2 * bend / _CLOSER
        differences[k], noise[k] = 0.5 * (above + below), rounding / step
    parameter.assign(kept)
    return _row(path, kept.shape, picked[smooth], len(picked), gradient[picked[smooth]], differences[smooth],
                float(np.linalg.norm(noise[smooth])))


def _row(path: str, shape: tuple[int, ...], places: np.ndarray, moved: int, told: np.ndarray, differences: np.ndarray,
         noise: float) -> ParameterCheck:
    """Return what two derivatives of some numbers say, and the norm of what rounding may do to the second."""
    size, kinks = math.prod(shape), moved - len(places)
    if not len(places):
        return ParameterCheck(path, size, 0, kinks, math.nan, math.nan, (), math.nan, math.nan)
    apart = np.abs(told - differences)
    worst = int(np.argmax(apart))
    whole = float(np.linalg.norm(told) + np.linalg.norm(differences))
    ratio, rounding = (float(np.linalg.norm(apart)) / whole, noise / whole) if whole > 2 * noise else (0.0, 1.0)
    return ParameterCheck(path, size, len(places), kinks, ratio, rounding,
                          tuple(map(int, np.unravel_index(places[worst], shape))), float(told[worst]),
                          float(differences[worst]))
