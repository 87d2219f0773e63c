"""The named networks: parameters as published, any fitting image, any number of classes."""

import numpy as np
import pytest

from fastcnn import applications, utils


@pytest.mark.parametrize(
    ("make", "parameters", "multiply_adds"),
    [
        (applications.LeNet5, 61_706, 416_520),  # PyTorch's and Keras's count of the same network
        (applications.ConvNet, 34_826, 2_440_960),  # keras.io/examples/vision/mnist_convnet
        (applications.LeNet, 18_474, None),
    ],
)
def test_sizes_are_those_of_the_publications(make, parameters, multiply_adds):
    network = make()
    assert network.count_params() == parameters
    if multiply_adds is not None:
        assert sum(layer.multiply_adds() for layer in network.layers) == multiply_adds


@pytest.mark.parametrize(
    ("make", "input_shape"),
    [(applications.LeNet, (4, 4, 1)), (applications.LeNet, (9, 13, 3)), (applications.LeNet5, (12, 12, 1)),
     (applications.LeNet5, (32, 32, 3)), (applications.ConvNet, (10, 10, 2)), (applications.ConvNet, (32, 32, 3))],
)  # fmt: skip
def test_other_images_and_classes_fit(make, input_shape):
    network = make(input_shape, classes=4)
    assert network.input_shape == (None, *input_shape)
    assert network.output_shape == (None, 4)
    y = network.predict(np.random.default_rng(0).random((3, *input_shape), np.float32))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", applications.by_name)
def test_a_network_is_called_by_its_name_and_a_seed_makes_it(name):
    networks = []
    for seed in (5, 5, 6):
        utils.set_random_seed(seed)
        networks.append(applications.by_name[name]())
    assert networks[0].name == name
    same = [np.array_equal(a, b) for a, b in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True)]
    assert all(same)
    assert not np.array_equal(networks[0].get_weights()[0], networks[2].get_weights()[0])
