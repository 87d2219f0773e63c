"""Digits that nobody wrote: two networks learn from one another, one to draw, one to tell drawings from real (DCGAN).

    FASTCNN_DATA=../shared/data python examples/dcgan_digits.py --out digits.png        MNIST; needs pillow
    python examples/dcgan_digits.py --dataset digits --epochs 20                        the digits of the package, 8 x 8

The generator makes pictures of random numbers by transposed convolutions; the discriminator sees them among real ones.
A step of training is written out in `train_step`: one for the discriminator, one for the generator, each with an
optimizer of its own. A third network, a classifier of real digits, judges at the end: of how many drawings it is sure,
and how often it takes them for each of the ten digits. After eight epochs of 20,000 images, some three and a half
minutes of a core, it was sure of 46 % of them, all ten digits among them; of real digits it is sure of 91 %.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers, losses, optimizers

CODES = 64  # random numbers that a picture is made of
SURE = 0.9  # probability from which the classifier is sure
DATA = {"mnist": fc.datasets.mnist, "digits": fc.datasets.digits}


def generator(side: int) -> fc.Model:
    """Return a network from random numbers (CODES,) to pictures (side, side, 1) from -1 to 1."""
    low = side // 4
    model = fc.Sequential([fc.Input((CODES,)), layers.Dense(low * low * 64, use_bias=False),
                           layers.Reshape((low, low, 64))], name="generator")
    for filters in (48, 24):
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Conv2D(1, 5, padding="same", activation="tanh"))
    return model


def discriminator(side: int) -> fc.Model:
    """Return a network from pictures to one number: above 0 where it takes one for real."""
    return fc.Sequential([fc.Input((side, side, 1)),
                          layers.Conv2D(32, 4, 2, "same"), layers.LeakyReLU(0.2), layers.Dropout(0.3),
                          layers.Conv2D(64, 4, 2, "same"), layers.LeakyReLU(0.2), layers.Dropout(0.3),
                          layers.Flatten(), layers.Dense(1)], name="discriminator")


class DCGAN(fc.Model):
    """Both networks, and what a step of training is.

    Parameters
    ----------
    side : int
        Of the pictures, a multiple of 4.
    seed : int
        Of the random numbers.
    """

    def __init__(self, side: int, seed: int) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(side), discriminator(side)
        self.draw = np.random.default_rng(seed)
        self.means = {name: fc.metrics.Mean(name=name) for name in ("discriminator", "generator")}
        self.entropy = losses.BinaryCrossentropy(from_logits=True)

    def compile(  # type: ignore[override]
            self, d_optimizer: optimizers.Optimizer, g_optimizer: optimizers.Optimizer) -> None:
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self) -> list[fc.metrics.Metric]:
        return list(self.means.values())

    def codes(self, count: int) -> np.ndarray:
        return self.draw.standard_normal((count, CODES)).astype(np.float32)

    def train_step(self, data: Any) -> dict[str, Any]:
        real, count = data, len(data)
        drawn = self.generator(self.codes(count), training=True)
        # Real ones are told as 0.9: a discriminator that is sure teaches nothing (Salimans et al., 2016, section 3.4).
        told = np.repeat([[0.9], [0.0]], count, axis=0).astype(np.float32)
        d_loss, slopes = fc.gradients(
            lambda x: self.entropy(told, self.discriminator(x, training=True)), np.concatenate([real, drawn]),
            self.discriminator.trainable_variables)
        self.d_optimizer.apply(slopes, self.discriminator.trainable_variables)

        wished = np.ones((count, 1), np.float32)
        g_loss, slopes = fc.gradients(
            lambda z: self.entropy(wished, self.discriminator(self.generator(z, training=True), training=True)),
            self.codes(count), self.generator.trainable_variables)
        self.g_optimizer.apply(slopes, self.generator.trainable_variables)
        for name, loss in (("discriminator", d_loss), ("generator", g_loss)):
            self.means[name].update_state(loss)
        return {name: mean.result() for name, mean in self.means.items()}


def classifier(x: np.ndarray, y: np.ndarray, epochs: int) -> fc.Model:
    """Return a network that was trained to tell which digit a picture shows."""
    model = fc.Sequential([fc.Input(x.shape[1:]), layers.Conv2D(16, 3, padding="same", activation="relu"),
                           layers.MaxPooling2D(2), layers.Conv2D(32, 3, padding="same", activation="relu"),
                           layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.3),
                           layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    return model


def write_sheet(images: np.ndarray, path: Path, scale: int) -> None:
    """Write pictures (n * n, side, side) from 0 to 1 as a square of them."""
    from fastcnn.vision.explanations import drawing

    across = int(len(images) ** 0.5)
    rows = images.reshape(across, across, *images.shape[1:3])
    whole = 255 - np.repeat(np.repeat(np.concatenate(np.concatenate(rows, 1), 1), scale, 0), scale, 1) * 255
    fc.datasets.rgb.write_picture(path, drawing.as_bytes(np.repeat(whole[..., None], 3, 2) / 255))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=DATA, default="mnist")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=20_000, help="learn from so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    (x, y), (x_test, y_test) = DATA[told.dataset].load_data()
    x, x_test = (one[..., None].astype(np.float32) / (255 if told.dataset == "mnist" else 16) for one in (x, x_test))
    x, y = x[: told.images], y[: told.images]

    fc.utils.set_random_seed(told.seed)
    gan = DCGAN(x.shape[1], told.seed)
    gan.compile(*(optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)))
    gan.fit(2 * x - 1, batch_size=64, epochs=told.epochs, verbose=2)

    drawn = (gan.generator.predict(np.random.default_rng(told.seed).standard_normal((1000, CODES)), verbose=0) + 1) / 2
    judge = classifier(x, y, 3 if told.dataset == "mnist" else 30)
    print(f"the judge is right about {judge.evaluate(x_test, y_test, verbose=0)[1]:.4f} of the test digits")
    for name, images in (("real digits", x_test[:1000]), ("drawn digits", drawn)):
        shares = judge.predict(images, verbose=0)
        sure = shares.max(1) > SURE
        found = np.bincount(shares[sure].argmax(1), minlength=10) / len(images)
        print(f"{name}: sure of {sure.mean():.3f}; " + " ".join(f"{k}: {share:.3f}" for k, share in enumerate(found)))
    if told.out is not None:
        write_sheet(drawn[:100, :, :, 0], told.out, 56 // x.shape[1])
        print(told.out)
    print(f"of {len(drawn)} drawings the judge is sure of {sure.mean():.3f}; {(found >= 0.02).sum()} of the ten digits "
          f"are among them")


if __name__ == "__main__":
    main()
