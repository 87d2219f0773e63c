"""A model has a structure, an executable and a trainer; none of them outlives what it was made for."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers import Layer
from fastcnn.models.inputs_and_outputs import InputsAndOutputs
from fastcnn.models.network import Network
from fastcnn.models.own_steps import OwnSteps
from fastcnn.models.trainable import TrainableNetwork

X = np.random.default_rng(0).standard_normal((6, 5)).astype("float32")
Y = np.arange(6) % 3


def chain():
    model = fc.Sequential([fc.Input((5,)), layers.Dense(3, activation="softmax")])
    model.compile(fc.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def test_the_classes_of_a_model_are_one_line():
    line = [cls for cls in fc.Sequential.__mro__ if issubclass(cls, Layer)]
    assert line == [fc.Sequential, fc.Model, TrainableNetwork, OwnSteps, Network, InputsAndOutputs, Layer]
    assert all(len(cls.__bases__) == 1 for cls in line)


def test_what_the_trainer_knows_is_read_and_set_through_the_model():
    model = chain()
    model.stop_training, model.seed = True, 5
    assert (model._trainer.stop_training, model._trainer.seed) == (True, 5)
    model.optimizer = other = fc.optimizers.Adam()
    assert model._trainer.optimizer is other
    history = model.fit(X, Y, verbose=0)
    assert model.history is history is model._trainer.history
    assert not model.stop_training


def test_a_twin_is_compiled_as_the_model_is_with_one_optimizer_and_trains_its_own_structure():
    inputs = fc.Input((6, 6, 1))
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(inputs)))
    model = fc.Model(inputs, outputs)
    model.compile(fc.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    small, large = (np.random.default_rng(1).random((4, n, n, 1), dtype="float32") for n in (6, 8))
    model.fit(small, Y[:4], verbose=0)
    twin = model.for_shape((None, 8, 8, 1))
    assert twin.optimizer is model.optimizer
    twin.stop_training = True
    assert not model.stop_training
    before = model.get_weights()
    twin.train_on_batch(large, Y[:4])
    assert (twin.input_shape, model.input_shape) == ((None, 8, 8, 1), (None, 6, 6, 1))
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(model.predict(small), fc.Model(inputs, outputs).predict(small))


def test_a_layer_that_is_added_makes_another_structure_and_what_was_prepared_for_the_old_one_goes():
    model = chain()
    old = [model.predict(X) for _ in range(3)][-1]
    structure, executable = model._structure, model._executable
    model.add(layers.Rescaling(2.0))
    assert model._structure is not structure
    assert model._executable is not executable
    np.testing.assert_array_equal(model.predict(X), 2 * old)
    model.pop()
    np.testing.assert_array_equal(model.predict(X), old)


def test_targets_are_checked_against_the_outputs_of_the_structure_that_there_is():
    model = chain()
    model.train_on_batch(X, Y)
    model.add(layers.Dense(2, activation="softmax"))
    with pytest.raises(DataError, match="labels"):
        model.train_on_batch(X, Y)
    model.pop()
    model.train_on_batch(X, Y)


def test_a_model_with_a_constructor_of_its_own_is_told_what_comes_first():
    class Late(fc.Model):
        def __init__(self):
            self.optimizer = None
            super().__init__()

        def call(self, x):
            return x

    with pytest.raises(AttributeError, match=r"Late: expected its __init__ to call super\(\).__init__\(\) first"):
        Late()


def test_a_sequential_that_could_not_be_built_is_as_it_was():
    model = fc.Sequential([layers.Conv2D(2, 3), layers.Conv2D(2, 5)])
    with pytest.raises(ArgumentError):
        model.build((None, 5, 5, 1))
    assert not model.built
    with pytest.raises(ArgumentError, match="expected a built model"):
        model.inputs  # noqa: B018
    model.build((None, 9, 9, 1))
    assert model.output_shape == (None, 3, 3, 2)
