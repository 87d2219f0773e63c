"""fastcnn's side of peers.py: training steps of networks that see. Imported in fastcnn's process alone."""

from itertools import cycle
from typing import Any

import numpy as np

from asv_benchmarks.comparison import seeing
from asv_benchmarks.comparison.jobs import Job


def yolo_step(of: str) -> Job:
    """Forward, boxes, objectness and classes as one number, backward, AdamW; `of` is the images of a batch."""
    return _job(_yolo, seeing.yolo_batches(int(of)))


def unet_step(of: str) -> Job:
    """Forward, cross-entropy of all pixels as a number, backward, Adam; `of` is the images of a batch."""
    return _job(_unet, seeing.unet_batches(int(of)))


def _yolo() -> Any:
    import fastcnn as fc
    from fastcnn.vision import detection

    cells = detection.YoloCells(seeing.YOLO_SIZE, seeing.YOLO_PRIORS, (seeing.YOLO_STRIDE,))
    model = detection.yolo(cells, seeing.YOLO_CLASSES, filters=seeing.YOLO_FILTERS)
    gains = {f"{part}_gain": gain for part, gain in seeing.YOLO_GAINS.items()}
    model.compile(fc.optimizers.AdamW(1e-3, weight_decay=0.01),
                  detection.YoloLoss(cells, ratio=seeing.YOLO_RATIO, **gains))
    return model


def _unet() -> Any:
    import fastcnn as fc

    model = fc.applications.UNet(input_shape=(seeing.UNET_SIZE, seeing.UNET_SIZE, 3), classes=seeing.UNET_CLASSES,
                                 filters=seeing.UNET_FILTERS, dropout=0.0)
    model.compile(fc.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model


def _given(model: Any) -> Any:
    """Give the model the numbers of `seeing.parameter`."""
    owners = [layer for layer in model.layers if layer.trainable_weights]
    for number, layer in enumerate(owners):
        for weight in layer.trainable_weights:
            weight.assign(seeing.parameter(number, weight.name, weight.shape))
    return model


def _job(make: Any, data: list[seeing.SeenBatch]) -> Job:
    from fastcnn import training

    def check() -> dict[str, np.ndarray]:
        model = _given(make())
        return {"losses": np.array([model.train_on_batch(*batch) for batch in data[:3]])}

    model, turn = _given(make()), cycle(data)
    model.train_on_batch(*data[0])

    def run() -> float:
        batch = next(turn)
        return float(training.train_step(model, training.Batch([batch.x], [batch.y], None)).losses[0].mean())

    return Job(check, run)
