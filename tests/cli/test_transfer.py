"""``train --from`` with other classes: new heads, frozen layers, rates by layer, features that are kept."""

import shutil
import signal
import subprocess

import numpy as np
import pytest

from fastcnn import saving
from fastcnn.cli import main
from fastcnn.cli._transfer_values import factors_of
from tests.cli.conftest import command, environment, only_line
from tests.cli.test_resume import contents

SOURCE = """
model = ["Conv2D(4, 3, name='conv_1')", "BatchNormalization(momentum=0.5, name='bn_1')", "ReLU()",
         "Conv2D(6, 3, strides=2, name='conv_2')", "ReLU()", "Flatten()", "Dense(classes, name='scores')", "Softmax()"]
epochs = 2
batch-size = 32
seed = 3
"""


def letters(path, classes, count=60, names=None):
    """Write images of 8 x 8 of which each class has its own bright row, as a data set in a file."""
    draw = np.random.default_rng(0)
    y = np.arange(count) % classes
    x = draw.integers(0, 9, (count, 8, 8)).astype(np.uint8)
    for k, label in enumerate(y):
        x[k, label % 8, : 8 - label // 8 * 4] = 15
    np.savez(path, x=x, y=y, **({} if names is None else {"classes": names}))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a folder with a run of ten digits, and data of three and ten classes beside it."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "source.toml").write_text(SOURCE)
    assert main(["train", "--config", str(folder / "source.toml"), "--quiet", "--out", str(folder / "run")]) == 0
    letters(folder / "three.npz", 3)
    letters(folder / "ten.npz", 10)
    return folder


@pytest.fixture
def train(source, tmp_path, monkeypatch, capsys):
    """Run ``train --from run --dataset three.npz ARGS`` here; return code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("run", "three.npz", "ten.npz"):
        (tmp_path / name).symlink_to(source / name)

    def run(*args, dataset="three.npz"):
        length = () if "--steps" in args else ("--epochs", "3")
        code = main(["train", "--from", "run", "--dataset", dataset, *length, "--seed", "1", *map(str, args)])
        return code, *capsys.readouterr()

    return run


def weights(path):
    return {p.path: p.numpy() for p in saving.load_model(path, compile=False).weights}


def moved(one, other):
    return {path for path in one if path not in other or not np.array_equal(one[path], other[path])}


ABOVE = {"conv_2/kernel", "conv_2/bias"}
BELOW = {"conv_1/kernel", "conv_1/bias", "bn_1/gamma", "bn_1/beta", "bn_1/moving_mean", "bn_1/moving_variance"}


def test_other_classes_get_a_new_head_in_a_line_and_frozen_layers_stay(train, source, tmp_path):
    before = weights(source / "run" / "model.safetensors")
    code, output, errors = train("--freeze", "conv_1,bn*", "--out", "on")
    assert (code, errors) == (0, "")
    assert "note   the last layer, scores with 10 outputs, gives way to a new one for 3 classes; --head keep" in output
    assert "parameters are trained: conv_1, bn* frozen" in output
    after = weights(tmp_path / "on" / "model.safetensors")
    assert moved(after, before) == {*ABOVE, "head/kernel", "head/bias"}
    model = saving.load_model(tmp_path / "on" / "model.safetensors", compile=False)
    assert model.output_shape == (None, 3)
    assert all(layer.trainable for layer in model.layers)  # who goes on from it has plans of its own
    assert saving.load_metadata(tmp_path / "on" / "model.safetensors")["classes"] == ["0", "1", "2"]
    assert main(["evaluate", "on", "--part", "dev", "--quiet"]) == 0


def test_the_run_s_own_file_trains_the_same_again_and_the_plan_is_no_default_of_what_goes_on(train, tmp_path, capsys):
    words = ("--freeze", "conv*", "--unfreeze-at", 2, "--rate-factor", "conv*=0.1,bn*=0", "--ema", 0.9)
    assert train(*words, "--out", "on")[0] == 0
    told = (tmp_path / "on" / "config.toml").read_text()
    assert 'freeze = [\n    "conv*",\n]' in told
    assert 'unfreeze-at = 2\nrate-factor = [\n    "conv*=0.1",\n    "bn*=0",\n]' in told
    assert 'head = "new"' in told
    assert main(["train", "--config", "on/config.toml", "--out", "again"]) == 0
    assert (tmp_path / "on/model.safetensors").read_bytes() == (tmp_path / "again/model.safetensors").read_bytes()
    capsys.readouterr()
    assert main(["train", "--from", "on", "--print-config"]) == 0
    said = capsys.readouterr().out
    assert not any(word in said for word in ("freeze", "rate-factor", "head"))


def test_layers_learn_from_an_epoch_on_and_at_rates_of_their_own(train, source, tmp_path):
    before = weights(source / "run" / "model.safetensors")
    assert train("--freeze", "*", "--unfreeze-at", 3, "--steps", 4, "--batch-size", 16, "--out", "two")[0] == 0
    assert moved(weights(tmp_path / "two" / "model.safetensors"), before) == {"head/kernel", "head/bias"}
    plan = ("--batch-size", "all", "--optimizer", "sgd", "--lr", 0.1, "--lr-schedule", "constant", "--steps", 2)
    assert train(*plan, "--out", "plain")[0] == 0  # a head of zeros hands nothing on in the first step
    assert train(*plan, "--rate-factor", "conv_1=0.25,conv*=0", "--out", "scaled")[0] == 0
    plain, scaled = (weights(tmp_path / one / "model.safetensors") for one in ("plain", "scaled"))
    np.testing.assert_allclose(scaled["conv_1/kernel"] - before["conv_1/kernel"],
                               (plain["conv_1/kernel"] - before["conv_1/kernel"]) / 4, rtol=1e-2, atol=1e-6)
    assert np.abs(plain["conv_1/kernel"] - before["conv_1/kernel"]).max() > 1e-4
    np.testing.assert_array_equal(scaled["conv_2/kernel"], before["conv_2/kernel"])
    np.testing.assert_array_equal(scaled["head/kernel"], plain["head/kernel"])


def test_features_are_computed_once_and_learned_as_images_are(train, tmp_path, monkeypatch):
    words = ("--freeze", "*", "--optimizer", "sgd", "--lr", 0.05)
    assert train(*words, "--out", "plain")[0] == 0
    code, output, _ = train(*words, "--cache-features", "--out", "cached")
    assert code == 0
    assert "gives 24 numbers an image, which are computed once and kept" in output
    plain, cached = (weights(tmp_path / one / "model.safetensors") for one in ("plain", "cached"))
    for path in plain:  # a prediction folds normalization into filters: other roundings
        np.testing.assert_allclose(cached[path], plain[path], rtol=1e-3, atol=1e-5)
    files = sorted((tmp_path / "cache").rglob("*.npy"))
    assert len(files) == 2  # of training and dev
    from fastcnn.models import feature_cache

    monkeypatch.setattr(feature_cache, "_compute", lambda *args: pytest.fail("computed once more"))
    assert train(*words, "--cache-features", "--out", "again")[0] == 0
    assert contents(tmp_path / "again") == contents(tmp_path / "cached")
    assert main(["report", "cached"]) == 0  # of the whole network


@pytest.mark.slow  # five processes; tests/callbacks/test_freeze_layers.py stops at every kind of place in one
def test_a_run_that_was_killed_after_layers_were_set_free_goes_on_to_the_same_bits(train, tmp_path):
    words = ("--from", "run", "--dataset", "ten.npz", "--head", "new", "--freeze", "conv*,bn*", "--unfreeze-at", 3,
             "--rate-factor", "conv*=0.5", "--ema", 0.9, "--epochs", 6, "--batch-size", 4, "--seed", 1)
    subprocess.run(command("train", *words, "--out", "whole"), env=environment(), check=True, capture_output=True)
    for number, after in ((signal.SIGKILL, "epoch 2/"), (signal.SIGKILL, "epoch 4/"), (None, None)):
        plan = words if after == "epoch 2/" else ()
        process = subprocess.Popen(command("train", *plan, "--resume", "auto", "--out", "run_2"), env=environment(),
                                   stdout=subprocess.PIPE, text=True)  # fmt: skip
        for line in process.stdout:
            if number is not None and " ".join(line.split()).startswith(after):
                process.send_signal(number)
                break
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert contents(tmp_path / "run_2") == contents(tmp_path / "whole")
    refused = subprocess.run(command("train", "--resume", "auto", "--out", "run_2", "--unfreeze-at", 4),
                             env=environment(), capture_output=True, text=True)  # fmt: skip
    assert refused.returncode == 2
    assert "--unfreeze-at 4: expected 3, as the run to go on with was begun" in only_line(refused.stderr)


def test_each_seed_begins_with_the_weights_of_the_run(train, tmp_path):
    assert train("--seeds", 2, "--head", "keep", "--batch-size", "all", "--optimizer", "sgd", "--lr", 0.5,
                 "--lr-schedule", "constant", "--steps", 1, "--out", "several", dataset="ten.npz")[0] == 0  # fmt: skip
    one, two = (weights(tmp_path / "several" / run / "model.safetensors") for run in ("seed-1", "seed-2"))
    for path in one:  # a step on all images is the same step in any order, but for rounding
        np.testing.assert_allclose(one[path], two[path], rtol=1e-4, atol=1e-5, err_msg=path)


def test_names_tell_whether_classes_are_others_and_the_head_is_kept_where_that_is_asked(train, tmp_path):
    assert "gives way" not in train("--print-config", dataset="ten.npz")[1]
    assert 'head = "new"' not in train("--print-config", dataset="ten.npz")[1]
    letters(tmp_path / "named.npz", 10, names=[f"letter {k}" for k in range(10)])
    assert 'head = "new"' in train("--print-config", dataset="named.npz")[1]
    assert 'head = "keep"' in train("--print-config", "--head", "keep", dataset="named.npz")[1]
    code, _, errors = train("--head", "keep")
    assert code == 3
    assert "--head keep: expected 10 outputs for a classification, as run/model.safetensors has, got 3" in errors


@pytest.mark.parametrize(("words", "message"), [
    (("--freeze", "conv_3"), "--freeze: layer: 'conv_3' is not known; did you mean 'conv_2' or 'conv_1'?"),
    (("--freeze", "konv*"), "--freeze: layer: 'konv*' is not known; known are bn_1, conv_1, conv_2\n"),
    (("--rate-factor", "konv*=0.1"), "--rate-factor: layer: 'konv*' is not known"),
    (("--rate-factor", "conv*"), "expected patterns of layer names with factors from 0 such as 'conv*=0.1'"),
    (("--rate-factor", "conv*=-1"), "expected patterns of layer names with factors from 0"),
    (("--freeze", "conv*", "--rate-factor", "conv_1=0.1"), "conv_1=0.1: expected layers that are trained, got conv_1"),
    (("--freeze", ","), "expected patterns of layer names such as 'conv*,bn*'"),
    (("--unfreeze-at", "2"), "--unfreeze-at is for the layers of --freeze; say which"),
    (("--freeze", "*", "--unfreeze-at", "1"), "1 is not in the range x>=2"),
    (("--freeze", "*", "--unfreeze-at", "4"), "--unfreeze-at 4: expected one of the 3 epochs"),
    (("--cache-features",), "--cache-features is for what the layers of --freeze give; say which"),
    (("--freeze", "*", "--cache-features", "--augment", "digits"),
     "--cache-features: expected images that stay as they are, got --augment RandomRotation"),
    (("--freeze", "conv_2", "--cache-features"), "to begin with frozen layers, got Conv2D \"conv_1\""),
    (("--freeze", "*", "--cache-features", "--unfreeze-at", "2"), "exclude one another"),
    (("--freeze", "*", "--head", "keep", "--dataset", "ten.npz"), "that is left to be trained, got all layers"),
    (("--mean", "0.5"), "--mean is what is subtracted from pixels before they are divided by --std; say both"),
    (("--mean", "0.5", "--std", "0"), "expected numbers above 0, one for each channel"),
    (("--mean", "0.5", "--std", "0.5"), "expected no --mean, since the file tells what pixels the model takes"),
    (("--model", "lenet"), "--model and --from exclude one another")])
def test_what_cannot_be_is_told_in_a_line_before_anything_is_written(train, tmp_path, words, message):
    code, _, errors = train(*words, "--out", "new")
    assert code == 2
    assert message in only_line(errors) + "\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [("--freeze", "conv*"), ("--head", "new"), ("--mean", "0.5", "--std", "0.5"),
                                   ("--cache-features",)])
def test_what_is_for_a_model_that_is_there_asks_for_it(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 2
    assert only_line(capsys.readouterr().err).count("--") >= 2


def test_models_of_onnx_and_keras_are_trained_from_with_the_pixels_that_are_said(train, source, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    import fastcnn as fc

    model = saving.load_model(source / "run" / "model.safetensors", compile=False)
    fc.onnx.export(model, "m.onnx")
    model.save("m.keras")
    for file in ("m.onnx", "m.keras"):
        code, output, errors = train("--from", file, "--mean", "0.2", "--std", "0.3", "--freeze", "*", "--out",
                                     file[2:])  # fmt: skip
        assert (code, errors) == (0, ""), errors
        assert "gives way to a new one for 3 classes" in output
        told = saving.load_metadata(tmp_path / file[2:] / "model.safetensors")
        assert (told["mean"], told["std"]) == ([0.2], [0.3])
        assert main(["evaluate", file[2:], "--part", "dev", "--quiet"]) == 0
    ends = weights(tmp_path / "onnx" / "model.safetensors"), weights(tmp_path / "keras" / "model.safetensors")
    assert len(ends[0]) <= len(ends[1])  # ONNX may have folded the normalization
    shutil.rmtree(tmp_path / "onnx")
    code, _, errors = train("--from", "m.keras", "--mean", "0.2,0.3", "--std", "0.3", "--out", "new")
    assert (code, errors.count("\n")) == (2, 1)
    assert "--mean: expected a number for each of the 1 channels" in errors


def test_a_network_that_sees_has_no_such_plan():
    from fastcnn.cli._config import OPTIONS
    from fastcnn.cli._seeing.asked import refuse

    given = dict.fromkeys((*OPTIONS, "folds", "overfit_batch"))
    with pytest.raises(ValueError, match="--freeze: expected none for yolo, all of which is trained; leave it out"):
        refuse(given | {"freeze": ["conv*"]}, "yolo", "detection")


def test_factors_are_read_behind_the_last_equals_sign():
    assert factors_of(["a=b*=0.5", "c=0"]) == {"a=b*": 0.5, "c": 0.0}
