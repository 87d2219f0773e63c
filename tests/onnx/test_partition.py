"""The backend runs by layers what it can: the same results, whatever lies between, whatever shapes come."""

import threading

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import TensorProto, helper

from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend
from fastcnn.onnx._schedule import Layers
from tests.onnx.files import by_operators, draw, file, node

W1, W2 = draw(6, 3, 3, 3), draw(4, 6, 3, 3)
SHAPE = 3, 12, 10


def parts(ready):
    """Return what each part of the newest schedule is: the layers of a model, or an operator."""
    schedule = list(ready._runner._schedules.values())[-1]
    return [] if schedule is None else [
        [type(layer).__name__ for layer in part.model.layers] if isinstance(part, Layers) and part.model else
        "order" if isinstance(part, Layers) else part.step.node.operator for part in schedule.parts]


def same(proto, *arrays, runs=4):
    """Compare several runs with the operators alone, and return the parts."""
    ready, want = backend.prepare(proto), by_operators(proto, *arrays)
    first = ready.run(list(arrays))
    for one, other in zip(first, want, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * max(1, np.abs(other).max(initial=0)))
    for _ in range(runs - 1):
        for one, other in zip(ready.run(list(arrays)), first, strict=True):
            np.testing.assert_array_equal(one, other)
    return parts(ready)


def test_a_file_of_layers_is_one_model_and_every_run_gives_the_same_bits():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Conv", "b w2", "c"), node("Flatten", "c")]
    found = same(file(nodes, SHAPE, {"w1": W1, "w2": W2}), draw(2, *SHAPE))
    assert len(found) == 1
    assert [kind for kind in found[0] if kind in ("Conv2D", "ReLU")] == ["Conv2D", "ReLU", "Conv2D"]


def test_an_operator_without_a_layer_parts_two_models():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Sinh", "b", "c"),
             node("Conv", "c w2", "d"), node("Relu", "d")]
    found = same(file(nodes, SHAPE, {"w1": W1, "w2": W2}), draw(2, *SHAPE))
    assert [kind if isinstance(kind, str) else len(kind) for kind in found] == [3, "Sinh", 3]


def test_what_an_early_part_made_is_read_by_a_later_one_as_it_lies():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Sinh", "b", "c"),
             node("Conv", "c w3", "d"), node("Add", "d b", "e"), node("Conv", "e w2")]
    found = same(file(nodes, SHAPE, {"w1": W1, "w2": W2, "w3": draw(6, 6, 1, 1)}), draw(2, *SHAPE))
    assert "Permute" not in found[2]


def test_outputs_may_be_inputs_constants_and_what_only_changed_its_order():
    nodes = [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Identity", "x", "i"), node("Identity", "w1", "k"),
             node("Conv", "x w1", "a"), node("Shape", "a", "s"), node("Relu", "a")]
    proto = file(nodes, SHAPE, {"w1": W1}, ("y", "t", "i", "k", "s"))
    del proto.graph.output[4:]
    same(proto, draw(2, *SHAPE))


def test_a_value_that_a_shape_came_from_does_not_let_another_shape_pass():
    """NonZero makes as many rows as it finds; what is computed behind it has another shape for other data."""
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("NonZero", "b", "n"),
             node("Cast", "n", "f", to=TensorProto.FLOAT), node("ReduceMean", "f", "y", axes=[1]),
             node("Conv", "b w2", "z")]
    proto = file(nodes, SHAPE, {"w1": W1, "w2": W2}, ("y", "z"))
    ready = backend.prepare(proto)
    for seed in range(4):
        x = np.random.default_rng(seed).standard_normal((2, *SHAPE)).astype(np.float32)
        for one, other in zip(ready.run([x]), by_operators(proto, x), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())
    assert "NonZero" in parts(ready)


def test_sizes_that_are_data_fall_back_on_the_operators():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Slice", "b zero size axis", "c"),
             node("Conv", "c w2", "d"), node("Relu", "d")]
    proto = file(nodes, SHAPE, {"w1": W1, "w2": W2, "zero": np.array([0]), "axis": np.array([2])})
    proto.graph.input.append(helper.make_tensor_value_info("size", TensorProto.INT64, [1]))
    ready, x = backend.prepare(proto), draw(2, *SHAPE)
    for size in (6, 6, 8, 8, 6):
        arrays = x, np.array([size])
        np.testing.assert_allclose(ready.run(list(arrays))[0], by_operators(proto, *arrays)[0], atol=1e-5)


