"""onnxruntime's side of peers.py: prediction of whole networks by its CPU provider, with nothing set.

Imported in onnxruntime's process alone. Its optimizer folds batch normalization into convolutions and fuses Add, ReLU
and Clip when the session of a file is made.
"""

from typing import Any

import numpy as np

from asv_benchmarks.comparison.int8 import by_onnxruntime
from asv_benchmarks.comparison.jobs import Job, boxes_with_scores, maps_with_regions
from asv_benchmarks.comparison.published import file_of, images, parted

_one_thread = False


def about() -> str:
    """Return versions and threads, in words."""
    import os

    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__} CPU, {1 if _one_thread else os.cpu_count()} threads"


def use_one_thread() -> None:
    """Run what follows on one thread."""
    global _one_thread
    _one_thread = True


def session(proto: bytes | str, **options: Any) -> Any:
    """Return a session of a model; `options` are those of SessionOptions."""
    import onnxruntime

    given = onnxruntime.SessionOptions()
    if _one_thread:
        given.intra_op_num_threads = 1
    for key, setting in options.items():
        setattr(given, key, setting)
    return onnxruntime.InferenceSession(proto, given, providers=["CPUExecutionProvider"])


def network_prediction(of: str) -> Job:
    """From an array (N, 3, H, W) to the probabilities."""
    name, batch = parted(of)
    ready = session(str(file_of(name)))
    x = {ready.get_inputs()[0].name: np.ascontiguousarray(images(name, batch).transpose(0, 3, 1, 2))}
    return Job(lambda: {"probabilities": ready.run(None, x)[0]}, lambda: ready.run(None, x))


def quantized_prediction(of: str) -> Job:
    """From the pixels to the logits, in 8 bits."""
    return by_onnxruntime(of, session)


def file_prediction(of: str) -> Job:
    """From the inputs of a file to its outputs, for one sample."""
    from asv_benchmarks.onnx_files import file, sample

    proto = file(of)
    run, inputs = session(proto.SerializeToString()).run, sample(proto)
    return Job(lambda: {f"output {k}": y for k, y in enumerate(run(None, inputs))}, lambda: run(None, inputs))


def _one_node(operator: str, arrays: dict[str, np.ndarray], **attributes: Any) -> Any:
    """Return a function that runs one node on arrays, its inputs in their order."""
    from onnx import ValueInfoProto, helper

    ends = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for name, a in arrays.items()]
    graph = helper.make_graph([helper.make_node(operator, list(arrays), ["y"], **attributes)], "node", ends,
                              [ValueInfoProto(name="y")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    run = session(made.SerializeToString()).run
    return lambda: run(None, arrays)[0]


def non_max_suppression(of: str) -> Job:
    """From boxes and scores to the boxes that are kept."""
    boxes, scores = boxes_with_scores(int(of))
    run = _one_node("NonMaxSuppression", {
        "boxes": boxes[None], "scores": scores[None, None], "most": np.array([len(boxes)]),
        "iou": np.array([0.5], np.float32)})
    return Job(lambda: {"kept": run()[:, 2]}, run)


def roi_align(of: str) -> Job:
    """Regions of 7 x 7, two points a side; the map lies as ONNX has it."""
    x, boxes = maps_with_regions(int(of))
    run = _one_node("RoiAlign", {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)), "boxes": boxes[0],
                                 "images": np.zeros(int(of), np.int64)},
                    output_height=7, output_width=7, sampling_ratio=2, spatial_scale=1 / 16,
                    coordinate_transformation_mode="half_pixel")
    return Job(lambda: {"regions": run().transpose(0, 2, 3, 1)[None]}, run)
