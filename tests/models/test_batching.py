"""What fit, evaluate and predict take for data, how many batches they make of it, and what they print and return."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models import arguments, batching

X = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
Y = X[:, :2].copy()


def mlp(outputs=1, **more):
    fc.utils.set_random_seed(2)
    x = fc.Input((4,))
    heads = [layers.Dense(2, name=f"head{k}")(x) for k in range(outputs)]
    model = fc.Model(x, heads if outputs > 1 else heads[0], name="net")
    model.compile("sgd", "mse", **more)
    return model


class Note(fc.callbacks.Callback):
    """Notes how many batches an epoch has."""

    def __init__(self):
        self.epochs = []

    def on_epoch_begin(self, epoch, logs):
        self.epochs.append([])

    def on_train_batch_end(self, batch, logs):
        self.epochs[-1].append(batch)


@pytest.mark.parametrize(("more", "batches"), [
    ({}, 2), ({"batch_size": 40}, 1), ({"batch_size": 41}, 1), ({"batch_size": 7}, 6), ({"steps_per_epoch": 3}, 3),
    ({"steps_per_epoch": 40}, 40), ({"batch_size": 8, "steps_per_epoch": 2}, 2), ({"validation_split": 0.5}, 1)])
def test_an_epoch_has_batches_of_32_or_of_what_is_asked_for(more, batches):
    note = Note()
    mlp().fit(X, Y, epochs=2, verbose=0, callbacks=note, **more)
    assert note.epochs == [list(range(batches))] * 2
    assert note.params["samples"] == (20 if "validation_split" in more else 40)


class ByNumber:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise IndexError


class Foreign:
    """An array of another library's, which can be gone through as well."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __iter__(self):
        return iter(X)


@pytest.mark.parametrize(("x", "is_stream"), [
    (X, False), (X.tolist(), False), ([X, X], False), ((X, Y), False), ({"a": X}, False), (None, False), ("ab", False),
    (b"ab", False), (3, False), (np.float32(3), False), (memoryview(X), False), (bytearray(3), False),
    (Foreign(__array__=None), False), (Foreign(__array_interface__=None), False), (Foreign(), True), (iter([]), True),
    (map(len, []), True), ({1, 2}, True), (ByNumber(), True), ([], False), ([(X, Y)], True), ([(X, Y, Y)] * 2, True),
    ([(X,)], False), ([(X, Y, Y, Y)], False), ([(X, Y), X], False), ([[X, Y]], False)])
def test_batches_are_what_is_gone_through_and_is_no_array(x, is_stream):
    assert batching.is_stream(x) is is_stream
    if isinstance(x, list):
        assert not batching.is_stream(x, Y), "a list with targets beside it is samples"


@pytest.mark.parametrize(("share", "trained"), [(0.25, 30), (0.5, 20), (0.1, 36), (0.999, 0), (0.001, 39)])
def test_a_split_keeps_the_last_samples_for_evaluation(share, trained):
    model, note = mlp(), Note()
    if not trained:
        with pytest.raises(ArgumentError, match=rf"leaves samples to train on and to evaluate, got {share} of 40 samp"):
            model.fit(X, Y, validation_split=share, verbose=0)
        return
    history = model.fit(X, Y, validation_split=share, verbose=0, callbacks=note).history
    assert note.params["samples"] == trained
    assert history["val_loss"][0] == model.evaluate(X[trained:], Y[trained:])


def test_held_out_data_have_the_training_s_batches_or_their_own():
    seen = []

    class Count(fc.callbacks.Callback):
        def on_test_batch_end(self, batch, logs):
            seen.append(batch)

    for more, batches in (({"batch_size": 8}, 5), ({"batch_size": 8, "validation_batch_size": 20}, 2),
                          ({"validation_batch_size": 10, "validation_steps": 3}, 3), ({}, 2),
                          ({"validation_freq": 2}, 0), ({"validation_freq": [1]}, 2)):
        seen.clear()
        mlp().fit(X, Y, verbose=0, callbacks=Count(), validation_data=(X, Y), **more)
        assert seen == list(range(batches)), more
    with pytest.raises(ArgumentError, match=r"validation_data: expected \(x, y\), .* got ndarray$"):
        mlp().fit(X, Y, validation_data=X)
    with pytest.raises(ArgumentError, match=r"validation_data: .* got 4 entries$"):
        mlp().fit(X, Y, validation_data=(X, Y, Y[:, 0], X))


def test_a_training_begins_with_the_epoch_that_it_is_told():
    note = Note()
    history = mlp().fit(X, Y, epochs=5, initial_epoch=3, verbose=0, callbacks=note)
    assert history.epoch == [3, 4]
    assert len(note.epochs) == 2


def test_results_are_one_number_a_list_or_a_dict():
    one, more = mlp(), mlp(metrics=["mae"])
    loss = one.evaluate(X, Y)
    assert isinstance(loss, float)
    assert one.evaluate(X, Y, return_dict=True) == {"loss": loss}
    assert more.evaluate(X, Y) == list(more.evaluate(X, Y, return_dict=True).values())
    assert list(more.test_on_batch(X, Y, return_dict=True)) == ["loss", "mae"]
    assert more.test_on_batch(X, Y)[1] == pytest.approx(more.evaluate(X, Y)[1], rel=1e-6)
    before = more.test_on_batch(X, Y)
    assert more.train_on_batch(X, Y) == pytest.approx(before, rel=1e-6)
    assert more.test_on_batch(X, Y)[0] < before[0]


