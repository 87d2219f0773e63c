"""Random numbers as arrays, and in a layer's call."""

import numpy as np
import pytest
from scipy import stats

import fastcnn as fc
from fastcnn import layers, ops, random
from fastcnn.errors import ArgumentError

MANY = (20_000,)


class Noisy(layers.Layer):
    """Two draws of one generator: one for each number, one for each sample."""

    def __init__(self, seed=3, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, x):
        shape = ops.shape(x)
        return x + random.normal(shape, seed=self.seed_generator) + random.uniform(
            (shape[0], 1), 10, 20, seed=self.seed_generator)


def trained():
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((4,)), layers.Dense(4), Noisy(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((6, 4), "float32")
    return model, model.fit(x, np.ones((6, 1)), epochs=3, verbose=0).history["loss"], model.predict(x, verbose=0)


def test_numbers_have_the_distribution_that_is_asked_for():
    assert stats.kstest(random.normal(MANY, 2.0, 3.0, seed=1), "norm", (2, 3)).pvalue > 1e-4
    assert stats.kstest(random.uniform(MANY, -1, 1, seed=1), "uniform", (-1, 2)).pvalue > 1e-4
    cut = random.truncated_normal(MANY, 1.0, 0.5, seed=1)
    assert stats.kstest(cut, "truncnorm", (-2, 2, 1, 0.5)).pvalue > 1e-4
    found = random.randint(MANY, 3, 7, seed=1)
    assert sorted(set(found.tolist())) == [3, 4, 5, 6]
    assert found.dtype == np.int32
    rows = np.arange(12).reshape(4, 3)
    mixed = random.shuffle(rows, seed=2)
    assert sorted(map(tuple, mixed)) == sorted(map(tuple, rows))
    assert random.normal((2, 3), dtype="float64", seed=1).dtype == np.float64


def test_an_integer_draws_the_same_again_and_a_generator_others():
    assert (random.normal((4,), seed=1) == random.normal((4,), seed=1)).all()
    assert (random.normal((4,)) != random.normal((4,))).any()
    generator, again = random.SeedGenerator(5), random.SeedGenerator.from_config(random.SeedGenerator(5).get_config())
    first = [random.uniform((3,), seed=generator).tolist() for _ in range(2)]
    assert first[0] != first[1]
    assert [random.uniform((3,), seed=again).tolist() for _ in range(2)] == first
    assert generator.state.tolist() == [5, 2]


def test_a_layer_of_one_s_own_draws_others_in_each_step_and_the_seed_decides_them():
    layer, x = Noisy(), np.zeros((5, 4), "float32")
    first, second = layer(x), layer(x)
    assert (first != second).any()
    assert np.ptp(first, axis=1).max() < 8  # the uniform numbers are a sample's own
    assert 10 < first.mean() < 20
    assert (layer(x, training=True) != layer(x, training=True)).any()
    (_, losses, y), (_, again, same) = trained(), trained()
    assert losses == again
    assert len(set(losses)) == 3
    np.testing.assert_array_equal(y, same)
    assert (Noisy(4)(x) != first).any()


def test_gradients_pass_by_the_numbers():
    def draw(x):
        return ops.sum((x * random.normal(ops.shape(x), seed=7)) ** 2)

    x = np.ones((2, 3), "float32")
    value, gradient = fc.gradients(draw, x)
    noise = np.sqrt(gradient / 2)
    np.testing.assert_allclose((noise**2).sum(), value, rtol=1e-5)


class Once(layers.Layer):
    def call(self, x):
        return x + random.normal((4,))


@pytest.mark.parametrize(("make", "text"), [
    (lambda: Once()(np.ones((2, 4))), r"expected a shape with the batch of a tensor in call"),
    (lambda: random.normal((2,), dtype="int32"), "expected dtype float32 or float64, got int32"),
    (lambda: random.normal((2,), seed=1.5), "expected a seed that is an integer, a SeedGenerator or None, got 1.5"),
    (lambda: random.uniform((2,), 0, np.inf), "expected finite numbers"),
    (lambda: random.SeedGenerator(-1), "expected a seed of at least 0, got -1"),
])
def test_what_cannot_be_drawn_is_refused(make, text):
    with pytest.raises(ArgumentError, match=text):
        make()
