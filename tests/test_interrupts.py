"""Ctrl-C is heard at once and raised where nothing is half done: real signals to this process."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from fastcnn._interrupts import deferred


def press():
    os.kill(os.getpid(), signal.SIGINT)


def run(inside, done):
    """Press Ctrl-C in a piece that must not be cut, then go on with `inside`."""
    with deferred():
        press()
        done.append("after the signal")
        inside()
        done.append("at the end")


def nothing():
    pass


def test_an_interrupt_waits_for_the_end_of_the_piece():
    done = []
    with pytest.raises(KeyboardInterrupt):
        run(nothing, done)
    assert done == ["after the signal", "at the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_is_raised_where_another_piece_begins_within():
    def inside():
        with deferred():
            done.append("within")

    done = []
    with pytest.raises(KeyboardInterrupt):
        run(inside, done)
    assert done == ["after the signal"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_piece_that_must_be_whole_is_not_cut_by_another_within():
    def whole():
        with deferred(whole=True):
            press()
            with deferred():
                done.append("within")
            done.append("at the end")

    done = []
    with pytest.raises(KeyboardInterrupt):
        whole()
    assert done == ["within", "at the end"]


def test_an_error_within_is_not_lost_beside_the_interrupt():
    def inside():
        raise ValueError("of the piece")

    with pytest.raises(KeyboardInterrupt) as caught:
        run(inside, [])
    assert str(caught.value.__context__) == "of the piece"


def test_the_pieces_after_an_interrupt_are_as_before():
    with pytest.raises(KeyboardInterrupt):
        run(nothing, [])
    with deferred(), deferred():
        pass
    with pytest.raises(KeyboardInterrupt):
        run(nothing, [])


@pytest.mark.parametrize("begins_within", [False, True])
def test_each_press_comes_to_the_handler_that_its_turn_is(begins_within):
    def first(number, frame):
        told.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def inside():
        if begins_within:
            with deferred():
                done.append("within")
        press()

    told, done = [], []
    before = signal.signal(signal.SIGINT, first)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(inside, done)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert told == [signal.SIGINT]
    assert done == ["after the signal", *["within"] * begins_within, "at the end"]


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run(nothing, [])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_leaves_the_handler_alone():
    def work():
        with deferred():
            found.append(signal.getsignal(signal.SIGINT))

    found = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_an_import_that_is_stopped_arrives_and_the_next_one_works():
    code = """
import os, signal, sys
import fastcnn as fc

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("numba.") and not pressed:
            pressed.append(name)
            os.kill(os.getpid(), signal.SIGINT)

pressed = []
sys.meta_path.insert(0, Stop())
try:
    fc.device
except KeyboardInterrupt:
    print(len(pressed), fc.device.cpu.empty((2, 3), "float32").shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "1 (2, 3)\n", done.stderr
