"""Processes that are killed, at whatever they are doing, leave what another one goes on with to the same bits."""

import os
import random
import subprocess
import sys
import time

import pytest

from tests.training import killed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return killed.train(tmp_path_factory.mktemp("undisturbed"))


def trained(folder, threads, moments, **environment):
    """Return the digest of a training whose processes are killed after so many seconds, one after the other."""
    command, kills = [sys.executable, "-m", "tests.training.killed", folder], 0
    env = os.environ | {"NUMBA_NUM_THREADS": str(threads)} | environment
    for moment in [*moments, None]:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            try:
                found, _ = process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                continue
        assert process.returncode == 0
        return found.strip(), kills
    raise AssertionError


def begun(folder, threads):
    """Kill a process once it has written a checkpoint."""
    command = [sys.executable, "-m", "tests.training.killed", folder]
    with subprocess.Popen(command, env=os.environ | {"NUMBA_NUM_THREADS": str(threads)}) as process:
        while process.poll() is None and not list((folder / "backup").glob("checkpoint-*")):
            time.sleep(0.02)
        process.kill()
    return process.returncode == -9


@pytest.mark.parametrize("threads", [1, 2])
def test_a_training_that_was_killed_ends_with_the_bits_of_an_undisturbed_one(tmp_path, threads, undisturbed):
    assert begun(tmp_path, threads)
    assert (tmp_path / "backup" / "lock").exists()
    assert begun(tmp_path, 3 - threads)  # right after it went on, with another number of threads
    assert trained(tmp_path, threads, [])[0] == undisturbed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.safetensors"]


@pytest.mark.slow
def test_two_hundred_kills(tmp_path, undisturbed):
    draw, begin, kills, round_ = random.Random(0), time.perf_counter(), 0, 0
    trained(tmp_path / "first", 1, [])
    whole = time.perf_counter() - begin
    while kills < 200:
        round_ += 1
        cold = {"FASTCNN_CACHE_DIR": str(tmp_path / f"cache{round_}")} if round_ % 8 == 0 else {}  # while compiling
        folder = tmp_path / str(round_)
        moments = [draw.uniform(0.2, 1.2) * whole for _ in range(draw.randint(1, 6))]
        found, more = trained(folder, draw.randint(1, 2), moments, **cold)
        assert found == undisturbed, f"round {round_}, after {more} kills"
        kills += more
    print(f"{kills} kills in {round_} trainings of {whole:.1f} s")
