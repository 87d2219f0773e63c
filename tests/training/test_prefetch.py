"""Batches made ahead: the same ones, a bounded number, errors with where they come from, and threads that end."""

import signal
import threading
import time
import traceback

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.utils import prefetch

DRAW = np.random.default_rng(0)
X = DRAW.integers(0, 255, (40, 6, 6, 1)).astype("uint8")
LABELS = DRAW.integers(0, 3, 40)


class Augmented:
    """Batches with noise that each epoch draws anew, and the thread that made each."""

    def __init__(self, workers=1):
        self.draw, self.threads, self.workers, self.max_queue_size = np.random.default_rng(1), [], workers, 2

    def __len__(self):
        return 5

    def batch(self, k):
        self.threads.append(threading.current_thread().name)
        part = slice(8 * k, 8 * k + 8)
        return X[part] + self.draw.normal(0, 9, X[part].shape), LABELS[part]


class Iterable(Augmented):
    def __iter__(self):
        return map(self.batch, range(5))


class Numbered(Augmented):
    def __getitem__(self, index):
        return self.batch(index)


def trained(batches, **more):
    """Return the weights and losses after three epochs."""
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Dropout(0.3),
                           layers.Flatten(), layers.Dense(3, activation="softmax")])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(batches, epochs=3, verbose=0, **more).history
    return np.concatenate([*(w.ravel() for w in model.get_weights()), history["loss"]])


def none_is_left():
    """Return whether no thread of a prefetch is alive, or will be in a moment."""
    threads = [thread for thread in threading.enumerate() if thread.name == "fastcnn-prefetch"]
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_training_on_batches_made_ahead_has_the_same_bits():
    plain = trained(Iterable())
    for size in (1, 3):
        ahead = Iterable()
        np.testing.assert_array_equal(trained(prefetch(ahead, size)), plain)
        assert set(ahead.threads) == {"fastcnn-prefetch"}
    batches = Iterable()
    generator = prefetch(batch for _ in range(3) for batch in batches)
    np.testing.assert_array_equal(trained(generator, steps_per_epoch=5), plain)
    assert len(prefetch(Iterable())) == 5
    assert none_is_left()


def test_a_dataset_of_several_workers_makes_its_batches_in_a_thread_ahead():
    here, ahead = Numbered(), Numbered(workers=2)
    np.testing.assert_array_equal(trained(here), trained(ahead))
    assert set(here.threads) == {"MainThread"}
    assert set(ahead.threads) == {"fastcnn-prefetch"}
    assert none_is_left()


@pytest.mark.parametrize("size", [1, 3])
def test_no_more_batches_are_there_than_asked_for(size):
    made, enough = [], threading.Event()

    def batches():
        for k in range(9):
            made.append(k)
            if len(made) > size:
                enough.set()
            yield k

    ahead = prefetch(batches(), size)
    assert next(ahead) == 0
    assert enough.wait(10)
    time.sleep(0.05)  # time to make more, were there leave
    assert len(made) == 1 + size
    assert list(ahead) == list(range(1, 9))
    assert next(ahead, None) is None
    assert none_is_left()


def test_what_is_raised_in_the_thread_arrives_with_its_traceback():
    def broken():
        yield 1
        raise OSError("the disk is gone")

    ahead = prefetch(broken())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the disk is gone") as caught:
        next(ahead)
    assert "broken" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert next(ahead, None) is None
    with pytest.raises(OSError, match="the disk is gone"):
        trained(prefetch((X, LABELS)
                         for k in _then(OSError("the disk is gone"))), steps_per_epoch=9)  # fmt: skip
    assert none_is_left()


def _then(error):
    yield 0
    raise error


def test_a_thread_ends_with_what_asked_for_it():
    class Stop(fc.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = True

    trained(prefetch(Iterable()), callbacks=Stop())
    trained(Numbered(workers=2), callbacks=Stop())
    ahead = prefetch(iter(range(100)))
    next(ahead)
    ahead.close()
    assert next(ahead, None) is None
    dropped = prefetch(iter(range(100)))
    next(dropped)
    del dropped
    assert none_is_left()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows")
def test_ctrl_c_ends_the_waiting_for_a_batch_that_does_not_come():
    never, main = threading.Event(), threading.main_thread().ident

    def stuck():
        yield X, LABELS
        never.wait(60)

    class Press(fc.callbacks.Callback):
        """Presses the keys shortly after the only step, when all that is left is waiting."""

        def on_train_batch_end(self, batch, logs):
            threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT)).start()

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        trained(prefetch(stuck()), steps_per_epoch=2, callbacks=Press())
    assert time.monotonic() - begun < 50, "it did not wait until the thread gave up"
    never.set()
    assert none_is_left()


def test_batches_made_ahead_take_no_fresh_memory_in_a_step():
    seen = []

    class Count(fc.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append(fc.device.cpu.allocated)

    trained(prefetch(Iterable()), callbacks=Count())
    assert seen[1] == seen[2]


@pytest.mark.parametrize(("given", "message"), [
    ((3,), "expected an iterable of batches, got int"), (([], 0), "size to be a positive integer, got 0"),
    (([], True), "got True")])
def test_a_mistake_is_one_clear_sentence(given, message):
    with pytest.raises(ArgumentError, match=message):
        prefetch(*given)
