"""A training that goes on where another one ended is the undisturbed one, bit for bit: from any step, in many forms."""

import hashlib
import math

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import callbacks, layers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import state_file

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((37, 6, 6, 2)).astype("float32")
Y = DRAW.integers(0, 3, 37)
HELD = X[:11] + 0.5, Y[:11]
PICTURES = DRAW.integers(0, 256, (37, 6, 6, 2)).astype("uint8")
PIPELINE = fc.augmentation.Pipeline([layers.RandomFlip(), layers.RandomNoise(0.1, (-9, 9))], seed=3, mean=0.1)


class KilledError(Exception):
    """What stands in for the end of a process."""


class KillAfter(callbacks.Callback):
    """Raises when so many batches were seen, or in a validation."""

    def __init__(self, batches, in_validation=False):
        self.left, self.in_validation = batches, in_validation

    def on_train_batch_begin(self, batch, logs):
        self.left -= 1
        if self.left < 0 and not self.in_validation:
            raise KilledError

    def on_test_batch_end(self, batch, logs):
        if self.left < 0:
            raise KilledError


class Numbered:
    """Batches by number, which changes them itself at the end of each epoch."""

    def __init__(self):
        self.draw, self.order = np.random.default_rng(3), np.arange(len(X))

    def __len__(self):
        return 5

    def __getitem__(self, number):
        part = self.order[number::5]
        return X[part], Y[part]

    def on_epoch_end(self):
        self.draw.shuffle(self.order)


class Told:
    """An iterable whose passes differ, and which tells where it stands."""

    def __init__(self):
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        order = np.random.default_rng(self.passes).permutation(len(X))
        return ((X[order[k : k + 8]], Y[order[k : k + 8]]) for k in range(0, len(X), 8))

    def get_state(self):
        return {"passes": self.passes}

    def set_state(self, state):
        self.passes = state["passes"]


def endless():
    draw = np.random.default_rng(5)
    while True:
        some = draw.integers(0, len(X), 7)
        yield X[some], Y[some]


def arrays(**more):
    return {"x": X, "y": Y, "batch_size": 8} | more


#: How the data are given; each asks anew for what a new process would have.
WAYS = {
    "arrays": arrays,
    "arrays as they lie": lambda: arrays(shuffle=False),
    "images that are augmented": lambda: arrays(augmentation=PIPELINE),
    "images that are augmented, in passes that end within an epoch": lambda: arrays(
        augmentation=PIPELINE, shuffle=False, steps_per_epoch=3),
    "epochs that are a part of a pass": lambda: arrays(batch_size=5, steps_per_epoch=4),
    "passes that end within an epoch": lambda: arrays(steps_per_epoch=3),
    "a part for validation, and weights of classes": lambda: arrays(
        validation_split=0.2, class_weight={0: 2.0}) | {"validation_data": None},
    "images that a pipeline changes": lambda: {
        "x": PICTURES, "y": Y, "batch_size": 8, "validation_data": (PICTURES[:11], Y[:11]),
        "augmentation": fc.augmentation.Pipeline([layers.RandomFlip(), layers.RandomTranslation(0.2, 0.2)], seed=1,
                                                 mean=120.0, std=60.0)},
    "batches by number": lambda: {"x": Numbered()},
    "an iterable that tells where it stands": lambda: {"x": Told()},
    "batches by number that are augmented": lambda: {"x": Numbered(), "augmentation": PIPELINE},
    "batches by number as they lie that are augmented": lambda: {
        "x": Numbered(), "augmentation": PIPELINE, "shuffle": False, "steps_per_epoch": 3},
    "an iterable that is augmented": lambda: {"x": Told(), "augmentation": PIPELINE, "steps_per_epoch": 4},
    "an endless generator that is augmented": lambda: {
        "x": endless(), "steps_per_epoch": 4, "augmentation": PIPELINE},
    "a list of batches": lambda: {"x": [(X[k : k + 8], Y[k : k + 8]) for k in range(0, 37, 8)]},
    "an endless generator": lambda: {"x": endless(), "steps_per_epoch": 4},
    "validation by a generator": lambda: arrays(validation_data=endless(), validation_steps=2),
}


