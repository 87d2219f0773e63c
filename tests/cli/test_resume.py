"""``train --out RUN --resume auto``: begun, stopped, killed, gone on with, to the bits of an undisturbed run."""

import json
import re
import shutil
import signal
import subprocess

import msgspec
import pytest

from fastcnn.cli._config import Config
from fastcnn.cli._resume import going_on
from fastcnn.errors import ArgumentError
from tests.cli.conftest import command, environment, only_line

PLAN = ("train", "--epochs", 6, "--seed", 3, "--batch-size", 16, "--resume", "auto", "--out")
AGAIN = ("train", "--resume", "auto", "--out")


def contents(run):
    """What a run comes to: its model, and its history without times."""
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return (run / "model.safetensors").read_bytes(), [{**line, "seconds": 0, "cpu_seconds": 0} for line in lines]


def stopped(run, number, *plan, after="epoch 2/"):
    """Send a signal to a training once it has told the end of its second epoch, and return its outcome."""
    process = subprocess.Popen(command(*plan, run), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)  # fmt: skip
    for line in process.stdout:
        if " ".join(line.split()).startswith(after):  # numbers of epochs are as wide as the last one
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


def test_a_run_with_averages_that_is_stopped_within_an_epoch_saves_what_an_epoch_that_ends_there_does(tmp_path):
    (tmp_path / "plan.toml").write_text("""
model = ["Conv2D(4, 3)", "BatchNormalization(momentum=0.9)", "ReLU()", "Flatten()", "Dense(10)", "Softmax()"]
seed = 3
batch-size = 16
lr-schedule = "constant"
ema = 0.9
""")
    plan, run, other = ("train", "--config", tmp_path / "plan.toml"), tmp_path / "run", tmp_path / "other"
    code, output, errors = stopped(run, signal.SIGTERM, *plan, "--epochs", 200, "--resume", "auto", "--out")
    assert (code, errors) == (130, "")
    epoch, step = map(int, re.search(r"stopped in epoch (\d+) after step (\d+);", output).groups())
    in_epoch = contents(run)[1][0]["steps"]
    assert 0 < step < in_epoch
    steps = (epoch - 1) * in_epoch + step
    subprocess.run(command(*plan, "--steps", steps, "--out", other), env=environment(), check=True, capture_output=True)
    assert contents(run)[0] == contents(other)[0]


def test_ctrl_c_in_a_run_that_goes_on_keeps_it_and_others_are_refused(tmp_path, fastcnn):
    run = tmp_path / "run"
    code, output, errors = stopped(run, signal.SIGINT, *PLAN)
    assert (code, errors) == (130, "")
    assert "stopped in epoch 3" in output or "stopped in epoch 2" in output
    before = contents(run), (run / "config.json").read_bytes()
    for more, told in (
        (("--batch-size", 8), "--batch-size 8: expected 16, as the run to go on with was begun"),
        (("--minutes", 3), "--minutes 3.0: expected none"),
        (("--folds", 3), "--folds 3: expected none"),
        (("--model", "mlp"), "--model mlp: expected lenet"),
    ):
        refused = fastcnn(*AGAIN, run, *more)
        assert refused.returncode == 2
        assert told in only_line(refused.stderr)
    assert (contents(run), (run / "config.json").read_bytes()) == before


