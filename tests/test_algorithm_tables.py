"""Tables of rates: which one holds, what it changes, and who records its name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import algorithm_tables, config, cpu_features, device, layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry import conv2d
from fastcnn.operations import measured_algorithms
from fastcnn.operations.algorithms import algorithm_of

ROOT = Path(fc.__file__).parents[1]
SMALL = (1, 14, 14, 256)  # sixteen tiles: the Intel table multiplies directly, the general one by Winograd


@pytest.fixture
def choose():
    before = config.algorithm_choice()
    yield config.set_algorithm_choice
    config.set_algorithm_choice(before)


def kernels(shape=SMALL, filters=256, kept=True):
    g = conv2d(shape, filters, (3, 3), padding="same")
    return [call.kernel for call in algorithm_of(g, device.cpu, np.dtype("float32"), kept)]


@pytest.mark.parametrize(("features", "table"), [
    ({"avx512f", "avx2"}, "avx512-intel"), ({"avx512f", "sse4a"}, "general"), ({"avx2"}, "general"), (set(), "general"),
])
def test_the_table_is_that_of_the_kind_of_cpu(features, table, monkeypatch):
    monkeypatch.setattr(cpu_features, "_target", lambda: features)
    assert algorithm_tables.of_machine.__wrapped__() == table


def test_another_table_is_another_algorithm_and_models_notice(choose):
    direct, winograd = device.cpu.kernels.conv2d_forward, device.cpu.kernels.winograd_forward
    choose("general")
    assert kernels()[0] is winograd
    model = fc.Sequential([fc.Input(SMALL[1:]), layers.Conv2D(256, 3, padding="same", use_bias=False)])
    x = np.random.default_rng(0).standard_normal(SMALL).astype(np.float32)
    by_winograd = [model.predict(x) for _ in range(3)]
    choose("avx512-intel")
    assert kernels()[0] is direct
    direct = [model.predict(x) for _ in range(3)]
    for found in (by_winograd, direct):
        for other in found[1:]:
            np.testing.assert_array_equal(other, found[0])
    assert (direct[0] != by_winograd[0]).any()
    np.testing.assert_allclose(direct[0], by_winograd[0], atol=4e-5)  # 2304 terms: the two roundings


def test_where_it_is_measured_the_faster_one_is_taken(choose, monkeypatch):
    asked = []

    def seconds(run):
        run()
        asked.append(1)
        return len(asked) % 2  # of each two the second is faster: Winograd's

    monkeypatch.setattr(measured_algorithms, "_seconds", seconds)
    choose("measured")
    k = device.cpu.kernels
    shape = (1, 13, 14, 256)  # no other test chooses for it
    assert kernels(shape) == [k.winograd_forward, k.winograd_backward_input, k.winograd_backward_weights]
    monkeypatch.setattr(measured_algorithms, "_seconds", lambda run: 0)
    assert kernels((1, 12, 14, 256), kept=False) == [
        k.conv2d_forward, k.conv2d_backward_input, k.conv2d_backward_weights]
    assert kernels(shape) == kernels(shape), "once for each size"
    assert len(asked) == 6


def test_what_is_measured_is_not_what_the_choice_says(choose):
    choose("measured")
    model = fc.Sequential([fc.Input((9, 9, 16)), layers.Conv2D(16, 3, padding="same")])
    x = np.random.default_rng(0).standard_normal((2, 9, 9, 16)).astype(np.float32)
    found = model.predict(x)
    choose("table")
    np.testing.assert_allclose(model.predict(x), found, atol=1e-5)


def test_unknown_choices_are_refused_in_a_sentence(choose):
    before = config.algorithm_choice()
    with pytest.raises(ArgumentError, match=r"set_algorithm_choice: choice: 'genral' is not known; did you mean 'gen"):
        choose("genral")
    assert config.algorithm_choice() == before


def test_the_environment_names_a_table():
    code = "from fastcnn import config; print(config.algorithm_choice(), config.algorithm_table())"
    run = lambda value: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                       env={**os.environ, "FASTCNN_ALGORITHM_CHOICE": value}, cwd=ROOT)
    assert run("general").stdout.split() == ["general"] * 2
    assert "FASTCNN_ALGORITHM_CHOICE: 'fast' is not known" in run("fast").stderr


def test_files_of_models_record_the_table(choose, tmp_path):
    choose("general")
    fc.Sequential([fc.Input((3,)), layers.Dense(2)]).save(tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["__metadata__"]["algorithms"] == "general"


def test_a_resume_under_another_table_is_told(choose, tmp_path):
    def fit(epochs):
        fc.utils.set_random_seed(0)
        model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
        model.compile(optimizer="sgd", loss="mse")
        again = fc.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        model.fit(np.ones((8, 3)), np.ones((8, 2)), epochs=epochs, verbose=0, callbacks=[again])

    choose("general")
    fit(1)
    choose("avx512-intel")
    with pytest.warns(UserWarning, match="written with table of algorithms general instead of avx512-intel"):
        fit(2)
