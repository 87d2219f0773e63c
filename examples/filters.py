"""What the first layer of a network has learned: a picture of its filters and of what they see in some test images.

    python examples/filters.py                                   the built-in digits: trains for seconds, no network
    python examples/filters.py --dataset mnist --out mnist.png   LeNet-5 on MNIST, two epochs
    python examples/filters.py --dataset mnist --run runs/NAME   a network that `fastcnn train` has saved

Needs matplotlib: pip install "fastcnn[plot]". A filter's red pixels ask for ink, its blue ones for the absence of it; a
map is bright (or red, where it may be negative) at the places where its filter finds what it asks for. The last line
printed is the picture's path.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import applications, layers
from fastcnn.datasets import Dataset
from fastcnn.models import Sequential

NETWORKS = {"digits": applications.LeNet, "mnist": applications.LeNet5, "fashion_mnist": applications.LeNet5}
SHOWN = 5  # images
MOST = 16  # filters


def train(data: Dataset, epochs: int) -> Sequential:
    """Return a network of the data set's size, trained for some epochs."""
    fc.utils.set_random_seed(7)
    model = NETWORKS[data.name](data.x_train.shape[1:], len(data.classes))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(data.x_train / np.float32(data.scale), data.y_train, batch_size=64, epochs=epochs)
    _, accuracy = model.evaluate(data.x_test / np.float32(data.scale), data.y_test, batch_size=128)
    print(f"test accuracy {accuracy:.4f}")
    return model


def load(run: Path) -> fc.Model:
    """Return the network of a run's folder or of a file."""
    return fc.saving.load_model(run / "model.safetensors" if run.is_dir() else run)


def first_maps(model: fc.Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the filters (KH, KW, C, K) of the first convolution, and its output for x (N, H, W, K)."""
    for layer in model.layers:
        x = layer.predict(x)
        if isinstance(layer, layers.Conv2D):
            return layer.get_weights()[0], x
    raise SystemExit(f"filters.py: expected a network with a Conv2D layer, got {model}")


def draw(model: fc.Model, data: Dataset, out: Path) -> None:
    """Write the picture: filters in the first row, then an image in each row with its maps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    labels = np.linspace(0, len(data.classes) - 1, SHOWN).round().astype(int)
    x = data.x_test[[int(np.argmax(data.y_test == label)) for label in labels]] / np.float32(data.scale)
    probabilities = model.predict(x)
    filters, maps = first_maps(model, x)
    shown = min(MOST, filters.shape[-1])

    width, height = 0.85 * shown + 2.25, 0.85 * SHOWN + 1.65  # inches
    figure = plt.figure(figsize=(width, height))
    grid = figure.add_gridspec(SHOWN + 1, shown + 1, left=1.15 / width, right=1 - 0.1 / width, bottom=0.1 / height,
                               top=1 - 0.7 / height, wspace=0.08, hspace=0.08)

    def show(row: int, column: int, image: np.ndarray, **scale: Any) -> Any:
        axis = figure.add_subplot(grid[row, column], xticks=[], yticks=[])
        axis.imshow(image, **scale)
        axis.spines[:].set_visible(False)
        return axis

    strongest = np.abs(filters).max()
    for k in range(shown):
        one = filters[..., k]
        picture = one[..., 0] if one.shape[-1] == 1 else 0.5 + 0.5 * one[..., :3] / np.abs(one).max()
        axis = show(0, k + 1, picture, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
        axis.set_title(k + 1, fontsize=9, color="0.35", pad=4)
    for row, label in enumerate(labels):
        axis = show(row + 1, 0, x[row].squeeze(-1) if x.shape[-1] == 1 else x[row], cmap="gray", vmin=0, vmax=1)
        best = int(probabilities[row].argmax())
        axis.text(-0.08, 0.5, f"{data.classes[label]}\nread as {data.classes[best]}\n{probabilities[row, best]:.0%}",
                  fontsize=9, color="0.15" if best == label else "firebrick", ha="right", va="center",
                  transform=axis.transAxes)
        for k in range(shown):
            # A filter's maps share their colours. With a ReLU black is nothing; with tanh white is, and blue is less.
            most = max(1e-6, float(np.abs(maps[..., k]).max()))
            colours = {"cmap": "RdBu_r", "vmin": -most} if maps.min() < 0 else {"cmap": "magma", "vmin": 0}
            show(row + 1, k + 1, maps[row, ..., k], vmax=most, **colours)
    left_out = "" if shown == filters.shape[-1] else f", {shown} of them"
    figure.suptitle(f"{model.name} on {data.name}: the {filters.shape[0]}x{filters.shape[1]} filters of the first layer"
                    f"{left_out}, and what they see", fontsize=12, y=1 - 0.22 / height)
    figure.savefig(out, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=NETWORKS, default="digits")
    parser.add_argument("--epochs", type=int, help="default: 40 for the digits, else 2")
    parser.add_argument("--run", type=Path, help="a run's folder or a .safetensors file, instead of training")
    parser.add_argument("--out", type=Path, default=Path("filters.png"))
    given = parser.parse_args()
    data = fc.datasets.load(given.dataset)
    epochs = given.epochs or (40 if given.dataset == "digits" else 2)
    draw(load(given.run) if given.run else train(data, epochs), data, given.out)
    print(given.out)


if __name__ == "__main__":
    main()
