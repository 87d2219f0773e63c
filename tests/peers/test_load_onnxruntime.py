"""Files by hand and files of others: onnxruntime computes what the loaded layers predict."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.geometry.interpolation import COORDINATES, ROUNDING
from fastcnn.models import retyped

ort = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.peers

RNG = np.random.default_rng(5)


def run(source, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def all_resizes(mode, lengths):
    """Return a file with an output for every rule of ONNX's Resize, to sizes of (H, W)."""
    rules = [{"coordinate_transformation_mode": c, "nearest_mode": r} for c in COORDINATES
             if c != "tf_half_pixel_for_nn" for r in (ROUNDING if mode == "nearest" else ["floor"])]
    if mode == "cubic":
        rules += [{"cubic_coeff_a": -0.5}, {"exclude_outside": 1}]
    if mode != "nearest":
        rules += [{"antialias": 1}]
    nodes, weights = [], {}
    for at, (n, m) in enumerate(lengths):
        weights[f"z{at}"] = np.array([1, 2, n, m])
        nodes += [onnx.helper.make_node("Resize", ["x", "", "", f"z{at}"], [f"y{at}_{k}"], mode=mode, **rule)
                  for k, rule in enumerate(rules)]
    graph = onnx.helper.make_graph(
        nodes, "g", [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2, 6, 8])],
        [onnx.helper.make_tensor_value_info(one.output[0], onnx.TensorProto.FLOAT, None) for one in nodes],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=9)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_every_rule_of_resize(mode):
    """Sizes whose places fall between pixels by more than single precision, in which onnxruntime counts, can move."""
    proto = all_resizes(mode, [(12, 16), (3, 4), (11, 13), (5, 3)])
    x = RNG.standard_normal((1, 2, 6, 8)).astype(np.float32)
    got = fc.onnx.load(proto, layout="channels_first").predict(x)
    for one, want, node in zip(got, run(proto.SerializeToString(), x), proto.graph.node, strict=True):
        np.testing.assert_allclose(one, want, atol=2e-5, err_msg=str(node))


#: Each file's largest difference, relative to the largest output. The logarithm of basic_pitch makes much of rounding:
#: onnxruntime is 4e-4 from float64 where fastcnn is 5e-5 from it.
FILES = {"ultraface_rfb_320": 2e-5, "fastestdet_coco": 5e-5, "mnist_cntk": 2e-5, "basic_pitch": 1e-3}


@pytest.mark.parametrize("name", FILES)
def test_a_trained_network_of_others(name, data_dir):
    path = data_dir / "real-models" / "onnx" / f"{name}.onnx"
    if not path.is_file():
        pytest.skip(f"no {path}")
    model = fc.onnx.load(path, layout="channels_first")
    x = RNG.random((2, *model.input_shape[1:])).astype(np.float32)
    got = model.predict(x)
    got = got if isinstance(got, list) else [got]
    each = [run(str(path), one[None]) for one in x]  # most of these files are for a batch of one
    for k, one in enumerate(got):
        want = np.concatenate([results[k] for results in each])
        np.testing.assert_allclose(one, want, rtol=0, atol=FILES[name] * np.abs(want).max())


def test_where_onnxruntime_differs_much_it_is_further_from_float64(data_dir):
    path = data_dir / "real-models" / "onnx" / "basic_pitch.onnx"
    if not path.is_file():
        pytest.skip(f"no {path}")
    model = fc.onnx.load(path, layout="channels_first")
    x = np.random.default_rng(0).random((1, *model.input_shape[1:])).astype(np.float32)
    exact = retyped.in_float64(model, "the test").predict(x.astype(np.float64), verbose=0)
    for ours, theirs, right in zip(model.predict(x, verbose=0), run(str(path), x), exact, strict=True):
        assert np.abs(ours - right).max() < min(1e-4, np.abs(theirs - right).max())
