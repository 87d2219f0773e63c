"""fastcnn's side of peers.py: a function for each kind of work. Imported in fastcnn's process alone."""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.peer_works import Job, batches, initial_weights, layer_arrays


def about() -> str:
    """Return versions and threads, in words."""
    import numba

    import fastcnn
    from fastcnn.kernels.cpu import _threads

    return (f"fastcnn {fastcnn.__version__} (Numba {numba.__version__}, {_threads.layer()}), "
            f"{numba.get_num_threads()} threads")


def _model(network: str, dropout: bool = True) -> Any:
    from fastcnn import applications, layers

    model = applications.by_name[network]()
    if not dropout:
        for layer in model.layers:
            if isinstance(layer, layers.Dropout):
                layer.rate = 0.0
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.set_weights(initial_weights(network))
    return model


def training_step(network: str) -> Job:
    """Forward, loss as a number, backward, Adam; checked without dropout, whose random numbers differ."""
    from fastcnn import training

    data = batches(network)

    def check() -> dict[str, np.ndarray]:
        model = _model(network, dropout=False)
        return {"losses": np.array([model.train_on_batch(x, y) for x, y in data[:3]])}

    model, turn = _model(network), cycle(data)
    model.train_on_batch(*data[0])

    def run() -> float:
        losses, _ = training.train_step(model, *next(turn))
        return float(losses.mean())

    return Job(check, run)


def prediction(network: str) -> Job:
    """From the call to the probabilities of one image."""
    model, x = _model(network), batches(network)[0][0][:1]
    return Job(lambda: {"probabilities": model.predict(x)}, lambda: model.predict(x))


def _layer(name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    from fastcnn import layers

    s, x, kernel, bias, dy = layer_arrays(name)
    layer = layers.Conv2D(s.filters, s.size, s.stride, s.padding, groups=s.groups)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return layer, x, dy


def convolution_forward(name: str) -> Job:
    """y; the weights are packed inside."""
    layer, x, _ = _layer(name)
    return Job(lambda: {"y": layer.predict(x)}, lambda: layer.predict(x))


def convolution_gradients(name: str) -> Job:
    """y, and the gradients of input, kernel and bias."""
    layer, x, dy = _layer(name)

    def run() -> np.ndarray:
        for parameter in layer.trainable_weights:
            parameter.zero_grad()
        return layer.forward(x)[1](dy)

    def check() -> dict[str, np.ndarray]:
        dx = run()
        kernel, bias = (parameter.grad for parameter in layer.trainable_weights)
        return {"dx": dx, "dkernel": kernel, "dbias": bias}

    return Job(check, run)
