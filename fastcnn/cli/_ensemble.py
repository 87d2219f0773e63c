"""Several runs at once: what each predicts, what all do, and what that costs; and all of them as one model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._decision import undecided
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._saved import Saved
from fastcnn.cli._task import told
from fastcnn.errors import ArgumentError

_CALLS = 30


def require_same_part(members: Sequence[Saved], dataset: str, part: str) -> None:
    """Raise unless no model was trained on images that another is measured on here.

    Raises
    ------
    ArgumentError
        Runs of one data set with other parts.
    """
    if part == "test":
        return
    splits = [one.split_of(dataset) for one in members]
    texts = [None if path is None else path.read_bytes() for path in splits]
    if len(set(texts)) > 1:
        raise ArgumentError(f"{members[0].path.parent} and others: expected runs with one split.csv, so that no model "
                            "was trained on what another is measured on, got several; train them with one --seed, or "
                            "evaluate --part test")


def outputs_of(console: Any, members: Sequence[Saved], images: Any, data: Any, task: Any,
               given: dict[str, Any]) -> NDArray[Any]:
    """Return the outputs of all models together, told of each before; write them as one model where that is asked."""
    from fastcnn.cli._data import standard_of
    from fastcnn.cli._views import mean_prediction

    if given["tta"] is not None and images.x.ndim != 4:
        raise ArgumentError("--tta: expected images, of which there are views, got features; leave it out")
    outputs = []
    for one in members:
        x = standard_of(one, Pixels.of(given), console.print).images(images.x, data.scale)
        predict = lambda some, model=one.model: model.predict(some, batch_size=given["batch_size"], verbose=0)
        outputs.append(mean_prediction(predict, x, given["tta"]))
        if len(members) > 1:
            figure, value = list(task.measure(outputs[-1], images.y).figures.items())[-1]
            console.print(f"alone  {one.path.parent}: {figure} {told(figure, value)}, {latency_ms([one]):.3f} ms an "
                          "image")
    if len(members) > 1:
        console.print(f"mean   of {len(members)}: {latency_ms(members):.3f} ms an image")
    if given["save"] is not None:
        console.print(f"saved  {save(members, given['save'])}")
    return outputs[0] if len(outputs) == 1 else np.asarray(np.mean(outputs, axis=0, dtype=np.float64), np.float32)


def latency_ms(members: Sequence[Saved]) -> float:
    """Return the time of the prediction of one image by all models, one after the other, milliseconds: a median."""
    inputs = [np.zeros((1, *one.model.input_shape[1:]), np.float32) for one in members]
    seconds = []
    for call in range(_CALLS + 5):
        began = time.perf_counter()
        for one, x in zip(members, inputs, strict=True):
            one.model.predict_on_batch(x)
        if call >= 5:  # the first ones are compiled and recorded
            seconds.append(time.perf_counter() - began)
    return float(np.median(seconds)) * 1e3


def save(members: Sequence[Saved], path: str) -> Path:
    """Write models as one, whose outputs are the means of theirs.

    Raises
    ------
    ArgumentError
        Models that take other pixels.
    """
    from fastcnn import layers
    from fastcnn.cli._data import Standard
    from fastcnn.formats.files import expanded
    from fastcnn.models import Model, ensemble
    from fastcnn.saving import save_model

    first, models = members[0], []
    wanted = Standard.saved_in(first.metadata)
    for k, one in enumerate(members, 1):
        if one.metadata.get("scale") != first.metadata.get("scale"):
            raise ArgumentError(f"--save: expected models of pixels of one range, got {first.metadata.get('scale')} of "
                                f"{first.path} and {one.metadata.get('scale')} of {one.path}")
        own, model = Standard.saved_in(one.metadata), one.model
        if own != wanted:  # it is given pixels as the first model takes them
            inputs: Any = layers.Input(model.input_shape[1:])
            mean, std, before, spread = (np.asarray(a) for a in (own.mean, own.std, wanted.mean, wanted.std))
            rescaled = layers.Rescaling((spread / std).tolist(), ((before - mean) / std).tolist(), name=f"pixels_{k}")
            model = Model(inputs, model(rescaled(inputs)), name=f"rescaled_{k}")
        models.append(model)
    file = expanded(path)
    save_model(ensemble(models), file, metadata=undecided(first.metadata))  # a threshold is one of its own model
    return file
