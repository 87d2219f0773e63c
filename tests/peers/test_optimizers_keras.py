"""Optimizers beside Keras: the same gradients for 100 steps, the same values after each of them."""

import inspect

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.parameters import Parameter

keras = pytest.importorskip("keras")

# Keras makes tensors of its variables in a way that NumPy warns of.
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]

STEPS = 100
SHAPES = {"kernel": (3, 4, 5), "bias": (7,), "gamma": (1,), "moving": (2, 300)}

CASES = {
    "SGD": {},
    "SGD with momentum": {"momentum": 0.9},
    "SGD, Nesterov": {"momentum": 0.9, "nesterov": True, "learning_rate": 0.05},
    "Adagrad": {"learning_rate": 0.1},
    "Adadelta": {"learning_rate": 1.0},
    "RMSprop": {},
    "RMSprop with momentum": {"momentum": 0.5},
    "RMSprop, centered": {"centered": True, "learning_rate": 0.01},
    "RMSprop, centered with momentum": {"centered": True, "momentum": 0.5},
    "Adam": {"learning_rate": 0.01},
    "Adam, AMSGrad": {"amsgrad": True, "beta_2": 0.9, "learning_rate": 0.01},
    "AdamW": {"learning_rate": 0.01, "weight_decay": 0.1},
    "Nadam": {"learning_rate": 0.01},
    "Adamax": {"learning_rate": 0.01},
    "Lion": {"weight_decay": 0.1},
    "Ftrl": {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02,
             "l2_shrinkage_regularization_strength": 0.01, "beta": 0.1},
    "Lamb": {"learning_rate": 0.01},
    "Adafactor": {"learning_rate": 0.05},
    "Adafactor, its limits": {"learning_rate": 0.3, "beta_2_decay": -0.5, "epsilon_2": 0.1, "clip_threshold": 0.2,
                              "weight_decay": 0.1},
    "Muon": {"learning_rate": 0.01},
    "Muon along the momentum": {"nesterov": False, "rms_rate": None, "adam_lr_ratio": 0.5, "ns_steps": 2,
                                "adam_weight_decay": None},
    "Muon, excluded": {"exclude_layers": ["mov"], "weight_decay": None},
    # what the base does
    "SGD, clipnorm": {"clipnorm": 3.0},
    "SGD, clipvalue": {"clipvalue": 0.3},
    "SGD, global_clipnorm": {"global_clipnorm": 5.0, "momentum": 0.9},
    "Adam, clipnorm and decay": {"clipnorm": 1.0, "weight_decay": 0.1, "learning_rate": 0.01},
    "SGD, average": {"use_ema": True, "ema_momentum": 0.9},
    "Adam, average that overwrites": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    "Adam, accumulated": {"gradient_accumulation_steps": 4, "learning_rate": 0.01, "clipnorm": 1.0},
    "SGD, accumulated averages": {"gradient_accumulation_steps": 3, "use_ema": True, "ema_overwrite_frequency": 5},
    "Nadam, accumulated": {"gradient_accumulation_steps": 2, "weight_decay": 0.01},
}


def _start(dtype):
    draw = np.random.default_rng(0)
    values = {name: draw.standard_normal(shape).astype(dtype) for name, shape in SHAPES.items()}
    theirs = [keras.Variable(v, dtype=dtype, name=name) for name, v in values.items()]
    ours = [Parameter(v.copy(), name, f"layer/{name}") for name, v in values.items()]
    return ours, theirs