def test_another_rate_or_length_is_a_fork_which_is_told_and_kept(tmp_path, fastcnn):
    run = tmp_path / "run"
    assert stopped(run, signal.SIGINT, *PLAN)[0] == 130
    shutil.copytree(run, tmp_path / "other")
    whole = fastcnn(*AGAIN, run, "--lr", 0.001, "--epochs", 7)
    assert whole.returncode == 0, whole.stderr
    place, told = re.search(r"^fork   until epoch (\d), step \d+ (.*)$", whole.stdout, re.M).groups()
    assert place in "23"
    assert told == "--epochs was 6, --lr was 0.002; no undisturbed training ends so"
    assert "\nepoch 7/7" in whole.stdout
    config = json.loads((run / "config.json").read_text())
    assert [one["before"] for one in config["lineage"]] == [{"epochs": 6, "lr": 0.002}]
    assert (config["epochs"], config["learning_rate"]) == (7, 0.001)
    assert (run / "config.toml").read_text().startswith("# fastcnn train --config FILE trains with these values from")

    # A fork that was killed goes on as itself.
    forked = ("train", "--lr", 0.001, "--epochs", 7, *AGAIN[1:])
    killed = stopped(tmp_path / "other", signal.SIGKILL, *forked, after="epoch ")
    assert killed[0] == -signal.SIGKILL
    assert fastcnn(*AGAIN, tmp_path / "other").returncode == 0
    assert contents(tmp_path / "other") == contents(run)
    assert json.loads((tmp_path / "other" / "config.json").read_text())["lineage"] == config["lineage"]

    late = fastcnn(*AGAIN, run, "--lr", 0.01)
    assert late.returncode == 2
    assert "got one that is complete; train on from its model with --from" in only_line(late.stderr)


def test_folds_go_on_where_they_stood(tmp_path, fastcnn):
    plan = ("train", "--epochs", 3, "--seed", 3, "--batch-size", 32, "--folds", 2, "--out")
    assert fastcnn(*plan, tmp_path / "whole").returncode == 0
    run = tmp_path / "run"
    process = subprocess.Popen(command(*plan, run, "--resume", "auto"), env=environment(), stdout=subprocess.PIPE,
                               text=True)  # fmt: skip
    fold = 0
    for line in process.stdout:
        fold += line.startswith("fold ")
        if fold == 2 and line.startswith("epoch 1/"):
            process.kill()
            break
    process.communicate()
    done = fastcnn(*AGAIN, run)
    assert done.returncode == 0, done.stderr
    for fold in ("fold-1", "fold-2"):
        assert contents(run / fold) == contents(tmp_path / "whole" / fold)
    assert (run / "folds.json").read_bytes() == (tmp_path / "whole" / "folds.json").read_bytes()
    refused = fastcnn(*AGAIN, run, "--folds", 3)
    assert "--folds 3: expected 2, as the run to go on with was begun" in only_line(refused.stderr)


