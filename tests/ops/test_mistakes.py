"""What operations do not take is told in a sentence, for arrays at once and for tensors before there is data."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import ops
from fastcnn.errors import ArgumentError

X = fc.Input((4, 3))
ONES = np.ones((2, 2))


@pytest.mark.parametrize(("use", "message"), [
    (lambda: ops.add("a", 1), r"ops\.add: expected numbers or tensors, got str"),
    (lambda: ops.mean(ONES, axis=5), "expected an axis of the 2 dimensions, got 5"),
    (lambda: ops.one_hot([0.5], 3), "expected labels that are integers, got float32"),
    (lambda: X @ np.ones((2, 2), "float32"), r"expected matrices .*, got \(None, 4, 3\) and \(2, 2\)"),
    (lambda: X[:, 9], "expected a place among 4, got 9"), (lambda: X["a"], "in brackets, got 'a'"),
    (lambda: X + np.ones(5), "expected shapes that fit together"),
    (lambda: ops.take(X, [7], 1), "expected places among the 4 along axis 1, got 7"),
    (lambda: ops.reshape(X, (5,)), r"as many elements as \(None, 4, 3\), got \(5,\)"),
    (lambda: ops.reshape(np.ones(4), (3, 2)), "expected a shape with as many elements"),
    (lambda: ops.concatenate([X, fc.Input((4, 3, 1))]), "expected tensors of as many dimensions"),
    (lambda: ops.image.resize(X, (2,)), "ops.image.resize: size: expected an integer"),
    (lambda: ops.where([True, False]), "expected a condition and two tensors"),
    (lambda: ops.max(np.ones((0, 2)), axis=0), "expected a number at least along axis"),
    (lambda: ops.cast(X, "complex64"), "expected a dtype such as 'float32'"),
    (lambda: ops.einsum("ii->i", ONES), "the diagonal of a tensor is not offered"),
    (lambda: ops.top_k(ONES, 3), "expected 1 <= k <= the last axis"),
    (lambda: ops.conv(np.ones((1, 4, 4, 3)), np.ones((3, 3, 2, 4))), "for 3 channels, got"),
    (lambda: ops.max_pool(X, 2, data_format="channels_first"), "images are channels-last"),
    (lambda: ops.repeat(X, 2, axis=0), "expected an axis of known length, got axis 0"),
    (lambda: int(ops.shape(X)[0]), "int|expected no number of a batch"),
])  # fmt: skip
def test_a_mistake_is_told(use, message):
    with pytest.raises((ArgumentError, TypeError), match=message):
        use()


def test_a_length_of_the_batch_goes_into_shapes():
    batch, rows, _ = ops.shape(X)
    assert ops.reshape(X, (batch * rows, 3)).shape == (None, 3)
    assert ops.reshape(X, (batch, -1)).shape == (None, 12)
    model = fc.Model(X, ops.concatenate([X[:, 0], ops.ones((batch, 2))], axis=-1))
    np.testing.assert_array_equal(model.predict(np.zeros((5, 4, 3))), [[0, 0, 0, 1, 1]] * 5)


def test_labels_of_a_floating_type_are_rows_where_they_are_integers():
    np.testing.assert_array_equal(ops.one_hot(np.array([1.0, 0.0]), 2), [[0, 1], [1, 0]])
    with pytest.raises(ArgumentError, match="expected labels that are integers, got bool"):
        ops.one_hot([True], 2)


def test_several_lengths_may_be_open_where_a_shape_says_which_is_which():
    x = fc.Input((None, None, 9))
    batch, height, width, _ = ops.shape(x)
    split = ops.reshape(x, [batch, height, width, 3, 3, 1])
    assert split.shape == (None, None, None, 3, 3, 1)
    whole = ops.reshape(ops.transpose(split, [0, 1, 3, 2, 4, 5]), [batch, height * 3, width * 3, 1])
    assert whole.shape == (None, None, None, 1)