def _same(ours, theirs, tolerance=1e-5):
    for p, v in zip(ours, theirs, strict=True):
        expected = keras.ops.convert_to_numpy(v.value)
        np.testing.assert_allclose(p.numpy(), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def _steps(mine, other, ours, theirs, steps=STEPS, tolerance=1e-5):
    draw = np.random.default_rng(1)
    mine.build(ours)
    for step in range(steps):
        gradients = [(3 * draw.standard_normal(p.shape)).astype(p.dtype) for p in ours]
        other.apply([keras.ops.convert_to_tensor(g) for g in gradients], theirs)
        mine.clear_gradients()
        for p, g in zip(ours, gradients, strict=True):
            p.gradient[...] += g
        mine.step(clear=step % 2 == 1)
        _same(ours, theirs, tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_are_kerass(case, dtype):
    name = case.partition(",")[0].partition(" ")[0]
    ours, theirs = _start(dtype)
    mine, other = getattr(fc.optimizers, name)(**CASES[case]), getattr(keras.optimizers, name)(**CASES[case])
    _steps(mine, other, ours, theirs)
    mine.finalize_variable_values()
    other.finalize_variable_values(theirs)
    _same(ours, theirs)


def test_the_first_step_without_a_schedule_is_kerass():
    """From the second on Keras on PyTorch reads the new momentum where the old is meant; see tests of the kernel."""
    for arguments in ({}, {"weight_decay": 0.1, "warmup_steps": 3}):
        ours, theirs = _start("float64")
        mine, other = (library.optimizers.ScheduleFreeAdamW(**arguments) for library in (fc, keras))
        _steps(mine, other, ours, theirs, 1)


def test_several_optimizers_as_one_are_kerass():
    ours, theirs = _start("float64")
    for p, v in zip(ours, theirs, strict=True):
        p.path = v.path
    optimizers = []
    for library in (fc, keras):
        make = library.optimizers
        by_path = make.OptimizerMap(make.SGD(0.01, momentum=0.9), {"bias": make.Adam(0.01, clipnorm=1.0)})
        by_path["gam.*"] = make.RMSprop(use_ema=True, weight_decay=0.1)
        optimizers.append(make.MultiOptimizer(by_path))
    _steps(*optimizers, ours, theirs, 20)
    optimizers[0].finalize_variable_values()
    optimizers[1].finalize_variable_values(theirs)
    _same(ours, theirs)


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Lamb", "Adafactor"])
def test_excluded_variables_do_not_decay_in_keras_either(name):
    ours, theirs = _start("float64")
    mine = getattr(fc.optimizers, name)(learning_rate=0.01, weight_decay=0.2)
    other = getattr(keras.optimizers, name)(learning_rate=0.01, weight_decay=0.2)
    mine.exclude_from_weight_decay([ours[0]], ["bias", "gam+a"])
    other.exclude_from_weight_decay([theirs[0]], ["bias", "gam+a"])
    _steps(mine, other, ours, theirs)


SCHEDULES = {
    "ExponentialDecay": [{"decay_steps": 30, "decay_rate": 0.7}, {"decay_steps": 30, "decay_rate": 0.7,
                                                                  "staircase": True}],
    "InverseTimeDecay": [{"decay_steps": 30, "decay_rate": 0.7}, {"decay_steps": 30, "decay_rate": 0.7,
                                                                  "staircase": True}],
    "PolynomialDecay": [{"decay_steps": 30}, {"decay_steps": 30, "power": 2.0, "cycle": True,
                                              "end_learning_rate": 0.01}],
    "CosineDecay": [{"decay_steps": 60, "alpha": 0.1}, {"decay_steps": 60, "warmup_target": 0.5, "warmup_steps": 20}],
    "CosineDecayRestarts": [{"first_decay_steps": 17}, {"first_decay_steps": 17, "t_mul": 1.0, "alpha": 0.1},
                            {"first_decay_steps": 9, "t_mul": 1.5, "m_mul": 0.8}],
}


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, each in SCHEDULES.items() for a in each])
def test_schedules_are_kerass(name, arguments):
    mine = getattr(fc.optimizers.schedules, name)(0.1, **arguments)
    other = getattr(keras.optimizers.schedules, name)(0.1, **arguments)
    expected = [float(other(step)) for step in range(130)]
    np.testing.assert_allclose([mine(step) for step in range(130)], expected, rtol=2e-5, atol=2e-6)
    assert mine.get_config() == other.get_config()
    ours, theirs = _start("float64")
    _steps(fc.optimizers.SGD(mine), keras.optimizers.SGD(other), ours, theirs, 40)


def test_a_piecewise_constant_schedule_is_kerass():
    mine = fc.optimizers.schedules.PiecewiseConstantDecay([10, 20, 50], [0.1, 0.2, 0.3, 0.01])
    other = keras.optimizers.schedules.PiecewiseConstantDecay([10, 20, 50], [0.1, 0.2, 0.3, 0.01])
    np.testing.assert_allclose([mine(s) for s in range(60)], [float(other(s)) for s in range(60)], rtol=1e-6)
    assert mine.get_config() == other.get_config()


def _arguments(cls):
    given = list(inspect.signature(cls.__init__).parameters.values())[1:]
    own = [(p.name, p.default) for p in given if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(own) == len(given) or not issubclass(cls, fc.optimizers.Optimizer):
        return own
    named = {name for name, _ in own}
    base = list(inspect.signature(fc.optimizers.Optimizer.__init__).parameters.values())[2:]
    return own + [(p.name, p.default) for p in base if p.name not in named]


@pytest.mark.parametrize("name", [n for n in fc.optimizers.__all__ if n[0].isupper() and n != "Optimizer"])
def test_constructors_take_kerass_arguments_in_kerass_order_with_kerass_defaults(name):
    theirs = list(inspect.signature(getattr(keras.optimizers, name).__init__).parameters.values())[1:]
    assert _arguments(getattr(fc.optimizers, name)) == [
        (p.name, p.default) for p in theirs if p.kind is not p.VAR_KEYWORD]
    if name in ("MultiOptimizer", "OptimizerMap"):  # they are made of other optimizers
        return
    ours, other = (getattr(m.optimizers, name)(name="its").get_config() for m in (fc, keras))
    assert {k: pytest.approx(v) if isinstance(v, float) else v for k, v in other.items()} == ours


@pytest.mark.parametrize("name", ["ExponentialDecay", "PiecewiseConstantDecay", "PolynomialDecay", "InverseTimeDecay",
                                  "CosineDecay", "CosineDecayRestarts"])
def test_schedules_take_kerass_arguments(name):
    ours, theirs = (list(inspect.signature(getattr(m.optimizers.schedules, name).__init__).parameters.values())
                    for m in (fc, keras))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]
