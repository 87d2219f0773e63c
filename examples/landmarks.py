"""Where the outermost points of a digit are: four landmarks as eight numbers (landmark detection).

    FASTCNN_DATA=../shared/data python examples/landmarks.py --out landmarks.png   three minutes of a core; needs pillow

A digit of MNIST lies somewhere on a canvas of 56 x 56, larger or smaller. A network tells where its ink ends: the
points furthest up, down, left and right. Its last layer has a map for each point, and the mean place of a map, each
pixel weighted by its softmax, is the answer, so that a point is found where it is and not remembered. The last line
tells the mean distance in pixels.
"""

import argparse
from pathlib import Path

import numpy as np

import fastcnn as fc
from fastcnn import layers, ops

SIDE = 56
NAMES = "up", "down", "left", "right"


def canvases(x: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return digits (n, 28, 28) on canvases (n, SIDE, SIDE, 1), each of its own size, at a place of its own."""
    found = np.zeros((len(x), SIDE, SIDE, 1), np.float32)
    sizes = draw.integers(24, 45, len(x))
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        scaled = np.asarray(ops.image.resize(x[rows, :, :, None], (int(size), int(size))))
        for row, digit in zip(rows, scaled, strict=True):
            top, left = draw.integers(0, SIDE - size + 1, 2)
            found[row, top:top + size, left:left + size] = digit
    return found


def landmarks(x: np.ndarray) -> np.ndarray:
    """Return the outermost points of ink (n, 4, 2), row and column, in pixels; of several the middle one."""
    points = np.zeros((len(x), 4, 2), np.float32)
    for k, image in enumerate(x[..., 0] > 0.5):
        rows, columns = np.nonzero(image)
        for at, (values, best) in enumerate(((rows, rows.min()), (rows, rows.max()),
                                             (columns, columns.min()), (columns, columns.max()))):
            there = values == best
            points[k, at] = rows[there].mean(), columns[there].mean()
    return points


def network() -> fc.Model:
    """Return a network from canvases to (4, 2) places in pixels."""
    x = inputs = fc.Input((SIDE, SIDE, 1))
    skip = None
    for filters, strides in ((16, 1), (24, 2), (32, 2), (48, 2), (48, 1)):
        x = layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        skip = x if filters == 24 else skip  # 28 x 28
    x = layers.UpSampling2D(4, interpolation="bilinear")(x)
    x = layers.Concatenate()([x, skip])
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Conv2D(32, 3, padding="same", use_bias=False)(x)))
    maps = layers.Conv2D(4, 3, padding="same")(x)
    half = SIDE // 2
    shares = layers.Softmax(axis=(1, 2))(maps)  # of a map, one in all
    places = np.arange(half, dtype=np.float32) * 2 + 0.5  # of its rows and columns, on the canvas
    rows = ops.sum(shares * places[:, None, None], axis=(1, 2))
    columns = ops.sum(shares * places[None, :, None], axis=(1, 2))
    return fc.Model(inputs, ops.stack([rows, columns], axis=-1))


def draw_points(x: np.ndarray, points: np.ndarray, path: Path) -> None:
    from PIL import Image, ImageDraw

    whole = Image.new("RGB", (4 * len(x) * SIDE, 4 * SIDE), "white")
    for k, (image, marks) in enumerate(zip(x, points, strict=True)):
        tile = Image.fromarray(255 - (image[..., 0].clip(0, 1) * 255).astype(np.uint8)).convert("RGB")
        whole.paste(tile.resize((4 * SIDE, 4 * SIDE)), (4 * k * SIDE, 0))
        pen = ImageDraw.Draw(whole)
        for row, column in marks.tolist():
            x0, y0 = 4 * (k * SIDE + column + 0.5), 4 * (row + 0.5)
            pen.ellipse((x0 - 5, y0 - 5, x0 + 5, y0 + 5), outline=(200, 40, 40), width=2)
    whole.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=16_000)
    parser.add_argument("--test-images", type=int, default=2_000)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    draw = np.random.default_rng(0)
    (x, _), (x_test, _) = fc.datasets.mnist.load_data()
    x, x_test = (canvases(one[:count].astype(np.float32) / 255, draw) for one, count in (
        (x, told.images), (x_test, told.test_images)))
    y, y_test = landmarks(x), landmarks(x_test)
    fc.utils.set_random_seed(1)
    model = network()
    steps = told.epochs * -(-len(x) // 64)
    model.compile(fc.optimizers.Adam(fc.optimizers.schedules.CosineDecay(3e-3, steps)), fc.losses.Huber(delta=2.0))
    model.fit(x, y, batch_size=64, epochs=told.epochs, verbose=2)
    found = model.predict(x_test, verbose=0)
    error = np.sqrt(((found - y_test) ** 2).sum(-1))
    print("mean error of " + ", ".join(f"{name} {one:.2f}" for name, one in zip(NAMES, error.mean(0), strict=True)))
    if told.out is not None:
        draw_points(x_test[:6], found[:6], told.out)
        print(told.out)
    print(f"mean error {error.mean():.3f} pixels, median {np.median(error):.3f}")


if __name__ == "__main__":
    main()
