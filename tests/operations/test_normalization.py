"""Normalization beside its formulas: by the batch, by what moves, by groups, by neighbours, by a length."""

import numpy as np
import pytest

from fastcnn.geometry.pool import passes
from fastcnn.kernels.rectifier import NO_RECTIFIER, RELU, Rectifier
from fastcnn.operations import batch_normalization as batch
from fastcnn.operations.normalization import (
    group_normalization,
    l2_normalization,
    local_response_normalization,
    rms_normalization,
)
from fastcnn.operations.pooling import max_pool
from tests.operations.checking import look_over, normal, of_parameters, parameter

SHAPE, C = (3, 4, 2, 5), 5
GAMMA, BETA, MEAN, VARIANCE = normal(C, seed=5), normal(C, seed=6), normal(C, seed=7), normal(C, seed=8) ** 2 + 0.1
EPSILON = 0.01


def _formula(x, gamma, beta, mean, variance):
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def _by_batch(x, gamma=1.0, beta=0.0):
    return _formula(x, gamma, beta, x.mean((0, 1, 2)), x.var((0, 1, 2)))


def _rectified(y, rectifier):
    return np.minimum(np.where(y < 0, rectifier.slope * y, y), rectifier.ceiling)


rectifiers = pytest.mark.parametrize("rectifier", [NO_RECTIFIER, RELU, Rectifier(0.0, 0.7), Rectifier(0.2)], ids=str)


def _moving():
    return parameter(MEAN, "moving_mean"), parameter(VARIANCE, "moving_variance")


@rectifiers
def test_training_takes_the_statistics_of_the_batch(rectifier):
    def operate(x, gamma, beta):
        return batch.batch_normalization(x, gamma, beta, *_moving(), 0.9, EPSILON, rectifier)

    look_over(of_parameters(operate, "gamma", "beta"), normal(*SHAPE), GAMMA, BETA,
              expected=lambda *arrays: _rectified(_by_batch(*arrays), rectifier))


@rectifiers
@pytest.mark.parametrize("frozen", [False, True])
def test_an_addend_comes_before_the_rectifier_and_has_a_gradient(rectifier, frozen):
    def operate(x, addend):
        if frozen:
            return batch.frozen_batch_normalization(x, None, None, *_moving(), EPSILON, rectifier, trainable=True,
                                                    addend=addend)
        return batch.batch_normalization(x, None, None, *_moving(), 0.9, EPSILON, rectifier, addend=addend)

    def formula(x, addend):
        y = _formula(x, 1.0, 0.0, MEAN, VARIANCE) if frozen else _by_batch(x)
        return _rectified(y + addend, rectifier)

    look_over(operate, normal(*SHAPE), normal(*SHAPE, seed=9), expected=formula)


@rectifiers
def test_with_pooling_it_is_normalization_and_then_max_pooling(rectifier):
    x, dy, (pool,) = normal(2, 5, 7, C), normal(2, 2, 2, C, seed=9), passes((2, 5, 7, C), (2, 3), (2, 3))
    results = []
    for together in (True, False):
        gamma, beta, (mean, variance), given = parameter(GAMMA), parameter(BETA), _moving(), x.copy()
        arguments = given, gamma, beta, mean, variance, 0.9, EPSILON, rectifier
        if together:
            y, backward = batch.pooled_batch_normalization(*arguments, pool=pool, owned=True)
            dx = backward(dy)
            assert np.shares_memory(dx, given)
        else:
            z, through = batch.batch_normalization(*arguments)
            y, through_pooling = max_pool(z, (pool,))
            dx = through(through_pooling(dy))
        results.append((y, dx, gamma.gradient, beta.gradient, mean.value, variance.value))
    for together, apart in zip(*results, strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-12, atol=1e-12)


