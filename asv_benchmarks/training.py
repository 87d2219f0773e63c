"""Training steps and prediction of whole networks."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .data import REPEAT, labels
from .kernel_calls import noted_kernel_calls

#: By name, with the shape of an image.
NETWORKS = {"lenet5": (28, 28, 1), "convnet": (28, 28, 1), "cifar": (32, 32, 3)}

#: Filters of the CIFAR network's convolutions, 3x3 with zeros around: each is followed by batch normalization and ReLU.
CIFAR_FILTERS = (32, 32, 64, 64, 128, 128)
#: After which of them (counted from 1) comes 2x2 max pooling; after the last comes global average pooling.
CIFAR_POOLED = (2, 4)


def network(name: str) -> Any:
    """Return a network that is not compiled."""
    from fastcnn import Sequential, applications, layers

    if name != "cifar":
        return applications.by_name[name]()
    chain: list[Any] = [layers.Input(NETWORKS[name])]
    for number, filters in enumerate(CIFAR_FILTERS, 1):
        chain += [layers.Conv2D(filters, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU()]
        if number in CIFAR_POOLED:
            chain.append(layers.MaxPooling2D(2))
    return Sequential([*chain, layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")], name=name)


@cache
def training_step(name: str) -> Callable[[], Any]:
    """Return one step on a batch of 128 (Adam), as `fit` takes it; ten were taken, so memory and kernels are there."""
    from fastcnn import random, training

    random.set_random_seed(0)
    model = network(name)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x, y = np.random.default_rng(2).random((128, *NETWORKS[name]), dtype=np.float32), labels(128, 10)
    model.train_on_batch(x, y)
    step = partial(training.train_step, model, training.Batch([x], [y], None))
    for _ in range(10):
        step()
    return step


@cache
def _prediction(name: str) -> Callable[[], np.ndarray]:
    model = network(name)
    call = partial(model.predict, np.random.default_rng(2).random((1, *NETWORKS[name]), dtype=np.float32))
    call()
    return call


class TrainingStep:
    """Forward, loss, backward, Adam: 128 images."""

    params, param_names, repeat = [list(NETWORKS)], ["network"], REPEAT

    def setup(self, network):
        self.step = training_step(network)

    def time_step(self, network):
        self.step()

    def track_launches(self, network):
        """Kernels called in a step, at most 25 in LeNet-5's: each is a launch of the threads, or two or three."""
        with noted_kernel_calls() as calls:
            self.step()
        return len(calls)

    track_launches.unit = "launches"


class Prediction:
    """From the call to the result."""

    params, param_names, repeat = [list(NETWORKS)], ["network"], REPEAT

    def setup(self, network):
        self.predict = _prediction(network)

    def time_one_image(self, network):
        self.predict()


class NetworkPrediction:
    """One image of 224 x 224 through a network with random weights."""

    params, param_names, repeat, timeout = [["MobileNetV2", "ResNet50"]], ["network"], REPEAT, 300

    def setup(self, network):
        from fastcnn import applications

        self.model = getattr(applications, network)(weights=None)
        self.x = np.random.default_rng(2).random((1, 224, 224, 3), dtype=np.float32)
        for _ in range(3):  # the second makes a plan
            self.model.predict(self.x)

    def time_one_image(self, network):
        self.model.predict(self.x)
