"""ModelCheckpoint: what lies on disk, and what a full disk costs."""

import os

import pytest

import fastcnn as fc
from fastcnn.callbacks import ModelCheckpoint
from fastcnn.errors import ArgumentError
from tests.callbacks.models import X, model, same, train


def test_the_best_model_lies_on_disk(tmp_path, capsys):
    path = tmp_path / "new" / "best.safetensors"
    keep = ModelCheckpoint(path, "scripted", mode="min", save_best_only=True, verbose=1)
    _, script, _ = train([3, 1, 2, None, 1], keep)
    assert same(fc.saving.load_model(path).get_weights(), script.weights[1])
    assert os.listdir(path.parent) == ["best.safetensors"]
    said = capsys.readouterr().out.split("\n\n")
    assert "Epoch 2: scripted improved from 3.00000 to 1.00000, saving model to" in said[2]
    assert "Epoch 3: scripted did not improve from 1.00000" in said[4]


def test_names_say_epoch_and_what_it_reports(tmp_path):
    one = model(metrics=["mae"])
    keep = ModelCheckpoint(tmp_path / "{epoch:02d}-{val_mae:.1f}.safetensors")
    one.fit(X, X, epochs=2, verbose=0, validation_data=(X, X), validation_freq=2, callbacks=keep)
    first, second = sorted(os.listdir(tmp_path))
    assert first == "01-nan.safetensors", "an epoch without a validation"
    assert second == f"02-{one.history.history['val_mae'][0]:.1f}.safetensors"


def test_a_model_is_saved_after_so_many_batches(tmp_path):
    model().fit(X, X, epochs=2, batch_size=4, verbose=0,
                callbacks=ModelCheckpoint(tmp_path / "{epoch}-{batch}-{loss:.0f}.safetensors", save_freq=2))
    assert [name[:3] for name in sorted(os.listdir(tmp_path))] == ["1-2", "2-1", "2-3"]


@pytest.mark.parametrize(("name", "options", "message"), [
    ("m.pkl", {}, r"a filepath that ends in \.safetensors, \.keras, \.h5 or \.weights\.h5, got '.*m\.pkl'"),
    ("m.safetensors", {"save_freq": "batch"}, "save_freq to be \"epoch\" or a positive integer, got 'batch'"),
    ("m.safetensors", {"save_freq": 0}, "a positive integer, got 0"),
    ("{acc:.2f}.safetensors", {}, r"fields of epoch, loss, got .*\(KeyError: 'acc'\)"),
    ("{loss:x}.safetensors", {}, "fields of epoch, loss, got .*ValueError"),
    ("{}.safetensors", {}, "fields of epoch, loss, got .*IndexError"),
    ("{val_loss}.safetensors", {"save_freq": 2}, "fields of epoch, batch, loss, got"),
    ("m.safetensors", {"save_freq": 2, "save_best_only": True}, "monitor: 'val_loss' is not known; .*known are loss"),
])  # fmt: skip
def test_what_cannot_be_saved_is_told_before_the_first_step(tmp_path, name, options, message):
    one = model()
    with pytest.raises(ArgumentError, match=f"ModelCheckpoint: .*{message}"):
        one.fit(X, X, verbose=0, callbacks=ModelCheckpoint(tmp_path / name, **options))
    assert one.optimizer.iterations == 0
    assert os.listdir(tmp_path) == []


def test_a_disk_that_refuses_costs_one_warning_and_the_next_saving_tries_again(tmp_path):
    keep = ModelCheckpoint(tmp_path / "m.safetensors", "scripted", mode="min", save_best_only=True)
    one, tries = model(), []

    def save(path):
        tries.append(path)
        if len(tries) < 4:
            raise OSError(28, f"{path}: no space")
        fc.saving.save_model(one, path)

    one.save = save
    with pytest.warns(UserWarning, match="could not be saved, training goes on and it is tried again: ") as told:
        _, script, _ = train([5, 4, 5, 4, 3], keep, one=one)
    assert len(told) == 1
    assert len(tries) == 5, "one that could not be saved is none to be better than"
    assert same(fc.saving.load_model(keep.filepath).get_weights(), script.weights[4])
    other = ModelCheckpoint(keep.filepath, "scripted", mode="min", save_best_only=True)
    other.set_state(keep.get_state())
    assert other.best == 3
