"""Variable: numbers without a layer, made as Keras's are, which optimizers change."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError


@pytest.mark.parametrize(("given", "shape", "dtype", "expected"), [
    ([[1, 2]], None, None, "int64"), ([1.0, 2.0], None, None, "float32"), (3.0, None, None, "float32"),
    (np.ones(2), None, None, "float64"), (np.ones(2), None, "float32", "float32"), ("zeros", (2, 1), None, "float32"),
    (fc.initializers.Ones(), (2,), "float64", "float64"),
])
def test_its_type_is_what_was_told_or_that_of_layers_or_of_the_array(given, shape, dtype, expected):
    variable = fc.Variable(given, shape=shape, dtype=dtype)
    assert variable.dtype == expected
    assert variable.shape == (np.shape(given) if shape is None else shape)


def test_it_is_a_copy_that_names_itself():
    array = np.zeros(2, "float32")
    one, other = fc.Variable(array), fc.Variable(array, name="picture", trainable=False)
    one.assign([1, 2])
    assert array.tolist() == [0, 0]
    assert one.name.startswith("variable")
    assert (other.name, other.trainable) == ("picture", False)


def test_an_optimizer_goes_down_a_gradient_of_it():
    image = fc.Variable([4.0, -2.0])
    optimizer = fc.optimizers.SGD(0.25)
    for _ in range(3):
        _, gradient = fc.gradients(lambda x: fc.ops.sum(x ** 2), image)
        optimizer.apply_gradients([(gradient, image)])
    np.testing.assert_allclose(image, [0.5, -0.25])


@pytest.mark.parametrize(("given", "text"), [("zeros", "expected a shape beside an initializer"),
                                             (["a"], "expected numbers")])
def test_what_makes_no_numbers_is_told(given, text):
    with pytest.raises(ArgumentError, match=text):
        fc.Variable(given)
