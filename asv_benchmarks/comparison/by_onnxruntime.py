"""onnxruntime's side of peers.py: prediction of whole networks by its CPU provider, with nothing set.

Imported in onnxruntime's process alone. The model is built by onnx's helper from `graphs`: its optimizer folds batch
normalization into convolutions and fuses Add, ReLU and Clip when the session is made.
"""

from typing import Any

import numpy as np

from asv_benchmarks.comparison.graphs import GRAPHS, Network, Operation, image, value
from asv_benchmarks.comparison.int8 import by_onnxruntime
from asv_benchmarks.comparison.jobs import Job, boxes_with_scores, maps_with_regions

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


def model(network: Network) -> Any:
    """Return a network as an ONNX model (N, 3, 224, 224) -> (N, 1000)."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(layer: str, parameter: str, array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), f"{layer}/{parameter}"))
        return constants[-1].name

    for op in network.operations:
        inputs, given = _translated(op, network, constant)
        kind = "Gemm" if op.kind == "Dense" else op.kind
        nodes.append(helper.make_node(kind, inputs, [op.name], name=op.name, **given))
    shape = {"image": ["n", 3, 224, 224], nodes[-1].output[0]: ["n", 1000]}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in shape.items()]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def _translated(op: Operation, network: Network, constant: Any) -> tuple[list[str], dict[str, Any]]:
    """Return inputs and attributes of an operation's node; `constant` adds an array to the model."""
    given, inputs = op.given, list(op.inputs)
    if op.kind in ("Conv", "MaxPool"):
        (top, bottom), (left, right) = given["pads"]
        window = {"kernel_shape": [given["size"]] * 2, "strides": [given["stride"]] * 2,
                  "pads": [top, left, bottom, right]}
        if op.kind == "MaxPool":
            return inputs, window
        filters, depthwise = network.channels[op.name], given["groups"] > 1
        shape = (given["size"], given["size"], given["c"], 1) if depthwise else (
            given["size"], given["size"], given["c"], filters)
        kernel = value(op.name, "kernel", shape)
        inputs.append(constant(op.name, "kernel", kernel.transpose(2, 3, 0, 1) if depthwise else
                               kernel.transpose(3, 2, 0, 1)))
        if given["bias"]:
            inputs.append(constant(op.name, "bias", value(op.name, "bias", (filters,))))
        return inputs, window | {"group": given["groups"]}
    if op.kind == "BatchNormalization":
        size = (network.channels[op.name],)
        inputs += [constant(op.name, name, value(op.name, name, size))
                   for name in ("gamma", "beta", "moving_mean", "moving_variance")]
        return inputs, {"epsilon": given["epsilon"]}
    if op.kind == "Clip":
        low, high = np.float32(0), np.float32(given["high"])
        return [*inputs, constant(op.name, "min", low), constant(op.name, "max", high)], {}
    if op.kind == "Dense":
        kernel = value(op.name, "kernel", (given["c"], network.channels[op.name]))
        before = next(o for o in network.operations if o.name == op.inputs[0])
        if before.kind == "Flatten":  # (C, pixels), where Keras has (pixels, C)
            pixels, c = before.given["pixels"], before.given["c"]
            kernel = kernel.reshape(pixels, c, -1).transpose(1, 0, 2).reshape(kernel.shape)
        return [*inputs, constant(op.name, "kernel", kernel),
                constant(op.name, "bias", value(op.name, "bias", (network.channels[op.name],)))], {}
    return inputs, {}


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
    """From an array (N, 3, 224, 224) to the probabilities."""
    name, _, batch = of.rpartition(".b")
    run = session(model(GRAPHS[name]())).run
    x = {"image": np.ascontiguousarray(image(int(batch)).transpose(0, 3, 1, 2))}
    return Job(lambda: {"probabilities": run(None, x)[0]}, lambda: run(None, x))


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