def test_the_gradient_of_an_owned_input_takes_its_memory_and_has_the_same_bits():
    given = normal(*SHAPE)
    results = []
    for owned in (False, True):
        x = given.copy()
        _, backward = batch.batch_normalization(x, None, None, *_moving(), 0.9, EPSILON, RELU, owned=owned)
        dx = backward(normal(*SHAPE, seed=9))
        assert np.shares_memory(dx, x) == owned
        results.append(dx.copy())
    np.testing.assert_array_equal(*results)


def test_gamma_and_beta_may_be_absent_each():
    def scaled(x, gamma):
        return batch.batch_normalization(x, gamma, None, *_moving(), 0.9, EPSILON)

    def shifted(x, beta):
        return batch.batch_normalization(x, None, beta, *_moving(), 0.9, EPSILON)

    look_over(of_parameters(scaled, "gamma"), normal(*SHAPE), GAMMA, expected=lambda x, gamma: _by_batch(x, gamma))
    look_over(of_parameters(shifted, "beta"), normal(*SHAPE), BETA, expected=lambda x, beta: _by_batch(x, beta=beta))


def test_moving_statistics_follow_the_batch_and_tell_that_they_changed():
    x, (mean, variance) = normal(*SHAPE), _moving()
    batch.batch_normalization(x, None, None, mean, variance, 0.9, EPSILON)
    np.testing.assert_allclose(mean.value, 0.9 * MEAN + 0.1 * x.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance.value, 0.9 * VARIANCE + 0.1 * x.var((0, 1, 2)), rtol=1e-12)
    assert (mean.version, variance.version) == (1, 1)


def test_an_empty_batch_moves_nothing():
    mean, variance = _moving()
    y, backward = batch.batch_normalization(np.empty((0, 3, C)), None, None, mean, variance, 0.9, EPSILON)
    assert y.shape == backward(y).shape == (0, 3, C)
    np.testing.assert_array_equal(mean.value, MEAN)
    assert mean.version == variance.version == 0


@rectifiers
def test_a_frozen_layer_takes_moving_statistics_and_learns_gamma_and_beta(rectifier):
    def operate(x, gamma, beta):
        return batch.frozen_batch_normalization(x, gamma, beta, *_moving(), EPSILON, rectifier, trainable=True)

    y, _ = look_over(of_parameters(operate, "gamma", "beta"), normal(*SHAPE), GAMMA, BETA,
                     expected=lambda x, *both: _rectified(_formula(x, *both, MEAN, VARIANCE), rectifier))
    if rectifier.slope in (0, 1):
        again = batch.predict_batch_normalization(normal(*SHAPE), parameter(GAMMA), parameter(BETA), *_moving(),
                                                  EPSILON, rectifier)
        np.testing.assert_array_equal(y, again)


def test_a_frozen_layer_that_is_not_trainable_leaves_the_gradients_alone():
    gamma, beta = parameter(GAMMA), parameter(BETA)
    look_over(lambda x: batch.frozen_batch_normalization(x, gamma, beta, *_moving(), EPSILON,
                                                         trainable=False), normal(*SHAPE))
    assert not gamma.grad.any()
    assert not beta.grad.any()
    look_over(lambda x: batch.frozen_batch_normalization(x, None, None, *_moving(), EPSILON,
                                                         trainable=True), normal(*SHAPE))


def test_one_of_gamma_and_beta_is_learned_where_the_other_is_absent():
    def scaled(x, gamma):
        return batch.frozen_batch_normalization(x, gamma, None, *_moving(), EPSILON, trainable=True)

    def shifted(x, beta):
        return batch.frozen_batch_normalization(x, None, beta, *_moving(), EPSILON, trainable=True)

    look_over(of_parameters(scaled, "gamma"), normal(*SHAPE), GAMMA)
    look_over(of_parameters(shifted, "beta"), normal(*SHAPE), BETA)


