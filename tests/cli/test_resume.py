"""``train --out RUN --resume auto``: begun, stopped, killed, gone on with, to the bits of an undisturbed run."""

import json
import signal
import subprocess

import msgspec
import pytest

from fastcnn.cli._config import Config
from fastcnn.cli._resume import require_same
from fastcnn.errors import ArgumentError
from tests.cli.conftest import command, environment, only_line

PLAN = ("train", "--epochs", 6, "--seed", 3, "--batch-size", 16, "--resume", "auto", "--out")
AGAIN = ("train", "--resume", "auto", "--out")


def contents(run):
    """What a run comes to: its model, and its history without times."""
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return (run / "model.safetensors").read_bytes(), [{**line, "seconds": 0, "cpu_seconds": 0} for line in lines]


def stopped(run, number, *plan):
    """Send a signal to a training once it has written a checkpoint of its second epoch, and return its outcome."""
    process = subprocess.Popen(command(*plan, run), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            process.send_signal(number)
            break
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    plan = [word for word in PLAN if word not in ("--resume", "auto")]
    subprocess.run(command(*plan, run), env=environment(), check=True, capture_output=True)
    return contents(run)


def test_a_run_that_was_killed_and_stopped_goes_on_to_the_same_bits(tmp_path, fastcnn, undisturbed):
    run = tmp_path / "a run"
    code, _, _ = stopped(run, signal.SIGKILL, *PLAN)
    assert code == -signal.SIGKILL
    assert not (run / "model.safetensors").exists()
    assert list((run / "checkpoints").glob("checkpoint-*"))
    code, output, errors = stopped(run, signal.SIGTERM, *AGAIN)
    assert (code, errors) == (130, "")
    assert output.splitlines()[-1].endswith(f"fastcnn train --out '{run}' --resume auto")
    assert fastcnn("evaluate", run, "--part", "dev").returncode == 0  # what was learned is there
    done = fastcnn(*AGAIN, run)
    assert done.returncode == 0, done.stderr
    assert "dev accuracy" in done.stdout
    assert contents(run) == undisturbed
    names = {"config.json", "config.toml", "history.jsonl", "model.safetensors", "split.csv"}
    assert {path.name for path in run.iterdir()} == names
    once_more = fastcnn(*AGAIN, run)
    assert once_more.returncode == 0
    assert f"run {run} is complete" in once_more.stdout
    assert contents(run) == undisturbed


def test_ctrl_c_in_a_run_that_goes_on_keeps_it_and_others_are_refused(tmp_path, fastcnn):
    run = tmp_path / "run"
    code, output, errors = stopped(run, signal.SIGINT, *PLAN)
    assert (code, errors) == (130, "")
    assert "stopped in epoch 3" in output or "stopped in epoch 2" in output
    before = contents(run), (run / "config.json").read_bytes()
    for more, told in (
        (("--epochs", 7), "--epochs 7: expected 6, as the run to go on with was begun"),
        (("--model", "mlp"), "--model mlp: expected lenet"),
    ):
        refused = fastcnn(*AGAIN, run, *more)
        assert refused.returncode == 2
        assert told in only_line(refused.stderr)
    assert (contents(run), (run / "config.json").read_bytes()) == before


@pytest.mark.parametrize(("option", "name", "given"), [
    ("lr", "learning_rate", 0.5), ("seed", "seed", 4), ("dev", "dev", 0.3), ("batch_size", "batch_size", 8),
    ("from", "source", "/a/run"), ("group_by", "group_by", "x"), ("skip_damaged", "skip_damaged", True),
    ("optimizer", "optimizer", "sgd"), ("momentum", "momentum", 0.5), ("weight_decay", "weight_decay", 0.5),
    ("lr_schedule", "lr_schedule", "linear"), ("warmup", "warmup", 0.5), ("ema", "ema", 0.5), ("l2", "l2", 0.5),
    ("dropout", "dropout", 0.5), ("label_smoothing", "label_smoothing", 0.5), ("augment", "augment", ["MixUp()"]),
    ("class_weight", "class_weight", "balanced"), ("limit", "limit", 9), ("patience", "patience", 9),
    ("white", "white", 255.0), ("model", "network", ["ReLU"])])
def test_every_option_that_decides_about_the_result_must_be_as_it_was(option, name, given):
    recorded = Config(dataset="digits", model="lenet", epochs=3, batch_size=32, optimizer="adam", learning_rate=0.1,
                      cool_down=0.5, seed=1, started="then", versions={"fastcnn": "0.1"})  # fmt: skip
    now = msgspec.structs.replace(recorded, started="now", versions={})
    assert require_same({}, now, recorded) == recorded
    unsaid = {"augment": "off", "class_weight": "none", "model": "lenet"}
    word, old = option.replace("_", "-"), unsaid.get(option, getattr(recorded, name))
    with pytest.raises(ArgumentError, match=rf"^--{word} .*: expected {'none' if old is None else old}, as the run"):
        require_same({option: given}, msgspec.structs.replace(now, **{name: given}), recorded)


def test_a_second_process_on_one_run_is_refused(tmp_path, fastcnn):
    run = tmp_path / "run"
    process = subprocess.Popen(command(*PLAN[:1], "--epochs", 100_000, *PLAN[3:], run), env=environment(),
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        for line in process.stdout:
            if line.startswith("epoch "):
                break
        refused = fastcnn(*AGAIN, run)
        assert refused.returncode == 2
        assert "expected a run that nobody trains, got one that another process trains now" in only_line(refused.stderr)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("given", [("--resume", "auto"), ("--resume", "auto", "--out", "x", "--folds", 2)])
def test_resume_says_what_goes_with_it(fastcnn, given):
    refused = fastcnn("train", *given)
    assert refused.returncode == 2
    assert "--resume: expected --out RUN" in only_line(refused.stderr)


def test_a_folder_with_something_else_in_it_is_no_run(fastcnn, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    refused = fastcnn(*AGAIN, "mine")
    assert refused.returncode == 2
    assert "got one that holds file" in only_line(refused.stderr)
