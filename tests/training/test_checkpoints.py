"""Checkpoints that a disk has damaged or has no room for, and clocks that jump: training goes on, or says why not."""

import os
import time

import numpy as np
import pytest

from fastcnn import callbacks
from fastcnn.callbacks.checkpoint_files import CheckpointFiles
from fastcnn.errors import ModelFileError
from fastcnn.formats import state_file
from tests.training.test_resume import KillAfter, KilledError, digest, trained

resource = pytest.importorskip("resource", reason="this system has no limits of processes")

SMALL = {"epoch": 1, "weights": [np.arange(50, dtype="float32"), np.float64([0.1, np.inf])], "name": "é", "none": None}
OTHER = SMALL | {"epoch": 2}


@pytest.fixture
def two(tmp_path):
    """The files of two checkpoints, the older one first."""
    files = CheckpointFiles(tmp_path)
    files.write(SMALL, {})
    files.write(OTHER, {})
    return sorted(tmp_path.glob("checkpoint-*"))


def newest_epoch(folder):
    (state, _) = CheckpointFiles(folder).newest()
    return state["epoch"]


DAMAGES = {
    "cut off in the middle": lambda content: content[: len(content) // 2],
    "cut off by a byte": lambda content: content[:-1],
    "cut off in its head": lambda content: content[:5],
    "empty": lambda content: b"",
    "zeros at its end, as after a power cut": lambda content: content[:-64] + bytes(64),
    "zeros all over": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"x",
    "another kind of file": lambda content: b"PK\3\4 something else",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_taken(two, damage):
    older, newer = two
    newer.write_bytes(DAMAGES[damage](newer.read_bytes()))
    with pytest.warns(UserWarning, match=f"goes on with the checkpoint before the last one, {older.name}"):
        assert newest_epoch(newer.parent) == 1
    older.write_bytes(DAMAGES[damage](older.read_bytes()))
    with pytest.raises(ModelFileError, match="damaged ones alone; remove them to begin anew"):
        newest_epoch(newer.parent)


def test_the_older_one_may_be_damaged_in_silence(two):
    older, newer = two
    older.write_bytes(b"")
    assert newest_epoch(newer.parent) == 2


def test_no_bit_of_a_file_can_be_flipped_unnoticed(two):
    _, newer = two
    content, draw = bytearray(newer.read_bytes()), np.random.default_rng(0)
    for bit in draw.choice(8 * len(content), 300, replace=False).tolist():
        content[bit // 8] ^= 1 << bit % 8
        newer.write_bytes(content)
        with pytest.raises(ModelFileError):
            state_file.read(newer)
        content[bit // 8] ^= 1 << bit % 8
    newer.write_bytes(content)
    assert state_file.read(newer)[0]["epoch"] == 2


def test_a_file_that_cannot_be_read_is_no_reason_to_begin_anew(two):
    for path in two:
        path.unlink()
        path.mkdir()
    with pytest.raises((ModelFileError, OSError)):
        newest_epoch(two[0].parent)


def test_a_limit_of_the_system_is_as_a_full_disk_and_nothing_torn_is_left(tmp_path):
    class Limits(callbacks.Callback):
        """No file may be longer than a page from the seventh step to the twelfth."""

        def on_train_batch_begin(self, batch, logs):
            step = self.model.optimizer.iterations
            if step in (7, 12):
                keep._writer.wait()
                resource.setrlimit(resource.RLIMIT_FSIZE, (4096 if step == 7 else hard[0], hard[1]))

    whole = digest(*trained(7, "arrays"))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    keep = callbacks.BackupAndRestore(tmp_path, save_freq=1)
    try:
        with (pytest.warns(UserWarning, match="could not be written, training goes on and it is tried again") as told,
              pytest.raises(KilledError)):
            trained(7, "arrays", Limits(), keep, KillAfter(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, hard)
    assert len(told) == 1
    assert [path.name[:11] for path in sorted(tmp_path.iterdir())] == ["checkpoint-"] * 2
    keep = callbacks.BackupAndRestore(tmp_path, save_freq=1)
    assert digest(*trained(8, "arrays", keep)) == whole


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    whole, jump = digest(*trained(7, "arrays")), iter(np.resize([-1e9, 3e8, 0.0, 1e9], 10**4).tolist())
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + next(jump))
    with pytest.raises(KilledError):
        trained(7, "arrays", callbacks.BackupAndRestore(tmp_path, save_freq="auto"), KillAfter(9))
    for path in tmp_path.glob("checkpoint-*"):  # as if written in the future
        times = (path.stat().st_atime + 1e9,) * 2
        os.utime(path, times)
    assert digest(*trained(8, "arrays", callbacks.BackupAndRestore(tmp_path, save_freq="auto"))) == whole
