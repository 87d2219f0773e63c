"""A network that has seen ImageNet learns ten classes from ten pictures of each: SqueezeNet 1.1 and CIFAR-10.

    python examples/transfer_few_pictures.py --weights squeezenet1.1.safetensors

The network of others is kept as it is, but for its last layer, which gives way to a new one for ten classes. What it
sees in a picture is computed once, and the new layer is trained on that, in less than a second. Beside it the same
pictures are learned from nothing: by a small convolutional network, and for the first seed by SqueezeNet itself. Each
seed draws other pictures. The last line is by how much transfer is better, on 2,000 test images.

The weights are those of the ONNX model zoo as .safetensors; without --weights they are looked for as
squeezenet1.1.safetensors in the folder that the environment variable FASTCNN_DATA names, which CIFAR-10 is read from,
too, if it is there. Else CIFAR-10 is downloaded once (170 MB).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastcnn as fc
from fastcnn import layers, optimizers
from fastcnn.datasets import cifar10
from fastcnn.vision.style import feature_network

# Of ImageNet's pixels from 0 to 1: what the network was trained on.
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def enlarged(side: int) -> Any:
    """Return images (32, 32, 3) of values 0 to 255 as the network wants them."""
    x = layers.Resizing(side, side, interpolation="bicubic")(fc.Input((32, 32, 3)))
    return layers.Rescaling((1 / (255 * STD)).tolist(), (-MEAN / STD).tolist())(x)


def of_others(side: int, weights: list[np.ndarray]) -> fc.Model:
    """Return SqueezeNet 1.1 as it was trained, for a thousand classes."""
    model = fc.applications.SqueezeNet(version="1.1", input_tensor=enlarged(side))
    model.set_weights(weights)
    return model


def untrained(side: int) -> fc.Model:
    """Return SqueezeNet 1.1 for ten classes, which knows nothing."""
    features = fc.applications.SqueezeNet(False, version="1.1", input_tensor=enlarged(side), pooling="avg")
    return fc.Model(features.inputs, layers.Dense(10, activation="softmax")(features.outputs[0]))


def transferred(model: fc.Model, x: np.ndarray, y: np.ndarray, epochs: int) -> fc.Model:
    """Return a model of ten classes whose last layer was trained, on what all others see."""
    model = fc.models.replace_head(model, classes=10)
    for layer in model.layers:
        layer.trainable = layer.name == "head"
    frozen, rest = fc.models.split_frozen(model)  # they share their layers with the model
    rest.compile(optimizers.AdamW(1e-3, weight_decay=0.05), "sparse_categorical_crossentropy")
    rest.fit(frozen.predict(x), y, batch_size=20, epochs=epochs, verbose=0)
    return model


def from_nothing(model: fc.Model, x: np.ndarray, y: np.ndarray, epochs: int, rate: float) -> fc.Model:
    """Return a model, trained."""
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=20, epochs=epochs, verbose=0)
    return model


def small_network() -> fc.Model:
    """Return a network of the size that so few pictures can teach at all."""
    inputs = fc.Input((32, 32, 3))
    features = fc.applications.by_name["convnet"](input_shape=(32, 32, 3), classes=10)
    return fc.Model(inputs, features(layers.Rescaling(1 / 255)(inputs)))


def some(y: np.ndarray, each: int, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of `each` pictures of each class."""
    return np.concatenate([rng.choice(np.flatnonzero(y == label), each, replace=False) for label in range(10)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--each", type=int, default=10, help="pictures of each class (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="how many times pictures are drawn (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=60, help="of each training (default: %(default)s)")
    parser.add_argument("--test-images", type=int, default=2000)
    parser.add_argument("--side", type=int, default=96, help="pixels to enlarge pictures to (default: %(default)s)")
    told = parser.parse_args()

    weights = feature_network("squeezenet1.1", told.weights).model.get_weights()
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    y_train, y_test = y_train.ravel(), y_test.ravel()
    x_test, y_test = x_test[: told.test_images], y_test[: told.test_images]

    def accuracy(model: fc.Model) -> float:
        return float((model.predict(x_test, batch_size=100).argmax(axis=1) == y_test).mean())

    margins = []
    for seed in range(told.seeds):
        fc.utils.set_random_seed(seed)
        chosen = some(y_train, told.each, np.random.default_rng(seed))
        x, y = x_train[chosen], y_train[chosen]
        transfer = accuracy(transferred(of_others(told.side, weights), x, y, told.epochs))
        small = accuracy(from_nothing(small_network(), x, y, told.epochs, 1e-3))
        line = f"seed {seed}: {told.each} pictures a class: transfer {transfer:.3f}, from nothing {small:.3f}"
        if seed == 0:
            same = from_nothing(untrained(told.side), x, y, told.epochs, 5e-4)
            line += f" (SqueezeNet itself {accuracy(same):.3f})"
        print(line, flush=True)
        margins.append(100 * (transfer - small))
    print(f"transfer is better by {np.mean(margins):.1f} points of accuracy ({min(margins):.1f} to {max(margins):.1f})")


if __name__ == "__main__":
    main()
