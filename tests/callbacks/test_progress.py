"""Progress: a line that moves, lines, or a table that a notebook keeps."""

import re
import sys
from types import ModuleType, SimpleNamespace

import pytest

from fastcnn.callbacks import LambdaCallback, Progress
from fastcnn.callbacks.progress import suiting_style
from fastcnn.errors import ArgumentError
from tests.callbacks.models import X, model


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [1000.0]
    monkeypatch.setattr("fastcnn.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


class Notebook:
    """What IPython shows: pictures by place, and how often each was drawn."""

    def __init__(self, monkeypatch):
        self.drawn = []
        shell, module, display = SimpleNamespace(kernel=object()), ModuleType("IPython"), ModuleType("IPython.display")
        module.get_ipython, display.HTML, display.display = (lambda: shell), (lambda text: text), self.display
        monkeypatch.setitem(sys.modules, "IPython", module)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, picture, display_id):
        assert display_id is True
        self.drawn.append(picture)
        return SimpleNamespace(update=self.drawn.append)


@pytest.fixture
def notebook(monkeypatch):
    return Notebook(monkeypatch)


def steps_of(clock, seconds):
    """Return a callback by which each step takes so long."""
    def pass_by(batch, logs):
        clock[0] += seconds

    return LambdaCallback(on_train_batch_begin=pass_by)


def test_a_terminal_has_a_line_that_moves_and_says_what_is_left(clock, capsys):
    model().fit(X, X, batch_size=4, epochs=2, verbose=1, callbacks=steps_of(clock, 30.0))
    steps = capsys.readouterr().out.split("\r")
    assert re.fullmatch(r"epoch 1/2 - 1/3 - 30\.0 s - loss: \d\.\d{4}\033\[K", steps[1]), "one step tells no time"
    assert re.match(r"epoch 1/2 - 2/3 - 60\.0 s - 2:00 left - loss: ", steps[2])
    assert re.match(r"epoch 1/2 - 3/3 - 90\.0 s - 1:30 left - loss: ", steps[3])
    assert re.fullmatch(r"\033\[Kepoch 1/2 - 3/3 - 90\.0 s - loss: \d\.\d{4}\n", steps[4])
    assert re.match(r"epoch 2/2 - 1/3 - 30\.0 s - 1:00 left - ", steps[5])
    assert len(steps) == 9


def test_a_line_moves_ten_times_a_second_at_most(clock, capsys):
    model().fit(X, X, batch_size=1, verbose=1, callbacks=steps_of(clock, 0.0625))
    assert capsys.readouterr().out.count("left") == 5, "of twelve steps: every second, but for the first"


def test_a_pipe_has_a_line_an_epoch(clock, capsys):
    assert suiting_style() == "lines"
    model().fit(X, X, batch_size=4, epochs=2, callbacks=steps_of(clock, 2.0))
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"\d\.\d{4}", "#", line) for line in lines] == [
        "epoch 1/2 - 3/3 - 6.0 s - loss: #", "epoch 2/2 - 3/3 - 6.0 s - loss: #"]


def test_a_notebook_has_one_table_that_grows(clock, notebook, capsys):
    assert suiting_style() == "table"
    one = model(metrics=["mae"])
    one.fit(X, X, batch_size=4, epochs=2, validation_data=(X, X), callbacks=steps_of(clock, 30.0))
    assert capsys.readouterr().out == ""
    cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", table) for table in notebook.drawn]
    assert cells[0][:5] == ["epoch", "loss", "mae", "seconds", "1/2"]
    assert "<caption>epoch 1/2 - 2/3 - 2:00 left</caption>" in notebook.drawn[1]
    assert cells[-1][:6] == ["epoch", "loss", "mae", "val_loss", "val_mae", "seconds"]
    assert cells[-1][6::6] == ["1/2", "2/2"]
    assert cells[-1][7] == f"{one.history.history['loss'][0]:.4f}"
    assert "<caption>" not in notebook.drawn[-1]
    assert len(notebook.drawn) == 9, "six steps, two epochs, the end"


def test_a_table_is_drawn_five_times_a_second_at_most_and_stays_at_ctrl_c(clock, notebook):
    def press(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model().fit(X, X, batch_size=1, epochs=3,
                    callbacks=[steps_of(clock, 0.0625), LambdaCallback(on_epoch_begin=press)])
    assert len(notebook.drawn) == 3 + 1 + 1, "within an epoch of 0.75 seconds, after it, at the end"
    assert "<caption>" not in notebook.drawn[-1]
    assert "1/3" in notebook.drawn[-1]


def test_a_long_training_has_its_last_epochs_in_the_table_and_names_are_escaped(clock, notebook):
    one, rename = model(), LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update({"<b>": 1.0}))
    one.fit(X, X, epochs=63, callbacks=[rename, Progress("table")])
    assert '<td colspan="4">3 epochs before</td>' in notebook.drawn[-1]
    assert "<td>4/63</td>" in notebook.drawn[-1]
    assert "<td>3/63</td>" not in notebook.drawn[-1]
    assert "<th>&lt;b&gt;</th>" in notebook.drawn[-1]


def test_who_brings_one_gets_no_second(clock, capsys):
    model().fit(X, X, callbacks=Progress("lines"), verbose=2)
    assert len(capsys.readouterr().out.splitlines()) == 1
    with pytest.raises(ArgumentError, match="Progress: style: 'bar' is not known; known are auto, line, lines, table"):
        Progress("bar")


def test_batches_without_a_number_have_no_time_left(clock, capsys):
    model().fit(((X, X) for _ in range(3)), epochs=1, verbose=1, callbacks=steps_of(clock, 1.0))
    out = capsys.readouterr().out
    assert "epoch 1/1 - 2 - 2.0 s - loss" in out
    assert "left" not in out
