"""What layers are built for and called with: what does not suit is told in one sentence, with what to do instead."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

A, B = np.ones((2, 3, 4), np.float32), np.ones((2, 5, 4), np.float32)


def built(layer, *shape):
    layer.build((None, *shape))
    return layer


@pytest.mark.parametrize(("use", "message"), [
    (lambda: layers.Dense(2).forward([[1.0]]), r"of float32, got list; convert it with numpy\.array\(x, 'float32'\)$"),
    (lambda: layers.Dense(2).forward(A.astype(int)), r"got int64; convert it with x\.astype\('float32'\)$"),
    (lambda: layers.Dense(2).forward(A.astype("f8")), r"astype\('float32'\), or make the layer with dtype='float64'$"),
    (lambda: layers.Dense(2, dtype="float64").forward(A), r"of float64, got float32; .* dtype='float32'$"),
    (lambda: built(layers.Dense(2), 3, 4).forward(B), r'Dense "\w+": expected input \(N, 3, 4\), got \(2, 5, 4\)$'),
    (lambda: built(layers.Dense(2), 3, 4).build((None, 5, 4)), r"\(N, 3, 4\), for which it was built, got \(N, 5"),
    (lambda: built(layers.Dense(2), 3, 4).for_shape((None, 3, 5)), r"\(N, 3, 4\), for which its parameters are, got"),
    (lambda: layers.Dense(2).build(()), r"an input shape such as \(None, 28, 28, 1\), got \(\)$"),
    (lambda: layers.Dense(2).build(4), r"an input shape such as \(None, 28, 28, 1\), got 4$"),
    (lambda: layers.Dense(2).build((None, 2.0)), r"an input shape such as .*, got \(None, 2\.0\)$"),
    (lambda: layers.Conv2D(2, 3).build((None, 9, 9, None)), r"known sizes, which its .* got \(N, 9, 9, None\); begin"),
    (lambda: built(layers.Dense(2), None, 4).forward(B), r"\(N, None, 4\), got \(2, 5, 4\); layer\.for_shape"),
    (lambda: built(layers.Dense(2), None, 4)(A[..., :2]), r"\(N, None, 4\), for which its parameters are, got "),
    (lambda: layers.Add()(A), r"a list of inputs, got ndarray; call it as add\w*\(\[a, b\]\)$"),
    (lambda: layers.Add()([]), "a list of inputs, got list"),
    (lambda: layers.Add().build((None, 4)), r"a list of inputs' shapes, got \(None, 4\)$"),
    (lambda: twice(layers.Add(), [A, A, A], [A, A]), "expected 3 inputs, got 2$"),
    (lambda: layers.Add()([A, B]), r"of one shape, or with 1 where theirs differ, got \(N, 3, 4\), \(N, 5, 4\)$"),
    (lambda: layers.Subtract()([A, A, A]), "expected 2 inputs, got 3$"),
    (lambda: layers.Concatenate()([A, B]), r"that differ along axis -1 alone, got \(N, 3, 4\), \(N, 5, 4\)$"),
    (lambda: layers.Concatenate(3)([A, A]), r"an axis in 1\.\.2, or counted .* for input \(N, 3, 4\), got 3$"),
    (lambda: layers.Concatenate(4)([A, A]), r"an axis in 1\.\.2, .* got 4$"),
    (lambda: layers.Concatenate(-3)([A, A]), r"an axis in 1\.\.2, .* got -3$"),
    (lambda: layers.Dot(1)([A, B]), "as many numbers along both axes, got 3 of .* along 1 and 5 of .* along 1$"),
    (lambda: layers.Dot(1)([A, A, A]), "expected 2 inputs, got 3$"),
    (lambda: layers.Dot((1, 3))([A, A]), r"expected axes in 1\.\.2, or counted from the end, .*got 3$"),
    (lambda: layers.Dot((-3, 1))([A, A]), r"expected axes in 1\.\.2, .* got -3$"),
    (lambda: layers.PReLU(shared_axes=(1, 3))(A), r"expected shared_axes within 1\.\.2, got 3$"),
    (lambda: layers.PReLU(shared_axes=-1), "expected shared_axes counted from 1, got -1$"),
    (lambda: layers.Reshape((5, 2))(A), r"expected a target_shape of 12 elements, got \(5, 2\)$"),
    (lambda: layers.Reshape((5, -1))(A), r"expected a target_shape of 12 elements, got \(5, -1\)$"),
    (lambda: layers.GELU(2), "expected approximate to be True or False, got 2$"),
    (lambda: layers.ReLU(negative_slope=-0.1), r"a negative_slope of at least 0, got -0\.1$"),
    (lambda: layers.Permute((3, 1, 1)), "a permutation of 1, 2"),
    (lambda: layers.Layer.from_config("Dense"), r"Layer\.from_config: expected a dict, .* got 'Dense'$"),
    (lambda: layers.Dense(2, trainable="no"), "Dense: expected trainable to be True or False, got 'no'$"),
    (lambda: setattr(built(layers.Dense(2), 4), "dtype_policy", "float64"),
     "a dtype policy before there are parameters, which are float32, got float64; make a new layer with dtype=$"),
    (lambda: layers.Dense(2).input, "input expected a layer that was called with symbolic tensors"),
    (lambda: built(layers.Dense(2, kernel_initializer=lambda shape, dtype: np.ones(3)), 4), "kernel: .*shape"),
])  # fmt: skip
def test_what_does_not_suit_is_told_with_what_to_do(use, message):
    with pytest.raises(ArgumentError, match=message):
        use()


def twice(layer, first, second):
    layer(first)
    layer(second)


@pytest.mark.parametrize("make", [lambda: layers.Dense(2), lambda: layers.BatchNormalization(),
                                  lambda: layers.GroupNormalization(1), lambda: layers.LocalResponseNormalization()])
def test_a_batch_of_bare_numbers_has_no_channels(make):
    with pytest.raises(ArgumentError, match=r"expected input \(N, \.\.\., C\), got \(None,\)"):
        make()(np.ones(3, np.float32))


@pytest.mark.parametrize(("given", "message"), [
    ({}, r'Input "input": expected a shape such as \(28, 28, 1\), got none'),
    ({"shape": (4, 0)}, r"a shape of positive integers, and None for sizes left open, .* got \(4, 0\)$"),
    ({"shape": 4}, r"a shape of positive integers, and None .* \(28, 28, 1\) or \(None, None, 3\), got 4$"),
    ({"shape": (None, 4.5)}, r"got \(None, 4\.5\)$"),
    ({"shape": (4,), "batch_shape": (None, 4)}, "either shape or a batch_shape .*, got shape="),
    ({"shape": (4,), "batch_size": 2.5}, r"batch_size to be an integer or None, got 2\.5$"),
    ({"batch_shape": ()}, "either shape or a batch_shape"),
    *(({"shape": (4,), name: value}, f'Input "x": {name}={value} is not offered; leave it out')
      for name, value in (("sparse", True), ("optional", True), ("ragged", True))),
])
def test_an_input_has_a_shape_and_no_other_tensors_than_dense_ones(given, message):
    with pytest.raises(ArgumentError, match=message):
        fc.Input(**given, **({"name": "x"} if "name" not in given and len(given) == 2 and "shape" in given else {}))


def test_an_input_takes_the_shape_of_a_whole_batch_and_is_one_tensor():
    tensor = fc.Input(batch_shape=(None, 4, 3), name="x", dtype="float64", optional=False)
    assert tensor.shape == fc.Input((4, 3)).shape == (None, 4, 3)
    assert fc.Input(()).shape == (None,)
    told = layers.InputLayer((4, 3), batch_size=8)
    assert told.batch_shape == layers.InputLayer(batch_shape=(8, 4, 3)).batch_shape == (8, 4, 3)
    assert told.tensor().shape == (None, 4, 3), "a batch may be of any size all the same"
    assert layers.InputLayer.from_config(told.get_config()).batch_size == 8
    assert layers.InputLayer(input_tensor=tensor).tensor().dtype == np.float64
    layer = layers.InputLayer((4, 3))
    assert layer.tensor() is layer.tensor()


@pytest.mark.parametrize("make", [
    layers.UnitNormalization, layers.RMSNormalization, layers.Normalization, layers.Softmax, layers.LogSoftmax,
    layers.LayerNormalization, lambda axis: layers.TopK(1, axis), lambda axis: layers.Slice(axis=axis),
    lambda axis: layers.Take([0], axis)])  # fmt: skip
def test_an_axis_is_one_of_a_sample_s_counted_from_either_end(make):
    assert make(-1)(A).shape[:2] == make(2)(A).shape[:2] == (2, 3)
    for axis in (3, -3, 4):  # the first beyond the last, the batch counted from the end
        with pytest.raises(ArgumentError, match=r"ax(is|es).*got|got.*ax(is|es)"):
            make(axis)(A)
