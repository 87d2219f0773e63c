"""OpenVINO's side of peers.py: prediction of whole networks in float32, with nothing else set.

Imported in OpenVINO's process alone. On a CPU that multiplies bf16 it would compute in that without being asked; this
comparison is of float32. The model is that of onnxruntime's side.
"""

import os
from typing import Any

import numpy as np

from asv_benchmarks.comparison.by_onnxruntime import model
from asv_benchmarks.comparison.graphs import GRAPHS, image
from asv_benchmarks.comparison.int8 import by_openvino
from asv_benchmarks.comparison.jobs import Job

_settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def about() -> str:
    """Return versions and threads, in words."""
    import openvino

    threads = _settings.get("INFERENCE_NUM_THREADS", os.cpu_count())
    return f"OpenVINO {openvino.__version__.partition('-')[0]} CPU, float32, {threads} threads"


def use_one_thread() -> None:
    """Run what follows on one thread."""
    _settings["INFERENCE_NUM_THREADS"] = 1


def network_prediction(of: str) -> Job:
    """From an array (N, 3, 224, 224) to the probabilities."""
    import openvino

    name, _, batch = of.rpartition(".b")
    core = openvino.Core()
    read = core.read_model(model(GRAPHS[name]()), b"")
    read.reshape([int(batch), 3, 224, 224])
    request = core.compile_model(read, "CPU", _settings).create_infer_request()
    x = np.ascontiguousarray(image(int(batch)).transpose(0, 3, 1, 2))
    return Job(lambda: {"probabilities": np.array(request.infer([x])[0])}, lambda: request.infer([x]))


def quantized_prediction(of: str) -> Job:
    """From the pixels to the logits, in 8 bits."""
    return by_openvino(of, _settings)
