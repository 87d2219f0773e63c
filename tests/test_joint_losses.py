"""Losses over all outputs: by hand, beside losses of single outputs, through fit, evaluate, steps and files."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses, ops
from fastcnn.errors import ArgumentError, DataError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 5)).astype(np.float32)
A, B = RNG.standard_normal((12, 3)).astype(np.float32), RNG.standard_normal((12, 2)).astype(np.float32)
WEIGHTS = RNG.random(12)
BOXES = fc.data.RaggedRows(RNG.random((9, 2)), [0, 2, 2, 3, 3, 3, 6, 6, 7, 7, 7, 9, 9])


class BothSquared(losses.JointLoss):
    """0.5 mean((a - a')^2) + 2 mean((b - b')^2), which `compile` says as two losses with weights."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        a, b = (ops.mean((t - y) ** 2, axis=-1) for t, y in zip(y_true, y_pred, strict=True))
        return 0.5 * a + self.factor * b


class Presence(losses.JointLoss):
    """How many rows a sample has, told by the means of all outputs; with arrays, and one target for all of them."""

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
        (rows,) = y_true
        if rows.ndim != 3:
            raise ArgumentError(f"{self.name}: expected rows (N, M, C), got {rows.shape}")
        weights = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, float)
        counts = (rows[:, :, 0] >= 0).sum(1)
        wrong = sum(y.mean(1, dtype=float) for y in y_pred) - counts
        slopes = [np.repeat((2 * wrong * weights / (len(rows) * y.shape[1]))[:, None], y.shape[1], 1).astype(y.dtype)
                  for y in y_pred]
        return (weights * wrong**2).astype(y_pred[0].dtype), slopes if wants_gradient else None

    def check(self, y_true, outputs):
        if len(y_true[0]) and np.isinf(getattr(y_true[0], "rows", y_true[0])).any():
            raise DataError(f"{self.name}: expected finite rows")


class Named(Presence):
    target_names = ("rows", "sizes")

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
        rows, sizes = y_true
        assert sizes.shape[1:] == (7,)
        return super().forward([rows], y_pred, wants_gradient, sample_weight)


def two(loss, dtype=None, **compiled):
    fc.utils.set_random_seed(1)
    x = fc.Input((5,), dtype=dtype)
    hidden = layers.Dense(4, "tanh", dtype=dtype)(x)
    model = fc.Model(x, {"a": layers.Dense(3, name="a", dtype=dtype)(hidden),
                         "b": layers.Dense(2, name="b", dtype=dtype)(hidden)})
    model.compile(fc.optimizers.Adam(0.01), loss, **compiled)
    return model


def apart(**compiled):
    return two({"a": "mse", "b": "mse"}, loss_weights={"a": 0.5, "b": 2.0}, **compiled)


def curve(model, y, **more):
    return model.fit(X, y, batch_size=5, epochs=3, verbose=0, shuffle=False, **more).history


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_it_trains_as_the_same_losses_of_single_outputs_do(weights):
    joint = curve(two(BothSquared()), [A, B], sample_weight=weights, validation_data=(X, {"a": A, "b": B}))
    plain = curve(apart(), {"a": A, "b": B}, sample_weight=weights, validation_data=(X, {"a": A, "b": B}))
    assert set(joint) == {"loss", "val_loss"}
    for name in joint:
        np.testing.assert_allclose(joint[name], plain[name], rtol=1e-5)


def test_evaluations_and_single_batches_report_the_same_number():
    model, plain = two(BothSquared()), apart()
    expected = plain.evaluate(X, [A, B], sample_weight=WEIGHTS, batch_size=5, return_dict=True)["loss"]
    assert model.evaluate(X, [A, B], sample_weight=WEIGHTS, batch_size=5) == pytest.approx(expected, rel=1e-6)
    assert model.test_on_batch(X, [A, B], WEIGHTS) == pytest.approx(expected, rel=1e-6)
    assert model.train_on_batch(X, [A, B], WEIGHTS) == pytest.approx(expected, rel=1e-6)
    batches = [(X[:6], (A[:6], B[:6]), WEIGHTS[:6]), (X[6:], (A[6:], B[6:]), WEIGHTS[6:])]
    assert two(BothSquared()).evaluate(batches) == pytest.approx(expected, rel=1e-6)


