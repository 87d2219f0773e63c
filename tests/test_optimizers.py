"""What an optimizer leaves behind, besides new values."""

import copy
import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter

NAMES = fc.optimizers.names
names = pytest.mark.parametrize("name", NAMES)


def _parameters():
    draw = np.random.default_rng(0)
    return [Parameter(draw.standard_normal(shape).astype(kind), "p", f"p{shape}", True)
            for shape, kind in (((3, 4), np.float32), ((5,), np.float64), ((2, 2), np.float32))]


def _give_gradients(parameters, seed=1):
    draw = np.random.default_rng(seed)
    for p in parameters:
        p.gradient[...] = draw.standard_normal(p.shape)


def _built(name, **arguments):
    parameters = _parameters()
    optimizer = fc.optimizers.get(name, **arguments)
    optimizer.build(parameters)
    _give_gradients(parameters)
    return optimizer, parameters


@names
def test_gradients_can_be_read_after_a_step_unless_it_clears_them(name):
    (kept, parameters), (clearing, others) = _built(name), _built(name)
    given = [p.grad.copy() for p in parameters]
    kept.step()
    clearing.step(clear=True)
    for p, other, gradient in zip(parameters, others, given, strict=True):
        np.testing.assert_array_equal(p.grad, gradient)
        np.testing.assert_array_equal(other.grad, 0)
        np.testing.assert_array_equal(p.value, other.value)
        assert p.version == other.version


def test_excluded_parameters_do_not_decay():
    parameters = _parameters()
    before = [p.numpy() for p in parameters]
    optimizer = fc.optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(parameters[:1])
    optimizer.build(parameters)
    optimizer.step()  # along gradients of zero
    np.testing.assert_array_equal(parameters[0].value, before[0])
    for p, value in zip(parameters[1:], before[1:], strict=True):
        np.testing.assert_array_equal(p.value, 0.75 * value)


@names
def test_a_state_that_was_read_and_set_goes_on_the_same_way(name):
    arguments = {"use_ema": True, "clipnorm": 1.0, "gradient_accumulation_steps": 2}
    (first, parameters), (second, others) = _built(name, **arguments), _built(name, **arguments)
    for seed in range(5):
        first.clear_gradients()
        _give_gradients(parameters, seed)
        first.step()
    second.set_state(first.get_state())
    for p, other in zip(parameters, others, strict=True):
        other.assign(p.numpy())
    for seed in range(5, 9):
        for optimizer, mine in ((first, parameters), (second, others)):
            optimizer.clear_gradients()
            draw = np.random.default_rng(seed)
            for p in mine:
                p.gradient[...] += draw.standard_normal(p.shape)
            optimizer.step()
    for a, b in zip(parameters, others, strict=True):
        np.testing.assert_array_equal(a.value, b.value)
    for (key, a), (other_key, b) in zip(first.get_state().items(), second.get_state().items(), strict=True):
        assert key == other_key
        np.testing.assert_array_equal(a, b)


def test_a_state_of_other_parameters_is_refused_and_changes_nothing():
    optimizer, parameters = _built("adam")
    optimizer.step()
    state = optimizer.get_state()
    assert list(state) == ["iterations", "learning_rate", *(f"{i}/{s}" for i in (0, 2, 1) for s in
                                                            ("momentum", "velocity"))]
    for wrong, message in (({**state, "0/momentum": np.zeros(3)}, r"0/momentum \(3, 4\) got \(3,\)"),
                           ({**state, "9/momentum": np.zeros(3)}, "they differ in 9/momentum"),
                           ({"iterations": 1}, "expected a state of 8 arrays, got 1")):
        with pytest.raises(fc.errors.ArgumentError, match=message):
            optimizer.set_state(wrong)
    for key, value in optimizer.get_state().items():
        np.testing.assert_array_equal(value, state[key])
    optimizer.build(parameters)  # the same again: nothing is lost
    assert optimizer.iterations == 1
    with pytest.raises(fc.errors.ArgumentError, match=r"Adam: .* p\(3, 4\) is none of them; .* a new optimizer"):
        optimizer.build(_parameters())


