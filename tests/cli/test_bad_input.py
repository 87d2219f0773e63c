"""Bad input: one clear line on standard error, the right exit code, nothing lost and nothing half-written."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from fastcnn.cli import _exit_codes, main
from fastcnn.errors import ArgumentError, DataError, DivergedError, ModelFileError
from tests.cli.conftest import environment, only_line
from tests.datasets.files import header, write_idx_folder


def write_npz(path, **arrays):
    np.savez(path, **arrays)


def images(count=20):
    return np.zeros((count, 8, 8), np.uint8)


def labels(count=20):
    return np.arange(count) % 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trian"], "did you mean 'train'?"),
        (["train", "--epoch", "3"], "--epochs"),
        (["train", "--model", "lenet6"], "did you mean 'lenet' or 'lenet5'?"),
        (["train", "--dataset", "mnits"], "did you mean 'mnist'?"),
        (["train", "--optimizer", "adm"], "did you mean 'adam' or 'nadam'?"),
        (["train", "--lr", "nan"], "expected a finite number above 0, got 'nan'"),
        (["train", "--lr", "-1"], "expected a finite number above 0"),
        (["train", "--epochs", "0"], "0 is not in the range x>=1"),
        (["train", "--seed", "-1"], "--seed"),
        (["train", "--model", "lenet", "--from", "run"], "exclude one another"),
        (["train", "--model", "lenet5"], "Conv2D"),
        (["train", "--from", "nowhere"], "expected a run's folder or a file of a model, got nothing there"),
        (["evaluate", "nowhere"], "expected a run's folder or a file of a model, got nothing there"),
        (["predict", "nowhere"], "Missing argument 'IMAGES...'"),
        (["summary", "lenet6"], "did you mean 'lenet' or 'lenet5'?"),
        (["warmup", "lenet6"], "did you mean 'lenet' or 'lenet5'?"),
        (["completion", "csh"], "'csh'"),
    ],
)
def test_usage_exits_with_2_one_line_and_no_folder(fastcnn, tmp_path, args, said):
    result = fastcnn(*args)
    assert result.returncode == 2
    line = only_line(result.stderr)
    assert line.startswith("fastcnn")
    assert said in line
    assert list(tmp_path.iterdir()) == []


def bad_data(folder, kind):
    """Write a data set with one fault and return its path."""
    path = folder / "data.npz"
    if kind == "nan":
        x = images().astype(np.float32)
        x[7, 3, 3] = np.nan
        write_npz(path, x=x, y=labels())
    elif kind == "counts":
        write_npz(path, x=images(20), y=labels(19))
    elif kind == "classes":
        write_npz(path, x_train=images(), y_train=labels(), x_test=images(2), y_test=np.array([0, 2]),
                  classes=np.array(["a", "b"]))  # fmt: skip
    elif kind == "empty":
        write_npz(path, x=images(0), y=labels(0))
    elif kind == "no archive":
        path.write_bytes(b"PK\x03\x04 and then nothing")
    else:
        path = folder / "idx"
        write_idx_folder(path, packed=kind == "truncated gzip")
        if kind == "truncated gzip":
            file = path / "train-images-idx3-ubyte.gz"
            file.write_bytes(file.read_bytes()[:-20])
        else:
            file = path / "train-images-idx3-ubyte"
            content = file.read_bytes()
            start = b"\x01\x02\x03\x04" + content[4:16] if kind == "magic" else header(2**31, 2**10, 2**10)
            file.write_bytes(start + content[16:])
    return path


FAULTS = ("nan", "counts", "classes", "empty", "no archive", "truncated gzip", "magic", "sizes")


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_in_data_exit_with_3_one_line_and_no_folder(fastcnn, tmp_path, kind):
    data = tmp_path / "data"
    data.mkdir()
    result = fastcnn("train", "--dataset", bad_data(data, kind), "--out", "run")
    assert result.returncode == 3
    assert only_line(result.stderr).startswith("fastcnn: ")
    assert not (tmp_path / "run").exists()


def test_a_data_dir_without_the_data_set_exits_with_3(fastcnn, tmp_path):
    result = fastcnn("train", "--dataset", "mnist", "--data-dir", tmp_path)
    assert result.returncode == 3
    assert "an empty folder" in only_line(result.stderr)


@pytest.mark.parametrize("what", ["evaluate", "train"])
def test_a_model_for_another_shape_or_other_classes_exits_with_3(fastcnn, run, tmp_path, what):
    write_npz(tmp_path / "large.npz", x=np.zeros((20, 12, 12), np.uint8), y=labels())
    write_npz(tmp_path / "two.npz", x=images(), y=labels())
    option = [run] if what == "evaluate" else ["--from", run, "--head", "keep", "--out", "next"]
    classes = "expected 10 classes" if what == "evaluate" else "expected 10 outputs"
    for data, said in (("large.npz", "expected images (8, 8, 1)"), ("two.npz", classes)):
        result = fastcnn(what, *option, "--dataset", data)
        assert result.returncode == 3
        assert said in only_line(result.stderr)
    assert not (tmp_path / "next").exists()


def test_an_out_folder_that_holds_something_is_refused_and_left_alone(fastcnn, run):
    before = {path: path.read_bytes() for path in run.iterdir()}
    result = fastcnn("train", "--out", run)
    assert result.returncode == 2
    assert "expected a new or an empty folder, got one that holds config.json" in only_line(result.stderr)
    assert {path: path.read_bytes() for path in run.iterdir()} == before


def test_an_out_folder_that_cannot_be_made_is_told_before_training(fastcnn, tmp_path):
    (tmp_path / "file").write_text("mine")
    for out, code in (("file", 2), ("file/run", 3)):
        result = fastcnn("train", "--out", out)
        assert result.returncode == code
        assert f"--out {out}: expected" in only_line(result.stderr)
        assert "epoch" not in result.stdout
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_exits_with_3_and_leaves_no_folder(tmp_path):
    # A limit on the size of files is a full disk that needs no rights: configuration and split fit, the model does not.
    code = """