def test_ragged_rows_are_one_target_for_all_outputs():
    model = two(Presence())
    history = model.fit(X, BOXES, batch_size=5, epochs=30, verbose=0, sample_weight=WEIGHTS,
                        validation_data=(X, BOXES)).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(X, BOXES) == pytest.approx(history["val_loss"][-1], rel=1e-6)


def test_boxes_follow_their_pictures_on_the_way_to_it():
    pictures = np.zeros((4, 8, 8, 1), "uint8")
    boxes = fc.data.RaggedRows([[0, 0, 4, 4, 0], [4, 4, 8, 8, 0]], [0, 1, 1, 2, 2], "boxes")
    seen = []

    class Watching(Presence):
        def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
            seen.append(np.array(y_true[0]))
            return super().forward(y_true, y_pred, wants_gradient, sample_weight)

    x = fc.Input((8, 8, 1))
    flat = layers.Flatten()(x)
    model = fc.Model(x, [layers.Dense(2)(flat), layers.Dense(3)(flat)])
    model.compile("sgd", Watching())
    model.fit(pictures, boxes, batch_size=4, epochs=1, shuffle=False, verbose=0, augmentation=fc.augmentation.Pipeline(
        [layers.RandomFlip("horizontal", seed=2)], seed=3))
    corners = seen[-1][:, 0, 0]
    assert seen[-1].shape == (4, 1, 5)
    assert corners[1] == corners[3] == -1
    assert {corners[0], corners[2]} <= {0.0, 4.0}


def test_a_loss_that_names_its_targets_gets_as_many():
    sizes = np.zeros((12, 7))
    model = two(Named())
    assert np.isfinite(model.train_on_batch(X, {"sizes": sizes, "rows": BOXES}))
    assert model.evaluate(X, [BOXES, sizes]) == pytest.approx(model.evaluate(X, {"rows": BOXES, "sizes": sizes}))
    with pytest.raises(ArgumentError, match="expected the targets of named, rows, sizes, got one"):
        model.evaluate(X, BOXES)
    with pytest.raises(ArgumentError, match="expected no metrics beside named, whose targets rows, sizes are not"):
        two(Named(), metrics={"a": "mae"})


def test_metrics_are_of_single_outputs():
    model = two(BothSquared(), metrics={"a": "mae"}, weighted_metrics={"b": "mse"})
    logs = model.evaluate(X, [A, B], sample_weight=WEIGHTS, return_dict=True)
    plain = apart(metrics={"a": "mae"}, weighted_metrics={"b": "mse"})
    expected = plain.evaluate(X, [A, B], sample_weight=WEIGHTS, return_dict=True)
    assert logs == pytest.approx({name: expected[name] for name in ("loss", "a_mae", "b_mse")}, rel=1e-6)


@pytest.mark.parametrize(("loss", "y"), [(BothSquared(), [A, B]), (Presence(), BOXES)])
def test_its_gradients_are_those_of_differences(loss, y):
    assert fc.check_gradients(two(loss), X, y, sample_weight=WEIGHTS).verdict == "right"


def test_a_loss_that_draws_is_told_the_seed_and_the_step():
    told = []

    class Drawing(Presence):
        draws = True

        def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None, draw=(0, 0)):
            told.append(draw)
            return super().forward(y_true, y_pred, wants_gradient, sample_weight)

    model = two(Drawing())
    model.fit(X, BOXES, batch_size=6, epochs=2, verbose=0)
    assert told[-4:] == [(model.seed, step) for step in range(4)]


def test_penalties_are_added():
    x = fc.Input((5,))
    with_penalty = fc.Model(x, [layers.Dense(3, kernel_regularizer=fc.regularizers.L2(0.1))(x), layers.Dense(2)(x)])
    with_penalty.compile("sgd", BothSquared())
    plain = BothSquared()([A, B], with_penalty.predict(X))
    kernel = with_penalty.get_weights()[0]
    assert with_penalty.evaluate(X, [A, B]) == pytest.approx(plain + 0.1 * (kernel**2).sum(), rel=1e-5)