def test_evaluation_prints_its_results_if_told_so(capsys):
    model = mlp(metrics=["mae"])
    model.evaluate(X, Y)
    model.evaluate(X, Y, verbose="auto")
    assert not capsys.readouterr().out
    loss, error = model.evaluate(X, Y, verbose=1)
    (line,) = capsys.readouterr().out.splitlines()
    assert f"{loss:.4f}" in line
    assert f"{error:.4f}" in line


def test_a_callback_of_a_prediction_knows_how_much_there_is_though_it_be_one_batch():
    for size, steps in ((16, 3), (40, 1)):
        note = Note()
        mlp().predict(X, batch_size=size, callbacks=[note])
        assert note.params == {"epochs": 1, "steps": steps, "samples": 40, "batch_size": size, "verbose": 0,
                               "initial_epoch": 0}


def test_predictions_do_not_depend_on_how_they_are_cut():
    model = mlp()
    y = model.predict(X)
    assert y.shape == (40, 2)
    for more in ({"batch_size": 40}, {"batch_size": 1}, {"batch_size": 64}, {"batch_size": np.int64(13)}, {"steps": 4}):
        np.testing.assert_allclose(model.predict(X, **more), y, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X, batch_size=8, steps=2), y[:16], rtol=1e-6)
    assert model.predict(X[:0]).shape == (0, 2)
    assert model.predict_on_batch(X[:0]).shape == (0, 2)
    np.testing.assert_array_equal(model.predict_on_batch(X), y)


def test_one_batch_of_the_model_s_own_type_is_predicted_as_it_lies(monkeypatch):
    """Nothing of it is looked over or gathered, which takes longer than a small network."""
    class LookedOverError(Exception):
        pass

    def look(*_, **__):
        raise LookedOverError

    model, x = mlp(), X[:20].copy()
    y = model.predict(x)
    monkeypatch.setattr("fastcnn.models.data.unlabelled", look)
    for more in ({}, {"batch_size": 20}, {"batch_size": 64}, {"verbose": 1}):
        np.testing.assert_array_equal(model.predict(x, **more), y)
    for other, more in ((x.astype("f8"), {}), (X, {}), (x[:0], {}), (x, {"batch_size": 19}), (x, {"steps": 1}),
                        (x, {"callbacks": Note()}), (x[:, :3], {}), (x.tolist(), {}), (x, {"batch_size": True})):
        with pytest.raises((LookedOverError, ArgumentError)):
            model.predict(other, **more)


def test_a_model_is_asked_to_stop_by_nobody_before_it_runs():
    model = mlp()
    assert (model.stop_training, model.stop_evaluating, model.stop_predicting) == (False, False, False)


def test_factors_of_classes_are_for_one_output_and_go_without_weights_of_samples():
    labels = np.arange(40) % 2
    with pytest.raises(ArgumentError, match="class_weight is not offered for a model of several outputs; use sample_w"):
        mlp(2).fit(X, [Y, Y], class_weight={0: 2.0})
    model = fc.Sequential([fc.Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ArgumentError, match="expected class_weight or sample_weight, got both"):
        model.fit(X, labels, class_weight={0: 2.0}, sample_weight=np.ones(40))
    with pytest.raises(ArgumentError, match=r"expected a list or dict of 2 targets, head0, head1, got ndarray"):
        mlp(2).fit(X, Y)


@pytest.mark.parametrize(("y", "expected"), [
    ([0, 2, 1, 2], [3.0, 0.5, 1.0, 0.5]), ([[0], [2], [1], [7]], [3.0, 0.5, 1.0, 1.0]),
    ([[0, 0, 1], [1, 0, 0]], [0.5, 3.0]), (np.array([2.0, 0.0]), [0.5, 3.0])])
def test_the_weight_of_a_sample_is_that_of_its_class(y, expected):
    np.testing.assert_array_equal(arguments.of_classes(np.asarray(y), {2: 0.5, 0: 3.0}, "fit"), expected)


@pytest.mark.parametrize(("factors", "message"), [
    ([1, 2], r"a dict \{class: factor\}, got \[1, 2\]"), ({-1: 1.0}, "classes from 0, got -1"),
    ({0.5: 1.0}, "classes from 0, got 0.5"), ({0: -1}, "at least 0 as the factor of class 0, got -1"),
    ({0: np.inf}, "finite number .* got inf"), ({1: None}, "of class 1, got None")])
def test_a_factor_is_a_finite_number_and_a_class_counts_from_0(factors, message):
    with pytest.raises(ArgumentError, match=message):
        arguments.of_classes(np.zeros(3, int), factors, "fit")


def test_one_class_for_each_place_is_no_class_of_a_sample():
    with pytest.raises(ArgumentError, match=r"expected one class for a sample, got targets \(2, 3, 3\); use sample_w"):
        arguments.of_classes(np.zeros((2, 3, 3)), {0: 1.0}, "fit")
    assert arguments.of_classes(np.zeros((2, 1), int), {0: 0.0}, "fit").tolist() == [0, 0]


def test_an_array_in_a_list_or_a_dict_is_that_array():
    model = mlp()
    y = model.predict(X)
    for one in ([X], (X,), {model.input_names[0]: X}, X.tolist()):
        np.testing.assert_array_equal(model.predict(one), y)
    assert arguments.only({"a": 3}) == 3
    assert arguments.only([X], 3) == [X]
    assert arguments.only([X], 2) is arguments.only([X]) is X
    assert arguments.only({"a": 1, "b": 2}) == {"a": 1, "b": 2}