def test_seeds_are_runs_of_one_split_that_go_on_where_they_stood(tmp_path, fastcnn):
    plan = ("train", "--epochs", 2, "--limit", 200, "--no-report", "--seed", 3, "--seeds", 2, *AGAIN[1:])
    run = tmp_path / "run"
    process = subprocess.Popen(command(*plan, run), env=environment(), stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("seed 4"):
            process.kill()
            break
    process.communicate()
    done = fastcnn(*AGAIN, run, "--no-report")
    assert done.returncode == 0, done.stderr
    values = json.loads((run / "seeds.json").read_text())["dev_accuracy"]
    mean, worst = sum(values) / 2, min(values)
    last = f"dev accuracy {mean:.4f}, spread {abs(values[0] - mean) * 2**0.5:.4f}, worst {worst:.4f}"
    assert done.stdout.splitlines()[-1].startswith(last)
    assert (run / "seed-3" / "split.csv").read_bytes() == (run / "seed-4" / "split.csv").read_bytes()
    assert contents(run / "seed-3")[0] != contents(run / "seed-4")[0]
    refused = only_line(fastcnn(*AGAIN, run, "--seeds", 3).stderr)
    assert "--seeds 3: expected 2, as the run to go on with was begun" in refused
    assert "--seeds: expected a dev part" in only_line(fastcnn("train", "--dev", 0, "--seeds", 2).stderr)


def test_minutes_settle_steps_which_replay_without_a_clock_and_stand_when_a_run_goes_on(tmp_path, fastcnn):
    run = tmp_path / "run"
    timed = ("train", "--minutes", 0.08, "--seed", 3, "--batch-size", 256, "--resume", "auto", "--out")
    code, _, errors = stopped(run, signal.SIGKILL, *timed, after="epoch 1/")
    assert code == -signal.SIGKILL, errors
    steps = json.loads((run / "config.json").read_text())["steps"]
    assert steps > 5
    done = fastcnn(*timed, run)
    assert done.returncode == 0, done.stderr
    assert f"plan   {steps:,} steps" in done.stdout
    assert "minutes" not in (run / "config.toml").read_text()
    assert fastcnn("train", "--config", run / "config.toml", "--out", tmp_path / "again").returncode == 0
    assert contents(tmp_path / "again") == contents(run)
    assert sum(line["steps"] for line in contents(run)[1]) == steps


@pytest.mark.parametrize(("option", "name", "given"), [
    ("optimizer", "optimizer", "sgd"), ("seed", "seed", 4), ("dev", "dev", 0.3), ("batch_size", "batch_size", 8),
    ("from", "source", "/a/run"), ("group_by", "group_by", "x"), ("skip_damaged", "skip_damaged", True),
    ("momentum", "momentum", 0.5), ("weight_decay", "weight_decay", 0.5),
    ("ema", "ema", 0.5), ("l2", "l2", 0.5),
    ("dropout", "dropout", 0.5), ("label_smoothing", "label_smoothing", 0.5), ("augment", "augment", ["MixUp()"]),
    ("class_weight", "class_weight", "balanced"), ("limit", "limit", 9), ("patience", "patience", 9),
    ("threshold", "threshold", "f1"),
    ("white", "white", 255.0), ("model", "network", ["ReLU"])])
def test_every_option_that_decides_about_the_result_must_be_as_it_was(option, name, given):
    recorded = Config(dataset="digits", model="lenet", epochs=3, batch_size=32, optimizer="adam", learning_rate=0.1,
                      cool_down=0.5, seed=1, started="then", versions={"fastcnn": "0.1"})  # fmt: skip
    now = msgspec.structs.replace(recorded, started="now", versions={})
    assert going_on({}, now, recorded) == recorded
    unsaid = {"augment": "off", "class_weight": "none", "model": "lenet"}
    word, old = option.replace("_", "-"), unsaid.get(option, getattr(recorded, name))
    with pytest.raises(ArgumentError, match=rf"^--{word} .*: expected {'none' if old is None else old}, as the run"):
        going_on({option: given}, msgspec.structs.replace(now, **{name: given}), recorded)


def test_a_file_of_a_network_that_was_changed_is_refused_and_an_old_run_that_knows_no_digest_goes_on():
    recorded = Config(dataset="digits", model="make", epochs=3, batch_size=32, optimizer="adam", learning_rate=0.1,
                      cool_down=0.5, seed=1, started="then", versions={}, network="/net.py:make", model_digest="a" * 64)
    assert going_on({}, recorded, recorded) == recorded
    with pytest.raises(ArgumentError, match=r"^--model /net.py:make: expected the file that the run to go on with was"):
        going_on({}, msgspec.structs.replace(recorded, model_digest="b" * 64), recorded)
    old = msgspec.structs.replace(recorded, model_digest=None)
    assert going_on({}, recorded, old) == recorded


def test_a_run_of_a_file_that_was_changed_goes_on_once_it_is_restored(tmp_path, fastcnn):
    net, run = tmp_path / "net.py", tmp_path / "run"
    net.write_text("""
from fastcnn import applications
import sizes

def make(input_shape, classes):
    return applications.LeNet(input_shape=input_shape, classes=classes)
""")
    (tmp_path / "sizes.py").touch()
    assert stopped(run, signal.SIGINT, *PLAN[:-1], "--model", f"{net}:make", "--out")[0] == 130
    (tmp_path / "sizes.py").write_text("WIDE = 8")
    refused = fastcnn(*AGAIN, run)
    assert refused.returncode == 2
    assert "was begun with, got one that was changed; restore it" in only_line(refused.stderr)
    (tmp_path / "sizes.py").write_text("")
    assert fastcnn(*AGAIN, run).returncode == 0


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


def test_resume_says_what_goes_with_it(fastcnn):
    refused = fastcnn("train", "--resume", "auto")
    assert refused.returncode == 2
    assert "--resume: expected --out RUN" in only_line(refused.stderr)


def test_a_folder_with_something_else_in_it_is_no_run(fastcnn, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    refused = fastcnn(*AGAIN, "mine")
    assert refused.returncode == 2
    assert "got one that holds file" in only_line(refused.stderr)
