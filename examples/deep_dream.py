"""What a network wants to see: an image changed along the gradient of a layer's activity, size by size (deep dream).

    python examples/deep_dream.py                               the built-in digits: trains for seconds
    python examples/deep_dream.py --image sky.jpg --out dream.png     begins with a picture; needs pillow

The script of keras.io with `fc.gradients` in the place of TensorFlow's tape. The picture is made small, and changed so
that a layer inside the network answers more to it. Then it is made larger, what the smaller size had lost is given
back, and it is changed again. The network is one of digits of 8 x 8; its convolutions go over pictures of any size. The
last line tells by how much the layer's activity has grown.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers, ops

OCTAVES, RATIO = 3, 1.4  # sizes, and how much larger each is than the one before
BORDER = 2  # pixels at the edges that do not count


def train(epochs: int) -> fc.Model:
    """Return the convolutions of a network that has learned digits."""
    fc.utils.set_random_seed(7)
    (x, y), _ = fc.datasets.digits.load_data()
    model = fc.Sequential([
        fc.Input((8, 8, 1)), layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu", name="seen"), layers.GlobalMaxPooling2D(),
        layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[..., None].astype(np.float32) / 16, y, batch_size=64, epochs=epochs, verbose=0)
    return fc.Model(model.input, model.get_layer("seen").output)


def activity(seen: fc.Model, image: np.ndarray, steps: int, rate: float) -> tuple[np.ndarray, float, float]:
    """Return an image (1, H, W, 1) after some steps along the gradient, and the layer's activity before and after."""
    features = seen.for_shape((None, *image.shape[1:]))  # the same filters, for this size

    def inner(x: Any) -> Any:
        return ops.mean(ops.square(features(x)[:, BORDER:-BORDER, BORDER:-BORDER]))

    first = float(inner(image)) if steps else 0.0
    for _ in range(steps):
        _, slope = fc.gradients(inner, image)
        image = image + rate * slope / max(1e-6, float(np.abs(slope).mean()))
    return image, first, float(inner(image))


def dream(seen: fc.Model, original: np.ndarray, steps: int, rate: float) -> tuple[np.ndarray, float]:
    """Return the changed image, and how many times as large the layer's activity is at its full size."""
    height, width = original.shape[1:3]
    sizes = [(int(height / RATIO**k), int(width / RATIO**k)) for k in reversed(range(OCTAVES))]
    small = ops.image.resize(original, sizes[0])
    image, growth = small, 1.0
    for size in sizes:
        there = ops.image.resize(original, size)
        lost = there - ops.image.resize(small, size)
        image, _, after = activity(seen, ops.image.resize(image, size) + lost, steps, rate)
        growth = after / max(1e-6, activity(seen, there, 0, rate)[2])
        small = there
    return image, growth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    if told.image is None:  # waves, for want of a picture
        rows, columns = np.mgrid[:told.size, :told.size] / 9.0
        original = (0.5 + 0.3 * np.sin(rows) * np.cos(columns + np.sin(rows / 3))).astype(np.float32)
    else:
        from PIL import Image

        original = np.asarray(Image.open(told.image).convert("L"), np.float32) / 255
    image, growth = dream(train(told.epochs), original[None, :, :, None], told.steps, told.rate)
    if told.out is not None:
        from PIL import Image

        Image.fromarray((255 * np.clip(image[0, :, :, 0], 0, 1)).astype(np.uint8)).save(told.out)
        print(told.out)
    print(f"activity times {growth:.2f}")


if __name__ == "__main__":
    main()
