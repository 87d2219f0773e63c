"""Edge filters made by hand, vertical, horizontal, Sobel's and Scharr's, beside the first layer that a network learns.

    python examples/lessons/edge_filters.py                      the built-in digits: trains for seconds
    python examples/lessons/edge_filters.py --dataset mnist

Before networks learned their filters people made them. A vertical edge is what is bright on the right and dark on the
left, so a filter for it has positive weights on the right and negative ones on the left. Sobel's and Scharr's also
average along the edge, which takes out noise. The script sets these as the weights of a convolution, trains a network
on the same images, and measures how much of its filters' energy lies in edges of any direction. Of random filters it
would be 2 / 9, since edges are two of the nine dimensions that 3x3 weights have.

Needs matplotlib: pip install "fastcnn[plot]".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import fastcnn as fc
from fastcnn import layers

Array = NDArray[np.float64]

ACROSS = np.array([-1.0, 0.0, 1.0])
MADE = {
    "vertical": np.outer([1, 1, 1], ACROSS),
    "horizontal": np.outer(ACROSS, [1, 1, 1]),
    "Sobel, x": np.outer([1, 2, 1], ACROSS),
    "Sobel, y": np.outer(ACROSS, [1, 2, 1]),
    "Scharr, x": np.outer([3, 10, 3], ACROSS),
    "Scharr, y": np.outer(ACROSS, [3, 10, 3]),
}  # fmt: skip
LEARNED = 16
SHOWN = 7  # of these, from the most to the least of an edge filter


def edge_share(kernel: Array) -> float:
    """Return how much of a filter's energy lies in Sobel's two filters, that is in edges of any direction."""
    directions = [MADE[name].ravel() / np.linalg.norm(MADE[name]) for name in ("Sobel, x", "Sobel, y")]
    return float(sum((kernel.ravel() @ one) ** 2 for one in directions) / (kernel.ravel() @ kernel.ravel()))


def learn(x: Array, y: Array, epochs: int) -> tuple[Array, Array]:
    """Return the first filters of a network before and after it was trained, (3, 3, LEARNED)."""
    fc.utils.set_random_seed(7)
    first = layers.Conv2D(LEARNED, 3, activation="relu")
    model = fc.Sequential([
        fc.Input(x.shape[1:]), first, layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(fc.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = first.get_weights()[0][:, :, 0]
    history = model.fit(x, y, batch_size=32, epochs=epochs, verbose=0).history
    print(f"A network with {LEARNED} filters of 3x3 reads {history['accuracy'][-1]:.1%} of its training images.")
    return before.astype("float64"), first.get_weights()[0][:, :, 0].astype("float64")


def maps_of(kernels: Sequence[Array], images: Array) -> Array:
    """Return what filters see in images: a convolution with these weights."""
    layer = layers.Conv2D(len(kernels), 3, padding="same", use_bias=False)
    layer.build((None, *images.shape[1:]))
    layer.set_weights([np.stack([k / np.abs(k).sum() for k in kernels], -1)[:, :, None]])
    return np.asarray(layer.predict(images.astype("float32")))


def draw(kernels: dict[str, Array], images: Array, out: Path) -> None:
    """Write the picture: filters in the first row, and what they see in each image below."""
    from matplotlib.figure import Figure

    maps = maps_of(list(kernels.values()), images)
    gap = len(MADE) + 1  # an empty column between both kinds
    places = [column for column in range(1, len(kernels) + 2) if column != gap]
    widths = [0.3 if column == gap else 1.0 for column in range(len(kernels) + 2)]
    figure = Figure(figsize=(0.92 * sum(widths) + 0.4, 0.95 * (len(images) + 1) + 0.75))
    axes = figure.subplots(len(images) + 1, len(widths), width_ratios=widths,
                           gridspec_kw={"wspace": 0.08, "hspace": 0.08})
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=1 - 0.72 / figure.get_figheight())
    for axis in axes.flat:
        axis.set_axis_off()
    for at, (column, (name, kernel)) in enumerate(zip(places, kernels.items(), strict=True)):
        most = np.abs(kernel).max()
        axes[0, column].imshow(kernel, cmap="RdBu_r", vmin=-most, vmax=most)
        axes[0, column].set_title(name, fontsize=8.5, color="0.3", pad=3)
        for row in range(len(images)):
            seen = maps[row, :, :, at]
            axes[row + 1, column].imshow(seen, cmap="RdBu_r", vmin=-np.abs(seen).max(), vmax=np.abs(seen).max())
    for row, image in enumerate(images):
        axes[row + 1, 0].imshow(image[:, :, 0], cmap="gray", vmin=0, vmax=1)
    for first, last, text in ((1, gap - 1, "made by hand"),
                              (gap + 1, places[-1], "learned, and how much of their energy is in edges")):
        x = (axes[0, first].get_position().x0 + axes[0, last].get_position().x1) / 2
        figure.text(x, 1 - 0.3 / figure.get_figheight(), text, fontsize=11, ha="center")
    figure.savefig(out, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=("digits", "mnist", "fashion_mnist"), default="digits")
    parser.add_argument("--epochs", type=int, help="default: 60 for the digits, else 2")
    parser.add_argument("--out", type=Path, default=Path("edge_filters.png"))
    given = parser.parse_args(arguments)
    data = fc.datasets.load(given.dataset)
    x, test = (np.asarray(part, "float32") / np.float32(data.scale) for part in (data.x_train, data.x_test))
    before, after = learn(x, data.y_train, given.epochs or (60 if given.dataset == "digits" else 2))
    shares = [edge_share(after[:, :, k]) for k in range(LEARNED)]
    ranked = sorted(range(LEARNED), key=lambda k: -shares[k])
    start = np.mean([edge_share(before[:, :, k]) for k in range(LEARNED)])
    print(f"Of the energy of its filters {np.mean(shares):.0%} is in edges, {start:.0%} before training; the most is "
          f"{max(shares):.0%}, and {sum(share > 0.5 for share in shares)} of {LEARNED} are edge filters for the most "
          f"part.")
    images = np.stack([test[np.flatnonzero(data.y_test == label)[0]] for label in (0, 1, 4)])
    shown = [ranked[round(k)] for k in np.linspace(0, LEARNED - 1, SHOWN)]
    draw(MADE | {f"{shares[k]:.1%}": after[:, :, k] for k in shown}, images, given.out)
    print(given.out)


if __name__ == "__main__":
    main()
