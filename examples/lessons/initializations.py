"""Five ways to initialize a network, two of which cannot learn: alike at the start, filters stay alike.

    python examples/lessons/initializations.py

Filters that start alike see the same, get the same gradient and take the same step, so a layer of them is worth one.
Zeros are worse: nothing passes, and only the last bias learns how frequent the classes are. Random numbers that are too
small start on a plateau, and too large ones make a network that is very sure and mostly wrong. He's choose the size
such that the signal keeps its own from layer to layer: a standard deviation of sqrt(2 / inputs) before a ReLU.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import initializers, layers

Array = NDArray[Any]

WAYS: dict[str, Callable[[int], initializers.Initializer]] = {
    "zeros": lambda seed: initializers.Zeros(),
    "all 0.05": lambda seed: initializers.Constant(0.05),
    "random, too small (0.05)": lambda seed: initializers.RandomNormal(stddev=0.05, seed=seed),
    "random, too large (0.5)": lambda seed: initializers.RandomNormal(stddev=0.5, seed=seed),
    "He's": lambda seed: initializers.HeNormal(seed=seed),
}
COLORS = "#8a8a8a", "#c9a227", "#7a4fa0", "#c8501e", "#1f6fb4"


def network(way: str) -> fc.Sequential:
    """Return a network whose layers are initialized one way, each with a seed of its own."""
    make = WAYS[way]
    return fc.Sequential([
        fc.Input((8, 8, 1)),
        layers.Conv2D(16, 3, activation="relu", kernel_initializer=make(1)),
        layers.Conv2D(16, 3, activation="relu", kernel_initializer=make(2)),
        layers.Flatten(),
        layers.Dense(32, activation="relu", kernel_initializer=make(3)),
        layers.Dense(10, activation="softmax", kernel_initializer=make(4)),
    ])


def different(model: fc.Sequential) -> int:
    """Return how many different filters the first layer has."""
    filters = model.layers[0].get_weights()[0].reshape(-1, 16).T
    return len(np.unique(np.round(filters, 5), axis=0))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("initializations.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    x, y = np.asarray(data.x_train, "float32") / 16, data.y_train
    chance = float(np.bincount(y).max() / len(y))  # of who always says the most frequent class
    figure = Figure(figsize=(10.4, 3.9), layout="constrained")
    costs, bars = figure.subplots(1, 2, width_ratios=[1.7, 1])
    counts, learned = list[int](), dict[str, bool]()
    for way, color in zip(WAYS, COLORS, strict=True):
        fc.utils.set_random_seed(11)
        model = network(way)
        model.compile(fc.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
        first = model.evaluate(x, y)[0]
        history = model.fit(x, y, batch_size=32, epochs=given.epochs, verbose=0).history
        accuracy, counts = model.evaluate(x, y)[1], [*counts, different(model)]
        falls = next((k for k, cost in enumerate(history["loss"], 1) if cost < 1), None)
        print(f"{way:<25} {counts[-1]:>2} different filters; cost {first:5.2f} at the start, "
              f"{history['loss'][-1]:.3f} after {given.epochs} epochs, "
              f"{f'below 1 from epoch {falls} on' if falls else 'never below 1'}; {accuracy:.1%} right.")
        learned[way] = accuracy > 2 * chance
        costs.plot(range(given.epochs + 1), [first, *history["loss"]], color=color, lw=1.8,
                   ls="--" if way == "zeros" else "-", zorder=3 if way == "zeros" else 2,
                   label=f"{way}: {accuracy:.0%} right")
    lost = [way for way, does in learned.items() if not does]
    print(f"{len(lost)} of {len(WAYS)} are no better than always saying one class, {chance:.1%}: {', '.join(lost)}.")
    costs.set(yscale="log", xlabel="epoch", ylabel="cost (cross-entropy, nats)")
    costs.xaxis.get_major_locator().set_params(integer=True)
    costs.legend(frameon=False, fontsize=9)
    bars.barh(list(WAYS), counts, color=COLORS, height=0.6)
    bars.invert_yaxis()
    for row, count in enumerate(counts):
        bars.text(count + 0.3, row, str(count), va="center", fontsize=10)
    bars.set(xlim=(0, 18), xlabel="different filters of the first layer's 16")
    for axis in (costs, bars):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(given.out, dpi=90)
    print(given.out)


if __name__ == "__main__":
    main()
