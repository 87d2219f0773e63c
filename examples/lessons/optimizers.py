"""Seven optimizers on one ravine: a bowl that is 100 times as steep across as along, and lies askew.

    python examples/lessons/optimizers.py

The cost of two weights is a ravine, f(w) = (w1'^2 + 100 w2'^2) / 2 with w' = w turned by 30 degrees. Plain descent
bounces from wall to wall, or creeps along the bottom: its rate must suit the steep direction. Momentum adds up what
agrees and lets cancel what does not. Adagrad, Adadelta, RMSprop and Adam divide by the size of each weight's gradients;
since the ravine lies askew, that helps less than it would along an axis. Each has the best of a row of rates, so that
rates do not decide.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn import optimizers
from fastcnn.parameters import Parameter

Array = NDArray[Any]

STEEP, ANGLE = 100.0, np.deg2rad(30)
TURN = np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]])
START = np.array([-1.8, 0.5])
NEAR = 1e-5  # of the cost at the start

MADE: dict[str, tuple[Callable[[float], Any], str]] = {
    "SGD": (lambda rate: optimizers.SGD(rate), "#8a8a8a"),
    "momentum": (lambda rate: optimizers.SGD(rate, momentum=0.9), "#c8501e"),
    "Nesterov": (lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True), "#c9a227"),
    "Adagrad": (lambda rate: optimizers.Adagrad(rate), "#2e8b57"),
    "Adadelta": (lambda rate: optimizers.Adadelta(rate), "#49b0a8"),
    "RMSprop": (lambda rate: optimizers.RMSprop(rate), "#7a4fa0"),
    "Adam": (lambda rate: optimizers.Adam(rate), "#1f6fb4"),
}


def cost(w: Array) -> Array:
    """Return f(w) for weights (..., 2)."""
    turned = w @ TURN.T
    return np.asarray(0.5 * (turned[..., 0] ** 2 + STEEP * turned[..., 1] ** 2))


def gradient(w: Array) -> Array:
    return np.asarray(TURN.T @ (np.array([1.0, STEEP]) * (TURN @ w)))


def descend(make: Callable[[float], Any], rate: float, steps: int) -> Array:
    """Return the weights before the first step and after each, (steps + 1, 2)."""
    weights = Parameter(START.copy(), "w", "ravine/w")
    optimizer, path = make(rate), [START]
    optimizer.build([weights])
    for _ in range(steps):
        weights.gradient[...] = gradient(weights.value)
        optimizer.step()
        path.append(weights.numpy())
    return np.array(path)


def arrival(path: Array) -> int:
    """Return the step from which on the cost stays near nought; as many as there are if it does not."""
    far = np.flatnonzero(~(cost(path) <= NEAR * cost(START)))
    return int(far[-1]) + 1


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rates", type=int, default=25, help="to choose from, from 1e-4 to 100 (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("optimizers.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.4, 4.6), layout="constrained")
    grid = figure.add_gridspec(2, 6)
    places = [grid[0, k] for k in range(4)] + [grid[1, k] for k in range(3)]
    costs = figure.add_subplot(grid[:, 4:])
    across, along = np.meshgrid(np.linspace(-2.2, 1.0, 200), np.linspace(-1.5, 1.1, 200))
    counts = {}
    for (name, (make, color)), place in zip(MADE.items(), places, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):  # rates at which it flies away
            paths = {rate: descend(make, rate, given.steps) for rate in np.geomspace(1e-4, 100, given.rates)}
            rate, path = min(paths.items(), key=lambda one: (arrival(one[1]), np.nan_to_num(
                cost(one[1])[-1], nan=np.inf)))
        counts[name] = arrival(path)
        axis = figure.add_subplot(place)
        axis.contour(across, along, cost(np.stack([across, along], -1)), levels=np.geomspace(0.05, 300, 9),
                     colors="0.8", linewidths=0.7)
        axis.plot(*path.T, color=color, lw=1, marker="o", ms=1.5)
        axis.plot(0, 0, "+", color="black", ms=9)
        axis.set(xlim=(-2.2, 1.0), ylim=(-1.5, 1.1), xticks=[], yticks=[])
        axis.set_title(f"{name}, rate {rate:.2g}", fontsize=10)
        costs.plot(cost(path), color=color, lw=1.2, label=f"{name}: {_steps(counts[name], given.steps)}")
        print(f"{name:<9} at its best rate, {rate:.2g}, is at 1/100,000 of the first cost after "
              f"{_steps(counts[name], given.steps)} steps.")
    fastest = min(counts, key=lambda name: counts[name])
    print(f"{fastest} is the first; plain descent takes {counts['SGD'] / counts[fastest]:.1f} times as many steps"
          f"{' or more' if counts['SGD'] > given.steps else ''}.")
    costs.axhline(NEAR * float(cost(START)), color="0.6", lw=0.8, ls=":")
    costs.set(yscale="log", ylim=(1e-6, 100), xlabel="step", ylabel="cost")
    costs.set_title("steps to 1/100,000 of the first cost (dotted)", fontsize=10)
    figure.add_subplot(grid[1, 3], frameon=False, xticks=[], yticks=[]).legend(
        *costs.get_legend_handles_labels(), loc="center", frameon=False, fontsize=9)
    costs.spines[["top", "right"]].set_visible(False)
    figure.savefig(given.out, dpi=85)
    print(given.out)


def _steps(count: int, most: int) -> str:
    return f"more than {most}" if count > most else str(count)


if __name__ == "__main__":
    main()