def test_statistics_that_are_given_need_no_epsilon():
    nothing, columns = np.empty(0), 10
    mean, variance = normal(columns, seed=3), normal(columns, seed=4) ** 2 + 0.1
    look_over(lambda x: batch.normalization(x, nothing, nothing, mean, variance), normal(*SHAPE),
              expected=lambda x: ((x.reshape(-1, columns) - mean) / np.sqrt(variance)).reshape(SHAPE))
    gamma, beta = normal(columns, seed=5), normal(columns, seed=6)
    look_over(lambda x: batch.normalization(x, gamma, beta, mean, variance), normal(*SHAPE),
              expected=lambda x: (gamma * (x.reshape(-1, columns) - mean) / np.sqrt(variance) + beta).reshape(SHAPE))


#: x seen as samples, positions, groups, channels of a group: groups of channels, and layer normalization
VIEWS = {"groups": ((2, 3, 4, 6), (2, 12, 3, 2)), "the last two axes": ((2, 3, 4, 6), (6, 1, 1, 24))}


@pytest.mark.parametrize("name", VIEWS)
def test_groups_of_a_sample_have_statistics_of_their_own(name):
    shape, view = VIEWS[name]
    numbers = view[2] * view[3]

    def formula(x, gamma=None, beta=None):
        v = x.reshape(view)
        z = (v - v.mean((1, 3), keepdims=True)) / np.sqrt(v.var((1, 3), keepdims=True) + EPSILON)
        z = z if gamma is None else z * gamma.reshape(view[2:])
        return (z if beta is None else z + beta.reshape(view[2:])).reshape(shape)

    gamma, beta = normal(numbers, seed=5), normal(numbers, seed=6)
    look_over(of_parameters(lambda x, g, b: group_normalization(x, g, b, view, EPSILON), "gamma", "beta"),
              normal(*shape), gamma, beta, expected=formula)
    look_over(of_parameters(lambda x, g: group_normalization(x, g, None, view, EPSILON), "gamma"), normal(*shape),
              gamma, expected=formula)
    look_over(of_parameters(lambda x, b: group_normalization(x, None, b, view, EPSILON), "beta"), normal(*shape), beta,
              expected=lambda x, b: formula(x, beta=b))
    still, quiet = parameter(gamma), parameter(beta)
    look_over(lambda x: group_normalization(x, still, quiet, view, EPSILON, trainable=False), normal(*shape))
    assert not still.grad.any()
    assert not quiet.grad.any()


def test_groups_of_no_sample():
    y, backward = group_normalization(np.empty((0, 2, 4)), None, None, (0, 2, 2, 2), EPSILON)
    assert y.shape == backward(y).shape == (0, 2, 4)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (0, 1), (9, 9)])
def test_a_channel_is_divided_by_its_neighbours(before, after):
    def formula(x):
        squares = np.stack([np.sum(x[..., max(0, i - before):i + after + 1] ** 2, -1) for i in range(6)], -1)
        return x / (1.5 + 0.3 * squares) ** 0.75

    look_over(lambda x: local_response_normalization(x, before, after, 0.3, 0.75, 1.5), normal(2, 3, 6),
              expected=formula)


@pytest.mark.parametrize("axes", [(2,), (1,), (1, 2)])
def test_vectors_of_length_1_along_axes(axes):
    look_over(lambda x: l2_normalization(x, axes, 1e-6), normal(3, 4, 5),
              expected=lambda x: x / np.sqrt((x**2).sum(axes, keepdims=True)))
    look_over(lambda x: l2_normalization(x, axes, 1e-18, 0.7), normal(3, 4, 5),
              expected=lambda x: x / np.sqrt((x**2).sum(axes, keepdims=True) + 0.7))


def test_a_short_vector_is_divided_by_epsilon():
    look_over(lambda x: l2_normalization(x, (1,), 100.0), normal(3, 4), expected=lambda x: x / 100)


