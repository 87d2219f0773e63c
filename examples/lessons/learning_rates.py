"""The learning-rate finder, and what becomes of its rate: kept, or let down in five ways.

    python examples/lessons/learning_rates.py

A rate that is too small wastes steps, and one that is too large diverges. `fc.lr_finder` raises it from step to step
and looks where the cost falls most steeply; nothing of that training is left. A high rate is good at the start, but
at the end it keeps weights jumping about the minimum. So all schedules begin with it and let it down: by 1 / (1 + k
epoch), by a factor each epoch, by 1 / sqrt(epoch), by a step, or along a cosine. The network is a softmax regression,
whose cost has one minimum, so that the script can tell how far above it each way ends. A tenth of the labels are
wrong: the gradients of a few images differ from those of all even there.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers
from fastcnn.optimizers import schedules

Array = NDArray[Any]

#: From the first rate and the epochs to a rate or schedule, which counts epochs.
WAYS: dict[str, tuple[Callable[[float, int], Any], str]] = {
    "kept": (lambda rate, epochs: rate, "#8a8a8a"),
    "1 / (1 + epoch / 2)": (lambda rate, epochs: schedules.ByEpoch(schedules.InverseTimeDecay(rate, 1, 0.5)),
                            "#c9a227"),
    "0.85^epoch": (lambda rate, epochs: schedules.ByEpoch(schedules.ExponentialDecay(rate, 1, 0.85)), "#7a4fa0"),
    "1 / sqrt(epoch)": (lambda rate, epochs: schedules.ByEpoch(schedules.InverseSquareRootDecay(rate, 1)), "#2e8b57"),
    "a tenth at half": (lambda rate, epochs: schedules.ByEpoch(schedules.PiecewiseConstantDecay(
        [epochs // 2 - 1], [rate, rate / 10])), "#c8501e"),
    "cosine": (lambda rate, epochs: schedules.ByEpoch(schedules.CosineDecay(rate, epochs)), "#1f6fb4"),
}


def network(rate: Any) -> fc.Sequential:
    """Return a softmax regression that begins alike each time."""
    fc.utils.set_random_seed(8)
    model = fc.Sequential([
        fc.Input((8, 8, 1)), layers.Flatten(),
        layers.Dense(10, activation="softmax", kernel_regularizer=fc.regularizers.L2(1e-3)),
    ])
    model.compile(fc.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def least_cost(x: Array, y: Array, steps: int) -> float:
    """Return the cost at the minimum: after many steps of all images, with the exact gradient."""
    model = network(0.5)
    model.fit(x, y, batch_size=len(x), epochs=steps, verbose=0)
    return float(model.evaluate(x, y, batch_size=len(x)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--exact", type=int, default=1500, help="steps of all images to the minimum (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("learning_rates.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    x, y = np.asarray(data.x_train, "float32") / 16, data.y_train.copy()
    wrong = np.arange(0, len(y), 10)
    y[wrong] = (y[wrong] + 1 + wrong % 9) % 10
    least = least_cost(x, y, given.exact)
    sweep = fc.lr_finder(network(0.01), x, y, batch_size=16, start=1e-4, end=10.0, steps=200)
    first = sweep.suggestion
    print(f"The cost falls most steeply at a rate of {first:.2g}; at {sweep.rates[-1]:.2g} it is "
          f"{sweep.smoothed[-1] / sweep.smoothed.min():.1f} times its least.")

    figure = Figure(figsize=(11.6, 3.7), layout="constrained")
    finder, rates, costs = figure.subplots(1, 3)
    finder.plot(sweep.rates, sweep.losses, color="0.75", lw=1, label="of each step")
    finder.plot(sweep.rates, sweep.smoothed, color="#1f6fb4", lw=1.8, label="smoothed")
    finder.axvline(first, color="#c8501e", lw=1.4, label=f"steepest: {first:.2g}")
    finder.set(xscale="log", ylim=(0, 2 * sweep.losses[0]), xlabel="learning rate", ylabel="cost (cross-entropy, nats)")
    finder.set_title("the finder", fontsize=11)
    last, epochs = {}, range(1, given.epochs + 1)
    for name, (make, color) in WAYS.items():
        model, used, above = network(make(first, given.epochs)), [], []
        for epoch in epochs:
            model.fit(x, y, batch_size=16, initial_epoch=epoch - 1, epochs=epoch, verbose=0)
            used.append(float(model.optimizer.learning_rate))
            above.append(model.evaluate(x, y, batch_size=256) - least)
        last[name] = above[-1]
        print(f"{name:<20} ends at a rate of {used[-1]:.2g}, and {above[-1]:.4f} above the least cost, {least:.4f}.")
        rates.plot(epochs, used, color=color, lw=1.6)
        costs.plot(epochs, np.maximum(above, 1e-5), color=color, lw=1.6, label=f"{name}: {above[-1]:.4f}")
    best = min(last, key=lambda name: last[name])
    print(f"Nearest to the minimum ends {best}, {last['kept'] / last[best]:.0f} times as near as a rate that is kept.")
    rates.set(yscale="log", xlabel="epoch", ylabel="learning rate")
    rates.set_title("six ways to go on from there", fontsize=11)
    costs.set(yscale="log", xlabel="epoch", ylabel="cost above the least (nats)")
    costs.set_title("how far above the minimum they are", fontsize=11)
    for axis in (finder, rates, costs):
        axis.spines[["top", "right"]].set_visible(False)
    finder.legend(frameon=False, fontsize=9, loc="upper left")
    costs.legend(frameon=False, fontsize=8.5, loc="lower left")
    figure.savefig(given.out, dpi=85)
    print(given.out)


if __name__ == "__main__":
    main()
