"""Training steps and prediction of whole networks."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .data import REPEAT, labels
from .kernel_calls import noted_kernel_calls

NETWORKS = ["lenet5", "convnet"]


@cache
def training_step(network: str) -> Callable[[], Any]:
    """Return one step on a batch of 128 (Adam), as `fit` takes it; ten were taken, so memory and kernels are there."""
    from fastcnn import applications, random, training

    random.set_random_seed(0)
    model = applications.by_name[network]()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    x, y = np.random.default_rng(2).random((128, 28, 28, 1), dtype=np.float32), labels(128, 10)
    model.train_on_batch(x, y)
    step = partial(training.train_step, model, x, y)
    for _ in range(10):
        step()
    return step


@cache
def _prediction(network: str) -> Callable[[], np.ndarray]:
    from fastcnn import applications

    model = applications.by_name[network]()
    call = partial(model.predict, np.random.default_rng(2).random((1, 28, 28, 1), dtype=np.float32))
    call()
    return call


class TrainingStep:
    """Forward, loss, backward, Adam: 128 images of 28x28."""

    params, param_names, repeat = [NETWORKS], ["network"], REPEAT

    def setup(self, network):
        self.step = training_step(network)

    def time_step(self, network):
        self.step()

    def track_launches(self, network):
        """Kernels called in a step: each is at most one launch of the threads, batch normalization two."""
        with noted_kernel_calls() as calls:
            self.step()
        return len(calls)

    track_launches.unit = "launches"


class Prediction:
    """From the call to the result."""

    params, param_names, repeat = [NETWORKS], ["network"], REPEAT

    def setup(self, network):
        self.predict = _prediction(network)

    def time_one_image(self, network):
        self.predict()
