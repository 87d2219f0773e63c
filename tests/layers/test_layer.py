"""What every layer has: its work, its calls, its names for Keras's scripts, copies, and its text."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import UnknownArgumentError

#: A layer, the shape of a sample, and the products of one sample's forward pass: outputs times terms of each.
WORK = {
    "Dense": (lambda: layers.Dense(5), (7,), 5 * 7),
    "Dense over pixels": (lambda: layers.Dense(5), (3, 7), 3 * 5 * 7),
    "Conv2D": (lambda: layers.Conv2D(6, 3), (8, 9, 4), 6 * 7 * 6 * 9 * 4),
    "Conv2D, groups": (lambda: layers.Conv2D(6, (3, 2), groups=2), (8, 9, 4), 6 * 8 * 6 * 6 * 2),
    "Conv1D": (lambda: layers.Conv1D(6, 3, strides=2), (9, 4), 4 * 6 * 3 * 4),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 9, 4), 6 * 7 * 8 * 9),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2), (8, 9, 4),
                        6 * 7 * (8 * 9 + 8 * 5)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(6, 3, strides=2), (4, 5, 4), 4 * 5 * 4 * 6 * 9),
    "Conv2DTranspose, groups": (lambda: layers.Conv2DTranspose(6, 3, groups=2), (4, 5, 4), 4 * 5 * 4 * 3 * 9),
    "Dot": (lambda: layers.Dot(-1), ((3, 7), (5, 7)), 3 * 5 * 7),
    "Dot of vectors": (lambda: layers.Dot(1), ((7,), (7,)), 7),
    "ReLU": (lambda: layers.ReLU(), (3, 7), 0), "MaxPooling2D": (lambda: layers.MaxPooling2D(), (4, 4, 3), 0),
    "BatchNormalization": (lambda: layers.BatchNormalization(), (4, 4, 3), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", WORK)
def test_the_work_of_a_layer_is_its_outputs_times_their_terms(name):
    make, shape, work = WORK[name]
    layer, several = make(), isinstance(shape[0], tuple)
    layer.build([(None, *one) for one in shape] if several else (None, *shape))
    assert layer.multiply_adds() == work


@pytest.mark.parametrize(("function", "expected"), [
    (layers.add, [[6, 5]]), (layers.subtract, [[-2, 3]]), (layers.multiply, [[8, 4]]), (layers.average, [[3, 2.5]]),
    (layers.maximum, [[4, 4]]), (layers.minimum, [[2, 1]]), (layers.concatenate, [[2, 4, 4, 1]]),
    (layers.dot, [[12]])])
def test_the_function_of_a_merging_layer_makes_and_calls_it(function, expected):
    a, b = np.array([[2, 4]], np.float32), np.array([[4, 1]], np.float32)
    np.testing.assert_array_equal(function([a, b]), expected)
    tensor = function([fc.Input((2,)), fc.Input((2,))], name="merged")
    assert (tensor.node.layer.name, tensor.shape) == ("merged", (None, len(expected[0])))


def test_a_concatenation_and_a_dot_product_have_axes():
    a = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    assert layers.concatenate([a, a], axis=1).shape == (1, 4, 3)
    np.testing.assert_array_equal(layers.dot([a, a], 1)[0], a[0].T @ a[0])
    np.testing.assert_array_equal(layers.dot([a, a], -1)[0], a[0] @ a[0].T)
    np.testing.assert_array_equal(layers.dot([a, a], -1), layers.dot([a, a], axes=(2, 2)))
    np.testing.assert_array_equal(layers.dot([a, a]), layers.dot([a, a], axes=-1))


def test_a_layer_knows_the_tensors_of_its_first_call():
    a, b = fc.Input((3,)), fc.Input((3,))
    dense, add = layers.Dense(2), layers.Add()
    first, total = dense(a), add([a, b])
    dense(b)
    assert dense.input is a
    assert dense.output is first
    assert list(add.input) == [a, b]
    assert add.output is total


def test_a_layer_has_keras_s_other_names_for_its_weights_and_types():
    layer = layers.BatchNormalization(dtype="float64")
    layer.build((None, 3))
    assert [p.name for p in layer.variables] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert layer.trainable_variables == layer.trainable_weights == layer.variables[:2]
    assert layer.non_trainable_variables == layer.non_trainable_weights == layer.variables[2:]
    assert layer.dtype == layer.input_dtype == layer.variable_dtype == layer.compute_dtype == np.float64
    assert layers.SeparableConv2D(2, 3)(fc.Input((4, 4, 1))).node.layer.pointwise_kernel.shape == (1, 1, 1, 2)


def test_a_layer_tells_its_name_and_its_output():
    layer = layers.Conv2D(2, 3, name="first")
    assert (str(layer), repr(layer)) == ('Conv2D "first"', '<Conv2D "first">')
    layer.build((None, 5, 5, 1))
    assert repr(layer) == '<Conv2D "first", output (N, 3, 3, 2)>'


def test_a_copy_of_a_layer_has_its_weights_and_its_own_memory():
    layer = layers.Dense(2, name="first", dtype="float64", trainable=False)
    x = np.random.default_rng(0).standard_normal((3, 4))
    y = layer(x).copy()
    again = copy.deepcopy(layer)
    assert (again.name, again.trainable, again.input_shape) == ("first", False, (None, 4))
    layer.kernel.assign(np.zeros((4, 2)))
    np.testing.assert_array_equal(again(x), y)
    assert not copy.deepcopy(layers.Dense(2)).built


def test_twins_of_a_layer_freeze_together():
    layer = layers.GroupNormalization(1)
    layer.build((None, 4, 2))
    twin = layer.for_shape((None, 5, 2))
    assert twin is not layer
    assert layer.for_shape((None, 4, 2)) is layer
    assert twin.original is layer.original is layer
    twin.trainable = False
    assert not layer.trainable
    assert not layer.trainable_weights
    layer.trainable = True
    assert twin.trainable_weights == layer.trainable_weights == layer.weights


def test_constants_and_functions_are_written_as_json_holds_them():
    config = layers.Dense(2, fc.activations.relu6, kernel_initializer=fc.initializers.HeNormal(seed=3),
                          bias_regularizer=fc.regularizers.L1(0.5), dtype=np.float64).get_config()
    assert (config["activation"], config["dtype"]) == ("relu6", "float64")
    assert config["kernel_initializer"]["class_name"] == "HeNormal"
    assert config["kernel_initializer"]["config"]["seed"] == 3
    assert config["bias_regularizer"]["class_name"] == "L1"


def test_arguments_of_a_constructor_are_told_where_they_do_not_fit():
    for make in (lambda: layers.Dense(), lambda: layers.Dense(2, None, units=3)):
        with pytest.raises(UnknownArgumentError, match=r"Dense: .*; its arguments are units, activation, use_bias"):
            make()


def test_a_layer_without_arithmetic_says_that_it_has_none():
    class Bare(layers.Layer):
        pass

    layer = Bare()
    assert layer.compute_output_shape((None, 3)) == (None, 3)
    for use in (lambda: layer.forward(np.ones((1, 3), np.float32)), lambda: layer.write_onnx(None, "x")):
        with pytest.raises(NotImplementedError):
            use()


def test_an_attribute_that_is_not_there_is_told_with_the_layer():
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'kernal'"):
        _ = layers.Dense(2).kernal

    class Hasty(layers.Layer):
        def __init__(self):
            self.size = self.parameters

    with pytest.raises(AttributeError, match=r"Hasty: expected its __init__ to call super\(\)\.__init__\(\) first"):
        Hasty()


def test_a_layer_of_one_s_own_may_add_what_it_was_given_late():
    parameter = layers.Dense(2).add_weight("kernel", (2,), "zeros", constraint="max_norm")
    assert parameter.constraint == fc.constraints.MaxNorm()