def network(seed):
    """A network of which every part has a state; the seed of a process that goes on is another one."""
    fc.utils.set_random_seed(seed)
    model = fc.Sequential([
        fc.Input((6, 6, 2)), layers.GaussianNoise(0.1), layers.Conv2D(4, 3, kernel_regularizer="l2"),
        layers.BatchNormalization(momentum=0.8), layers.ReLU(), layers.Flatten(), layers.Dropout(0.3),
        layers.Dense(3, activation="softmax")])  # fmt: skip
    model.compile(fc.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def hearers():
    return [callbacks.SwapEMAWeights(swap_on_epoch=True),
            callbacks.ReduceLROnPlateau("val_loss", patience=0, min_delta=1.0, factor=0.7, cooldown=1),
            callbacks.EarlyStopping("val_accuracy", patience=2, restore_best_weights=True)]


def trained(seed, way, *more, epochs=6):
    model = network(seed)
    given = {"validation_data": HELD} | WAYS[way]()
    history = model.fit(**given, epochs=epochs, verbose=0, callbacks=[*more, *hearers()])
    return model, history


def digest(model, history):
    """The SHA-256 of weights, predictions and history."""
    found = hashlib.sha256()
    for array in [*model.get_weights(), model.predict(X)]:
        found.update(array.tobytes())
    found.update(repr((history.epoch, sorted(history.history.items()))).encode())
    return found.hexdigest()


@pytest.fixture(scope="module")
def undisturbed():
    """The digest of each way's undisturbed training, and how many steps it has."""
    known = {}

    def of(way, wants_steps=False):
        if way not in known:
            model, history = trained(7, way)
            known[way] = digest(model, history), model.optimizer.iterations
        return known[way][wants_steps]

    return of


@pytest.mark.filterwarnings("ignore:.*the data ran out", "ignore:.*an iterator gives no batch twice")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.85])
def test_a_training_goes_on_from_any_step_as_if_nothing_had_happened(way, share, tmp_path, undisturbed):
    keep = lambda: callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)
    batches = int(share * undisturbed(way, wants_steps=True))
    with pytest.raises(KilledError):
        trained(7, way, keep(), KillAfter(batches))
    with pytest.raises(KilledError):  # killed once more, right after it went on
        trained(99, way, KillAfter(1), keep())
    assert digest(*trained(100, way, keep())) == undisturbed(way)
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize(("averages", "ema"), [
    (lambda: callbacks.SwapEMAWeights(), True), (lambda: callbacks.StochasticWeightAveraging(1), False)])
@pytest.mark.parametrize("batches", [11, 15, 16])
def test_averages_and_the_statistics_that_belong_to_them_go_on(averages, ema, batches, tmp_path):
    def train(seed, *more):
        fc.utils.set_random_seed(seed)
        model = fc.Sequential([fc.Input((6, 6, 2)), layers.Flatten(), layers.Dense(4), layers.BatchNormalization(),
                               layers.Dropout(0.3), layers.Dense(3, activation="softmax")])
        model.compile(fc.optimizers.SGD(0.1, use_ema=ema), "sparse_categorical_crossentropy")
        stop = callbacks.EarlyStopping(patience=9, restore_best_weights=True)
        history = model.fit(**arrays(), validation_data=HELD, epochs=4, verbose=0,
                            callbacks=[*more, stop, averages()])
        return digest(model, history)

    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(KilledError):
        train(1, keep(), KillAfter(batches))
    assert train(2, keep()) == train(1)


@pytest.mark.parametrize("save_freq", ["epoch", "auto", 4])
def test_a_training_that_ended_in_a_validation_or_between_two_checkpoints_goes_on(save_freq, tmp_path, undisturbed):
    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=save_freq)
    with pytest.raises(KilledError):
        trained(7, "arrays", keep(), KillAfter(7, in_validation=True))
    assert digest(*trained(7, "arrays", keep())) == undisturbed("arrays")


def test_a_training_that_had_come_to_its_end_trains_no_more_and_a_larger_number_of_epochs_trains_on(tmp_path):
    keep = lambda: callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model, history = trained(7, "arrays", keep(), epochs=2)
    again, same = trained(8, "arrays", keep(), KillAfter(0), epochs=2)
    assert digest(model, history) == digest(again, same)
    assert digest(*trained(8, "arrays", keep(), epochs=3)) == digest(*trained(7, "arrays", epochs=3))


def test_one_that_stopped_early_stays_stopped(tmp_path, undisturbed):
    class Dies(callbacks.Callback):
        def on_train_end(self, logs):
            raise KilledError

    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq="epoch")
    with pytest.raises(KilledError):
        trained(7, "arrays", keep(), Dies())
    model, history = trained(8, "arrays", keep(), KillAfter(0))
    assert digest(model, history) == undisturbed("arrays")


