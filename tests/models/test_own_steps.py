"""Models with train_step, test_step and compute_loss of their own, as Keras's guides write them."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, ops
from fastcnn.errors import ArgumentError, DataError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 5)).astype(np.float32)
Y = np.tanh(X[:, :2] @ RNG.standard_normal((2, 2))).astype(np.float32)


class Net(fc.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(6, activation="tanh"), layers.Dense(2)

    def call(self, x):
        return self.out(self.hidden(x))


class ByHand(Net):
    """Everything by hand: the loss, the step, the metrics; no loss in compile."""

    def __init__(self):
        super().__init__()
        self.loss_mean, self.mae = fc.metrics.Mean(name="loss"), fc.metrics.MeanAbsoluteError(name="mae")

    @property
    def metrics(self):
        return [self.loss_mean, self.mae]

    def train_step(self, data):
        x, y = data

        def loss_of(x):
            found = self(x, training=True)
            return ops.mean(ops.square(y - found)), ops.stop_gradient(found)

        (loss, found), gradients = fc.gradients(loss_of, x, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.loss_mean.update_state(loss, len(x))
        self.mae.update_state(y, found)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        x, y = data
        found = self(x, training=False)
        self.loss_mean.update_state(ops.mean(ops.square(y - found)), len(x))
        self.mae.update_state(y, found)
        return {m.name: m.result() for m in self.metrics}


class ByBase(Net):
    """Hands on to what a step is otherwise."""

    def train_step(self, data):
        return super().train_step(data)

    def test_step(self, data):
        return super().test_step(data)


class OwnLoss(Net):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y - y_pred))


def fitted(kind, loss="mse", metrics=("mae",), **more):
    """Return a model of a kind after some epochs from weights and in an order that are decided here, and its logs."""
    model = kind()
    model.build((None, 5))
    draw = np.random.default_rng(3)
    model.set_weights([(0.3 * draw.standard_normal(p.shape)).astype(np.float32) for p in model.weights])
    model.seed, model.orders = 3, fc.training.Orders(3)
    model.compile("adam", loss, metrics=list(metrics))
    return model, model.fit(X, Y, batch_size=10, epochs=3, verbose=0, validation_data=(X[:7], Y[:7]), **more).history


@pytest.mark.parametrize(("kind", "loss", "metrics"), [
    (ByHand, None, ()), (ByBase, "mse", ("mae",)), (OwnLoss, None, ())])
def test_steps_of_one_s_own_train_as_fit_does(kind, loss, metrics):
    model, history = fitted(kind, loss, metrics)
    plain, expected = fitted(Net)
    for name in history:
        np.testing.assert_allclose(history[name], expected[name], rtol=2e-4)
    assert {"loss", "val_loss"} <= set(history)
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert model.evaluate(X, Y, return_dict=True)["loss"] == pytest.approx(plain.evaluate(X, Y)[0], rel=1e-3)


def test_weights_of_samples_and_two_outputs_come_as_they_are_given():
    seen = []

    class Two(fc.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(1)

        def call(self, x):
            return [self.a(x), self.b(x)]

        def train_step(self, data):
            seen.append([np.shape(one) for one in data[1]] + [type(data[2]).__name__])
            return super().train_step(data)

    model = Two()
    model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.5])
    logs = model.fit(X, [Y[:, :1], Y[:, 1:]], sample_weight=[np.ones(24), np.arange(24.0)], batch_size=24, verbose=0,
                     shuffle=False).history
    assert seen == [[(24, 1), (24, 1), "list"]]
    assert logs["loss"][0] > 0


def test_data_without_targets_is_x_alone_and_a_step_need_not_have_metrics():
    class Code(Net):
        def train_step(self, data):
            value, gradients = fc.gradients(lambda x: ops.mean((self(x, training=True) - x[:, :2]) ** 2), data,
                                            self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"error": value}

    model = Code()
    model.compile("adam")
    errors = model.fit(X, epochs=4, batch_size=24, verbose=0).history["error"]
    assert all(type(one) is float for one in errors)
    assert errors[-1] < errors[0]


def test_a_step_that_returns_no_dict_and_compile_without_a_loss_are_told():
    class Wrong(Net):
        def train_step(self, data):
            return 3.0

    model = Wrong()
    model.compile("sgd")
    with pytest.raises(ArgumentError, match="expected train_step to return a dict of numbers by name, got float"):
        model.fit(X, Y, verbose=0)
    base = ByBase()
    base.compile("sgd")
    with pytest.raises(ArgumentError, match="compute_loss expected a loss; give one to compile"):
        base.fit(X, Y, verbose=0)


def test_losses_of_tensors_are_numbers_of_a_graph_with_the_gradient_of_training():
    for loss in (fc.losses.MeanAbsoluteError(), fc.losses.Huber(), fc.losses.BinaryCrossentropy(from_logits=True)):
        value, gradient = fc.gradients(lambda y, loss=loss: loss(np.abs(Y), y) * 2.0, X[:, :2])
        losses, slope = loss.forward(np.abs(Y), np.ascontiguousarray(X[:, :2]))
        assert value == pytest.approx(2 * losses.mean(), rel=1e-5)
        np.testing.assert_allclose(gradient, 2 * slope, rtol=1e-5)
    each, slopes = fc.gradients(lambda y: fc.losses.MeanSquaredError(reduction=None)(Y, y), X[:, :2])
    np.testing.assert_allclose(each, ((X[:, :2] - Y) ** 2).mean(1), rtol=1e-5)
    np.testing.assert_allclose(slopes, X[:, :2] - Y, rtol=1e-4, atol=1e-6)


class Pairs(fc.utils.PyDataset):
    """Two images of each class in a batch (2, N, 5), with no targets."""

    def __len__(self):
        return 3

    def __getitem__(self, idx):
        return X[8 * idx:8 * idx + 8].reshape(2, 4, 5).astype("float64")


def test_a_step_of_one_s_own_gets_batches_as_they_are_given():
    class Alike(fc.Model):
        def train_step(self, data):
            assert (data.shape, data.dtype) == ((2, 4, 5), "float32")

            def loss_of(pair):
                a, b = self(pair[0], training=True), self(pair[1], training=True)
                return ops.mean(ops.square(ops.einsum("ae,pe->ap", a, b) - np.eye(4, dtype="float32")))

            loss, slopes = fc.gradients(loss_of, [data[0], data[1]], self.trainable_variables)
            self.optimizer.apply_gradients(zip(slopes, self.trainable_variables, strict=True))
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

        def test_step(self, data):
            x, = data
            self.tracker.update_state(ops.mean(self(x)))
            return {"loss": self.tracker.result()}

    inputs = fc.Input((5,))
    model = Alike(inputs, layers.UnitNormalization()(layers.Dense(4)(inputs)))
    model.tracker = model.loss_tracker = fc.metrics.Mean(name="loss")  # Keras's scripts call theirs so
    model.compile("adam")
    history = model.fit(Pairs(), epochs=3, verbose=0, validation_data=[(X[:4],)].__iter__(), validation_steps=1,
                        validation_freq=3).history
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["val_loss"]) == 1


class Adds(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * ops.mean(ops.square(x)))
        return x


@pytest.mark.parametrize("targets", [None, Y])
def test_a_model_trains_for_what_its_layers_add_where_compile_has_no_loss(targets):
    inputs = fc.Input((5,))
    model = fc.Model(inputs, Adds()(layers.Dense(2)(inputs)))
    model.compile("sgd")
    before = np.mean(np.square(model.predict(X)))
    history = model.fit(X, targets, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["loss"][0], 0.1 * before, rtol=1e-5)
    assert model.evaluate(X) < history["loss"][0]
    data = [(X[:8], Y[:8]), (X[8:], Y[8:])]
    assert model.fit(data, verbose=0).history["loss"][0] < history["loss"][1]


def test_penalties_on_weights_alone_may_be_trained_for_and_nothing_at_all_is_told():
    net = fc.Sequential([fc.Input((5,)), layers.Dense(2, kernel_regularizer="l2")])
    net.compile("sgd")
    first, last = (net.fit(X, verbose=0).history["loss"][0] for _ in range(2))
    assert last < first
    plain = fc.Sequential([layers.Dense(2)])
    plain.compile("sgd")
    with pytest.raises(ArgumentError, match="expected a compiled model"):
        plain.fit(X, Y, verbose=0)


# --- a model that says by train_step alone what is done with its parts ------------------------------------------------


class Alternating(fc.Model):
    """Two layers, trained in turn, and no `call`, as a GAN is written."""

    def __init__(self):
        super().__init__()
        self.parts = [fc.Sequential([fc.Input((4,)), layers.Dense(1)]) for _ in range(2)]
        self.seen = []

    def train_step(self, data):
        x, y, _ = fc.models.own_steps.unpacked(data)
        part = self.parts[len(self.seen) % 2]
        self.seen.append(len(x))
        loss, slopes = fc.gradients(lambda x: fc.ops.mean((part(x) - y) ** 2), x, part.trainable_variables)
        self.optimizer.apply(slopes, part.trainable_variables)
        return {"loss": loss}


def test_a_model_without_call_is_trained_by_its_own_step():
    x, y = np.ones((10, 4), np.float32), np.ones((10, 1), np.float32)
    model = Alternating()
    with pytest.raises(ArgumentError, match="expected a compiled model"):
        model.fit(x, y, verbose=0)
    model.compile("sgd")
    first = [part.get_weights()[0].copy() for part in model.parts]
    history = model.fit(x, y, batch_size=4, epochs=20, verbose=0).history
    assert model.seen == [4, 4, 2] * 20
    assert history["loss"][-1] < 1e-2
    for part, before in zip(model.parts, first, strict=True):
        assert np.abs(part.get_weights()[0] - before).max() > 0
    model.fit([(x, y), (x[:3], y[:3])], verbose=0)
    assert model.seen[-2:] == [10, 3]
    assert len(model.trainable_variables) == 4


@pytest.mark.parametrize(("ask", "error", "message"), [
    (lambda m, x: m(x), ArgumentError, r"expected call\(self, x\), which says what it makes of an input"),
    (lambda m, x: m.predict(x), ArgumentError, r"expected call\(self, x\), which says what it makes of an input"),
    (lambda m, x: m.evaluate(x, x), ArgumentError, "expected a model with test_step or call"),
    (lambda m, x: m.fit(x[:0], x[:0]), DataError, "expected at least one sample"),
    (lambda m, x: m.fit(x, x[:1]), DataError, "expected as many targets as samples, got 1 for 2"),
    (lambda m, x: m.fit(x * np.nan, x), DataError, "expected finite numbers in x"),
])  # fmt: skip
def test_what_a_model_without_call_cannot_do_is_told(ask, error, message):
    model = Alternating()
    model.compile("sgd")
    with pytest.raises(error, match=message):
        ask(model, np.ones((2, 4), np.float32))
