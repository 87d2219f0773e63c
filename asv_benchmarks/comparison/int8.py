"""Predictions in 8 bits: one file that fastcnn's export wrote, run by fastcnn, onnxruntime and OpenVINO.

The file is made by a process of its own, once, so that no side has another's libraries. Weights are random: it is about
speed.
"""

from pathlib import Path
from typing import Any

import numpy as np

from asv_benchmarks.comparison.jobs import Job
from asv_benchmarks.comparison.published import NETWORKS, parted, written

_WRITE = """
import sys, numpy as np, fastcnn as fc
fc.utils.set_random_seed(1)
model = getattr(fc.applications, sys.argv[1])(weights=None, classifier_activation=None)
images = np.random.default_rng(0).standard_normal((4, 224, 224, 3)).astype("float32")
fc.onnx.export(fc.quantize(model, images, method="minmax", batch_size=4), sys.argv[2])
"""


def file_of(name: str) -> Path:
    """Return the file of a quantized network, written where it is not there yet."""
    return written(f"{name}-int8.onnx", "-c", _WRITE, NETWORKS[name].application)


def pixels(batch: int) -> np.ndarray:
    """Return images (N, 224, 224, 3) of a batch."""
    return np.random.default_rng(1).standard_normal((batch, 224, 224, 3)).astype(np.float32)


def by_fastcnn(of: str) -> Job:
    """From the pixels to the logits, by layers of the file."""
    import fastcnn as fc

    name, batch = parted(of)
    model, x = fc.onnx.load(file_of(name)), pixels(batch)
    for _ in range(3):  # recorded, and replayed
        model.infer(x)
    return Job(lambda: {"logits": model.infer(x)}, lambda: model.infer(x))


def by_onnxruntime(of: str, session: Any) -> Job:
    """From the pixels to the logits, by a session that `session` makes."""
    name, batch = parted(of)
    run, x = session(str(file_of(name))), pixels(batch)
    given = {run.get_inputs()[0].name: x}
    return Job(lambda: {"logits": run.run(None, given)[0]}, lambda: run.run(None, given))


def by_openvino(of: str, settings: dict[str, Any]) -> Job:
    """From the pixels to the logits, by OpenVINO."""
    import openvino

    name, batch = parted(of)
    request = openvino.Core().compile_model(str(file_of(name)), "CPU", settings).create_infer_request()
    x = {0: pixels(batch)}
    return Job(lambda: {"logits": np.array(request.infer(x)[0])}, lambda: request.infer(x))
