"""Batch normalization widens the range of learning rates at which a network learns.

    python examples/lessons/batch_normalization.py

The same convolutional network, without and with batch normalization, is trained for some epochs at rates from a ten-
thousandth to ten. Without it the network learns in a narrow range, too slowly below it, and above it not at all. With
it the size of weights no longer matters to what a layer returns: signals and gradients keep their size from layer to
layer, so that small rates are enough, and where a large step makes weights large, the next ones turn them less (Ioffe
and Szegedy, 2015; Santurkar et al., 2018). The script counts over how many powers of ten of the rate each reads 90 %
of images that it has not seen.

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

GOOD = 0.9
KINDS = {"without": ("#c8501e", "s"), "with batch normalization": ("#1f6fb4", "o")}


def network(normalized: bool) -> fc.Sequential:
    """Return a network of four layers; a normalization comes before each ReLU."""
    found: list[Any] = [fc.Input((8, 8, 1))]
    for filters in (16, 16, 32):
        found.append(layers.Conv2D(filters, 3, padding="same", use_bias=not normalized))
        # Its averages follow in a training of some hundred steps, as those of 0.99 do not.
        found += [layers.BatchNormalization(momentum=0.9), layers.ReLU()] if normalized else [layers.ReLU()]
    return fc.Sequential([*found, layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10, activation="softmax")])


def accuracy(normalized: bool, rate: float, data: Any, epochs: int) -> float:
    """Return the accuracy on test images after some epochs at a rate."""
    fc.utils.set_random_seed(12)
    model = network(normalized)
    model.compile(fc.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.asarray(data.x_train, "float32") / 16, data.y_train, batch_size=32, epochs=epochs, verbose=0)
    return float(model.evaluate(np.asarray(data.x_test, "float32") / 16, data.y_test, batch_size=256)[1])


def decades(rates: Array, found: Array) -> float:
    """Return over how many powers of ten the accuracy is good, between rates by straight lines."""
    fine = np.linspace(np.log10(rates[0]), np.log10(rates[-1]), 2001)
    good = np.interp(fine, np.log10(rates), found) >= GOOD
    return float(good.mean() * (fine[-1] - fine[0]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rates", type=int, default=16, help="so many of them (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("batch_normalization.png"))
    given = parser.parse_args(arguments)
    from matplotlib.figure import Figure

    data = fc.datasets.load("digits")
    rates = np.geomspace(1e-4, 10, given.rates)
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    axis = figure.subplots()
    wide = {}
    for kind, (color, marker) in KINDS.items():
        found = np.array([accuracy(kind != "without", rate, data, given.epochs) for rate in rates])
        wide[kind] = decades(rates, found)
        good = rates[found >= GOOD]
        between = f"from {good[0]:.2g} to {good[-1]:.2g}" if len(good) else "nowhere"
        print(f"{kind:<25} at least {GOOD:.0%} of new images are read at rates {between}, over {wide[kind]:.1f} powers "
              f"of ten; the best rate is {rates[found.argmax()]:.2g}, with {found.max():.1%}.")
        axis.plot(rates, found, color=color, lw=1.8, marker=marker, ms=5,
                  label=f"{kind}: {wide[kind]:.1f} powers of ten")
        axis.fill_between(rates, found, GOOD, where=found >= GOOD, interpolate=True, color=color, alpha=0.15)
    first, second = wide.values()
    print(f"Batch normalization widens the range by {second - first:.1f} powers of ten.")
    axis.axhline(GOOD, color="0.6", lw=0.8, ls=":")
    axis.set(xscale="log", ylim=(0, 1.02), xlabel="learning rate",
             ylabel=f"test images read after {given.epochs} epochs")
    axis.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=9.5, loc="outside lower center", ncols=2)
    axis.set_title(f"range of rates at which {GOOD:.0%} are read", fontsize=11)
    figure.savefig(given.out, dpi=95)
    print(given.out)


if __name__ == "__main__":
    main()
