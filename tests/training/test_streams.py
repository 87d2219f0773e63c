"""Batches of iterables: the same training as on arrays, epochs as Keras counts them, and what is told of mistakes."""

import time

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.training import ArrayBatches, Data, Epochs, Stream

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((22, 4)).astype("float32")
LABELS = DRAW.integers(0, 3, 22)
WEIGHTS = np.linspace(0.5, 2, 22).astype("float32")
SIZE = 8
BATCHES = [(X[k : k + SIZE], LABELS[k : k + SIZE], WEIGHTS[k : k + SIZE]) for k in range(0, 22, SIZE)]
PAIRS = [batch[:2] for batch in BATCHES]


class Repeatable:
    """As a DataLoader: it begins again, tells no length, and gives lists."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return (list(batch) for batch in self.batches)


class Numbered:
    """As Keras's PyDataset: batches by number, and hooks."""

    def __init__(self, batches):
        self.batches, self.seen = batches, []

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        self.seen.append(index)
        return self.batches[index]

    def on_epoch_begin(self):
        self.seen.append("begin")

    def on_epoch_end(self):
        self.seen.append("end")


def forever(batches):
    while True:
        yield from batches


def compiled():
    fc.utils.set_random_seed(1)
    model = fc.Sequential([layers.Dense(6, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5),
                           layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    return model


def trained(*given, **more):
    """Return the history and the weights after two epochs."""
    model = compiled()
    history = model.fit(*given, epochs=2, shuffle=False, verbose=0, **more).history
    return history, np.concatenate([w.ravel() for w in model.get_weights()])


def assert_same(one, other):
    assert one[0] == other[0]
    np.testing.assert_array_equal(one[1], other[1])


FORMS = {"a list": (list, {}), "an iterable": (Repeatable, {}), "by number": (Numbered, {}),
         "a generator": (forever, {"steps_per_epoch": 3})}


@pytest.mark.parametrize("form", FORMS)
def test_training_on_batches_has_the_bits_of_training_on_arrays(form):
    make, more = FORMS[form]
    arrays = trained(X, LABELS, SIZE, sample_weight=WEIGHTS, validation_data=(X, LABELS, WEIGHTS))
    held_out = {"validation_data": make(BATCHES), **({"validation_steps": 3} if more else {})}
    assert_same(trained(make(BATCHES), **held_out, **more), arrays)
    factors = {0: 2.0, 2: 0.5}
    assert_same(trained(make(PAIRS), class_weight=factors, **more), trained(X, LABELS, SIZE, class_weight=factors))


@pytest.mark.parametrize("form", FORMS)
def test_evaluation_and_prediction_of_batches_have_the_bits_of_those_of_arrays(form):
    make, more = FORMS[form]
    steps = {"steps": 3} if more else {}
    model = compiled()
    model.build((None, 4))
    assert model.evaluate(make(BATCHES), **steps) == model.evaluate(X, LABELS, SIZE, sample_weight=WEIGHTS)
    y = model.predict(X, batch_size=SIZE)
    for given in (BATCHES, [(x,) for x, *_ in BATCHES]) if form != "a list" else (BATCHES,):
        np.testing.assert_array_equal(model.predict(make(given), **steps), y)
    np.testing.assert_array_equal(model.predict(iter([x for x, *_ in BATCHES])), y)
    np.testing.assert_array_equal(model.predict(make(BATCHES), steps=2), y[:16])
    assert model.evaluate(make(PAIRS), steps=2) == model.evaluate(X[:16], LABELS[:16], SIZE)


def test_models_of_several_inputs_and_outputs_take_batches():
    fc.utils.set_random_seed(1)
    a, b = fc.Input((4,), name="a"), fc.Input((4,), name="b")
    both = layers.Concatenate()([a, b])
    model = fc.Model([a, b], {"p": layers.Dense(2)(both), "q": layers.Dense(1)(a)})
    model.compile("sgd", "mse")
    y = {"p": X[:, :2], "q": X[:, :1]}
    batches = Repeatable([({"a": X[k:k + 8], "b": -X[k:k + 8]}, {n: t[k:k + 8] for n, t in y.items()})
                          for k in (0, 8, 16)])  # fmt: skip
    assert model.evaluate(batches) == model.evaluate([X, -X], y, batch_size=8)
    found, expected = model.predict(batches), model.predict([X, -X], batch_size=8)
    assert found.keys() == expected.keys() == {"p", "q"}
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def per_epoch(*given, **more):
    """Return how many steps each epoch has."""
    steps = []

    class Count(fc.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.batch = batch + 1

        def on_epoch_end(self, epoch, logs):
            steps.append(self.batch)

    compiled().fit(*given, verbose=0, callbacks=[Count()], **more)
    return steps


def test_epochs_have_the_steps_that_are_asked_for_and_go_on_where_the_last_one_ended():
    assert per_epoch(X, LABELS, steps_per_epoch=5) == [5]  # as many batches make one pass
    assert per_epoch(X, LABELS, SIZE, steps_per_epoch=3, epochs=3) == [3, 3, 3]
    with pytest.warns(UserWarning, match="the data ran out after 1 of 2 batches of an epoch; the epoch ends"):
        assert per_epoch(X, LABELS, SIZE, steps_per_epoch=2, epochs=3) == [2, 1, 2]
    with pytest.warns(UserWarning, match="after 3 of 4 batches"):
        assert per_epoch(Repeatable(PAIRS), steps_per_epoch=4, epochs=2) == [3, 3]
    assert per_epoch(Repeatable(PAIRS + PAIRS), steps_per_epoch=3, epochs=4) == [3, 3, 3, 3]
    assert per_epoch(iter(PAIRS)) == [3]
    assert per_epoch(forever(PAIRS), steps_per_epoch=4, epochs=2) == [4, 4]


def test_a_generator_that_ends_early_ends_training_with_a_warning():
    with pytest.warns(UserWarning, match="fit: the data ran out after 1 of 2 batches of an epoch; it ends"):
        assert per_epoch(iter(PAIRS), steps_per_epoch=2, epochs=5) == [2, 1]
    with pytest.warns(UserWarning, match="after 0 of 3 batches of an epoch; it ends"):
        assert per_epoch(iter(PAIRS), steps_per_epoch=3, epochs=5) == [3]


def test_a_generator_goes_on_in_the_next_fit_and_no_batch_of_it_is_lost():
    batches, model = iter(PAIRS), compiled()
    for _ in range(3):
        model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
    assert next(batches, None) is None
    whole = compiled()
    whole.fit(PAIRS, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_comes_after_every_so_many_epochs_or_after_those_that_are_named():
    def validated(frequency, **more):
        seen = []

        class Note(fc.callbacks.Callback):
            def on_epoch_end(self, epoch, logs):
                seen.append("val_loss" in logs)

        held_out = more.pop("validation_data", (X, LABELS))
        compiled().fit(X, LABELS, epochs=4, verbose=0, callbacks=[Note()], validation_data=held_out,
                       validation_freq=frequency, **more)
        return seen

    assert validated(1) == [True] * 4
    assert validated(2) == validated(np.int64(2)) == [False, True, False, True]
    assert validated([1, 4]) == [True, False, False, True]
    assert validated(4, validation_data=iter(PAIRS)) == [False, False, False, True]
    with pytest.warns(UserWarning, match="validation_data: the data ran out after 1 of 2"):
        assert validated(1, validation_data=iter(PAIRS), validation_steps=2) == [True, True, False, False]


def test_each_validation_of_some_steps_begins_with_the_first_batch():
    model = compiled()
    history = model.fit(X, LABELS, epochs=2, verbose=0, validation_data=(X, LABELS), validation_steps=2,
                        validation_batch_size=SIZE).history  # fmt: skip
    assert history["val_loss"][1] == model.evaluate(X[:16], LABELS[:16], SIZE)[0]
    history = model.fit(X, LABELS, epochs=2, verbose=0, validation_data=Repeatable(PAIRS), validation_steps=2).history
    assert history["val_loss"][1] == model.evaluate(X[:16], LABELS[:16], SIZE)[0]


@pytest.mark.filterwarnings("ignore:.*ran out:UserWarning")
def test_batches_by_number_are_shuffled_by_the_model_s_orders_and_told_of_epochs():
    def seen(*fits, **more):
        fc.utils.set_random_seed(3)
        model, data = compiled(), Numbered(BATCHES)
        for one in fits:
            model.fit(data, verbose=0, **one, **more)
        return data.seen

    assert seen({"epochs": 2}, shuffle=False) == ["begin", 0, 1, 2, "end"] * 2
    assert seen({"epochs": 2, "steps_per_epoch": 2}, shuffle=False) == ["begin", 0, 1, "end", "begin", 2, "end"]
    whole = seen({"epochs": 4})
    assert whole == seen({"epochs": 2}, {"epochs": 4, "initial_epoch": 2}) == seen({"epochs": 1}, {"epochs": 3})
    late = {"epochs": 4, "initial_epoch": 2}
    assert seen(late) == seen(late, steps_per_epoch=3) == whole[10:]
    epochs = [whole[k + 1 : k + 4] for k in range(0, 20, 5)]
    assert all(sorted(epoch) == [0, 1, 2] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_validation_asks_for_each_batch_by_number_once():
    data = Numbered(BATCHES)
    compiled().fit(X, LABELS, epochs=2, verbose=0, validation_data=data, validation_steps=2)
    assert data.seen == ["begin", 0, 1, "end"] * 2


def test_lists_come_as_they_lie_whatever_shuffle_says():
    models = [compiled(), compiled()]
    for model, shuffle in zip(models, (True, False), strict=True):
        fc.utils.set_random_seed(1)
        model.build((None, 4))
        model.fit(PAIRS, epochs=3, verbose=0, shuffle=shuffle)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_epoch_that_is_stopped_is_told_to_the_data():
    class Stop(fc.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            self.model.stop_training = True

    data = Numbered(BATCHES)
    compiled().fit(data, shuffle=False, verbose=0, callbacks=Stop())
    assert data.seen == ["begin", 0, "end"]


WRONG = {
    "another shape": ((X[:, :3], LABELS), ArgumentError, r"batch 1: expected x of shape \(N, 4\), got \(22, 3\)"),
    "a label too many": ((X, LABELS + 1), DataError, r"batch 1: .*0\.\.2"),
    "no targets": ((X,), ArgumentError, "batch 1: .* got x alone"),
    "fewer targets": ((X, LABELS[:5]), DataError, "batch 1: expected as many targets as samples, got 5 for 22"),
    "text": ((X.astype(str), LABELS), DataError, "batch 1: expected numbers in x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_batch_is_told_before_its_step(case):
    batch, kind, message = WRONG[case]
    model = compiled()
    with pytest.raises(kind, match=message) as caught:
        model.fit(iter([PAIRS[0], batch]), verbose=0)
    assert "\n" not in str(caught.value)
    once = compiled()
    once.fit(*PAIRS[0], verbose=0, shuffle=False)
    assert model.optimizer.iterations == 1
    for one, other in zip(model.get_weights(), once.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    first = compiled()
    first.build((None, 4))
    with pytest.raises(kind, match=message.replace("batch 1", "batch 0")):
        first.fit(iter([batch, PAIRS[0]]), verbose=0, callbacks=[Unwanted()])
    assert first.optimizer.iterations == 0


class Unwanted(fc.callbacks.Callback):
    def on_train_begin(self, logs):
        raise AssertionError("training has begun")


def test_what_a_generator_raises_arrives_as_it_is():
    def broken():
        yield PAIRS[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        compiled().fit(broken(), verbose=0)


def test_no_step_takes_fresh_memory_whatever_the_batches_hold():
    images = DRAW.integers(0, 255, (22, 3, 6, 5))
    kinds = {"float32": images.astype("float32"), "uint8": images.astype("uint8"), "int64": images,
             "big-endian": images.astype(">f4")}  # fmt: skip
    model = fc.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    for name, x in kinds.items():
        moved = np.moveaxis(x, 1, -1)  # as channels-first libraries give it
        for each in (moved, np.ascontiguousarray(moved)):
            seen = []

            class Count(fc.callbacks.Callback):
                def on_train_batch_end(self, batch, logs, seen=seen):
                    seen.append(fc.device.cpu.allocated)

            model.fit(Repeatable([(each[:8], LABELS[:8]), (each[8:16], LABELS[8:16])]), epochs=4, verbose=0,
                      callbacks=[Count()])  # fmt: skip
            assert len(set(seen[4:])) == 1, name


def test_a_line_an_epoch_is_shown_where_nobody_knows_how_long_it_is(capsys):
    compiled().fit(Repeatable(PAIRS), epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[:2] for line in lines] == [["epoch 1/2", "3"], ["epoch 2/2", "3"]]


def test_what_is_read_as_an_array_is_no_stream():
    model = compiled()
    model.build((None, 4))
    expected = model.predict(X)
    for given in (memoryview(X), X.tolist(), X.astype(">f4"), [X]):
        np.testing.assert_array_equal(model.predict(given), expected)


def test_the_samples_of_an_epoch_are_known_where_batches_have_one_size():
    arrays = ArrayBatches(Data([X], [LABELS], [(None, 4)], np.dtype("float32"), "fit"), SIZE)
    assert [Epochs(arrays, steps).samples for steps in (None, 1, 2, 3, 9)] == [22, 8, 16, 22, 22]
    assert [Epochs(arrays, steps).steps for steps in (None, 1, 9)] == [3, 1, 9]
    assert Epochs(Stream([1, 2], lambda given, number: given)).steps == 2
    assert Epochs(Stream(iter([1, 2]), lambda given, number: given)).samples is None


class Counted(Numbered):
    """As a PyDataset whose count is an attribute; None where it has no end."""

    __len__ = None

    def __init__(self, batches, count):
        super().__init__(batches)
        self.num_batches = count

    def __getitem__(self, index):
        self.seen.append(index)
        return self.batches[index % len(self.batches)]


def test_a_dataset_tells_how_many_batches_it_has_or_that_it_has_no_end():
    plain = trained(BATCHES)
    assert_same(trained(Counted(BATCHES, 3)), plain)
    endless = Counted(BATCHES, None)
    assert_same(trained(endless, steps_per_epoch=3), plain)
    assert endless.seen == ["begin", 0, 1, 2, "end", "begin", 3, 4, 5, "end"]
    assert Stream(endless, None).is_endless
    assert not Stream(Counted(BATCHES, 3), None).is_endless
    assert not Stream(iter(BATCHES), None).is_endless
    with pytest.raises(ArgumentError, match=r"fit: .*steps_per_epoch"):
        trained(Counted(BATCHES, None))


@pytest.mark.parametrize("nothing", [iter([]), Counted([], 0), Repeatable([])],
                         ids=["an iterator", "a dataset", "an iterable"])
def test_data_without_a_batch_are_refused_before_training(nothing):
    with pytest.raises(DataError, match="fit: expected at least one batch, got none"):
        compiled().fit(nothing, verbose=0, callbacks=[Unwanted()])


def test_a_dataset_of_workers_makes_as_many_batches_ahead_as_its_queue_takes():
    data = Numbered(BATCHES + BATCHES)
    data.workers, data.max_queue_size = 2, 4
    batches = Stream(data, lambda given, number: number).begin(0)
    assert next(batches) == 0
    deadline = time.monotonic() + 30
    while len(data.seen) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)  # time to make more, were there leave
    assert data.seen == list(range(5)), "four wait, and one was taken"
    assert list(batches) == [1, 2, 3, 4, 5]
    data.workers, data.use_multiprocessing, data.seen = 1, False, []
    assert next(Stream(data, lambda given, number: number).begin(0)) == 0
    assert data.seen == [0], "one worker is the step's own thread"
    data.use_multiprocessing, data.seen = True, []
    assert list(Stream(data, lambda given, number: number).begin(0)) == list(range(6))


class Told(Repeatable):
    """An iterable that tells a length of its own."""

    def __init__(self, batches, length):
        super().__init__(batches)
        self.length = length

    def __len__(self):
        return self.length


class Shrinking(Numbered):
    """It has another length after each epoch."""

    def on_epoch_end(self):
        self.batches = self.batches[:-1]


def test_a_source_that_ends_before_its_length_is_an_error():
    batches, model = [(X[k : k + SIZE], LABELS[k : k + SIZE]) for k in range(0, 3 * SIZE, SIZE)], compiled()
    told = "expected 4 batches, as the length of the data says, got 3, and no more"
    for call in (lambda: model.fit(Told(batches, 4), verbose=0), lambda: model.evaluate(Told(batches, 4)),
                 lambda: model.predict(Told(batches, 4)),
                 lambda: model.fit(Told(batches, 4), steps_per_epoch=2, epochs=2, verbose=0),
                 lambda: model.fit(X, LABELS, validation_data=Told(batches, 4), verbose=0)):
        with pytest.raises(DataError, match=told):
            call()
    model.fit(Told(batches, 3), verbose=0, epochs=2)


def test_a_source_that_changes_its_length_is_an_error():
    batches = [(X[k : k + SIZE], LABELS[k : k + SIZE]) for k in range(0, 3 * SIZE, SIZE)]
    model = compiled()
    with pytest.raises(DataError, match="expected 3 batches of a pass, as at the beginning, got 2 now"):
        model.fit(Shrinking(batches), epochs=3, verbose=0)
    assert len(model.history.epoch) == 1
