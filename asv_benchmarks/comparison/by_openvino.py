"""OpenVINO's side of peers.py: prediction of whole networks in float32, and as it computes where nothing is set.

Imported in OpenVINO's process alone. On a CPU that multiplies bf16 it computes in that without being asked. The files
are those of onnxruntime's side.
"""

import os
from typing import Any

import numpy as np

from asv_benchmarks.comparison.int8 import by_openvino
from asv_benchmarks.comparison.jobs import Job
from asv_benchmarks.comparison.published import file_of, images, parted

_settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def about() -> str:
    """Return versions and threads, in words."""
    import openvino

    threads = _settings.get("INFERENCE_NUM_THREADS", os.cpu_count())
    return f"OpenVINO {openvino.__version__.partition('-')[0]} CPU, {threads} threads"


def use_one_thread() -> None:
    """Run what follows on one thread."""
    _settings["INFERENCE_NUM_THREADS"] = 1


def network_prediction(of: str) -> Job:
    """From an array (N, 3, H, W) to the probabilities, in float32."""
    return _prediction(of, _settings)


def bf16_network_prediction(of: str) -> Job:
    """The same in the precision that OpenVINO takes by itself: bfloat16, where the CPU multiplies such numbers."""
    return _prediction(of, {key: value for key, value in _settings.items() if key != "INFERENCE_PRECISION_HINT"})


def _prediction(of: str, settings: dict[str, Any]) -> Job:
    import openvino

    name, batch = parted(of)
    x = np.ascontiguousarray(images(name, batch).transpose(0, 3, 1, 2))
    core = openvino.Core()
    read = core.read_model(str(file_of(name)))
    read.reshape(list(x.shape))
    request = core.compile_model(read, "CPU", settings).create_infer_request()
    return Job(lambda: {"probabilities": np.array(request.infer([x])[0])}, lambda: request.infer([x]))


def quantized_prediction(of: str) -> Job:
    """From the pixels to the logits, in 8 bits."""
    return by_openvino(of, _settings)
