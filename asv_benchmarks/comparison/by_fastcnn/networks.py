"""fastcnn's side of peers.py: networks. Imported in fastcnn's process alone."""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison.jobs import Job, batches, initial_weights
from asv_benchmarks.training import network


def _model(name: str, dropout: bool = True) -> Any:
    from fastcnn import layers

    model = network(name)
    if not dropout:
        for layer in model.layers:
            if isinstance(layer, layers.Dropout):
                layer.rate = 0.0
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    for parameter, numbers in zip(model.trainable_weights, initial_weights(name), strict=True):
        parameter.assign(numbers)
    return model


def training_step(of: str) -> Job:
    """Forward, loss as a number, backward, Adam; checked without dropout, whose random numbers differ."""
    from fastcnn import training

    data = batches(of)

    def check() -> dict[str, np.ndarray]:
        model = _model(of, dropout=False)
        return {"losses": np.array([model.train_on_batch(x, y) for x, y in data[:3]])}

    model, turn = _model(of), cycle(data)
    model.train_on_batch(*data[0])

    def run() -> float:
        x, y = next(turn)
        return float(training.train_step(model, training.Batch([x], [y], None)).losses[0].mean())

    return Job(check, run)


def prediction(of: str) -> Job:
    """From the call to the probabilities of one image."""
    model, x = _model(of), batches(of)[0][0][:1]
    return Job(lambda: {"probabilities": model.predict(x)}, lambda: model.predict(x))


def file_prediction(of: str) -> Job:
    """From the inputs of an ONNX file to its outputs, for one sample, by the backend."""
    from asv_benchmarks.onnx_files import file, sample
    from fastcnn.onnx import backend

    proto = file(of)
    run, inputs = backend.prepare(proto).run, sample(proto)
    run(inputs)  # a plan is made when a shape comes for the second time
    return Job(lambda: {f"output {k}": y for k, y in enumerate(run(inputs))}, lambda: run(inputs))