@pytest.mark.parametrize(("other", "told"), [
    (lambda model, given: given | {"x": X + 1}, "expected the data that the training to go on with began with"),
    (lambda model, given: given | {"augmentation": PIPELINE}, "expected the data that the training to go on with"),
    (lambda model, given: given | {"callbacks": given["callbacks"][:1]}, "expected the callbacks of the training"),
    (lambda model, given: given | {"validation_data": None}, "expected validation data"),
    (lambda model, given: model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"]) or given,
     "expected the optimizer of the training"),
    (lambda model, given: model.compile(fc.optimizers.Adam(
        fc.optimizers.schedules.CosineDecay(0.01, 100), use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2),
        "sparse_categorical_crossentropy", metrics=["accuracy"]) or given, "expected the optimizer of the training"),
    (lambda model, given: setattr(model.layers[-1], "trainable", False) or given, "layers that are trained"),
])  # fmt: skip
def test_other_data_callbacks_and_models_are_refused_before_anything_changes(other, told, tmp_path):
    def given():
        return {"validation_data": HELD, "epochs": 3, "verbose": 0,
                "callbacks": [callbacks.BackupAndRestore(tmp_path, save_freq=1), callbacks.EarlyStopping("loss")],
                **arrays()}

    model = network(7)
    with pytest.raises(KilledError):
        model.fit(**given() | {"callbacks": [*given()["callbacks"], KillAfter(3)]})
    model = network(8)
    changed = other(model, given())
    before = model.get_weights()
    with pytest.raises(ArgumentError, match=told):
        model.fit(**changed)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_checkpoint_before_a_damaged_one_is_taken_and_told_and_two_are_kept(tmp_path, undisturbed):
    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(KilledError):
        trained(7, "arrays", keep(), KillAfter(7))
    older, newest = sorted(tmp_path.glob("checkpoint-*"))
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match=f"checkpoint before the last one, {older.name}.*damaged weights"):
        found = digest(*trained(8, "arrays", keep()))
    assert found == undisturbed("arrays")


def test_damaged_checkpoints_alone_are_no_reason_to_begin_anew(tmp_path):
    (tmp_path / "checkpoint-000001.safetensors").write_bytes(b"something else")
    model = network(7)
    before = model.get_weights()
    with pytest.raises(ModelFileError, match="damaged ones alone; remove them to begin anew"):
        model.fit(**arrays(), verbose=0, callbacks=callbacks.BackupAndRestore(tmp_path))
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_a_full_disk_is_told_once_and_tried_again(tmp_path, monkeypatch, undisturbed):
    write, asked = state_file.write_atomically, []

    def full(path, *pieces):
        asked.append(path)
        if 3 <= len(asked) <= 6:
            raise OSError(28, "No space left on device")
        write(path, *pieces)

    monkeypatch.setattr(state_file, "write_atomically", full)
    keep = callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.warns(UserWarning, match="could not be written, training goes on and it is tried again") as told:
        found = digest(*trained(7, "arrays", keep))
    assert len(told) == 1
    assert len(asked) > 8
    assert found == undisturbed("arrays")


def test_two_trainings_with_one_folder_are_refused(tmp_path):
    class Second(callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            with pytest.raises(ArgumentError, match="another process that trains with it now"):
                network(8).fit(**arrays(), verbose=0, callbacks=callbacks.BackupAndRestore(tmp_path))
            self.was_there = True

    second = Second()
    network(7).fit(**arrays(), verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path), second])
    assert second.was_there
    network(8).fit(**arrays(), verbose=0, callbacks=callbacks.BackupAndRestore(tmp_path))


def test_another_version_is_told(tmp_path, monkeypatch):
    keep = lambda: callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    network(7).fit(**arrays(), verbose=0, callbacks=keep())
    monkeypatch.setattr(np, "__version__", "0.1")
    with pytest.warns(UserWarning, match=r"was written with numpy .* instead of 0.1; the bits of the result may"):
        network(7).fit(**arrays(), epochs=2, verbose=0, callbacks=keep())


def test_a_layer_that_is_used_twice_in_two_sizes_draws_what_it_drew(tmp_path):
    def model(seed):
        fc.utils.set_random_seed(seed)
        inputs, drop = fc.Input((6, 6, 2)), layers.Dropout(0.5)
        x = layers.MaxPooling2D(2)(drop(inputs))
        outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(drop(x)))
        made = fc.Model(inputs, outputs)
        made.compile("sgd", "sparse_categorical_crossentropy")
        made.predict(X[:1])  # what runs is there before training goes on
        return made

    whole = model(1)
    history = whole.fit(**arrays(), epochs=3, verbose=0)
    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(KilledError):
        model(1).fit(**arrays(), epochs=3, verbose=0, callbacks=[keep(), KillAfter(7)])
    again = model(2)
    assert digest(again, again.fit(**arrays(), epochs=3, verbose=0, callbacks=keep())) == digest(whole, history)