@names
def test_some_parameters_are_trained_for_a_while_and_the_state_of_all_is_kept(name):
    arguments = {"use_ema": True, "clipnorm": 1.0, "weight_decay": 0.1}
    optimizer, parameters = _built(name, **arguments)
    optimizer.step()
    before, values = optimizer.get_state(), [p.numpy() for p in parameters]
    optimizer.build(parameters[1:])  # the first and the last live in one segment
    _give_gradients(parameters, 2)
    assert list(optimizer.get_state()) == list(before)
    optimizer.step()
    optimizer.finalize_variable_values(parameters[:1])
    np.testing.assert_array_equal(parameters[0].value, values[0])
    for p, value in zip(parameters[1:], values[1:], strict=True):
        assert (p.value != value).all()
    for key, value in optimizer.get_state().items():
        assert np.array_equal(value, before[key]) == (key.startswith("0/") or key == "learning_rate"), key
    optimizer.build(parameters)
    optimizer.step()
    assert optimizer.iterations == 3
    assert (parameters[0].value != values[0]).all()


@names
def test_an_optimizer_survives_its_configuration(name):
    optimizer = fc.optimizers.get(name, learning_rate=0.25, clipvalue=1.0, weight_decay=0.1)
    config = json.loads(json.dumps(fc.optimizers.serialize(optimizer)))
    again = fc.optimizers.get(config)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    scheduled = fc.optimizers.get(name, learning_rate=fc.optimizers.schedules.CosineDecay(0.1, 10))
    again = fc.optimizers.get(json.loads(json.dumps(fc.optimizers.serialize(scheduled))))
    assert again.learning_rate == 0.1
    assert again.get_config() == scheduled.get_config()


def test_a_schedule_says_the_learning_rate_and_a_number_can_be_changed():
    schedule = fc.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer, _ = _built("sgd", learning_rate=schedule)
    assert optimizer.learning_rate == 0.1
    optimizer.step()
    assert optimizer.learning_rate == 0.05
    with pytest.raises(fc.errors.ArgumentError, match="learning_rate cannot be set, since ExponentialDecay says it"):
        optimizer.learning_rate = 0.1
    plain = fc.optimizers.SGD(1)
    plain.learning_rate = np.float32(0.5)
    assert plain.learning_rate == 0.5
    plain.learning_rate = lambda: 0.125
    assert plain.learning_rate == 0.125


def test_a_step_that_is_stopped_after_its_kernel_is_known_to_have_changed_the_values(monkeypatch):
    def stopped(*arguments):
        update(*arguments)
        raise KeyboardInterrupt

    optimizer, parameters = _built("sgd")
    before, update = [p.version for p in parameters], optimizer.update
    monkeypatch.setattr(optimizer, "update", stopped)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    assert all(p.version > version for p, version in zip(parameters, before, strict=True))


def test_averages_take_the_place_of_values_when_told_so():
    optimizer, parameters = _built("sgd", use_ema=True, ema_momentum=0.5, learning_rate=0.1)
    optimizer.step()
    first = [p.numpy() for p in parameters]
    optimizer.step()
    mean = [(a + p.numpy()) / 2 for a, p in zip(first, parameters, strict=True)]
    version = parameters[0].version
    optimizer.finalize_variable_values(parameters[:1])
    assert parameters[0].version > version
    np.testing.assert_allclose(parameters[0].value, mean[0], rtol=1e-6)
    assert np.abs(parameters[1].value - mean[1]).max() > 1e-3
    optimizer.finalize_variable_values()
    np.testing.assert_allclose(parameters[1].value, mean[1], rtol=1e-6)


def test_clipping_looks_at_each_parameter_or_at_all_of_them():
    for arguments, length in (({"clipnorm": 0.5}, None), ({"global_clipnorm": 0.5}, 0.5)):
        optimizer, parameters = _built("sgd", **arguments)
        directions = [p.grad / np.linalg.norm(p.grad) for p in parameters]
        optimizer.step()
        norms = [np.linalg.norm(p.grad) for p in parameters]
        assert np.linalg.norm(norms) == pytest.approx(length or 0.5 * 3**0.5, rel=1e-6)
        for p, direction, norm in zip(parameters, directions, norms, strict=True):
            np.testing.assert_allclose(p.grad / norm, direction, rtol=1e-5)
    optimizer, parameters = _built("sgd", global_clipnorm=1e6)
    before = [p.grad.copy() for p in parameters]
    optimizer.step()
    for p, gradient in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(p.grad, gradient)