@pytest.mark.parametrize("axes", [(2,), (1,), (1, 2)])
def test_division_by_the_root_mean_square_along_axes(axes):
    shape = 3, 4, 5
    scale, around = normal(*(shape[k] for k in axes), seed=5), [n if k in axes else 1 for k, n in enumerate(shape)]

    def operate(x, scale):
        return rms_normalization(x, scale, axes, EPSILON)

    look_over(of_parameters(operate, "scale"), normal(*shape), scale, expected=lambda x, s: s.reshape(around) * x
              / np.sqrt((x**2).mean(axes, keepdims=True) + EPSILON))
    still = parameter(scale)
    look_over(lambda x: rms_normalization(x, still, axes, EPSILON, trainable=False), normal(*shape))
    assert not still.grad.any()


def test_the_gradient_of_a_scale_is_added_to():
    x, scale = normal(3, 4), parameter(np.ones(4))
    _, backward = rms_normalization(x, scale, (1,), EPSILON)
    backward(x)
    once = scale.grad.copy()
    backward(x)
    np.testing.assert_allclose(scale.grad, 2 * once, rtol=1e-14)
    np.testing.assert_allclose(once, (x * x / np.sqrt((x**2).mean(1, keepdims=True) + EPSILON)).sum(0), rtol=1e-12)


def test_a_frozen_layer_follows_its_statistics_and_epsilon():
    x, gamma, (mean, variance) = normal(*SHAPE), parameter(GAMMA), _moving()

    def slope(epsilon=EPSILON):
        gamma.zero_grad()
        batch.frozen_batch_normalization(x, gamma, None, mean, variance, epsilon, trainable=True)[1](
            np.ones(SHAPE))
        expected = ((x - mean.value) / np.sqrt(variance.value + epsilon)).sum((0, 1, 2))
        np.testing.assert_allclose(gamma.grad, expected, rtol=1e-11)

    slope()
    slope()
    slope(epsilon=0.5)
    variance.assign(2 * VARIANCE)
    slope()
    mean.assign(-MEAN)
    slope()


def test_a_frozen_layer_of_an_empty_batch_has_nothing_to_learn():
    gamma, beta = parameter(GAMMA), parameter(BETA)
    y, back = batch.frozen_batch_normalization(np.empty((0, 3, C)), gamma, beta, *_moving(), EPSILON, RELU,
                                               trainable=True)
    assert back(y).shape == y.shape == (0, 3, C)
    assert not gamma.grad.any()
    assert not beta.grad.any()


def test_gradients_of_gamma_and_beta_are_added_to():
    gamma, beta, x = parameter(GAMMA), parameter(BETA), normal(*SHAPE)
    for forward in (lambda: batch.batch_normalization(x, gamma, beta, *_moving(), 0.9, EPSILON),
                    lambda: batch.frozen_batch_normalization(x, gamma, beta, *_moving(), EPSILON,
                                                             trainable=True),
                    lambda: group_normalization(x, gamma, beta, (3, 8, 1, C), EPSILON)):
        gamma.zero_grad()
        beta.zero_grad()
        _, back = forward()
        back(x)
        once = gamma.grad.copy(), beta.grad.copy()
        back(x)
        np.testing.assert_allclose(gamma.grad, 2 * once[0], rtol=1e-12)
        np.testing.assert_allclose(beta.grad, 2 * once[1], rtol=1e-12)


def test_short_vectors_are_divided_by_their_root_mean_square_too():
    x = 1e-7 * normal(3, 4)
    y, _ = rms_normalization(x, parameter(np.ones(4)), (1,), 1e-16)
    np.testing.assert_allclose(y, x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-16), rtol=1e-12)


def test_channels_without_neighbours_and_empty_batches_are_normalized():
    look_over(lambda x: local_response_normalization(x, 2, 2, 0.3, 0.75, 1.5), normal(2, 3, 1),
              expected=lambda x: x / (1.5 + 0.3 * x**2) ** 0.75)
    assert local_response_normalization(np.empty((0, 3, 2)), 1, 1, 0.3, 0.75, 1.5)[0].shape == (0, 3, 2)
