"""Transfer learning: features learned on five kinds of photographs tell five others apart, from ten of each.

    python examples/transfer_learning.py

A convnet learns aeroplanes, birds, cats, horses and trucks from the images that CIFAR-10 has of them. Its features are
frozen, and a new head learns cars, deer, dogs, frogs and ships, which they have never seen, from 50 images; then all of
it is tuned with a small learning rate. The same network from nothing is the comparison. It ends with the three
accuracies on 5,000 test images.

The data is read from the folder that the environment variable FASTCNN_DATA names (CIFAR-10's binary version, or
20,000 of its training images in train_20k.bin.xz with test_10k.bin.xz), or downloaded once (170 MB).
"""

import argparse

import numpy as np

import fastcnn as fc
from fastcnn import layers, optimizers
from fastcnn.datasets import cifar10

KNOWN = ("airplane", "bird", "cat", "horse", "truck")
NEW = ("automobile", "deer", "dog", "frog", "ship")


def make_features() -> fc.Sequential:
    """Return what sees: images (32, 32, 3) of values 0 to 255 to 128 numbers each."""
    features = fc.Sequential([fc.Input((32, 32, 3)), layers.Rescaling(1 / 127.5, offset=-1)], name="features")
    for filters in (32, 64, 128):
        features.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        # Trainings of a few hundred steps: its moving statistics must follow sooner than with the default of 0.99.
        features.add(layers.BatchNormalization(momentum=0.9))
        features.add(layers.ReLU())
        features.add(layers.MaxPooling2D(2) if filters < 128 else layers.GlobalAveragePooling2D())
    return features


def with_head(features: fc.Sequential, training: bool | None = None) -> fc.Model:
    """Return a model of five classes: the features, and a head that decides.

    With training=False the features' normalization keeps the statistics it has, also while the model is trained: a
    few images are no good estimate of them.
    """
    inputs = fc.Input((32, 32, 3))
    x = features(inputs, training=training)
    return fc.Model(inputs, layers.Dense(5, activation="softmax", name="head")(x))


def learn(model: fc.Model, x: np.ndarray, y: np.ndarray, epochs: int, learning_rate: float, batch_size: int,
          verbose: int = 0) -> None:
    """Train; compiled anew, because the optimizer then sees what is trainable now and forgets what it did before."""
    model.compile(optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=verbose)


def of_classes(x: np.ndarray, y: np.ndarray, names: tuple[str, ...], each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `each` images of each of some classes, mixed, with labels from 0 in the order of the names."""
    y = y.ravel()
    index = np.sort(np.concatenate([np.flatnonzero(y == cifar10.CLASSES.index(name))[:each] for name in names]))
    labels = np.array([names.index(cifar10.CLASSES[label]) for label in y[index]])
    return x[index], labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--known", type=int, default=5000, help="at most so many images of each known class")
    parser.add_argument("--new", type=int, default=10, help="images of each new class (default: %(default)s)")
    parser.add_argument("--test-images", type=int, default=1000, help="at most so many of each class")
    parser.add_argument("--epochs", type=int, default=8, help="on the known classes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    fc.utils.set_random_seed(given.seed)

    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    x_known, y_known = of_classes(x_train, y_train, KNOWN, given.known)
    x_new, y_new = of_classes(x_train, y_train, NEW, given.new)
    test_known, test_new = (of_classes(x_test, y_test, names, given.test_images) for names in (KNOWN, NEW))

    print(f"{len(x_known):,} images of {', '.join(KNOWN)}")
    features = make_features()
    teacher = with_head(features)
    learn(teacher, x_known, y_known, given.epochs, 1e-3, 64, verbose=2)
    learn(teacher, x_known, y_known, 1, 1e-4, 64, verbose=2)  # small steps at the end, for it to settle
    print(f"test accuracy {teacher.evaluate(*test_known, batch_size=250)[1]:.3f}\n")

    print(f"{len(x_new):,} images of {', '.join(NEW)}")
    features.trainable = False
    model = with_head(features, training=False)
    learned = sum(p.size for p in model.trainable_weights)
    print(f"the head alone learns: {learned:,} of {model.count_params():,} parameters", flush=True)
    learn(model, x_new, y_new, 100, 1e-2, 16)
    head_only = model.evaluate(*test_new, batch_size=250)[1]

    features.trainable = True
    learn(model, x_new, y_new, 30, 1e-4, 16)
    fine_tuned = model.evaluate(*test_new, batch_size=250)[1]

    scratch = with_head(make_features())
    learn(scratch, x_new, y_new, 130, 1e-3, 16)
    print(f"test accuracy from scratch {scratch.evaluate(*test_new, batch_size=250)[1]:.3f}")
    print(f"test accuracy of the head  {head_only:.3f}")
    print(f"test accuracy, fine-tuned  {fine_tuned:.3f}")


if __name__ == "__main__":
    main()
