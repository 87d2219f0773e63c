"""Images that a pipeline changes on their way into a batch: what decides them, and what goes with them."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.augmented_data import AugmentedData
from fastcnn.callbacks import Callback
from fastcnn.data.mapped_rows import MappedRows
from fastcnn.errors import ArgumentError, DataError

FLOAT32 = np.dtype(np.float32)
DRAW = np.random.default_rng(0)
X = DRAW.integers(0, 256, (23, 8, 6, 3), dtype=np.uint8)
Y = DRAW.integers(0, 3, 23)
PIPELINE = Pipeline([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.2, 0.2), layers.RandomBrightness(0.2)],
                    seed=5, mean=(120, 110, 100), std=60)


class Seen(Callback):
    """Keeps what the network is given."""

    def __init__(self):
        self.xs = []

    def on_train_data(self, xs):
        self.xs.append(xs[0].copy())


def network(loss="sparse_categorical_crossentropy", **more):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((8, 6, 3)), layers.Conv2D(4, 3, activation="relu"), layers.GlobalMaxPooling2D(),
                           layers.Dense(3, activation="softmax")])
    model.compile(fc.optimizers.SGD(0.01), loss, metrics=["accuracy"], **more)
    return model


def data(x=X, ys=(Y,), weights=None, pipeline=PIPELINE, dtype=FLOAT32):
    return AugmentedData([x], list(ys), [None], dtype, "fit", weights, {0: pipeline})


FORMS = {
    "an array": lambda x: x,
    "a read-only array": lambda x: (x.setflags(write=False), x)[1],
    "rows of one array": lambda x: MappedRows([x]),
    "rows of several": lambda x: MappedRows([x[:4], x[4:5], x[5:]]),
    "every second of an array": lambda x: np.repeat(x, 2, axis=0)[::2],
    "floats": lambda x: x.astype(np.float32),
}


@pytest.mark.parametrize("form", FORMS)
def test_batches_are_those_of_the_pipeline_whatever_the_images_lie_in_and_the_size_of_batches(form):
    given, order = data(FORMS[form](X.copy())), np.random.default_rng(1).permutation(len(X))
    for some, size in ((order, 4), (order, 9), (None, 4)):
        got = [batch.xs[0].copy() for batch in given.batches(size, some, epoch=2)]
        rows = np.arange(len(X)) if some is None else some
        np.testing.assert_array_equal(np.concatenate(got), PIPELINE(X, np.arange(len(X)), 2)[rows])
        at_rest = [batch.xs[0].copy() for batch in given.batches(size, some)]
        np.testing.assert_array_equal(np.concatenate(at_rest), PIPELINE.at_rest(X)[rows])


def test_batches_have_the_type_of_the_model():
    (batch,) = data(dtype=np.dtype(np.float64)).batches(len(X), epoch=0)
    np.testing.assert_array_equal(batch.xs[0], PIPELINE(X, np.arange(len(X))).astype(np.float64))


@pytest.mark.parametrize("shuffle", [True, False])
def test_each_epoch_changes_images_anew_and_two_trainings_are_one(shuffle):
    given = {"batch_size": 5, "verbose": 0, "shuffle": shuffle, "augmentation": PIPELINE}
    one, whole = network(), Seen()
    one.fit(X, Y, epochs=3, callbacks=whole, **given)
    two, parts = network(), Seen()
    for epochs in (1, 2):
        two.fit(X, Y, epochs=epochs, callbacks=parts, **given)
    orders = fc.training.Orders(one.seed)
    for k in range(3):
        seen, order = np.concatenate(whole.xs[5 * k : 5 * k + 5]), orders.next(len(X), k)
        np.testing.assert_array_equal(seen, PIPELINE(X, np.arange(len(X)), k)[order if shuffle else slice(None)])
    np.testing.assert_array_equal(np.concatenate(parts.xs), np.concatenate(whole.xs))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_epochs_that_are_a_part_of_a_pass_do_not_repeat_what_was_drawn():
    seen = Seen()
    network().fit(X[:10], Y[:10], batch_size=5, steps_per_epoch=1, epochs=4, shuffle=False, verbose=0,
                  augmentation=PIPELINE, callbacks=seen)
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate(seen.xs[2 * k : 2 * k + 2]), PIPELINE(X[:10], np.arange(10), k))


def test_validation_evaluation_and_prediction_are_at_rest():
    model, still = network(), PIPELINE.at_rest(X)
    history = model.fit(X, Y, epochs=2, verbose=0, augmentation=PIPELINE, validation_data=(X, Y)).history
    loss, accuracy = model.evaluate(still, Y)
    assert (history["val_loss"][-1], history["val_accuracy"][-1]) == (loss, accuracy)
    assert model.evaluate(X, Y, augmentation=PIPELINE) == [loss, accuracy]
    np.testing.assert_array_equal(model.predict(X, augmentation=PIPELINE), model.predict(still))
    split = network().fit(X, Y, verbose=0, augmentation=PIPELINE, validation_split=0.5, epochs=1)
    apart = network().fit(X[:11], Y[:11], verbose=0, augmentation=PIPELINE, validation_data=(X[11:], Y[11:]), epochs=1)
    assert split.history == apart.history


def test_the_bits_of_a_training_are_the_same_from_any_number_of_threads(two_threads):
    trained = []
    for threads in (1, 2):
        two_threads(threads)
        model = network("categorical_crossentropy")
        pipeline = Pipeline([*PIPELINE.stages, layers.MixUp(0.4), layers.CutMix()], 5, 120, 60)
        model.fit(X, np.eye(3)[Y], epochs=2, verbose=0, augmentation=pipeline)
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_takes_no_memory_after_its_first_epoch():
    class Count(Callback):
        def __init__(self):
            self.taken = []

        def on_epoch_end(self, epoch, logs):
            self.taken.append(fc.device.cpu.allocated)

    count = Count()
    network().fit(X, Y, batch_size=5, epochs=4, verbose=0, augmentation=PIPELINE, validation_data=(X, Y),
                  callbacks=count)
    assert len(set(count.taken)) == 1


def test_masks_follow_their_images_and_get_their_size():
    masks = np.stack([np.arange(48).reshape(8, 6)] * 23)
    pipeline = Pipeline([layers.RandomFlip("horizontal"), layers.RandomCrop(5, 4)], seed=2)
    x = masks[..., None].astype(np.uint8)
    for epoch, size in ((0, 23), (3, 7), (None, 10)):
        for y in (masks, masks[..., None]):
            for batch in data(x, [y], pipeline=pipeline).batches(size, epoch=epoch):
                assert batch.ys[0].shape[1:3] == (5, 4)
                apart = 0 if epoch is not None else 3.5  # at rest they are resized: half a row is 3, half a column 0.5
                np.testing.assert_allclose(batch.ys[0].reshape(-1, 5, 4), batch.xs[0][..., 0], atol=apart)


def test_weights_of_pixels_follow_them_and_weights_of_samples_stay():
    masks = np.stack([np.arange(48).reshape(8, 6)] * 23)
    pipeline = Pipeline([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.3, 0.3, "constant")], seed=2)
    for w in (masks + 1.0, masks[..., None] + 1.0):
        (batch,) = data(X, [masks], [w.astype(np.float32)], pipeline).batches(23, epoch=1)
        inside = batch.weights[0].reshape(masks.shape) > 0
        assert 0.5 < inside.mean() < 1
        np.testing.assert_array_equal((batch.weights[0].reshape(masks.shape) - 1)[inside], batch.ys[0][inside])
    (batch,) = data(X, [masks], [np.arange(23, dtype=np.float32)], pipeline).batches(23, epoch=1)
    np.testing.assert_array_equal(batch.weights[0], np.arange(23))
    mixing = Pipeline([layers.CutMix()])
    with pytest.raises(DataError, match="expected no weights of samples beside masks that are mixed"):
        next(data(X, [masks], [np.arange(23, dtype=np.float32)], mixing).batches(23, epoch=1))
    (batch,) = data(X, [masks], [masks.astype(np.float32)], mixing).batches(23, epoch=1)
    np.testing.assert_array_equal(batch.weights[0], batch.ys[0])


def test_a_model_with_a_training_step_of_its_own_gets_augmented_images():
    seen = []

    class Own(fc.Model):
        def train_step(self, batch):
            seen.append(np.array(batch[0]))
            return {"loss": 0.0}

    entrance = fc.Input((8, 6, 3))
    model = Own(entrance, layers.Flatten()(entrance))
    model.compile("sgd")
    model.fit(X, Y, batch_size=23, shuffle=False, verbose=0, augmentation=PIPELINE)
    np.testing.assert_array_equal(seen[0], PIPELINE(X, np.arange(23), 0))


def test_a_network_of_masks_trains_on_crops_of_them():
    model = fc.Sequential([layers.Conv2D(2, 3, padding="same", activation="softmax")])
    model.compile(fc.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pipeline = Pipeline([layers.RandomFlip("horizontal"), layers.RandomCrop(5, 4)], mean=128, std=64)
    masks = (X[..., 0] > 127).astype(np.int64)
    history = model.fit(X, masks, epochs=30, verbose=0, augmentation=pipeline, validation_data=(X, masks)).history
    assert model.input_shape == (None, 5, 4, 3)
    assert history["accuracy"][-1] > 0.9 > history["accuracy"][0]


def test_the_loss_of_mixed_samples_with_weights_is_the_mixture_of_their_losses():
    weights, labels = DRAW.random(23).astype(np.float32), np.eye(3, dtype=np.float32)[Y]
    pipeline = Pipeline([layers.MixUp(1.0)], seed=4)
    (batch,) = data(ys=[labels], weights=[weights], pipeline=pipeline).batches(23, epoch=1)
    _, (mixture,) = pipeline.changed(X, np.arange(23), 1)
    logs = DRAW.random((23, 3))  # minus the logarithms of some outputs
    losses = lambda y, w: w * (y * logs).sum(axis=1)
    a, others = mixture.shares, mixture.partners
    want = a * losses(labels, weights) + (1 - a) * losses(labels[others], weights[others])
    np.testing.assert_allclose(losses(batch.ys[0], batch.weights[0]), want, rtol=1e-5)  # float32
    np.testing.assert_allclose(batch.ys[0].sum(axis=1), 1, rtol=1e-6)


def test_an_accuracy_of_mixed_samples_counts_the_larger_share():
    model = network("categorical_crossentropy")
    pipeline = Pipeline([layers.MixUp(1.0)], seed=4)
    (batch,) = data(ys=[np.eye(3)[Y]], pipeline=pipeline).batches(23, epoch=0)
    model.optimizer.learning_rate = 0.0
    history = model.fit(X, np.eye(3)[Y], batch_size=23, shuffle=False, verbose=0, augmentation=pipeline).history
    right = model.predict(batch.xs[0]).argmax(axis=1) == batch.ys[0].argmax(axis=1)
    assert history["accuracy"] == [pytest.approx(right.mean())]


WRONG = {
    "a list of layers": (lambda m: m.fit(X, Y, augmentation=PIPELINE.stages), ArgumentError, "layers of augmentation"),
    "rows": (lambda m: m.fit(X[..., 0], Y, augmentation=PIPELINE), ArgumentError, "expected images (N, H, W, C)"),
    "another size": (lambda m: m.fit(X, Y, augmentation=Pipeline([layers.Resizing(4, 4)])), ArgumentError,
                     "expected a pipeline that makes the model's input, (None, 8, 6, 3), got one that makes"),
    "labels by number that are mixed": (lambda m: m.fit(X, Y, augmentation=Pipeline([layers.MixUp()])), DataError,
                                        "expected one-hot labels"),
    "a column of them": (lambda m: m.fit(X, Y[:, None], augmentation=Pipeline([layers.CutMix()])), DataError,
                         "expected one-hot labels"),
    "floats that are numbers of classes, mixed": (
        lambda m: m.fit(X, Y.astype(float), augmentation=Pipeline([layers.MixUp(9.0)])), DataError, "whole numbers"),
    "batches that no pipeline takes": (lambda m: m.fit([(X[..., 0], Y)], augmentation=PIPELINE), ArgumentError,
                                       "batch 0: expected images (N, H, W, C) for the pipeline"),
    "validation by such batches": (
        lambda m: m.fit(X, Y, augmentation=PIPELINE, validation_data=[(X[..., 0], Y)]), ArgumentError,
        "validation_data: batch 0: expected images"),
    "a dict without a pipeline": (lambda m: m.fit(X, Y, augmentation={}), ArgumentError, "a dict of them by the names"),
    "means of other channels": (lambda m: m.fit(X, Y, augmentation=Pipeline([], mean=(1, 2))), ArgumentError,
                                "expected one mean and std, or 3"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_told_before_anything_is_trained(what):
    wrong, error, told = WRONG[what]
    model = network()
    before = model.get_weights()
    with pytest.raises(error) as caught:
        wrong(model)
    assert told in str(caught.value)
    assert model.optimizer.iterations == 0
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_learned_from_standardized_images_takes_no_others_by_mistake():
    model = network()
    model.fit(X, Y, verbose=0, augmentation=PIPELINE)
    for call in (lambda: model.evaluate(X, Y), lambda: model.predict(X), lambda: model.fit(X, Y, verbose=0)):
        with pytest.raises(ArgumentError, match="expected augmentation="):
            call()
    model.predict(PIPELINE.at_rest(X))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.predict(X)
    plain = network()
    plain.fit(X, Y, verbose=0, augmentation=Pipeline([layers.RandomFlip()]))
    np.testing.assert_array_equal(plain.predict(X), plain.predict(X, augmentation=Pipeline([layers.RandomFlip()])))


def test_the_learning_rate_finder_sees_augmented_images():
    model = network()
    model.compile(fc.optimizers.SGD(), "sparse_categorical_crossentropy")
    before = model.get_weights()
    a, b = (fc.lr_finder(model, X, Y, steps=4, augmentation=Pipeline([layers.RandomFlip()], seed)) for seed in (1, 2))
    assert (a.losses != b.losses).any()
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
