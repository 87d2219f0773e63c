"""Processes that are killed, at whatever they are doing, leave what another one goes on with to the same bits."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time

import pytest

import fastcnn as fc
from tests.cli.conftest import command, environment

PARTS, KILLS = 10, 20  # of each part, so that they can be run one by one

PLAN = """
model = ["Conv2D(8, 3)", "BatchNormalization(momentum=0.9)", "ReLU()", "Flatten()", "Dropout(0.2)", "Dense(10)",
         "Softmax()"]
epochs = 12
batch-size = 16
optimizer = "nesterov"
lr = 0.02
ema = 0.9
augment = "digits"
patience = 4
seed = 3
"""


def of_fit(folder, *more):
    """The words that start a training from Python."""
    return [sys.executable, "-m", "tests.training.killed", str(folder), *map(str, more)]


def of_train(folder, *more):
    """The words that start a training from the command line, or go on with it."""
    (folder / "plan.toml").write_text(PLAN)
    return command("train", "--config", folder / "plan.toml", *more, "--resume", "auto", "--out", folder / "run")


def of_run(folder):
    """The SHA-256 of a run's model, its predictions, and its history without times."""
    file, (_, (x, _)) = folder / "run" / "model.safetensors", fc.datasets.digits.load_data()
    found = hashlib.sha256(file.read_bytes())
    found.update(fc.saving.load_model(file).predict(x[..., None].astype("float32")).tobytes())
    for line in (folder / "run" / "history.jsonl").read_text().splitlines():
        found.update(repr(sorted((json.loads(line) | {"seconds": 0, "cpu_seconds": 0}).items())).encode())
    return found.hexdigest()


def finished(words, moment=None, **more):
    """Return what a process prints; None if it had not ended after so many seconds, and was killed."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment(**more)) as process:
        try:
            found, _ = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    assert process.returncode == 0, words
    return found.strip()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return finished(of_fit(tmp_path_factory.mktemp("undisturbed")))


def begun(folder, threads):
    """Kill a process once it has written a checkpoint."""
    with subprocess.Popen(of_fit(folder), env=os.environ | {"NUMBA_NUM_THREADS": str(threads)}) as process:
        while process.poll() is None and not list((folder / "backup").glob("checkpoint-*")):
            time.sleep(0.02)
        process.kill()
    return process.returncode == -9


@pytest.mark.parametrize("threads", [1, 2])
def test_a_training_that_was_killed_ends_with_the_bits_of_an_undisturbed_one(tmp_path, threads, undisturbed):
    assert begun(tmp_path, threads)
    assert (tmp_path / "backup" / "lock").exists()
    assert begun(tmp_path, 3 - threads)  # right after it went on, with another number of threads
    assert finished(of_fit(tmp_path), NUMBA_NUM_THREADS=str(threads)) == undisturbed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.safetensors"]


def killed_at_random(tmp_path, words, digest, seed):
    """Kill trainings until so many processes have died, and compare what each training comes to in the end.

    Some rounds have an empty cache of kernels and die while they compile. The number of threads changes from process to
    process.
    """
    draw, begin, kills, rounds = random.Random(seed), time.perf_counter(), 0, 0
    (tmp_path / "whole").mkdir()
    printed = finished(words(tmp_path / "whole"))
    whole, wanted = time.perf_counter() - begin, digest(tmp_path / "whole", printed)
    while kills < KILLS:
        rounds += 1
        cold = {"FASTCNN_CACHE_DIR": str(tmp_path / f"cache{rounds}")} if draw.random() < 0.1 else {}
        (folder := tmp_path / str(rounds)).mkdir()
        for moment in [*(draw.uniform(0.2, 1.2) * whole for _ in range(draw.randint(1, 6))), None]:
            printed = finished(words(folder), moment, NUMBA_NUM_THREADS=str(draw.randint(1, 2)), **cold)
            if printed is not None:
                break
            kills += 1
        assert digest(folder, printed) == wanted, f"round {rounds}, after {kills} kills"
    print(f"{kills} kills in {rounds} trainings of {whole:.1f} s")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_two_hundred_kills_of_fit(tmp_path, part):
    freq = [(), (1,), (7,)][part % 3]  # "auto", after each step, after some
    killed_at_random(tmp_path, lambda folder: of_fit(folder, *freq), lambda folder, printed: printed, part)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_two_hundred_kills_of_the_command_line(tmp_path, part):
    killed_at_random(tmp_path, of_train, lambda folder, printed: of_run(folder), 100 + part)
