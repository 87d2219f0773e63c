"""FaceNet's nn4.small2: the shapes of its definition, as many parameters as published, embeddings of length 1."""

import inspect

import numpy as np
import pytest

from fastcnn import applications, initializers
from fastcnn.errors import ArgumentError

#: Rows, and channels, behind each module of the definition.
SHAPES = {"lrn1": (24, 64), "pool2": (12, 192), "inception_3a": (12, 256), "inception_3b": (12, 320),
          "inception_3c": (6, 640), "inception_4a": (6, 640), "inception_4e": (3, 1024), "inception_5a": (3, 736),
          "inception_5b": (3, 736)}


def _make(**arguments):
    with initializers.nothing_drawn():
        return applications.FaceNet(**arguments)


def test_parameters_are_as_many_as_published_and_stated():
    network = _make()
    assert sum(p.size for p in network.trainable_weights) == 3_733_968
    for count in (3_733_968, network.count_params()):
        assert f"{count:,}" in applications.FaceNet.__doc__


def test_modules_have_the_shapes_of_the_definition():
    network = _make()
    for name, (rows, channels) in SHAPES.items():
        assert network.get_layer(name).output_shape == (None, rows, rows, channels), name
    assert network.output_shape == (None, 128)
    assert network.get_layer("inception_3b_pool").output_shape == (None, 4, 4, 256), "windows of 3 without padding"


def test_embeddings_have_length_1_and_the_size_that_was_asked_for():
    network = applications.FaceNet(input_shape=(65, 70, 1), embedding_size=7)
    found = network.predict(np.random.default_rng(0).random((2, 65, 70, 1), np.float32), verbose=0)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    assert found.shape == (2, 7)


def test_without_the_top_features_come_out_pooled_or_not():
    assert _make(include_top=False).output_shape == (None, 3, 3, 736)
    assert _make(include_top=False, pooling="avg").output_shape == (None, 736)


def test_sizes_that_cannot_be_are_refused():
    for shape, told in (((64, 96, 3), "at least 65 x 65"), ((None, None, 3), "known rows and columns")):
        with pytest.raises(ArgumentError, match=told):
            _make(input_shape=shape)
    with pytest.raises(ArgumentError, match="embedding_size"):
        _make(embedding_size=0)


def test_arguments_are_in_the_order_of_the_other_networks():
    assert list(inspect.signature(applications.FaceNet).parameters) == [
        "include_top", "weights", "input_tensor", "input_shape", "pooling", "embedding_size", "name"]
