"""A model file that is damaged, or means ill: one clear error, nothing executed, nothing outside of its folder read."""

import contextlib
import os

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

import fastcnn as fc
from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend, load

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])


def model(*nodes, inputs=(X,), outputs=(Y,), weights=(), opset=17, functions=(), imports=()):
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(weights))
    sets = [helper.make_opsetid("", opset), *imports]
    return helper.make_model(graph, opset_imports=sets, functions=list(functions), ir_version=8)


def weight(data_location=None, **changes):
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])
    for name, value in changes.items():
        getattr(tensor, name)[:] = value
    if data_location is not None:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("float_data")
        for key, value in data_location.items():
            tensor.external_data.add(key=key, value=str(value))
    return tensor


add = helper.make_node("Add", ["x", "w"], ["y"], name="plus")
relu = helper.make_node("Relu", ["x"], ["y"])


def refused(proto, *words, by=(backend.prepare, load)):
    for function in by:
        with pytest.raises(ModelFileError) as caught:
            function(proto)
        text = str(caught.value)
        assert "\n" not in text
        for word in words:
            assert word in text, text


def test_a_cycle():
    a, b = helper.make_node("Add", ["x", "q"], ["p"], "first"), helper.make_node("Relu", ["p"], ["q"], "second")
    refused(model(a, b, helper.make_node("Relu", ["q"], ["y"])), "cycle", "first", "second")


def test_nodes_in_any_order_are_put_in_order():
    late = model(helper.make_node("Neg", ["p"], ["y"]), helper.make_node("Relu", ["x"], ["p"]))
    assert backend.run_model(late, [np.array([-1, 2], np.float32)])[0].tolist() == [0, -2]


def test_a_missing_input():
    refused(model(add), "'w'", "plus")


def test_a_missing_output():
    refused(model(helper.make_node("Relu", ["x"], ["z"])), "'y'")


def test_two_values_of_one_name():
    refused(model(relu, helper.make_node("Neg", ["x"], ["y"])), "two values", "'y'")
    refused(model(add, weights=[weight(), weight()]), "two weights", "'w'")
    refused(model(relu, inputs=[X, X]), "two inputs", "'x'")
    refused(model(helper.make_node("Relu", ["y"], ["x"]), inputs=[X]), "two values", "'x'")


def test_a_node_without_output():
    refused(model(relu, helper.make_node("Neg", ["x"], [])), "without an output")


@pytest.mark.parametrize("dims", [[3], [1 << 62, 1 << 62], [-2], [2, -1]])
def test_dimensions_that_are_not_those_of_the_bytes(dims):
    refused(model(add, weights=[weight(dims=dims)]), "'w'")
    raw = helper.make_tensor("w", TensorProto.FLOAT, [2], b"\0" * 8, raw=True)
    raw.dims[:] = dims
    refused(model(add, weights=[raw]), "'w'")


def test_a_type_that_is_none():
    tensor = weight()
    tensor.data_type = 99
    refused(model(add, weights=[tensor]), "type 99")


@pytest.mark.parametrize(("operator", "inputs"), [
    ("ConstantOfShape", [np.array([1 << 40, 1 << 20])]), ("ConstantOfShape", [np.array([-1])]),
    ("Expand", [np.ones(1, np.float32), np.array([1 << 45])]), ("Tile", [np.ones(4, np.float32), np.array([1 << 45])]),
    ("Range", [np.array(0), np.array(1 << 50), np.array(1)]),
    ("Pad", [np.ones(1, np.float32), np.array([0, 1 << 45])]),
])
def test_a_small_file_cannot_ask_for_all_memory(operator, inputs):
    weights = [onnx.numpy_helper.from_array(array, f"w{at}") for at, array in enumerate(inputs)]
    node = helper.make_node(operator, [w.name for w in weights], ["y"])
    refused(model(node, inputs=[], weights=weights), operator)


