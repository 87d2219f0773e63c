"""What a model costs: time for an image, parameters, bytes."""

import time
from pathlib import Path

import numpy as np

COSTS = ("latency_ms", "memory_mb", "parameters", "megabytes")
_ROUNDS, _CALLS = 7, 15


def costs(run: Path, names: set[str], size: tuple[int, int] | None = None) -> dict[str, float]:
    """Return what was asked for of a run's model.

    Parameters
    ----------
    run : Path
        The folder of a run, or a file of a model.
    names : set of str
        Of "latency_ms", the time of the prediction of one image: the least median of seven rounds, since other work
        on the machine only adds; "memory_mb", what that takes for weights and for what lies between layers;
        "parameters"; "megabytes", of the file. Of a network with several inputs, or for pictures of any size where
        `size` tells none, neither time nor memory is told.
    size : (int, int), optional
        Height and width of a picture, for a network that takes any.
    """
    file = run / "model.safetensors" if run.is_dir() else run
    found: dict[str, float] = {}
    if "megabytes" in names:
        found["megabytes"] = file.stat().st_size / 1e6
    if not names & {"latency_ms", "memory_mb", "parameters"}:
        return found
    from fastcnn.saving import load_model

    model = load_model(file, compile=False)
    if "parameters" in names:
        found["parameters"] = model.count_params()
    if len(model.input_shapes) != 1:
        return found
    if None in model.input_shape[1:]:
        if size is None:
            return found
        model = model.for_shape((None, *size, model.input_shape[-1]))
    if "memory_mb" in names:
        found["memory_mb"] = (sum(one.value.nbytes for one in model.weights) + model.planned_bytes()) / 1e6
    if "latency_ms" in names:
        x = np.zeros((1, *model.input_shape[1:]), np.float32)
        for _ in range(5):  # compiled, then recorded as a list of kernel calls
            model.predict_on_batch(x)
        found["latency_ms"] = min(_median(model, x) for _ in range(_ROUNDS)) * 1e3
    return found


def _median(model: object, x: np.ndarray) -> float:
    seconds = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        model.predict_on_batch(x)  # type: ignore[attr-defined]
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))
