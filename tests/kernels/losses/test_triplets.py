import numpy as np
import pytest

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.losses.triplets import triplet_loss
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    many,
    random,
    slope,
    types,
    unwritten,
)

MINING = {"all": codes.ALL_TRIPLETS, "semi-hard": codes.SEMI_HARD, "hard": codes.HARD}
minings = pytest.mark.parametrize("mining", MINING)


def _run(x, labels, mining, margin=0.3):
    n = len(x)
    losses, dx, scratch = unwritten(n, dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype), unwritten(2, n, n)
    alone = unwritten(n, dtype=x.dtype)
    with inputs_unchanged(x, labels):
        triplet_loss(losses, dx, scratch[0], scratch[1], x, labels, MINING[mining], margin)
        triplet_loss(alone, np.empty((0, x.shape[1]), x.dtype), scratch[0], scratch[1], x, labels, MINING[mining],
                     margin)
    np.testing.assert_array_equal(alone, losses)
    return losses, dx


def _data(n, channels, dtype, classes=4):
    return random(n, channels, dtype=dtype) / 2, np.random.default_rng(2).integers(0, classes, n)


@types
@minings
@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (2, 1), (9, 5), (40, 16)], ids=str)
def test_triplet_loss_agrees_with_its_twin(mining, shape, dtype):
    x, labels = _data(*shape, dtype)
    losses, dx = _run(x, labels, mining)
    expected = reference.triplet_loss(x, labels, MINING[mining], 0.3)
    assert_close(losses, expected[0])
    assert_close(dx, expected[1])


@minings
def test_the_gradient_of_a_triplet_loss_is_the_slope(mining):
    x, labels = _data(8, 3, np.float64, 3)
    assert_slope(_run(x, labels, mining)[1], slope(lambda x: _run(x, labels, mining)[0].mean(), x, 1.0))


@minings
@pytest.mark.parametrize("labels", [np.zeros(6, int), np.arange(6)], ids=["one class", "six classes"])
def test_without_a_triplet_loss_and_gradient_are_zero(mining, labels):
    losses, dx = _run(random(6, 3), labels, mining)
    assert not losses.any()
    assert not dx.any()


@minings
def test_equal_embeddings_have_the_margin_as_loss_and_no_gradient(mining):
    losses, dx = _run(np.ones((6, 3), np.float32), np.array([0, 0, 1, 1, 2, 2]), mining)
    np.testing.assert_allclose(losses.mean(), 0.3, rtol=1e-6)
    assert not dx.any()


def test_triplet_loss_gives_the_same_bits_from_any_number_of_threads_and_compiles_once_a_type():
    x, labels = _data(many(160), 32, np.float32, 20)
    for mining in MINING:
        assert_same_bits(lambda mining=mining: _run(x, labels, mining))
    assert_one_specialization_a_type(triplet_loss)
