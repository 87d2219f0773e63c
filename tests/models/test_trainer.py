"""compile, fit and evaluate: whose optimizer it is, what is checked before anything changes, whose weights count."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((20, 4)).astype("float32")
Y = DRAW.standard_normal((20, 2)).astype("float32")
LABELS = np.arange(20) % 3
ROWS = np.eye(3, dtype="float32")[LABELS]


def dense(units=2, optimizer="adam", loss="mse", activation=None, **compiled):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((4,)), layers.Dense(5, name="first"),
                           layers.Dense(units, activation, name="last")])
    model.compile(optimizer, loss, **compiled)
    return model


def two(loss, **compiled):
    fc.utils.set_random_seed(1)
    inputs = fc.Input((4,))
    model = fc.Model(inputs, {"a": layers.Dense(2)(inputs), "b": layers.Dense(2)(inputs)})
    model.compile("sgd", loss, **compiled)
    return model


def logs_of(model, x=X, y=Y, **more):
    return model.evaluate(x, y, return_dict=True, **more)


def weights(model):
    return np.concatenate([w.reshape(-1) for w in model.get_weights()])


# --- the optimizer ----------------------------------------------------------------------------------------------------


def test_an_optimizer_trains_one_model_and_says_so():
    optimizer = fc.optimizers.Adam()
    a, b = dense(optimizer=optimizer), dense(optimizer=optimizer)
    a.fit(X, Y, verbose=0)
    before = weights(b)
    for train in (b.fit, b.train_on_batch):
        with pytest.raises(ArgumentError, match=r"Adam: .* first/kernel is none of them; .* a new optimizer"):
            train(X, Y)
    np.testing.assert_array_equal(weights(b), before)
    before = weights(a)
    a.fit(X, Y, verbose=0)
    assert np.abs(weights(a) - before).min() > 0
    assert optimizer.iterations == 2


def test_evaluating_a_frozen_model_leaves_the_optimizer_alone():
    model = dense()
    model.fit(X, Y, batch_size=4, verbose=0)
    before = model.optimizer.get_state()
    for trainable in (False, True):
        model.layers[0].trainable = trainable
        model.evaluate(X, Y)
    after = model.optimizer.get_state()
    assert after["iterations"] == 5
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])


def test_layers_frozen_for_a_while_keep_their_moments():
    model, names = dense(), [f"{k}/{slot}" for k in (0, 1) for slot in ("momentum", "velocity")]
    model.fit(X, Y, batch_size=4, verbose=0)
    first, before = model.layers[0].get_weights(), model.optimizer.get_state()
    model.layers[0].trainable = False
    model.fit(X, Y, batch_size=4, verbose=0)
    after = model.optimizer.get_state()
    assert model.optimizer.iterations == 10
    for a, b in zip(first, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in names:
        np.testing.assert_array_equal(after[name], before[name])
    assert (after["2/velocity"] != before["2/velocity"]).all()
    model.layers[0].trainable = True
    model.fit(X, Y, batch_size=4, verbose=0)
    assert model.optimizer.iterations == 15
    assert (model.optimizer.get_state()["0/velocity"] != before["0/velocity"]).all()
    assert (model.layers[0].get_weights()[0] != first[0]).all()


def test_a_layer_that_was_frozen_when_training_began_asks_for_a_new_optimizer():
    model = dense()
    model.layers[0].trainable = False
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = True
    with pytest.raises(ArgumentError, match="first/kernel is none of them"):
        model.fit(X, Y, verbose=0)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)


def test_a_compile_that_fails_changes_nothing():
    model = dense(metrics=["mae"])
    model.fit(X, Y, verbose=0)
    before = model.optimizer, model.loss, model.objective
    for wrong in ({"loss": "msee"}, {"loss": "mse", "metrics": ["maee"]}, {"loss": ["mse", "mse"]},
                  {"loss": "mse", "loss_weights": ["a"]}):
        with pytest.raises(ArgumentError):
            model.compile("sgd", **wrong)
    assert (model.optimizer, model.loss, model.objective) == before
    values = weights(model)
    model.fit(X, Y, verbose=0)
    assert (weights(model) != values).all()


def test_the_optimizer_of_none_is_kerass():
    model = dense()
    model.compile(loss="mse")
    assert isinstance(model.optimizer, fc.optimizers.RMSprop)


# --- losses and metrics by shape, and their names ---------------------------------------------------------------------


def test_accuracy_suits_the_shapes_whatever_the_loss_is_called():
    losses = fc.losses
    for loss, y, units, activation in (
            (losses.SparseCategoricalCrossentropy(name="ce"), LABELS, 3, "softmax"),
            (losses.SparseCategoricalCrossentropy(name="binary"), LABELS[:, None], 3, "softmax"),
            ("binary_crossentropy", ROWS, 3, "sigmoid"), ("mse", ROWS, 3, None),
            ("binary_crossentropy", (LABELS > 0) * 1.0, 1, "sigmoid")):
        for name in ("accuracy", "acc", "Accuracy"):
            model = dense(units, loss=loss, activation=activation, metrics=[name])
            p = model.predict(X)
            hits = (p[:, 0] > 0.5) == y if units == 1 else p.argmax(1) == LABELS
            assert logs_of(model, y=y)[name] == pytest.approx(hits.mean())


@pytest.mark.parametrize("word", ["ce", "crossentropy"])
def test_crossentropy_suits_the_shapes(word):
    for y, units, loss in ((LABELS, 3, "sparse_categorical_crossentropy"), (ROWS, 3, "categorical_crossentropy"),
                           (LABELS[:, None], 3, "sparse_categorical_crossentropy"),
                           (LABELS > 0, 1, "binary_crossentropy")):
        activation = "sigmoid" if units == 1 else "softmax"
        short, full = (dense(units, loss=one, activation=activation) for one in (word, loss))
        assert logs_of(short, y=y) == logs_of(full, y=y)
        short.fit(X, y, verbose=0)
        full.fit(X, y, verbose=0)
        np.testing.assert_array_equal(weights(short), weights(full))
    late = fc.Sequential([layers.Dense(3, "softmax")])
    late.compile("sgd", word)
    late.fit(X, LABELS, verbose=0)
    with pytest.raises(DataError, match=r"labels 0\.\.2"):
        late.fit(X, LABELS + 1, verbose=0)


def test_metrics_of_one_name_have_names_of_their_own():
    model = dense(metrics=["mae", "mae"], weighted_metrics=["mae", "mae", "mse"])
    logs = logs_of(model, sample_weight=np.linspace(0, 2, 20))
    assert list(logs) == ["loss", "mae", "mae_1", "weighted_mae", "weighted_mae_1", "mse"]
    assert logs["mae"] == logs["mae_1"] != logs["weighted_mae"] == logs["weighted_mae_1"]
    model = two({"a": "mse", "b": "mse"}, metrics={"a": ["mae"], "b": ["mae"]}, weighted_metrics={"a": ["mae", "mse"]})
    assert list(logs_of(model, y={"a": Y, "b": Y})) == ["loss", "a_loss", "b_loss", "a_mae", "b_mae", "a_weighted_mae",
                                                        "a_mse"]

    def loss(y_true, y_pred):
        return np.abs(y_pred - y_true)

    assert logs_of(dense(metrics=[loss])).keys() == {"loss", "loss_1"}


def test_an_output_without_a_loss_may_have_metrics():
    model, frozen = (two({"a": "mse"}, **more) for more in ({"metrics": {"b": ["mae"]}}, {}))
    for y in ({"a": Y, "b": Y}, [Y, Y]):
        logs = model.fit(X, y, verbose=0).history
        assert list(logs) == ["loss", "a_loss", "b_mae"]
    frozen.fit(X, {"a": Y}, epochs=2, verbose=0, shuffle=False)
    assert logs["b_mae"] == [pytest.approx(np.abs(model.predict(X)["b"] - Y).mean(), rel=1e-6)]
    np.testing.assert_array_equal(model.layers[2].get_weights()[0], frozen.layers[2].get_weights()[0])
    before = weights(model)
    with pytest.raises(ArgumentError, match='targets for output "b", which has a loss or a metric, got none'):
        model.fit(X, {"a": Y}, verbose=0)
    np.testing.assert_array_equal(weights(model), before)


def test_targets_of_an_output_that_nothing_asks_for_are_left_out_and_may_be_absent():
    found = []
    for y in ({"a": Y}, {"a": Y, "b": Y}, [Y, None], [Y, Y], [Y], Y):
        fc.utils.set_random_seed(0)
        model = two({"a": "mse"})
        model.fit(X, y, verbose=0, shuffle=False)
        found.append(weights(model))
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])
    with pytest.raises(ArgumentError, match="expected a list or dict of 2 targets, a, b, got ndarray"):
        two({"a": "mse", "b": "mse"}).fit(X, Y, verbose=0)


def test_a_metric_counts_for_one_output():
    one = fc.metrics.MeanSquaredError()
    for metrics in ({"a": [one], "b": [one]}, {"a": [one, one]}):
        with pytest.raises(ArgumentError, match="mean_squared_error for one output, got it twice; make another"):
            two("mse", metrics=metrics)
    with pytest.raises(ArgumentError, match="got it twice"):
        dense(metrics=[one], weighted_metrics=[one])


@pytest.mark.parametrize("metric", [lambda: fc.metrics.F1Score(), lambda: fc.metrics.Precision(thresholds=[0.2, 0.7])])
def test_metrics_of_several_numbers_are_shown(metric, capsys):
    model = dense(3, loss="categorical_crossentropy", activation="softmax", metrics=[metric()])
    for verbose in (1, 2):
        history = model.fit(X, ROWS, epochs=2, verbose=verbose).history
        shown = history[model.metrics[0].name][-1]
        assert f": [{', '.join(f'{v:.4f}' for v in shown)}]\n" in capsys.readouterr().out
    model.evaluate(X, ROWS, verbose=1)
    assert capsys.readouterr().out.endswith("]\n")


# --- weights of classes -----------------------------------------------------------------------------------------------


def test_weights_of_classes_count_in_training_alone():
    def history(**more):
        model = dense(3, fc.optimizers.SGD(0.0), "sparse_categorical_crossentropy", "softmax",
                      weighted_metrics=["accuracy"])
        return model.fit(X, LABELS, verbose=0, shuffle=False, **more).history

    factors = {0: 0.0, 1: 5.0}
    for more in ({"validation_split": 0.25}, {"validation_data": (X, LABELS)}):
        plain, weighted = history(**more), history(**more, class_weight=factors)
        assert plain["loss"] != weighted["loss"]
        for name in ("val_loss", "val_accuracy"):
            assert plain[name] == weighted[name]
    half = history(sample_weight=np.repeat([factors.get(k, 1.0) for k in range(3)], 1)[LABELS], validation_split=0.25)
    assert half["loss"] == history(class_weight=factors, validation_split=0.25)["loss"]


def test_a_split_leaves_samples_for_both_parts():
    for split in (0.99, 1e-17):
        with pytest.raises(ArgumentError, match="leaves samples to train on and to evaluate"):
            dense().fit(X, Y, validation_split=split)


# --- what is checked before anything changes --------------------------------------------------------------------------


def normalized(loss="mse", **compiled):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((4,)), layers.BatchNormalization(), layers.Dense(3)])
    model.compile("adam", loss, **compiled)
    return model


SHAPES = {
    "targets of a loss": (lambda: normalized(), {"y": Y},
                          r"for the first sample, .*: .* outputs' shape \(1, 3\), got \(1, 2\)"),
    "targets of a loss of the whole": (lambda: normalized("root_mean_squared_error"), {"y": Y}, "got"),
    "targets of dice": (lambda: normalized("dice"), {"y": Y}, "outputs' shape"),
    "labels": (lambda: normalized("sparse_categorical_crossentropy"), {"y": ROWS}, "expected labels"),
    "targets of a metric": (lambda: normalized("sparse_categorical_crossentropy", metrics=["mae"]), {"y": LABELS},
                            r"mae: expected targets of shape \(1, 3\), got \(1,\)"),
    "targets of F1": (lambda: normalized("sparse_categorical_crossentropy", metrics=[fc.metrics.F1Score()]),
                      {"y": LABELS}, "f1_score: expected targets"),
    "targets of a weighted metric": (lambda: normalized("sparse_categorical_crossentropy",
                                                        weighted_metrics=["categorical_accuracy"]),
                                     {"y": LABELS}, "categorical_accuracy: expected targets"),
    "weights": (lambda: normalized(), {"y": ROWS, "sample_weight": np.ones((20, 2))}, "sample_weight of shape"),
    "validation": (lambda: normalized(), {"y": ROWS, "validation_data": (X, Y)}, "outputs' shape"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes_are_checked_before_anything_is_trained(case):
    make, given, message = SHAPES[case]
    model = make()
    before = weights(model)
    with pytest.raises(ArgumentError, match=message):
        model.fit(X, verbose=0, **given)
    np.testing.assert_array_equal(weights(model), before)
    assert model.optimizer.iterations == 0
    if "validation_data" not in given:
        for act in (model.train_on_batch, model.evaluate):
            with pytest.raises(ArgumentError, match=message):
                act(X, **given)
    np.testing.assert_array_equal(weights(model), before)


def test_a_check_leaves_no_trace_in_metrics():
    model = dense(metrics=["mae"])
    assert logs_of(model)["mae"] == pytest.approx(np.abs(model.predict(X) - Y).mean(), rel=1e-6)


def test_functions_of_users_see_whole_batches_alone():
    seen = []

    def mine(y_true, y_pred):
        seen.append(len(y_true))
        return np.abs(y_true - y_pred)

    dense(metrics=[mine]).fit(X, Y, batch_size=10, verbose=0)
    assert seen == [10, 10]


@pytest.mark.parametrize("reduction", [None, "none"])
def test_a_loss_that_is_no_number_is_refused_at_once(reduction):
    with pytest.raises(ArgumentError, match="leaves no number to train with"):
        dense(loss=fc.losses.MeanSquaredError(reduction=reduction))


def test_a_build_that_fails_builds_nothing():
    make = lambda: fc.Sequential([layers.Conv2D(4, 3), fc.Sequential([layers.Conv2D(4, 3)]), layers.Conv2D(4, 5)])
    model = make()
    for act in (lambda: model.build((None, 6, 6, 1)), lambda: model.predict(np.zeros((2, 6, 6, 1), "float32"))):
        with pytest.raises(ArgumentError):
            act()
    assert not model.built
    assert not any(layer.built or layer.weights for layer in model.layers)
    assert model.compute_output_shape((None, 16, 16, 3)) == (None, 8, 8, 4)
    assert not model.layers[1].built
    model.build((None, 16, 16, 3))
    assert model.output_shape == (None, 8, 8, 4)
    built = layers.Dense(2)
    built.build((None, 3))
    model = fc.Sequential([layers.Dense(4), built])
    with pytest.raises(ArgumentError, match="for which its parameters are"):
        model.build((None, 5))
    assert not model.layers[0].built


# --- the order of samples ---------------------------------------------------------------------------------------------


def orders(model, fits):
    """Return the orders of the samples that each epoch of some fits saw."""
    seen = []

    class Note(layers.Layer):
        def forward(self, x, call=None):
            seen.append(x[:, 0].astype(int).tolist())
            return x, lambda dy: dy

    model = fc.Sequential([fc.Input((1,)), Note(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(8, dtype="float32")[:, None]
    for more in fits:
        model.fit(x, 0 * x, verbose=0, **more)
    return seen


def test_every_epoch_has_an_order_of_its_own_whichever_fit_began_it():
    def run(*fits):
        fc.utils.set_random_seed(3)
        return orders(None, fits)

    whole = run({"epochs": 4})
    assert len({tuple(order) for order in whole}) == 4
    assert all(sorted(order) == list(range(8)) for order in whole)
    assert run(*[{"epochs": 1}] * 4) == whole
    assert run({"epochs": 2}, {"epochs": 4, "initial_epoch": 2}) == whole
    assert run({"epochs": 1}, {"epochs": 3}) == whole
    assert run({"epochs": 4, "initial_epoch": 2}) == whole[2:]
    assert run({"epochs": 1, "shuffle": False}, {"epochs": 1}) == [list(range(8)), whole[0]]


@pytest.mark.parametrize("lies", ["alone", "in another array", "in bytes", "where a prediction lay"])
def test_a_prediction_is_a_new_array_where_no_layer_made_one(lies):
    model = fc.Sequential([fc.Input((4, 3)), fc.layers.Flatten()])
    whole = np.arange(48, dtype=np.float32).reshape(4, 4, 3)
    x = {"alone": whole, "in another array": whole[1:3], "in bytes": whole.view(np.uint8)[1:3].view(np.float32),
         "where a prediction lay": fc.Sequential([fc.Input((4, 3)), fc.layers.ReLU()]).predict(whole)[1:]}[lies]
    for _ in range(3):
        y = model.predict(x)
        np.testing.assert_array_equal(y, x.reshape(len(x), 12))
        assert not np.shares_memory(x, y)