import resource, sys
from fastcnn.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
sys.exit(main(["train", "--epochs", "1", "--out", "runs/full"]))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=200
    )
    assert result.returncode == 3, result.stderr
    assert "model.safetensors: expected to write" in result.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_too_little_space_is_told_before_training(monkeypatch, tmp_path):
    import shutil

    from fastcnn.cli._run import new_run

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, 0))
    with pytest.raises(OSError, match=r"expected 165,536 bytes free for the model, got 0"), new_run(
        str(tmp_path / "run"), "lenet", 100_000
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_exits_with_4_says_where_and_leaves_no_folder(fastcnn, tmp_path):
    result = fastcnn("train", "--lr", "1e30", "--optimizer", "sgd")
    assert result.returncode == 4
    line = only_line(result.stderr)
    assert "in epoch 1, step " in line
    assert "smaller --lr than 1e+30" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [
    ["evaluate", "nowhere"], ["predict", "nowhere", "x.png"], ["summary", "nowhere"], ["summary", "nowhere.onnx"],
    ["bench", "nowhere"], ["train", "--from", "nowhere"], ["export-onnx", "nowhere", "m.onnx"],
    ["import-onnx", "nowhere.onnx", "m.safetensors"]])  # fmt: skip
def test_a_model_that_is_not_there_exits_with_2_in_every_command(capsys, monkeypatch, tmp_path, args):
    monkeypatch.chdir(tmp_path)
    if "onnx" in args[0]:
        pytest.importorskip("onnx")
    assert main(args) == 2
    assert "nowhere" in only_line(capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["evaluate", "predict", "summary", "train"])
def test_what_is_no_model_exits_with_5(fastcnn, tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.safetensors").write_text("no model at all")
    for saved in ("empty", "text.safetensors"):
        option = ["--from", saved] if what == "train" else [saved]
        result = fastcnn(what, *option, *(["x.png"] if what == "predict" else []))
        assert result.returncode == 5
        assert saved in only_line(result.stderr)


def test_a_damaged_model_or_configuration_exits_with_5(fastcnn, run, tmp_path):
    damaged = bytearray((run / "model.safetensors").read_bytes())
    damaged[-7] ^= 1
    (tmp_path / "model.safetensors").write_bytes(damaged)
    result = fastcnn("evaluate", "model.safetensors", "--dataset", "digits")
    assert result.returncode == 5
    assert "damaged" in only_line(result.stderr)
    (tmp_path / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text('{"epochs": "three"}')
    result = fastcnn("evaluate", ".")
    assert result.returncode == 5
    assert "config.json: expected the configuration of a run" in only_line(result.stderr)


def test_a_closed_pipe_is_quiet(run, tmp_path):
    from tests.cli.conftest import command

    copy = shutil.copytree(run, tmp_path / "copy")  # where a look at test images is counted
    process = subprocess.Popen(
        command("evaluate", copy), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 1


def test_debug_shows_the_traceback_above_the_line(fastcnn):
    for args, env in ((["--debug", "summary", "lenet6"], {}), (["summary", "lenet6"], {"FASTCNN_DEBUG": "1"})):
        result = fastcnn(*args, **env)
        assert result.returncode == 2
        assert result.stderr.startswith("Traceback")
        assert result.stderr.splitlines()[-1].startswith("fastcnn: summary: model: 'lenet6' is not known")


@pytest.mark.parametrize(
    ("error", "code"),
    [(ArgumentError("x"), 2), (DataError("x"), 3), (OSError(28, "No space left on device", "here"), 3),
     (DivergedError("x"), 4), (ModelFileError("x"), 5), (KeyboardInterrupt(), 130), (ZeroDivisionError("x"), 1),
     (ImportError('needs Pillow: pip install "fastcnn[image]"'), 2), (ImportError("no module"), 1)],
)  # fmt: skip
def test_every_error_has_its_code_and_is_one_line(monkeypatch, capsys, error, code):
    monkeypatch.delenv("FASTCNN_DEBUG", raising=False)
    assert _exit_codes.report(error) == code
    assert only_line(capsys.readouterr().err).startswith("fastcnn: ")


def test_an_unforeseen_error_says_how_to_see_more(capsys, monkeypatch):
    monkeypatch.delenv("FASTCNN_DEBUG", raising=False)
    _exit_codes.report(ZeroDivisionError("division\nby zero"))
    assert capsys.readouterr().err == (
        "fastcnn: unexpected ZeroDivisionError: division by zero; FASTCNN_DEBUG=1 shows where\n"
    )
