"""Train a convolutional network on MNIST and print how many of the 10,000 test digits it reads: about 99 % in 3 epochs.

    python examples/mnist.py --epochs 3

The lines are those of Keras's documentation with its import lines changed. The data is read from the folder that the
environment variable FASTCNN_DATA names, or downloaded once (11 MB).
"""

import argparse

import fastcnn as fc
from fastcnn import layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=60_000, help="train on so many of the 60,000 (default: all)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another model (default: %(default)s)")
    given = parser.parse_args()
    fc.utils.set_random_seed(given.seed)

    (x_train, y_train), (x_test, y_test) = fc.datasets.mnist.load_data()  # Keras's shapes and types
    x_train, x_test = (x[..., None].astype("float32") / 255 for x in (x_train, x_test))
    x_train, y_train = x_train[:given.images], y_train[:given.images]

    model = fc.Sequential([
        fc.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=128, epochs=given.epochs, validation_split=0.1)

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=128)
    print(f"test loss {loss:.4f}")
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
