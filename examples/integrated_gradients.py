"""Which pixels made a network say what it says: integrated gradients (Sundararajan, Taly and Yan, 2017).

    python examples/integrated_gradients.py                the built-in digits: trains for seconds
    python examples/integrated_gradients.py --steps 200    more points of the integral

The script of keras.io with `fc.gradients` in the place of TensorFlow's tape. The gradients of a class's score are
averaged over images between an empty one and the image, and multiplied by the image. So the numbers of all pixels sum
up to the difference of the two scores; the script ends with the largest error of that sum, which falls with the steps.
"""

import argparse

import numpy as np

import fastcnn as fc
from fastcnn import layers, ops

SHADES = " .:-=+*#%@"


def train(x: np.ndarray, y: np.ndarray, epochs: int) -> fc.Model:
    """Return a network of digits (8, 8, 1) that ends in scores."""
    fc.utils.set_random_seed(7)
    model = fc.Sequential([
        fc.Input((8, 8, 1)), layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(10)])
    model.compile("adam", fc.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    return model


def integrated_gradients(model: fc.Model, image: np.ndarray, label: int, steps: int) -> np.ndarray:
    """Return what each pixel of an image (H, W, C) adds to the score of a class, from an empty image on."""
    baseline = np.zeros_like(image)
    shares = (np.arange(steps, dtype=np.float32) + 0.5) / steps  # the middles of the pieces of the way
    way = baseline + shares[:, None, None, None] * (image - baseline)
    _, gradients = fc.gradients(lambda x: ops.sum(model(x)[:, label]), way)
    found: np.ndarray = (image - baseline) * gradients.mean(0)
    return found


def drawn(image: np.ndarray, parts: np.ndarray) -> str:
    """Return an image in ten shades, with the pixels that speak for the class and those that speak against it."""
    shades = (image[..., 0] * 9.99).astype(int)
    marks = np.where(parts > 0.1 * np.abs(parts).max(), "+", np.where(parts < -0.1 * np.abs(parts).max(), "-", " "))
    return "\n".join("".join(SHADES[k] * 2 for k in row) + "    " + " ".join(mark)
                     for row, mark in zip(shades, marks[..., 0], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--images", type=int, default=3)
    told = parser.parse_args()
    (x, y), (x_test, y_test) = fc.datasets.digits.load_data()
    x, x_test = (part[..., None].astype(np.float32) / 16 for part in (x, x_test))
    model = train(x, y, told.epochs)
    print(f"test accuracy {model.evaluate(x_test, y_test, return_dict=True)['accuracy']:.4f}")
    worst = 0.0
    for image, label in zip(x_test[:told.images], model.predict(x_test[:told.images]).argmax(1), strict=True):
        parts = integrated_gradients(model, image, int(label), told.steps)
        scores = model.predict(np.stack([np.zeros_like(image), image]))[:, label]
        print(f"\nread as {label}: its score is {scores[1]:.2f}, that of an empty image {scores[0]:.2f}\n")
        print(drawn(image, parts))
        worst = max(worst, abs(float(parts.sum() - (scores[1] - scores[0]))))
    print(f"\nlargest error of a sum {worst:.4f}")


if __name__ == "__main__":
    main()