def test_a_step_of_ones_own_asks_for_it_as_a_tensor():
    class Own(fc.Model):
        def train_step(self, data):
            return super().train_step(data)

    taken, plain = [], two(BothSquared())
    x = fc.Input((5,))
    hidden = layers.Dense(4, "tanh")(x)
    model = Own(x, {"a": layers.Dense(3, name="a")(hidden), "b": layers.Dense(2, name="b")(hidden)})
    model.set_weights(plain.get_weights())
    model.compile(fc.optimizers.Adam(0.01), BothSquared())
    for one in (model, plain):
        one.train_on_batch(X, [A, B], WEIGHTS)
        taken.append(np.concatenate([w.reshape(-1) for w in one.get_weights()]))
    np.testing.assert_allclose(*taken, rtol=1e-4, atol=1e-6)


def test_a_file_holds_it_once_it_is_registered(tmp_path):
    fc.saving.register_keras_serializable("joint")(BothSquared)
    try:
        model = two(BothSquared(3.0))
        model.fit(X, [A, B], verbose=0)
        model.save(tmp_path / "model.safetensors")
        again = fc.saving.load_model(tmp_path / "model.safetensors")
        assert (type(again.loss), again.loss.factor) == (BothSquared, 3.0)
        assert again.evaluate(X, [A, B]) == model.evaluate(X, [A, B])
        with pytest.warns(UserWarning, match="BothSquared, a loss over all outputs, which Keras has not"):
            model.save(tmp_path / "model.keras")
    finally:
        fc.saving.get_custom_objects().pop("joint>BothSquared")


def test_a_training_goes_on_with_the_same_loss_alone(tmp_path):
    def trained(loss, epochs):
        model = two(loss)
        model.fit(X, [A, B], epochs=epochs, verbose=0, callbacks=[
            fc.callbacks.BackupAndRestore(tmp_path / "at", delete_checkpoint=False)])
        return model.get_weights()

    trained(BothSquared(2.0), 1)
    with pytest.raises(ArgumentError, match="losses"):
        trained(BothSquared(4.0), 2)


@pytest.mark.parametrize(("loss", "more", "message"), [
    ([BothSquared(), "mse"], {}, r"expected bothsquared alone, loss=BothSquared\(...\), since it takes all outputs"),
    (BothSquared(), {"loss_weights": [1, 2]}, "expected no loss_weights beside bothsquared"),
    (BothSquared(reduction=None), {}, "bothsquared with reduction=None leaves no number to train with"),
])  # fmt: skip
def test_what_compile_refuses(loss, more, message):
    with pytest.raises(ArgumentError, match=message):
        two(loss, **more)


@pytest.mark.parametrize(("loss", "y", "weights", "error", "message"), [
    (BothSquared(), None, None, ArgumentError, "expected the targets of bothsquared, a, b, got none"),
    (BothSquared(), [A, B, B], None, ArgumentError, "expected 2 entries, for a, b, got 3"),
    (BothSquared(), {"a": A, "c": B}, None, ArgumentError, "expected the names a, b, got c"),
    (BothSquared(), [A, B], [WEIGHTS, WEIGHTS], ArgumentError, "expected one array of weights, of the samples"),
    (BothSquared(), [A, B], -WEIGHTS, DataError, "sample_weight: expected finite weights of at least 0"),
    (Presence(), A, None, ArgumentError, r"for the first sample, presence: expected rows \(N, M, C\)"),
    (Presence(), np.full((12, 1, 2), np.inf), None, DataError, "presence: expected finite rows"),
    (Presence(), BOXES.take(slice(5)), None, DataError, "expected as many targets as samples, got 5 for 12"),
])  # fmt: skip
def test_what_a_training_refuses_before_it_begins(loss, y, weights, error, message):
    model = two(loss)
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(X, y, sample_weight=weights, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