@pytest.mark.parametrize("batches", [3, 5, 8])
def test_steps_of_a_model_s_own_draw_and_count_what_they_would_have(batches, tmp_path):
    class Own(fc.Model):
        def __init__(self):
            super().__init__()
            self.drop, self.out, self.mean = layers.Dropout(0.5), layers.Dense(2), fc.metrics.Mean(name="loss")

        def call(self, x):
            return self.out(self.drop(x))

        def train_step(self, data):
            x, y = data
            noise = self.drop(np.ones((1, 4), "float32"), training=True).sum()
            loss, slopes = fc.gradients(lambda x: fc.ops.mean((self(x, training=True) - y) ** 2), x,
                                        self.trainable_variables)
            self.optimizer.apply(slopes, self.trainable_variables)
            self.mean.update_state(loss + noise)
            return {"loss": self.mean.result()}

    def train(seed, *more):
        fc.utils.set_random_seed(seed)
        model = Own()
        model.compile(fc.optimizers.Adam(0.01))
        model.build((None, 4))
        history = model.fit(X[:, 0, 0].repeat(2, 1), Y[:, None].repeat(2, 1).astype("float32"), batch_size=8, epochs=2,
                            verbose=0, callbacks=[*more])
        return [w.tobytes() for w in model.get_weights()], history.history

    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(KilledError):
        train(1, keep(), KillAfter(batches))
    assert train(2, keep()) == train(1)


def test_weights_that_come_back_when_numbers_overflow_are_those_of_the_beginning_of_the_epoch(tmp_path, capsys):
    def train(seed, *more):
        fc.utils.set_random_seed(seed)
        model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
        model.compile(fc.optimizers.SGD(0.01), "mse")
        x, rates = X[:, 0, 0], [0.01, 0.01, 1e38, 1e38, 1e38]  # from the third step on weights are no numbers
        steps = callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: setattr(model.optimizer, "learning_rate", rates[batch]))
        history = model.fit(x, 1e4 * x[:, :1], batch_size=8, verbose=0,
                            callbacks=[*more, steps, callbacks.TerminateOnNaN()])
        return model.get_weights(), history.epoch

    weights, epochs = train(1)
    keep = lambda: callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(KilledError):
        train(1, keep(), KillAfter(2))
    again, same = train(2, keep())
    assert np.isfinite(weights[0]).all()
    assert capsys.readouterr().out.count("the model has the weights from the beginning of the epoch") == 2
    assert [w.tobytes() for w in again] == [w.tobytes() for w in weights]
    assert same == epochs


def test_pausing_ends_training_after_the_step_with_a_checkpoint_of_it(tmp_path, undisturbed):
    class Pauses(callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            if self.model.optimizer.iterations == 7:
                keep.pause()

    keep = callbacks.BackupAndRestore(tmp_path, save_freq="epoch")
    with pytest.raises(KeyboardInterrupt):
        trained(7, "arrays", keep, Pauses())
    assert digest(*trained(8, "arrays", callbacks.BackupAndRestore(tmp_path))) == undisturbed("arrays")


@pytest.mark.parametrize("given", [{"save_freq": 0}, {"save_freq": "batch"}, {"save_freq": True}])
def test_bad_arguments_are_told(given):
    with pytest.raises(ArgumentError, match='expected save_freq to be "epoch", "auto" or a positive integer'):
        callbacks.BackupAndRestore("somewhere", **given)


def test_a_file_in_the_place_of_the_folder_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="expected a folder, or a new one, got a file"):
        network(7).fit(**arrays(), verbose=0, callbacks=callbacks.BackupAndRestore(tmp_path / "file"))


def test_nothing_is_left_of_a_number_that_is_none(tmp_path):
    history = callbacks.History()
    history.on_epoch_end(0, {"loss": math.nan, "f1": np.float32([0.1, np.inf])})
    state_file.save(tmp_path / "a.safetensors", {"history": history.get_state()}, {})
    (found, _) = state_file.read(tmp_path / "a.safetensors")
    assert math.isnan(found["history"]["history"]["loss"][0])
    np.testing.assert_array_equal(found["history"]["history"]["f1"][0], np.float32([0.1, np.inf]))
