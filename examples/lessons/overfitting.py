"""A network that learns 300 images by heart, and what L2, dropout, early stopping and augmentation do about it.

    python examples/lessons/overfitting.py

A fifth of the training labels are wrong, as some are in every data set that people have labelled. A network first
learns what most images have in common, and then each by heart, the wrong ones too: the cost of the training images
falls to nothing while that of others rises. L2 keeps weights small, dropout keeps units from relying on one another,
augmentation shows another picture each time, and early stopping takes the weights of the best epoch. Both costs are
measured alike, as in prediction: without dropout, augmentation or penalties.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import callbacks, layers

Array = NDArray[Any]

BLUE, ORANGE = "#1f6fb4", "#c8501e"
WAYS = ("nothing", "L2", "dropout", "early stopping", "augmentation")


def network(way: str) -> fc.Sequential:
    """Return the same network, with one thing against overfitting."""
    penalty = "l2" if way == "L2" else None
    change = [layers.RandomRotation(0.04), layers.RandomTranslation(0.12, 0.12)] if way == "augmentation" else []
    drop = [[layers.Dropout(0.5)] if way == "dropout" else [] for _ in range(2)]
    model = fc.Sequential([
        fc.Input((8, 8, 1)), *change,
        layers.Conv2D(32, 3, activation="relu", kernel_regularizer=penalty),
        layers.Flatten(), *drop[0],
        layers.Dense(128, activation="relu", kernel_regularizer=penalty), *drop[1],
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(fc.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class BothCosts(callbacks.Callback):
    """Measures the cost of training and of other images after each epoch, without penalties."""

    def __init__(self, *parts: tuple[Array, Array]) -> None:
        self.parts = parts
        self.costs: list[list[float]] = [[] for _ in parts]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for (x, y), costs in zip(self.parts, self.costs, strict=True):
            costs.append(fc.losses.get("sparse_categorical_crossentropy")(y, self.model.predict(x, batch_size=256)))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=300, help="to train on (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--out", type=Path, default=Path("overfitting.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    order = np.random.default_rng(2).permutation(len(data.x_train))
    x, y = np.asarray(data.x_train, "float32")[order] / 16, data.y_train[order]
    wrong = np.arange(0, given.images, 5)
    y[wrong] = (y[wrong] + 1 + wrong % 9) % 10
    train, dev = (x[:given.images], y[:given.images]), (x[given.images:], y[given.images:])
    figure = Figure(figsize=(12.4, 3.3), layout="constrained")
    axes = figure.subplots(1, len(WAYS), sharey=True)
    for axis, way in zip(axes, WAYS, strict=True):
        fc.utils.set_random_seed(6)
        model, both = network(way), BothCosts(train, dev)
        stop = [callbacks.EarlyStopping("val_loss", patience=10, restore_best_weights=True)] if (
            way == "early stopping") else []
        model.fit(*train, batch_size=32, epochs=given.epochs, verbose=0, callbacks=[both, *stop],
                  validation_data=dev if stop else None)
        costs = [fc.losses.get("sparse_categorical_crossentropy")(t, model.predict(p)) for p, t in (train, dev)]
        errors = [1 - model.evaluate(*part, batch_size=256)[1] for part in (train, dev)]
        print(f"{way:<15} cost {costs[0]:.4f} of the {given.images} training images, {costs[1]:.3f} of {len(dev[0]):,} "
              f"others, whose least was {min(both.costs[1]):.3f} in epoch {1 + int(np.argmin(both.costs[1]))}; errors "
              f"{errors[0]:.1%} and {errors[1]:.1%}.")
        for found, color, name in zip(both.costs, (BLUE, ORANGE), ("training images", "others"), strict=True):
            axis.plot(range(1, len(found) + 1), found, color=color, lw=1.6, label=name)
        best = int(np.argmin(both.costs[1]))
        axis.plot(best + 1, both.costs[1][best], "o", color=ORANGE, ms=5)
        axis.set(ylim=(0, 3), xlim=(0, given.epochs), xlabel="epoch")
        axis.set_title(f"{way}\n{errors[1]:.1%} of others wrong", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("cost (cross-entropy, nats)")
    axes[0].legend(frameon=False, fontsize=9, loc="upper right")
    figure.savefig(given.out, dpi=90)
    print(given.out)


if __name__ == "__main__":
    main()
