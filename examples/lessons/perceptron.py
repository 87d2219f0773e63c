"""Rosenblatt's rule of 1958: one neuron with a step learns AND, and cannot learn XOR, which two hidden ones can.

    python examples/lessons/perceptron.py

The rule looks at one example after the other: where the neuron is wrong, its weights move by the input towards the
target, and where it is right nothing happens. If a line separates the two kinds of points, it comes to an end
(Novikoff, 1962). No line separates XOR's (Minsky and Papert, 1969), so its weights go round in a circle. A hidden layer
of two neurons bends the plane; it is trained by gradients, which a step has not, so it has tanh.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers

Array = NDArray[Any]

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
TARGETS = {"AND": np.array([0, 0, 0, 1]), "XOR": np.array([0, 1, 1, 0])}
BLUE, ORANGE, GREY = "#1f6fb4", "#c8501e", "#8a8a8a"


def rosenblatt(targets: Array, epochs: int, rate: float = 0.1) -> tuple[fc.Model, list[int], list[Array]]:
    """Return a neuron, its errors in each epoch, and its weights after each."""
    neuron = fc.Sequential([fc.Input((2,)), layers.Dense(1, activation="step")])
    weights, bias = np.array([[0.22], [-0.31]], "float32"), np.full(1, 0.07, "float32")
    errors, path = [], []
    for _ in range(epochs):
        wrong = 0
        for x, t in zip(POINTS, targets, strict=True):
            neuron.set_weights([weights, bias])
            off = float(t - neuron.predict(x[None])[0, 0])
            weights, bias = weights + rate * off * x[:, None], bias + rate * off
            wrong += off != 0
        errors.append(wrong)
        path.append(np.array([*weights[:, 0], bias[0]]))
        if not wrong:
            break
    neuron.set_weights([weights, bias])
    return neuron, errors, path


def two_layers(targets: Array, epochs: int) -> tuple[fc.Model, list[int]]:
    """Return a network with two hidden neurons, and its errors in each epoch."""
    fc.utils.set_random_seed(4)
    model = fc.Sequential([fc.Input((2,)), layers.Dense(2, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    model.compile(fc.optimizers.Adam(0.1), "binary_crossentropy")
    errors = []
    for _ in range(epochs):
        model.train_on_batch(POINTS, targets)
        errors.append(int((np.round(model.predict(POINTS)[:, 0]) != targets).sum()))
    return model, errors


def plane(axis: Any, model: fc.Model, targets: Array, path: Sequence[Array], title: str) -> None:
    """Draw what a model says of the plane, the points, and the last lines of a neuron, the latest one darkest."""
    side = np.linspace(-0.4, 1.4, 181, dtype="float32")
    grid = np.stack(np.meshgrid(side, side), -1)
    said = model.predict(grid.reshape(-1, 2), batch_size=grid.size).reshape(grid.shape[:2])
    axis.contourf(side, side, said, levels=[-0.01, 0.5, 1.01], colors=["#dbe8f4", "#f6ddd2"])
    for age, (a, b, c) in enumerate(reversed(path[-6:])):
        # The line is where a x + b y + c = 0.
        ends = np.array([-0.4, 1.4])
        xs, ys = (ends, -(a * ends + c) / b) if abs(b) > abs(a) else (-(b * ends + c) / (a or 1e-9), ends)
        axis.plot(xs, ys, color="0.25", alpha=0.9 * 0.6**age, lw=1.6)
    for kind, color, marker in ((0, BLUE, "o"), (1, ORANGE, "s")):
        axis.scatter(*POINTS[targets == kind].T, s=90, color=color, marker=marker, edgecolor="white", zorder=3,
                     label=f"target {kind}")
    axis.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal", xticks=[0, 1], yticks=[0, 1], xlabel="first input",
             ylabel="second input")
    axis.set_title(title, fontsize=11)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("perceptron.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.6, 3.5), layout="constrained")
    axes = figure.subplots(1, 4)
    curves = {}
    for axis, (name, targets) in zip(axes, TARGETS.items(), strict=False):
        neuron, errors, path = rosenblatt(targets, given.epochs)
        curves[f"{name}, one neuron"] = errors
        plane(axis, neuron, targets, path, f"{name}, one neuron: {errors[-1]} errors in epoch {len(errors)}")
        returns = len(path) - len(np.unique(np.round(path, 4), axis=0))
        told = f"makes no error any more in epoch {len(errors)}" if not errors[-1] else (
            f"makes {min(errors)} to {max(errors)} errors in each of {len(errors)} epochs, and ends {returns} of them "
            f"with weights that it had before")
        print(f"{name}: one neuron {told}.")
    deep, errors = two_layers(TARGETS["XOR"], given.epochs)
    curves["XOR, two hidden neurons"] = errors
    plane(axes[2], deep, TARGETS["XOR"], [], f"XOR, two hidden neurons: {errors[-1]} errors")
    right = next((k for k in range(len(errors)) if not any(errors[k:])), None)
    print("XOR: with two hidden neurons " + (f"{errors[-1]} points are still wrong." if right is None else
                                             f"all four are right from epoch {right + 1} on."))
    for (name, found), color in zip(curves.items(), (BLUE, ORANGE, "#2e8b57"), strict=True):
        axes[3].plot(range(1, len(found) + 1), found, color=color, label=name, marker="o", ms=3, lw=1.2)
    axes[3].set(xlabel="epoch", ylabel="wrong answers of 4", ylim=(-0.2, 4.2), yticks=range(5))
    axes[3].spines[["top", "right"]].set_visible(False)
    axes[3].legend(frameon=False, fontsize=9, loc="upper right", bbox_to_anchor=(1, 0.9))
    axes[0].legend(loc="upper left", fontsize=8)
    figure.savefig(given.out, dpi=100)
    print(given.out)


if __name__ == "__main__":
    main()
