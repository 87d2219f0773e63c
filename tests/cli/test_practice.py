"""What ``train`` offers for training: schedules, optimizers, regularization, averages, augmentation."""

import json
import tomllib

import numpy as np
import pytest

from fastcnn import layers, optimizers
from fastcnn.cli import _augmentation, main
from fastcnn.cli._config import Config
from fastcnn.cli._data import Standard
from fastcnn.cli._examples import Examples
from fastcnn.cli._network import make_network
from fastcnn.cli._optimizer import make_optimizer
from fastcnn.cli._practice import limited, weights_of
from fastcnn.cli._regularization import with_dropout, with_l2
from fastcnn.cli._schedule import RateSchedule
from fastcnn.errors import ArgumentError
from fastcnn.initializers import PatchWhitening
from tests.cli.conftest import only_line


def config(**more):
    known = {"dataset": "digits", "model": "lenet", "epochs": 1, "batch_size": 32, "optimizer": "adam",
             "learning_rate": 0.1, "cool_down": 0.5, "seed": 1, "started": "", "versions": {}}  # fmt: skip
    return Config(**known | more)


@pytest.mark.parametrize(("name", "warmup", "expected"), [
    ("constant", 0, [1, 1, 1, 1, 1, 1, 1, 1]), ("cooldown", 0, [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]),
    ("linear", 0, [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
    ("triangle", 0.25, [0.5, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
    ("cosine", 0, [(1 + np.cos(np.pi * k / 8)) / 2 for k in range(8)]),
    ("exponential", 0, [0.01 ** (k / 8) for k in range(8)]), ("step", 0, [1] * 4 + [0.1] * 2 + [0.01] * 2),
    ("inverse-sqrt", 0, [1 / np.sqrt(1 + k) for k in range(8)]),
    ("constant", 0.5, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
])  # fmt: skip
def test_a_schedule_spans_all_steps(name, warmup, expected):
    rate = RateSchedule(name, 1.0, warmup).of(8)
    assert [rate(step) for step in range(8)] == pytest.approx(expected)


def test_one_cycle_is_that_of_the_library():
    rate, twin = RateSchedule("onecycle", 0.1, 0.3).of(50), optimizers.schedules.OneCycle(0.1, 50, 0.3)
    assert [rate(step) for step in range(50)] == [twin(step) for step in range(50)]


@pytest.mark.parametrize("name", optimizers.names)
def test_every_optimizer_takes_rate_decay_and_averages(name):
    optimizer = make_optimizer(config(optimizer=name, learning_rate=0.25, weight_decay=0.5, ema=0.75))
    assert (optimizer.learning_rate, optimizer.weight_decay, optimizer.use_ema, optimizer.ema_momentum) == (
        0.25, 0.5, True, 0.75)  # fmt: skip


def test_momentum_is_for_those_that_have_one():
    assert make_optimizer(config(optimizer="nesterov")).momentum == 0.9
    made = make_optimizer(config(optimizer="nesterov", momentum=0.5))
    assert (made.momentum, made.nesterov) == (0.5, True)
    assert make_optimizer(config(optimizer="rmsprop", momentum=0.5)).momentum == 0.5
    with pytest.raises(ArgumentError, match=r"has one, sgd, momentum, nesterov, rmsprop, muon, got adam$"):
        make_optimizer(config(momentum=0.5))


def test_weight_decay_shrinks_kernels_alone():
    model = make_network(config(), (8, 8, 1), 10, None)
    model.compile(make_optimizer(config(optimizer="sgd", learning_rate=1.0, weight_decay=0.5)), "mse")
    model.optimizer.build(model.trainable_weights)
    before = [one.numpy() + 1 for one in model.trainable_weights]
    for parameter, value in zip(model.trainable_weights, before, strict=True):
        parameter.assign(value)
    model.optimizer.step()
    for parameter, value in zip(model.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(parameter.numpy(), value / 2 if parameter.name == "kernel" else value)


def test_dropout_sets_the_layers_that_there_are_or_adds_one_before_the_last():
    named = with_dropout(make_network(config(), (8, 8, 1), 10, None), 0.25)
    assert [one.rate for one in named.layers if isinstance(one, layers.Dropout)] == [0.25]
    residual = make_network(config(model="resnet20"), (16, 16, 3), 10, None)
    more = with_dropout(residual, 0.25)
    assert (type(more.layers[-2]), more.layers[-2].rate, more.name) == (layers.Dropout, 0.25, residual.name)
    assert more.layers[-1] is residual.layers[-1]
    assert more.count_params() == residual.count_params()


def test_l2_is_a_penalty_of_all_kernels():
    model = with_l2(make_network(config(), (8, 8, 1), 10, None), 0.5)
    penalized = {one.path: one.regularizer for one in model.weights if one.regularizer is not None}
    assert set(penalized) == {one.path for one in model.weights if one.name == "kernel"}
    assert {one.l2 for one in penalized.values()} == {0.5}


def test_x_in_a_list_of_layers_is_the_training_images_as_the_network_takes_them():
    x = np.random.default_rng(0).normal(size=(50, 8, 8, 3)).astype(np.float32)
    network = ["Conv2D(24, 2, kernel_initializer=PatchWhitening(x), trainable=False)", "ReLU", "Flatten",
               "Dense(classes, activation='softmax')"]
    model = make_network(config(network=network), (8, 8, 3), 4, lambda: x)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), PatchWhitening(x)((2, 2, 3, 24)))
    assert [one.path for one in model.trainable_weights if "conv2d" in one.path] == []


@pytest.mark.parametrize("name", _augmentation.PRESETS)
def test_presets_change_pictures_of_any_kind_within_their_range(name):
    rng = np.random.default_rng(0)
    for channels, white in ((1, 16.0), (3, 255.0)):
        x = rng.integers(0, int(white) + 1, (6, 12, 12, channels)).astype(np.uint8)
        calls = _augmentation.settled(name, channels)
        pipeline = _augmentation.make_pipeline(calls, x.shape[1:], Standard((0.0,), (1.0,)), white, 1)
        y = pipeline(x, np.arange(6), epoch=1) * white
        assert (y.shape, y.dtype) == (x.shape, np.float32)
        assert y.min() > -1e-4
        assert y.max() < white * (1 + 1e-5)
        assert np.abs(y - x).max() > 1
        np.testing.assert_allclose(pipeline.at_rest(x) * white, x, rtol=1e-6)


def test_what_is_off_is_nothing_and_calls_stay_as_they_are():
    assert _augmentation.settled(None, 3) is _augmentation.settled("off", 3) is None
    assert _augmentation.settled(["RandomHue(0.1)"], 1) == ["RandomHue(0.1)"]
    assert _augmentation.mixes(["RandomFlip()", "MixUp(0.2)"])
    assert not _augmentation.mixes(["RandomFlip()"])


@pytest.mark.parametrize(("calls", "expected"), [
    ("['RandomFlop()']", "augment: 'RandomFlop' is not known; did you mean 'RandomFlip'"),
    ("['Dense(3)']", "augment: 'Dense' is not known"),
    ("['RandomCrop(4, 4)']", "expected a layer that keeps the images' size"),
    ("['RandomFlip(\"up\")']", "mode: 'up' is not known"),
    ("'wild'", "augmentation: 'wild' is not known; known are crop, digits, mirror, off, strong"),
])  # fmt: skip
def test_augmentation_that_cannot_be_is_told_with_its_line(tmp_path, monkeypatch, capsys, calls, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(f"seed = 1\n\naugment = {calls}\n")
    assert main(["train", "--config", "plan.toml", "--print-config"]) == 2
    message = only_line(capsys.readouterr().err)
    assert "--config plan.toml, line 3: " in message
    assert expected in message


EVERYTHING = ("--epochs", "2", "--optimizer", "sgd", "--momentum", "0.9", "--lr", "0.05", "--weight-decay", "1e-3",
              "--lr-schedule", "triangle", "--ema", "0.9", "--label-smoothing", "0.1", "--l2", "1e-4", "--dropout",
              "0.1", "--seed", "5", "--augment", "RandomTranslation(0.1, 0.1), MixUp(0.2)")  # fmt: skip


def test_a_run_with_everything_is_replayed_by_its_file_and_trained_on_with_its_practice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *EVERYTHING, "--out", "first"]) == 0
    output = capsys.readouterr().out
    assert "learning rate 0.05 (triangle) after a warm-up over 25%, momentum 0.9, weight decay 0.001" in output
    assert "images RandomTranslation(0.1, 0.1), MixUp(0.2)" in output
    assert main(["train", "--config", "first/config.toml", "--out", "second"]) == 0
    assert (tmp_path / "first/model.safetensors").read_bytes() == (tmp_path / "second/model.safetensors").read_bytes()
    capsys.readouterr()
    assert main(["train", "--from", "first", "--print-config"]) == 0
    said = tomllib.loads(capsys.readouterr().out)
    recorded = tomllib.loads((tmp_path / "first" / "config.toml").read_text())
    assert {name: value for name, value in said.items() if name not in ("from", "seed")} == {
        name: value for name, value in recorded.items() if name not in ("model", "seed")}
    assert main(["train", "--from", "first", "--augment", "off", "--optimizer", "adam", "--print-config"]) == 0
    said = tomllib.loads(capsys.readouterr().out)
    assert said["augment"] == "off"
    assert not {"momentum", "weight-decay"} & set(said)  # they belong to the optimizer of the first run
    # What dev saw in the last epoch, averages with statistics of their own, is what was saved.
    assert main(["evaluate", "first", "--part", "dev"]) == 0
    accuracy = float(capsys.readouterr().out.split()[-1])
    last = json.loads((tmp_path / "first" / "history.jsonl").read_text().splitlines()[-1])
    assert last["val_accuracy"] == pytest.approx(accuracy, abs=0.5 / 359)  # printed with four digits


def test_the_training_part_is_cut_by_class_and_weights_make_classes_count_alike():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    part = Examples(np.arange(100), y, np.empty(100, object))
    some = limited(part, 10, seed=1)
    assert np.bincount(some.y).tolist() == [6, 3, 1]
    np.testing.assert_array_equal(limited(part, 10, seed=1).x, some.x)
    assert limited(part, 100, seed=1) is limited(part, None, seed=1) is part
    weights = weights_of(part, "balanced")
    np.testing.assert_allclose([weights[y == k].sum() for k in range(3)], 100 / 3, rtol=1e-6)
    twice = weights_of(part._replace(weights=np.full(100, 2, np.float32)), "balanced")
    np.testing.assert_array_equal(twice, 2 * weights)
    assert weights_of(part, None) is None


def test_few_images_in_one_batch_are_what_is_trained_on_and_evaluated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--limit", "50", "--batch-size", "all", "--epochs", "1", "--class-weight", "balanced",
                 "--out", "run"]) == 0  # fmt: skip
    output = capsys.readouterr().out
    assert "digits: 50 training, 359 dev" in output
    assert "1 epochs, one batch, adam" in output
    assert json.loads((tmp_path / "run" / "history.jsonl").read_text())["steps"] == 1
    assert (tmp_path / "run" / "split.csv").read_text().count("\ntrain,") == 1083  # the others are nobody's dev or test
    assert main(["evaluate", "run", "--part", "train"]) == 0
    assert "digits: 50 train images" in capsys.readouterr().out


def test_patience_ends_training_and_keeps_the_best_epoch(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--limit", "60", "--epochs", "60", "--patience", "1", "--lr", "0.02", "--seed", "1",
                 "--lr-schedule", "constant", "--out", "run"]) == 0  # fmt: skip
    output = capsys.readouterr().out
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    losses = [line["val_loss"] for line in history]
    assert len(losses) < 60
    assert losses[-1] >= losses[-2] == min(losses)
    assert f"stopped early after epoch {len(losses)}: " in output
    assert f"kept   the weights of epoch {len(losses) - 1}," in output
    assert output.splitlines()[-1] == f"dev accuracy {history[-2]['val_accuracy']:.4f}"
    assert main(["train", "--patience", "1", "--dev", "0"]) == 2
    assert "--patience: expected a dev part" in only_line(capsys.readouterr().err)
