"""Initializers however they are told: by name, class, array, function or configuration."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import initializers, layers
from fastcnn.errors import ArgumentError


def first(initializer, shape=(4, 3)):
    layer = layers.Dense(shape[1], kernel_initializer=initializer)
    layer.build((None, shape[0]))
    return layer.kernel.value


@pytest.mark.parametrize("told", ["ones", "Ones", initializers.Ones, initializers.ones(), np.ones((4, 3)),
                                  lambda shape, dtype: np.ones(shape, dtype),
                                  {"class_name": "Ones", "config": {}}],
                         ids=["name", "class's name", "class", "object", "array", "function", "configuration"])
def test_an_initializer_is_told_in_any_way(told):
    np.testing.assert_array_equal(first(told), np.ones((4, 3)))


def test_what_gives_no_value_of_the_shape_is_refused():
    for wrong in (np.ones((3, 4)), lambda shape, dtype: np.ones(2), 3):
        with pytest.raises((ArgumentError, ValueError)):
            first(wrong)
    assert initializers.get(None) is None
    with pytest.raises(ArgumentError, match="Identity: expected a matrix"):
        initializers.Identity()((2, 2, 2))


@pytest.mark.parametrize("shape", [(5, 5), (3, 3, 2, 6), (2, 7)])
def test_an_orthogonal_start_keeps_lengths(shape):
    q = initializers.Orthogonal(gain=2.0, seed=3)(shape).reshape(-1, shape[-1])
    inner = q.T @ q if len(q) >= shape[-1] else q @ q.T
    np.testing.assert_allclose(inner, 4 * np.eye(len(inner)), atol=1e-5)
    np.testing.assert_array_equal(q, initializers.orthogonal(2.0, 3)(shape).reshape(q.shape))


@pytest.mark.parametrize("one", [initializers.HeNormal(seed=2), initializers.Constant(np.eye(2)),
                                 initializers.Orthogonal(0.5, 1), initializers.Identity()],
                         ids=lambda one: type(one).__name__)
def test_an_initializer_is_made_again_of_its_configuration(one):
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(one))))
    np.testing.assert_array_equal(again((2, 2)), one((2, 2)))


def test_one_seed_starts_the_generators_of_python_and_numpy_too():
    import random

    drawn = []
    for _ in range(2):
        fc.utils.set_random_seed(7)
        drawn.append((random.random(), np.random.rand(), fc.random.next_seed()))
    assert drawn[0] == drawn[1]
    fc.random.set_random_seed(7)
    assert np.random.rand() != drawn[0][1], "others' generators are left alone"
