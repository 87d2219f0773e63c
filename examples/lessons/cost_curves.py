"""The cost curves of batch, mini-batch and stochastic gradient descent: one falls smoothly, the others by jumps.

    python examples/lessons/cost_curves.py

All three see each image once in an epoch. Batch descent takes one step with the exact gradient, mini-batch descent many
steps with gradients of 64 images, stochastic descent a step for every image. The cost that a step reports is that of
its own images, so it jumps, but steps are what learns. Mini-batches fill the vectors of a processor, as single images
do not: the script measures the CPU time of an epoch, too.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers

Array = NDArray[Any]

# By the images of a step, 0 for all of them: a name, and about the largest rate at which the cost falls steadily.
KINDS = {0: ("batch", 0.6), 64: ("mini-batch", 0.3), 1: ("stochastic", 0.01)}
COLORS = "#8a8a8a", "#1f6fb4", "#c8501e"


def descend(x: Array, y: Array, size: int, rate: float, epochs: int) -> tuple[Array, Array, float]:
    """Return the cost that each step reports, that of all images after each epoch, and the CPU seconds of an epoch."""
    fc.utils.set_random_seed(5)
    model = fc.Sequential([
        fc.Input(x.shape[1:]), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(fc.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    model.train_on_batch(x[:size], y[:size])  # compiles what is not compiled yet
    draw, steps, whole, seconds = np.random.default_rng(1), [], [model.evaluate(x, y, batch_size=256)], 0.0
    for _ in range(epochs):
        order = draw.permutation(len(x))
        start = time.process_time()
        for begin in range(0, len(x), size):
            picked = order[begin:begin + size]
            steps.append(model.train_on_batch(x[picked], y[picked]))
        seconds += time.process_time() - start
        whole.append(model.evaluate(x, y, batch_size=256))
    return np.array(steps), np.array(whole), seconds / epochs


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--images", type=int, default=1442, help="train on so many of the 1,442 (default: all)")
    parser.add_argument("--out", type=Path, default=Path("cost_curves.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    x, y = np.asarray(data.x_train, "float32") / 16, data.y_train
    picked = np.random.default_rng(0).permutation(len(x))[:given.images]
    x, y = x[picked], y[picked]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for axis, color, (size, (name, rate)) in zip(axes, COLORS, KINDS.items(), strict=True):
        size = size or len(x)
        steps, whole, seconds = descend(x, y, size, rate, given.epochs)
        rises = float((np.diff(steps) > 0).mean()) if len(steps) > 1 else 0.0
        print(f"{name:<10} {len(steps):>6} steps of {size:>4} images at rate {rate}: cost {whole[0]:.2f} to "
              f"{whole[-1]:.3f}, reported higher than before in {rises:.0%} of the steps, {1000 * seconds:.0f} ms of "
              f"CPU time an epoch.")
        at = np.arange(len(steps)) * given.epochs / len(steps)  # a step reports the cost before it
        axis.plot(at, steps, color=color, lw=0 if size == 1 else 1.2, marker="o", ms=1.2 if size == 1 else 2,
                  alpha=0.25 if size == 1 else 1, markeredgewidth=0, label="of a step's images")
        axis.plot(range(given.epochs + 1), whole, color="black", lw=1.6, label="of all images")
        axis.set(ylim=(-0.1, 3.5), xlabel="epoch")
        axis.set_title(f"{name}: {len(steps):,} steps of {size:,}", fontsize=11)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
        for handle in axis.legend(frameon=False, fontsize=9, loc="upper right").legend_handles:
            handle.set(alpha=1, markersize=5 if size == 1 and handle.get_marker() == "o" else 3)
    axes[0].set_ylabel("cost (cross-entropy, nats)")
    figure.savefig(given.out, dpi=90)
    print(given.out)


if __name__ == "__main__":
    main()
