"""A U-Net marks the nuclei of cells: every pixel of a microscope's image is one, or is none.

    python examples/unet_nuclei.py --data nuclei-dsb2018 --out unet.png

The functional form: the way down keeps what it saw at each scale, and the way up gets it back, to tell where. The
data is a folder with images/NNN.png, masks/NNN.png (0, or a nucleus's number) and index.csv (file and split); such as
the 256 x 256 fluorescence images of the 2018 Data Science Bowl (BBBC038, CC0). By default it is the folder
nuclei-dsb2018 of the folder that the environment variable FASTCNN_DATA names. The lines of `fit` tell the intersection
over union of the nuclei; the last ones that on the images that were held out, and the path of a picture. Two minutes.

Needs Pillow and matplotlib: pip install "fastcnn[image,plot]".

References
----------
Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015.
"""

import argparse
import csv
import os
import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

import fastcnn as fc
from fastcnn import layers, metrics, optimizers
from fastcnn.layers import Tensor

matplotlib.use("Agg")

BATCH = 16  # squares
SHOWN = 4  # of the picture


def read(folder: Path, split: str, count: int | None, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, size, size, 1) of mean 0 and deviation 1 each, and their masks of zeros and ones."""
    with (folder / "index.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["split"] == split][:count]
    x, y = (np.stack([np.asarray(Image.open(folder / kind / name)) for name in names]) for kind in ("images", "masks"))
    x, y = (tiles(a, size)[..., None].astype("float32") for a in (x, y > 0))
    deviation = np.maximum(x.std((1, 2, 3), keepdims=True), 1)  # some images are nearly black
    return (x - x.mean((1, 2, 3), keepdims=True)) / deviation, y


def tiles(a: np.ndarray, size: int) -> np.ndarray:
    """Return pictures (N, H, W) cut into squares (M, size, size)."""
    count, rows, columns = len(a), a.shape[1] // size, a.shape[2] // size
    a = a[:, :rows * size, :columns * size].reshape(count, rows, size, columns, size)
    return a.transpose(0, 1, 3, 2, 4).reshape(-1, size, size)


def two_convolutions(x: Tensor, filters: int) -> Tensor:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x


def unet(size: int, filters: int, depth: int) -> fc.Model:
    """Return a U-Net of images (size, size, 1) that halves them `depth` times; `filters` is for the first level."""
    x = inputs = fc.Input((size, size, 1))
    skips = []
    for level in range(depth):
        x = two_convolutions(x, filters << level)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = two_convolutions(x, filters << depth)
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(filters << level, 2, strides=2)(x)
        x = layers.Concatenate()([skips[level], x])
        x = two_convolutions(x, filters << level)
    return fc.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x), name="unet")


def draw_picture(x: np.ndarray, y: np.ndarray, probabilities: np.ndarray, out: Path) -> None:
    """Write the picture: images, what people marked, what the network says, and where the two differ."""
    from matplotlib import pyplot as plt

    found = probabilities >= 0.5
    figure, axes = plt.subplots(4, len(x), figsize=(2.6 * len(x) + 0.4, 10.6), layout="constrained", squeeze=False)
    for i in range(len(x)):
        low, high = np.quantile(x[i], (0.01, 0.998))
        differ = np.ones((*y.shape[1:3], 3))
        mask, guess = y[i, ..., 0] > 0, found[i, ..., 0]
        differ[mask & guess] = 0.75
        differ[guess & ~mask] = (0.84, 0.15, 0.16)
        differ[mask & ~guess] = (0.12, 0.47, 0.71)
        for axis, image, scale in zip(axes[:, i], (x[i, ..., 0], mask, probabilities[i, ..., 0], differ),
                                      ((low, high), (0, 1), (0, 1), (0, 1))):
            axis.imshow(image, cmap="gray", vmin=scale[0], vmax=scale[1], interpolation="nearest")
            axis.set(xticks=[], yticks=[])
        axes[3, i].set_xlabel(f"intersection over union {iou(mask, guess):.2f}", fontsize=9)
    for axis, title in zip(axes[:, 0], ("image", "mask", "probability", "too much (red), too little (blue)")):
        axis.set_ylabel(title, fontsize=10)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def iou(mask: np.ndarray, guess: np.ndarray) -> float:
    """Return the intersection over union of two sets of pixels; 1 if both are empty."""
    union = np.count_nonzero(mask | guess)
    return np.count_nonzero(mask & guess) / union if union else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FASTCNN_DATA", ".")) / "nuclei-dsb2018")
    parser.add_argument("--images", type=int, help="train on so many images (default: all)")
    parser.add_argument("--test-images", type=int, help="test on so many images (default: all)")
    parser.add_argument("--size", type=int, default=128, help="of the squares that images are cut into")
    parser.add_argument("--filters", type=int, default=8, help="of the first level (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("unet_nuclei.png"))
    given = parser.parse_args()
    if not (given.data / "index.csv").is_file():
        sys.exit(f"unet_nuclei.py: expected a folder with images, masks and index.csv, got {given.data}; "
                 f"name it with --data")
    fc.utils.set_random_seed(7)

    x_train, y_train = read(given.data, "train", given.images, given.size)
    x_test, y_test = read(given.data, "test", given.test_images, given.size)
    print(f"{len(x_train)} squares to train on, {len(x_test)} to test; {y_train.mean():.1%} of the pixels are nuclei")
    model = unet(given.size, given.filters, depth=3)
    model.summary()
    rate = optimizers.schedules.CosineDecay(4e-3, -(-len(x_train) // BATCH) * given.epochs)
    model.compile(optimizers.Adam(rate), loss="binary_crossentropy", metrics=[metrics.BinaryIoU([1], name="iou")])
    model.fit(x_train, y_train, batch_size=BATCH, epochs=given.epochs, validation_data=(x_test, y_test))

    probabilities = model.predict(x_test, batch_size=BATCH)
    masks, found = y_test > 0, probabilities >= 0.5
    busy = np.flatnonzero(masks.mean((1, 2, 3)) > 0.05)
    print(f"median of the squares with something to see: {np.median([iou(masks[i], found[i]) for i in busy]):.4f}")
    print(f"intersection over union on held-out images: {iou(masks, found):.4f}")
    some = busy[np.linspace(0, len(busy) - 1, SHOWN).astype(int)]
    draw_picture(x_test[some], y_test[some], probabilities[some], given.out)
    print(given.out)


if __name__ == "__main__":
    main()
