"""Callbacks beside Keras's: the same numbers reported epoch by epoch, the same decisions."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import callbacks

keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::UserWarning")]

#: Few different values, so that equal ones and small steps come often.
VALUES = st.lists(st.sampled_from([0.5, 0.7, 0.8, 0.85, 0.9, 1.0, 1.5]), min_size=1, max_size=12)
MODES = st.sampled_from(["min", "max"])


class Model(SimpleNamespace):
    """What a callback of either sees of a model."""

    def __init__(self):
        super().__init__(stop_training=False, epoch=0, saved=[], restored=None, metrics=[],
                         optimizer=SimpleNamespace(learning_rate=1.0, has_constant_rate=True))

    @property
    def weights(self):
        return [SimpleNamespace(shape=(1,), dtype=np.float64, value=np.array([self.epoch]))]

    def get_weights(self):
        return [np.array([self.epoch])]

    def set_weights(self, arrays):
        self.restored = int(arrays[0][0])

    def save(self, path, **others):
        self.saved.append(path)


def run(room, name, values, logs_of=lambda value: {"scripted": value}, **arguments):
    """Report values to a callback, and return it, its model and the logs of all epochs."""
    callback, model, all_logs = getattr(room, name)(**arguments), Model(), []
    callback.set_model(model)
    callback.set_params({"epochs": len(values)})
    if room is callbacks:
        callback.check(["scripted", "val_scripted"])
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.epoch, logs = epoch, logs_of(value)
        callback.on_epoch_begin(epoch, {})
        callback.on_epoch_end(epoch, logs)
        all_logs.append(logs)
        if model.stop_training:
            break
    callback.on_train_end({})
    return callback, model, all_logs


def both(name, values, **arguments):
    """Return what `run` does with our callback of a name, and with Keras's."""
    return [run(room, name, values, **arguments) for room in (callbacks, keras.callbacks)]


@settings(max_examples=150)
@given(VALUES, MODES, st.sampled_from([0, 0.06, -0.2]), st.integers(0, 3), st.sampled_from([None, 0.8]),
       st.booleans(), st.integers(0, 2))
def test_early_stopping(values, mode, min_delta, patience, baseline, restores, start):
    ours, theirs = both("EarlyStopping", values, monitor="scripted", mode=mode, min_delta=min_delta, patience=patience,
                        baseline=baseline, restore_best_weights=restores, start_from_epoch=start)
    assert ours[1].epoch == theirs[1].epoch
    assert ours[1].restored == theirs[1].restored
    for name in ("best", "best_epoch", "wait", "stopped_epoch"):
        assert getattr(ours[0], name) == getattr(theirs[0], name), name


@settings(max_examples=150)
@given(VALUES, MODES, st.sampled_from([1e-4, 0.06]), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 0.02]))
def test_reduce_lr_on_plateau(values, mode, min_delta, patience, cooldown, least):
    ours, theirs = both("ReduceLROnPlateau", values, monitor="scripted", mode=mode, min_delta=min_delta,
                        patience=patience, cooldown=cooldown, min_lr=least, factor=0.25)
    assert ours[2] == theirs[2]
    assert ours[1].optimizer == theirs[1].optimizer
    for name in ("best", "wait", "cooldown_counter"):
        assert getattr(ours[0], name) == getattr(theirs[0], name), name


@settings(max_examples=60)
@given(VALUES, MODES, st.booleans(), st.sampled_from([None, 0.8]))
def test_model_checkpoint(values, mode, best_only, threshold):
    saved = []
    for room, suffix in ((callbacks, "safetensors"), (keras.callbacks, "keras")):
        callback, model = room.ModelCheckpoint(
            f"{{epoch:02d}}-{{scripted:.2f}}.{suffix}", "scripted", save_best_only=best_only, mode=mode,
            initial_value_threshold=threshold), Model()
        callback.set_model(model)
        if room is callbacks:
            callback.check(["scripted"])
        for epoch, value in enumerate(values):
            callback.on_epoch_begin(epoch, {})
            callback.on_epoch_end(epoch, {"scripted": value})
        saved.append(([path.removesuffix(suffix) for path in model.saved], callback.best))
    assert saved[0] == saved[1]


@settings(max_examples=30)
@given(st.integers(1, 7), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_checkpoint_after_so_many_batches(save_freq, epochs):
    saved = []
    for room, suffix in ((callbacks, "safetensors"), (keras.callbacks, "keras")):
        callback, model = room.ModelCheckpoint(f"{{epoch}}-{{batch}}.{suffix}", save_freq=save_freq), Model()
        callback.set_model(model)
        if room is callbacks:
            callback.check(["loss"])
        for epoch, batches in enumerate(epochs):
            callback.on_epoch_begin(epoch, {})
            for batch in range(batches):
                callback.on_train_batch_end(batch, {"loss": 1.0})
        saved.append([path.removesuffix(suffix) for path in model.saved])
    assert saved[0] == saved[1]


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.5 + epoch, lambda epoch: 1.0 / (1 + epoch)],
                         ids=["of two", "of one"])
def test_learning_rate_scheduler(schedule):
    ours, theirs = both("LearningRateScheduler", [1, 2, 3], schedule=schedule)
    assert ours[2] == theirs[2]
    assert ours[1].optimizer == theirs[1].optimizer


@pytest.mark.parametrize(("before", "append"), [(None, False), ("old\n", False), ("old\n", True), ("", True),
                                                (None, True)])
@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_logger_writes_the_same_bytes(before, append, separator, tmp_path):
    logs = {1: {"loss": 0.25, "auc": 1.0}, 2: {"loss": 0.125, "auc": 0.5, "val_loss": 2.0},
            3: {"loss": 0.1, "auc": np.array([0.5, 0.25]), "more": 1.0}, 4: {"loss": 1e-9}}
    written = []
    for room in (callbacks, keras.callbacks):
        path = tmp_path / f"{room.__name__}.csv"
        if before is not None:
            path.write_text(before)
        run(room, "CSVLogger", list(logs), lambda epoch: dict(logs[epoch]), filename=path, append=append,
            separator=separator)
        written.append(path.read_bytes())
    assert written[0] == written[1]
