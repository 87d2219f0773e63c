"""CSVLogger: a table that is there after each epoch, whatever the disk does."""

import csv

import pytest

from fastcnn.callbacks import CSVLogger
from fastcnn.errors import ArgumentError
from tests.callbacks.models import X, model


def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def test_a_training_has_a_row_for_each_epoch(tmp_path):
    path, one = tmp_path / "log.csv", model(metrics=["mae"])
    history = one.fit(X, X, epochs=2, verbose=0, validation_data=(X, X), callbacks=CSVLogger(path)).history
    table = rows(path)
    assert table[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [[float(cell) for cell in row] for row in table[1:]] == [
        [epoch, *(history[name][epoch] for name in table[0][1:])] for epoch in (0, 1)]
    one.fit(X, X, epochs=1, verbose=0, callbacks=CSVLogger(path, append=True))
    assert len(rows(path)) == 4
    assert rows(path)[3][3:] == ["NA", "NA"]


def test_a_resumed_training_takes_away_the_rows_that_it_writes_again(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("mine\n")
    first = CSVLogger(path, append=True)
    first.on_train_begin({})
    first.on_epoch_end(0, {"loss": 3.0})
    state = first.get_state()
    first.on_epoch_end(1, {"loss": 2.0})
    whole = path.read_bytes()
    second = CSVLogger(path, append=True)
    second.on_train_begin({})
    second.set_state(state)
    assert rows(path)[1:] == [["0", "3.0", "NA"]]
    second.on_epoch_end(1, {"loss": 2.0})
    assert path.read_bytes() == whole


def test_a_disk_that_refuses_costs_a_warning_and_the_next_row_brings_what_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    log, is_full = CSVLogger(path), []

    def opened(*args, **options):
        if is_full:
            raise OSError(28, "No space left on device")
        return open(*args, **options)

    monkeypatch.setattr("fastcnn.callbacks.csv_logger.open", opened, raising=False)
    log.on_train_begin({})
    log.on_epoch_end(0, {"loss": 3.0})
    is_full.append(True)
    with pytest.warns(UserWarning, match="could not be written .No space left on device.; training goes on"):
        log.on_epoch_end(1, {"loss": 2.0})
    log.on_epoch_end(2, {"loss": 1.0})  # a second warning would be an error
    is_full.clear()
    log.on_epoch_end(3, {"loss": 0.5})
    assert [row[:2] for row in rows(path)] == [
        ["epoch", "loss"], ["0", "3.0"], ["1", "2.0"], ["2", "1.0"], ["3", "0.5"]]


@pytest.mark.parametrize(("name", "got"), [("none/log.csv", "no such folder"), (".", "a folder")])
def test_a_place_where_no_file_can_be_is_told_before_the_first_step(tmp_path, name, got):
    one = model()
    with pytest.raises(ArgumentError, match=f"CSVLogger: expected a file in a folder that exists, got '.*', {got}"):
        one.fit(X, X, verbose=0, callbacks=CSVLogger(tmp_path / name))
    assert one.optimizer.iterations == 0
    with pytest.raises(ArgumentError, match="expected a separator of one character, got ', '"):
        CSVLogger("log.csv", separator=", ")