def test_what_cannot_be_is_refused():
    o = fc.optimizers
    for make, message in (
            (lambda: o.SGD(-1), "expected a learning_rate of at least 0, or a schedule, got -1"),
            (lambda: o.SGD("fast"), "expected a learning_rate of at least 0, or a schedule, got 'fast'"),
            (lambda: o.SGD(momentum=2), "expected 0 <= momentum <= 1, got 2"),
            (lambda: o.Adam(beta_1=1), "expected 0 <= beta < 1 and a positive epsilon"),
            *((lambda name=name, limit=limit: o.SGD(**{name: limit}), f"SGD: expected a positive {name}, got {limit}")
              for name in ("clipnorm", "clipvalue", "global_clipnorm") for limit in (-1.0, 0, float("nan"))),
            (lambda: o.Adam(clipnorm=1, clipvalue=1), "expected one of clipnorm, clipvalue and global_clipnorm"),
            (lambda: o.Adam(weight_decay=-1), "expected weight_decay of at least 0, got -1"),
            (lambda: o.Adam(loss_scale_factor=2.0), "loss_scale_factor=2.0 is not offered"),
            (lambda: o.Adam(gradient_accumulation_steps=1), "gradient_accumulation_steps to be an integer"),
            (lambda: o.Adam(ema_momentum=2), "expected 0 <= ema_momentum <= 1, got 2"),
            (lambda: o.Adam(ema_overwrite_frequency=0), "ema_overwrite_frequency to be a positive integer, got 0"),
            (lambda: o.AdamW(weight_decay=None), "expected weight_decay to be a number, got None"),
            (lambda: o.Lion(beta_1=0), "expected 0 < beta_1 <= 1, got 0"),
            (lambda: o.Ftrl(learning_rate_power=1), "expected learning_rate_power of at most 0"),
            (lambda: o.get("adamm"), "did you mean 'adam"),
            (lambda: o.get(o.AdamW), r"expected an instance, got the class AdamW; write AdamW\(\)"),
            (lambda: o.schedules.CosineDecay(0.1, 0), "expected a positive decay_steps, got 0"),
            (lambda: o.schedules.PiecewiseConstantDecay([1], [1]), "expected one value more than boundaries"),
            (lambda: o.schedules.deserialize({"class_name": "Cosine"}), "schedule: 'Cosine' is not known"),
            (lambda: _built("adam")[0].exclude_from_weight_decay(var_names=["bias"]), "call it before fit")):
        with pytest.raises(fc.errors.ArgumentError, match=message):
            make()


def test_gradients_that_are_given_make_the_step_that_a_backward_pass_makes():
    (one, other), slope = parameters(), np.float32(0.5)
    by_hand = fc.optimizers.Adam(0.1)
    by_hand.build([one])
    for _ in range(3):
        one.gradient[...] = slope
        by_hand.step(clear=True)
    given = fc.optimizers.Adam(0.1)
    for count in range(3):
        assert given.apply_gradients([(np.full(other.shape, slope), other)]) == count + 1
    np.testing.assert_array_equal(one.value, other.value)
    given.apply([np.full(other.shape, slope)])  # its parameters are known by now
    assert int(given.variables[0]) == given.iterations == 4


def parameters():
    return [fc.parameters.Parameter(np.ones((2, 3), np.float32), "kernel", f"dense_{k}/kernel") for k in range(2)]


def test_a_parameter_without_a_gradient_stays_and_no_gradient_at_all_is_refused():
    one, other = parameters()
    optimizer = fc.optimizers.SGD(1.0, momentum=0.9)
    for wrong, message in (([(None, one)], "expected gradients, got none"),
                           ([(np.ones(3), one)], r"dense_0/kernel \(2, 3\) got \(3,\)")):
        with pytest.raises(ArgumentError, match=message):
            optimizer.apply_gradients(wrong)
    assert not optimizer.built
    with pytest.warns(UserWarning, match="no gradient is given for dense_1/kernel"):
        optimizer.apply_gradients([(np.ones((2, 3)), one), (None, other)])
    assert (one.value == 0).all()
    assert (other.value == 1).all()


def test_the_state_of_an_optimizer_is_variables_and_the_rate_can_be_assigned():
    (one, other), optimizer = parameters(), fc.optimizers.SGD(0.5, momentum=0.9)
    optimizer.apply_gradients([(np.ones((2, 3)), one)])
    assert [v.name for v in optimizer.variables] == ["iterations", "learning_rate", "momentum"]
    assert optimizer.variables[2].path == "sgd/dense_0/kernel/momentum"
    optimizer.learning_rate.assign(0.25)
    assert optimizer.learning_rate == optimizer.learning_rate.numpy() == 0.25
    twin = fc.optimizers.SGD(1.0, momentum=0.9)
    with pytest.raises(ArgumentError, match="expected a state of 2 arrays, got 3; build it"):
        twin.set_weights(optimizer.variables)
    twin.build([other])
    twin.set_weights(optimizer.variables)
    assert twin.learning_rate == 0.25
    np.testing.assert_array_equal(twin.variables[2], optimizer.variables[2])
    assert type(copy.deepcopy(twin.learning_rate)) is float