def test_half_precision_and_casts_keep_the_types_of_the_file():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Cast", "b", "h", to=TensorProto.FLOAT16),
             node("Exp", "h", "e"), node("Cast", "e", "f", to=TensorProto.FLOAT), node("Conv", "f w2", "d"),
             node("Relu", "d")]
    found = same(file(nodes, SHAPE, {"w1": W1 / 9, "w2": W2}), draw(2, *SHAPE))
    assert [kind for kind in found if isinstance(kind, str)] == ["Cast", "Exp", "Cast"]


def test_what_is_no_float_keeps_its_type():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Greater", "b half", "large"),
             node("ArgMax", "b", "place", axis=1), node("TopK", "b two", "top which", axis=1),
             node("Where", "large b a", "c"), node("Conv", "c w2")]
    weights = {"w1": W1, "w2": W2, "half": np.float32(0.5), "two": np.array([2])}
    proto = file(nodes, SHAPE, weights, ("y", "large", "place", "top", "which"))
    ready, x = backend.prepare(proto), draw(2, *SHAPE)
    for _ in range(3):
        for one, other in zip(ready.run([x]), by_operators(proto, x), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * max(1, np.abs(other).max()))


def test_patterns_that_stand_alone_between_operators_are_run_as_they_are_written():
    nodes = [node("Conv", "x w1", "a"), node("Sinh", "a", "b"), node("Sigmoid", "b", "c"), node("Log", "c", "d"),
             node("Sinh", "d", "e"), node("Conv", "e w2", "f"), node("Relu", "f")]
    same(file(nodes, SHAPE, {"w1": W1 / 4, "w2": W2}), draw(2, *SHAPE))


def test_batches_that_are_not_the_first_dimension_come_out_as_the_file_has_them():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Transpose", "b", "t", perm=[2, 3, 0, 1]),
             node("Reshape", "t all", "flat"), node("Sinh", "t", "s"), node("Transpose", "s", "u", perm=[2, 3, 0, 1]),
             node("Conv", "u w2", "c"), node("Relu", "c")]
    proto = file(nodes, SHAPE, {"w1": W1 / 4, "w2": W2, "all": np.array([-1])}, ("y", "t", "flat"))
    same(proto, draw(2, *SHAPE))
    same(proto, draw(1, *SHAPE))


def test_other_shapes_get_parts_when_they_come_twice_in_a_row():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Conv", "b w2")]
    proto = file(nodes, ("c", "h", "w"), {"w1": W1, "w2": W2})
    ready, sizes = backend.prepare(proto), [(12, 10), (9, 9), (12, 10), (9, 9), (9, 9), (7, 8)]
    for size, count in zip(sizes, (1, 1, 1, 1, 2, 2), strict=True):
        x = draw(1, 3, *size)
        np.testing.assert_allclose(ready.run([x])[0], by_operators(proto, x)[0], atol=1e-5)
        assert len(ready._runner._schedules) == count


def test_nothing_heavy_means_no_layers():
    nodes = [node("Relu", "x", "a"), node("Exp", "a", "b"), node("Neg", "b")]
    ready = backend.prepare(file(nodes, SHAPE))
    ready.run([draw(2, *SHAPE)])
    assert not ready._runner._schedules


def test_faults_of_operators_are_told_as_ever():
    nodes = [node("Conv", "x w1", "a"), node("Relu", "a", "b"), node("Reshape", "b s")]
    proto = file(nodes, SHAPE, {"w1": W1, "s": np.array([7, 11])})
    with pytest.raises(ModelFileError, match="Reshape"):
        backend.run_model(proto, [draw(2, *SHAPE)])


def test_several_threads_may_run_one_file():
    nodes = [node("Conv", "x w1", "a"), node("Sinh", "a", "c"), node("Conv", "c w2", "d"),
             node("Relu", "d")]
    proto = file(nodes, SHAPE, {"w1": W1, "w2": W2})
    ready, xs = backend.prepare(proto), [draw(2, *SHAPE) for _ in range(4)]
    want, wrong = [by_operators(proto, x)[0] for x in xs], list[int]()

    def work(x, y):
        wrong.extend(k for k in range(10) if not np.allclose(ready.run([x])[0], y, atol=1e-5))

    threads = [threading.Thread(target=work, args=item) for item in zip(xs, want, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