@pytest.mark.parametrize("data", [b"", b"\x08", b"not a model", b"\x80\x04}", bytes(range(64))])
def test_bytes_that_are_no_model(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    refused(path, "m.onnx")


def test_every_cut_of_a_file_is_refused(tmp_path):
    data, path = model(add, weights=[weight()]).SerializeToString(), tmp_path / "m.onnx"
    refusals = 0
    for end in range(len(data)):
        path.write_bytes(data[:end])
        try:
            backend.prepare(path)
        except ModelFileError:
            refusals += 1
    assert refusals >= len(data) - 8  # the version of the operator set stands last and may be missing


def test_every_flipped_byte_is_refused_or_harmless():
    data = bytearray(model(add, weights=[weight()]).SerializeToString())
    for at in range(len(data)):
        for bit in (1, 128):
            data[at] ^= bit
            with contextlib.suppress(ModelFileError, fc.errors.DataError):
                backend.prepare(bytes(data)).run([np.ones(2, np.float32)])
            data[at] ^= bit


def test_no_file_a_folder_and_a_pipe(tmp_path):
    refused(tmp_path / "none.onnx", "no file")
    refused(tmp_path, "folder")
    os.mkfifo(tmp_path / "pipe.onnx")
    refused(tmp_path / "pipe.onnx", "no file")


@pytest.fixture
def outside(tmp_path):
    (tmp_path / "secret.bin").write_bytes(np.array([5, 6], np.float32).tobytes())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize("location", ["../secret.bin", "a/../../secret.bin", "link.bin", "linked/secret.bin", "",
                                      "C:\\secret.bin", "..\\secret.bin", "none.bin", "x\0y", "."])
def test_weights_outside_of_the_folder_are_not_read(outside, location):
    path = outside / "m.onnx"
    path.write_bytes(model(add, weights=[weight({"location": location})]).SerializeToString())
    refused(path, "'w'", "folder")


def test_an_absolute_path_is_not_read(outside):
    path = outside / "m.onnx"
    location = str(outside.parent / "secret.bin")
    path.write_bytes(model(add, weights=[weight({"location": location})]).SerializeToString())
    refused(path, "secret.bin", "no path within")


@pytest.mark.parametrize("place", [{"offset": -8}, {"offset": 4}, {"length": 4}, {"length": 1 << 60}, {"offset": "x"},
                                   {"offset": 1 << 62}])
def test_places_in_a_file_of_weights_that_are_not_there(tmp_path, place):
    (tmp_path / "w.bin").write_bytes(b"\0" * 8)
    path = tmp_path / "m.onnx"
    path.write_bytes(model(add, weights=[weight({"location": "w.bin"} | place)]).SerializeToString())
    refused(path, "'w'")


def test_weights_beside_the_model_are_read(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(np.array([0, 5, 6], np.float32).tobytes())
    path = tmp_path / "m.onnx"
    proto = model(add, weights=[weight({"location": "weights/w.bin", "offset": 4, "length": 8})])
    path.write_bytes(proto.SerializeToString())
    assert backend.run_model(path, [np.ones(2, np.float32)])[0].tolist() == [6, 7]
    refused(proto, "give the path")


def test_functions_that_call_themselves_or_grow_without_end():
    imports = [helper.make_opsetid("own", 1), helper.make_opsetid("", 17)]

    def function(name, *calls):
        nodes = [helper.make_node(call, ["a"], [f"b{at}"], domain="own") for at, call in enumerate(calls)]
        nodes.append(helper.make_node("Relu", ["a"], ["b"]))
        return helper.make_function("own", name, ["a"], ["b"], nodes, imports)

    call = helper.make_node("f0", ["x"], ["y"], domain="own")
    own = [helper.make_opsetid("own", 1)]
    refused(model(call, functions=[function("f0", "f0")], imports=own), "calls itself")
    chain = [function(f"f{at}", *[f"f{at + 1}"] * 10) for at in range(9)] + [function("f9")]
    refused(model(call, functions=chain, imports=own), "expand to")


def test_all_that_is_not_offered_stands_in_one_error():
    nodes = [helper.make_node("GRU", ["x"], ["a"], "g"), helper.make_node("Magic", ["x"], ["b"], "m", domain="own"),
             helper.make_node("LeakyRelu", ["x"], ["c"], "l", strength=2),
             helper.make_node("Sum", ["x", "a", "b", "c"], ["y"])]
    batch = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    proto = model(*nodes, inputs=[batch], imports=[helper.make_opsetid("own", 1)])
    refused(proto, 'GRU "g"', 'own.Magic (Magic "m")', "'strength'")


def test_an_operator_set_of_the_future():
    refused(model(relu, opset=9999), "operator set [9999]")


def test_inputs_that_do_not_suit_are_named():
    ready = backend.prepare(model(relu))
    for wrong in ([np.ones(3, np.float32)], [np.ones(2)], [], {"z": np.ones(2, np.float32)}):
        with pytest.raises(fc.errors.DataError):
            ready.run(wrong)
    assert ready.run({"x": np.array([-1, 1], np.float32)})["y"].tolist() == [0, 1]
    assert ready.run(np.array([-1, 1], np.float32))[0].tolist() == [0, 1]
    with pytest.raises(ModelFileError, match=r"plus.*float32 \(2,\), float32 \(3,\)"):
        backend.run_model(model(add, weights=[weight(dims=[3], float_data=[1, 2, 3])]), [np.ones(2, np.float32)])


def test_one_node_runs():
    x, w = np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)
    y = backend.run_node(helper.make_node("Conv", ["x", "w"], ["y"]), [x, w])
    np.testing.assert_array_equal(y[0], np.full((1, 1, 2, 2), 4, np.float32))
    assert backend.run_node(helper.make_node("Mul", ["x", "x"], ["y"]), [x], opset_version=7)[0].sum() == 9


def test_weights_that_are_inputs_too_are_fixed():
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, [2])
    ready = backend.prepare(model(add, inputs=[w, X], weights=[weight()]))
    assert [value.name for value in ready.inputs] == ["x"]
    assert ready.run([np.ones(2, np.float32)])[0].tolist() == [2, 3]


def test_what_a_run_returns_is_the_caller_s():
    constant = helper.make_node("Constant", [], ["y"], value=weight())
    parts = helper.make_node("Identity", ["w"], ["y"])
    for ready in (backend.prepare(model(constant)), backend.prepare(model(parts, weights=[weight()]))):
        for _ in range(2):
            y, = ready.run([np.ones(2, np.float32)])
            assert y.tolist() == [1, 2]
            y[:] = 7
    x = np.ones(2, np.float32)
    backend.run_model(model(helper.make_node("Identity", ["x"], ["y"])), [x])[0][:] = 7
    assert x.tolist() == [1, 1]


def test_only_the_cpu():
    assert backend.supports_device("CPU")
    assert not backend.supports_device("CUDA:1")
    with pytest.raises(fc.errors.ArgumentError, match="CUDA"):
        backend.prepare(model(relu), "CUDA")
