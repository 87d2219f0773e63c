"""fastcnn's side: predictions and training steps of published networks. Imported in fastcnn's process alone."""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison.jobs import Job, published_batches
from asv_benchmarks.comparison.published import built, images, parted


def network_prediction(of: str) -> Job:
    """From an array (N, H, W, 3) to the probabilities."""
    return published_prediction(of)


def published_prediction(of: str, **given: Any) -> Job:
    """As `network_prediction`, with further arguments of ``predict``."""
    name, batch = parted(of)
    model, x = built(name), images(name, batch)

    def run() -> np.ndarray:
        return model.predict(x, batch_size=batch, **given)

    run()  # a plan is made when a shape comes for the second time
    return Job(lambda: {"probabilities": run()}, run)


def published_step(of: str) -> Job:
    """Forward, cross-entropy as a number, backward, SGD with momentum."""
    import fastcnn as fc
    from fastcnn import training

    name, batch = parted(of)
    data = published_batches(name, batch)

    def compiled() -> Any:
        model = built(name)
        model.compile(fc.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
        return model

    def check() -> dict[str, np.ndarray]:
        model = compiled()
        return {"losses": np.array([model.train_on_batch(x, y) for x, y in data[:3]])}

    model, turn = compiled(), cycle(data)
    model.train_on_batch(*data[0])

    def run() -> float:
        x, y = next(turn)
        return float(training.train_step(model, training.Batch([x], [y], None)).losses[0].mean())

    return Job(check, run)
