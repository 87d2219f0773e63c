"""Training steps that are only made again: to the same bits, for nobody else's memory, and only as long as they may."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, training
from fastcnn.graph import step_replay

STEPS = 12


def normalized(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    return layers.LeakyReLU(0.1)(layers.BatchNormalization(momentum=0.9)(x))


def residual():
    inputs = fc.Input((8, 8, 3))
    x = normalized(layers.Rescaling(0.5)(inputs), 20, 2)
    x = layers.Add()([x, normalized(normalized(x, 12), 20)])
    x = layers.MaxPooling2D(2)(normalized(x, 16))
    return fc.Model(inputs, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


def u_net():
    inputs = fc.Input((8, 8, 3))
    skip = layers.Conv2D(20, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(24, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(skip))
    x = layers.Concatenate()([skip, layers.Conv2DTranspose(20, 2, 2)(x)])
    x = layers.Conv2D(20, 3, padding="same", activation="relu")(x)
    return fc.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def dropping():
    return fc.Sequential([fc.Input((8, 8, 3)), layers.ZeroPadding2D(1), layers.DepthwiseConv2D(3),
                          layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.25, seed=1),
                          layers.UpSampling2D(2), layers.AveragePooling2D(2), layers.Flatten(), layers.Dropout(0.5),
                          layers.Dense(3, activation="softmax")])


def narrow():
    return fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2),
                          layers.Flatten(), layers.Dense(3, activation="softmax")])


NETWORKS = [residual, u_net, dropping, narrow]


def compiled(network, optimizer="adam"):
    fc.utils.set_random_seed(3)
    model = network()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_weights)
    return model


def batches(n=4, count=STEPS):
    draw = np.random.default_rng(1)
    return [training.Batch([draw.standard_normal((n, 8, 8, 3), dtype=np.float32)], [draw.integers(0, 3, n)], None)
            for _ in range(count)]


def replays(model):
    """Return how many steps were made by calls since the last ones were written down."""
    made = (graph for one in model.executables.made() for graph in one._made[1].values())
    return sum(graph.replay._made for graph in made if graph is not None and graph.replay is not None)


def nearly(made):
    """Return how many steps may be made again: one less where the pool, whose blocks are of all, took other ones."""
    return {made, max(0, made - 1)}


def trained(network, monkeypatch, between=lambda model, step: None, again=True, data=None):
    """Return losses and weights after some steps, and by how many of them calls were only made again."""
    with monkeypatch.context() as patch:
        patch.setattr(step_replay, "_FIRST", 2 if again else 1 << 30)
        model = compiled(network)
        losses = []
        for step, batch in enumerate(data or batches()):
            between(model, step)
            losses.append(training.train_step(model, batch).losses[0])
        return losses, model.get_weights(), replays(model)


def equal(one, other):
    return all(map(np.array_equal, one[0], other[0])) and all(map(np.array_equal, one[1], other[1]))


@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: one.__name__)
def test_the_bits_are_those_of_steps_that_layers_take(network, monkeypatch):
    n = 32 if network is narrow else 4
    found = trained(network, monkeypatch, data=batches(n))
    plain = trained(network, monkeypatch, again=False, data=batches(n))
    assert found[2] in nearly(STEPS - 4)
    assert plain[2] == 0
    assert equal(found, plain)


def test_float64(monkeypatch):
    def network():
        return fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(4, 3, strides=2, dtype="float64"),
                              layers.ReLU(dtype="float64"), layers.Flatten(dtype="float64"),
                              layers.Dense(3, activation="softmax", dtype="float64")])

    data = [training.Batch([batch.xs[0].astype(np.float64)], batch.ys, None) for batch in batches()]
    found, plain = (trained(network, monkeypatch, again=again, data=data) for again in (True, False))
    assert found[2] in nearly(STEPS - 4)
    assert equal(found, plain)


def momentum(model, step):
    if step == 8:
        next(one for one in model.layers if isinstance(one, layers.BatchNormalization)).momentum = 0.5


def rate(model, step):
    if step == 8:
        next(one for one in model.layers if isinstance(one, layers.Dropout)).rate = 0.75


def shared_mask(model, step):
    if step == 8:
        next(one for one in model.layers if isinstance(one, layers.Dropout)).noise_shape = None, 1, 1, None


def activation(model, step):
    if step == 8:
        next(one for one in model.layers if isinstance(one, layers.Conv2D)).activation = fc.activations.get("tanh")


def weights(model, step):
    if step == 8:
        model.set_weights([0.5 * one for one in model.get_weights()])


def frozen(model, step):
    if step == 8:
        model.layers[-1].trainable = False


def switched(model, step):
    fc.config.set_fusion(step < 8)


def predicted(model, step):
    if step == 8:
        model.predict(np.ones((20, 8, 8, 3), np.float32))


def forgotten(model, step):  # a way forward whose way back is never gone
    if step == 8:
        model.forgotten = model._trainer.forward_with_loss(*batches()[0], layers.Call(model.seed, 1, False))


@pytest.mark.parametrize(("network", "between", "made"), [
    (residual, momentum, 0), (dropping, momentum, 0), (dropping, rate, 0), (dropping, shared_mask, 0),
    (u_net, activation, 0), (residual, weights, 8),
    (residual, frozen, 0), (residual, switched, 0), (u_net, predicted, 0), (u_net, forgotten, 0)],
    ids=lambda one: getattr(one, "__name__", ""))
def test_what_changes_between_two_steps_counts_in_the_next(network, between, made, monkeypatch):
    before = fc.config.fusion()
    try:
        found = trained(network, monkeypatch, between)
        plain = trained(network, monkeypatch, between, again=False)
    finally:
        fc.config.set_fusion(before)
    assert found[2] in nearly(made)
    assert equal(found, plain)


def test_batches_of_other_sizes_come_between(monkeypatch):
    data = [*batches(4, 7), *batches(2, 1), *batches(4, 9)]
    found = trained(u_net, monkeypatch, data=data)
    assert equal(found, trained(u_net, monkeypatch, again=False, data=data))
    assert found[2] in nearly(3)  # after a replay that soon ended, later steps wait longer


def test_nobody_writes_over_what_a_user_keeps(monkeypatch):
    model = compiled(u_net)
    kept = []
    for batch in batches():
        result = training.train_step(model, batch)
        kept.append((result, [one.copy() for one in (*result.losses, *result.outputs)]))
    assert replays(model) in nearly(STEPS - 4)
    for result, copies in kept:
        assert all(map(np.array_equal, (*result.losses, *result.outputs), copies))


def test_a_loss_that_a_user_keeps_has_its_memory_alone():
    model = compiled(residual)
    held = [training.train_step(model, batch) for batch in batches()]
    (graph,) = [graph for graph in model.executables.one._made[1].values() if graph is not None and graph.replay]
    blocks = {id(memory) for memory, _ in graph.replay._calls._memory.values()}
    assert not blocks & {id(one.losses[0].base) for one in held}


def test_layers_of_ones_own_run_each_time(monkeypatch):
    class Halved(layers.Layer):
        counted = 0

        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, call):
            Halved.counted += 1
            return x / 2, lambda dy: dy / 2

        def predict(self, x):
            return x / 2

    def network():
        return fc.Sequential([fc.Input((8, 8, 3)), Halved(), layers.Flatten(), layers.Dense(3, activation="softmax")])

    assert trained(network, monkeypatch)[2] == 0
    assert Halved.counted == STEPS


def test_memory_is_free_when_the_network_predicts():
    model = compiled(u_net)
    for batch in batches():
        training.train_step(model, batch)
    assert replays(model)
    used = len(fc.device.cpu.blocks_in_use())
    model.predict(np.ones((20, 8, 8, 3), np.float32))
    assert len(fc.device.cpu.blocks_in_use()) < used - 10


def test_fit_learns_the_same_with_and_without(monkeypatch):
    draw = np.random.default_rng(2)
    x, y = draw.standard_normal((70, 8, 8, 3), dtype=np.float32), draw.integers(0, 3, 70)

    def fitted(first):
        monkeypatch.setattr(step_replay, "_FIRST", first)
        model = compiled(residual)
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0, validation_data=(x[:9], y[:9]))
        return history.history, model.get_weights()

    (found, values), (plain, others) = fitted(2), fitted(1 << 30)
    assert found["loss"] == plain["loss"]
    assert found["val_loss"] == plain["val_loss"]
    assert all(map(np.array_equal, values, others))


def test_a_training_that_has_ended_holds_no_memory_of_its_steps():
    model = compiled(residual)
    batch = batches(40, 1)[0]
    held = []

    class Held(fc.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            held.append(sum(graph.replay._calls is not None for graph in replayed()))

    def replayed():
        made = (graph for one in model.executables.made() for graph in one._made[1].values())
        return [graph for graph in made if graph is not None and graph.replay is not None]

    model.fit(batch.xs[0], batch.ys[0], batch_size=4, epochs=2, verbose=0, callbacks=[Held()])
    assert max(held) == 1
    assert all(graph.replay._calls is None for graph in replayed())
