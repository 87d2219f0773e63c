"""Keras's own unit tests, run against fastcnn: as many pass as did; `python -m tests.peers.keras_tests` tells which.

Areas that take seconds are run here. The whole is behind the marker `slow`; so are the faults that are planted to see
that the tests see them.
"""

import json
import subprocess
import sys
from collections import Counter

import pytest

for _judge in ("keras", "torch"):  # which the tests run with, in a process of their own
    pytest.importorskip(_judge)

#: So many tests of an area pass, at least. Raise them when more do.
FLOORS = {
    "convolutional": 238, "pooling": 59, "normalization": 26, "activation layers": 27, "core": 23, "merging": 11,
    "regularization": 28, "reshaping": 122, "preprocessing": 28, "activations": 48, "losses": 129, "metrics": 371,
    "optimizers": 161, "initializers": 13, "regularizers": 15, "constraints": 17, "models": 64}
SLOW = {"callbacks": 25, "saving": 32, "utils": 65, "applications": 191, "trainers": 67}
LIMIT_OUTSIDE = 1650

#: What is done to fastcnn, in whose tests it must be seen.
FAULTS = {
    "max pooling is 0.1 % too large": ("layers/pooling/max_pooling", '''
from fastcnn.layers import pool
real = pool.MaxPooling2D.predict
pool.MaxPooling2D.predict = lambda layer, x: real(layer, x) * 1.001
'''),
    "a bias is off by 0.01": ("convolutional/conv_test", '''
from fastcnn.layers import Conv2D
real = Conv2D.predict
Conv2D.predict = lambda layer, x: real(layer, x) + 0.01
'''),
    "a configuration forgets strides": ("layers/pooling/max_pooling", '''
from fastcnn.layers.base import Layer
real = Layer.get_config
Layer.get_config = lambda layer: {k: v for k, v in real(layer).items() if k != "strides"}
'''),
    "Dropout has a weight": ("regularization/dropout", '''
from fastcnn.layers import Dropout
Dropout.create_weights = lambda layer, shape: layer.add_weight("w", (1,), "zeros")
'''),
    "half the squared error": ("losses/losses", '''
from fastcnn.losses import MeanSquaredError
real = MeanSquaredError.__call__
MeanSquaredError.__call__ = lambda loss, *given, **more: real(loss, *given, **more) / 2
'''),
    "Adam goes 1 % too far": ("optimizers/adam_test", '''
from fastcnn.optimizers import Adam
real = Adam._current_rate
Adam._current_rate = lambda optimizer: real(optimizer) * 1.01
'''),
    "precision is off by 0.01": ("metrics/confusion", '''
from fastcnn.metrics import Precision
real = Precision.result
Precision.result = lambda metric: real(metric) + 0.01
'''),
}


def outcomes(tmp_path, *words, before=""):
    """Run Keras's tests in a process of its own, after a fault is planted, and return their outcomes by test."""
    given = ["keras_tests", *words, "--json", str(tmp_path / "out.json")]
    run = "runpy.run_module('tests.peers.keras_tests', run_name='__main__')"
    subprocess.run([sys.executable, "-c", f"{before}\nimport runpy, sys\nsys.argv = {given!r}\n{run}"], check=True,
                   capture_output=True)
    return {one["test"]: one for one in json.loads((tmp_path / "out.json").read_text())}


def check_floors(found, floors):
    passed = Counter(one["area"] for one in found.values() if one["kind"] == "passed")
    assert {area: passed[area] for area, floor in floors.items() if passed[area] < floor} == {}


def test_as_many_of_keras_s_tests_pass_as_did(tmp_path):
    check_floors(outcomes(tmp_path, *FLOORS), FLOORS)


@pytest.mark.slow
def test_as_many_pass_in_all_and_no_more_are_outside(tmp_path):
    found = outcomes(tmp_path)
    check_floors(found, FLOORS | SLOW)
    outside = [one for one in found.values() if one["kind"] == "outside" and one["area"] != "augmentation"]
    assert len(outside) <= LIMIT_OUTSIDE
    assert all(one["why"] for one in outside)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_turns_a_test_that_passed_red(fault, tmp_path):
    words, planted = FAULTS[fault]
    before, after = outcomes(tmp_path, words), outcomes(tmp_path, words, before=planted)
    assert [test for test, one in before.items() if one["kind"] == "passed" and after[test]["kind"] != "passed"]
