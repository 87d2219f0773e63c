"""onnxruntime computes what the backend computes: sampling, pooling of regions, and whole networks in parts."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import onnx
import onnxruntime as ort
from onnx import helper

from asv_benchmarks import onnx_files
from fastcnn.onnx import backend

pytestmark = pytest.mark.peers
RNG = np.random.default_rng(3)


def peer(proto, arrays):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return ort.InferenceSession(proto.SerializeToString(), options).run(None, arrays)


def both(operator, opset, arrays, **attributes):
    """Return the output of one node, by the backend and by onnxruntime."""
    node = helper.make_node(operator, list(arrays), ["y"], **attributes)
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
             for name, a in arrays.items()]
    graph = helper.make_graph([node], "node", infos, [onnx.ValueInfoProto(name="y")])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return backend.run_node(node, list(arrays.values()), opset_version=opset)[0], peer(proto, arrays)[0]


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("border", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("mode", "opset"), [("bilinear", 16), ("bicubic", 16), ("linear", 20), ("nearest", 20),
                                             ("cubic", 20)])
def test_samples_inside_and_far_outside_of_an_image(mode, opset, border, corners):
    grid = RNG.uniform(-2.5, 2.5, (2, 9, 8, 2)).astype(np.float32)
    got, want = both("GridSample", opset, {"x": numbers(2, 3, 6, 7), "grid": grid}, mode=mode, padding_mode=border,
                     align_corners=corners)
    np.testing.assert_allclose(got, want, rtol=0, atol=3e-6)


def boxes():
    """Boxes that are small, large, beyond the borders, empty, and turned round."""
    low = RNG.uniform(-3, 12, (8, 2))
    found = np.concatenate([low, low + RNG.uniform(0, 14, (8, 2))], 1)
    return np.concatenate([found, [[3, 3, 3, 3], [5, 6, 4, 2]]]).astype(np.float32)


@pytest.mark.parametrize("ratio", [0, 1, 2])
@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("how", [None, "half_pixel", "output_half_pixel"])
def test_aligned_regions(how, mode, ratio):
    arrays = {"x": numbers(2, 3, 12, 15), "rois": boxes(), "images": RNG.integers(0, 2, 10)}
    more = {} if how is None else {"coordinate_transformation_mode": how}
    got, want = both("RoiAlign", 10 if how is None else 16, arrays, mode=mode, sampling_ratio=ratio, output_height=3,
                     output_width=2, spatial_scale=0.75, **more)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)  # its points are placed in float32


@pytest.mark.parametrize("shape", [[1, 1], [3, 2], [7, 7]])
def test_the_largest_of_regions(shape):
    rois = np.concatenate([RNG.integers(0, 2, (10, 1)), boxes()], 1).astype(np.float32)
    got, want = both("MaxRoiPool", 13, {"x": numbers(2, 3, 12, 15), "rois": rois}, pooled_shape=shape,
                     spatial_scale=0.6)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", onnx_files.FILES)
def test_networks(name):
    try:
        proto = onnx_files.file(name)
    except FileNotFoundError:
        pytest.skip("the files of others lie beside the project, in ../shared")
    ready, arrays = backend.prepare(proto), onnx_files.sample(proto)
    want = peer(proto, arrays)
    for _ in range(3):  # at first, as a plan is made, and by it
        for got, other in zip(ready.run(arrays), want, strict=True):
            # a logarithm makes much of onnxruntime's rounding (tests/peers/test_load_onnxruntime.py)
            atol = 1e-3 if name == "basic_pitch" else 1e-5
            np.testing.assert_allclose(got, other, rtol=0, atol=atol * np.abs(other).max())


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize(("images", "classes", "count", "most"), [(2, 3, 60, 100), (1, 1, 300, 7), (1, 2, 0, 5),
                                                                  (1, 1, 1, 1)])
def test_suppression_keeps_what_onnxruntime_keeps(images, classes, count, most, center):
    rng = np.random.default_rng(count)
    corner = rng.integers(0, 40, (images, count, 2))
    boxes = np.concatenate([corner, corner + rng.integers(1, 20, (images, count, 2))], -1).astype(np.float32)
    scores = rng.permutation(images * classes * count).reshape(images, classes, count).astype(np.float32)
    scores /= max(1, scores.size)
    got, want = both("NonMaxSuppression", 11, {
        "boxes": boxes, "scores": scores, "most": np.array([most]), "iou": np.array([0.3], np.float32),
        "score": np.array([0.1], np.float32)}, center_point_box=center)
    np.testing.assert_array_equal(got, want)
