"""Files for Keras, written: what is refused, what is kept, and that a file is whole or as it was."""

import errno
import json
import re
import zipfile

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import keras_writing

h5py = pytest.importorskip("h5py")

X = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)
Y = np.random.default_rng(2).standard_normal((4, 2)).astype(np.float32)
SUFFIXES = (".keras", ".h5")


def small(optimizer="adam", trained=True):
    model = fc.Sequential([fc.Input((5,)), layers.Dense(3, "relu"), layers.BatchNormalization(), layers.Dense(2)])
    model.compile(optimizer, "mse", metrics=["mae"])
    if trained:
        model.fit(X, Y, verbose=0)
    return model


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_gives_the_model_back_whatever_its_name_becomes(tmp_path, suffix):
    model = small()
    model.save(tmp_path / f"m{suffix.upper()}")
    again = fc.saving.load_model((tmp_path / f"m{suffix.upper()}").rename(tmp_path / "m"))
    assert type(again) is fc.Sequential
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.evaluate(X, Y, return_dict=True) == model.evaluate(X, Y, return_dict=True)


def test_an_archive_has_the_state_of_the_optimizer_and_goes_on_with_the_same_bits(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    again = fc.models.load_model(tmp_path / "m.keras")
    for _ in range(3):
        model.train_on_batch(X, Y)
        again.train_on_batch(X, Y)
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_alone_bring_the_state_of_an_optimizer_that_has_begun(tmp_path):
    model, other, fresh = small(), small(), small(trained=False)
    model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "m.weights.h5")
    for one in (other, fresh):
        one.load_weights(tmp_path / "m.weights.h5")
        np.testing.assert_array_equal(one.predict(X), model.predict(X))
    assert [other.optimizer.iterations, fresh.optimizer.iterations] == [2, 0]
    with pytest.raises(ModelFileError, match="weights without the structure of a model"):
        fc.saving.load_model(tmp_path / "m.weights.h5")


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".weights.h5"])
def test_the_same_model_gives_the_same_bytes(tmp_path, suffix):
    model = small()
    for name in "ab":
        (model.save_weights if suffix == ".weights.h5" else model.save)(tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_metadata_are_kept_in_an_archive_and_refused_for_h5(tmp_path):
    fc.saving.save_model(small(), tmp_path / "m.keras", metadata={"classes": ["cat", "dog"]})
    assert fc.saving.load_metadata(tmp_path / "m.keras") == {"classes": ["cat", "dog"]}
    with pytest.raises(ArgumentError, match=r"which \.h5 cannot hold, got some; save as m\.keras"):
        fc.saving.save_model(small(), tmp_path / "m.h5", metadata={"classes": ["cat", "dog"]})
    fc.saving.save_model(small(), tmp_path / "m.h5")
    assert fc.saving.load_metadata(tmp_path / "m.h5") == {}


def test_what_keras_has_not_is_refused_by_name_all_at_once_and_nothing_is_written(tmp_path):
    inputs = fc.Input((6, 6, 3))
    x = layers.LocalResponseNormalization(name="norm")(layers.MaxPooling2D(2, ceil_mode=True, name="pool")(inputs))
    model = fc.Model(inputs, x)
    told = ('m.keras: expected layers that Keras has, got MaxPooling2D "pool" with ceil_mode=True, '
            'LocalResponseNormalization "norm"; save as m.safetensors')
    with pytest.raises(ArgumentError, match=re.escape(told)):
        model.save(tmp_path / "m.keras")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ArgumentError, match="an operation, which Keras's Sequential cannot hold"):
        fc.Sequential([fc.Input((3,)), layers.Abs()]).save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_layer_of_two_models_is_refused_since_keras_would_read_two_layers(tmp_path, suffix):
    conv, inputs = layers.Conv2D(3, 3, padding="same", name="c"), [fc.Input((6, 6, 3)) for _ in range(3)]
    first, second = fc.Model(inputs[0], layers.ReLU()(conv(inputs[0]))), fc.Model(inputs[1], conv(inputs[1]))
    model = fc.Model(inputs[2], second(first(inputs[2])))
    with pytest.raises(ArgumentError, match=r'got Conv2D "c", which several models share; save as m\.safetensors'):
        model.save(tmp_path / f"m{suffix}")


def test_what_compile_was_given_and_keras_lacks_is_left_out_with_a_warning(tmp_path):
    model = small(fc.optimizers.Adam(fc.optimizers.schedules.WarmUp(0.1, 3)), trained=False)
    with pytest.warns(UserWarning, match="without what compile was given, since Keras cannot be told it"):
        model.save(tmp_path / "m.keras")
    assert fc.saving.load_model(tmp_path / "m.keras").optimizer is None


def test_arguments_are_checked_before_anything_is_written(tmp_path):
    model = small(trained=False)
    model.save(tmp_path / "m.keras")
    before = (tmp_path / "m.keras").read_bytes()
    for call, told in ((lambda: model.save(tmp_path / "m.keras", overwrite=False), "expected a new file"),
                       (lambda: model.save(tmp_path / "m.weights.h5"), "use save_weights, or save as m.keras"),
                       (lambda: model.save(tmp_path / "m.pb"), "ends in .safetensors, .keras or .h5, got .pb"),
                       (lambda: fc.Sequential([layers.Dense(2)]).save(tmp_path / "n.keras"), "expected a built model"),
                       (lambda: fc.saving.load_model(tmp_path / "m.keras", safe_mode=None), "safe_mode to be True or"),
                       (lambda: fc.saving.load_model(tmp_path / "m.keras", {"A": 3}), "classes and functions")):
        with pytest.raises(ArgumentError, match=told):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["m.keras"]
    assert (tmp_path / "m.keras").read_bytes() == before


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".weights.h5"])
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch, suffix):
    model, path = small(), tmp_path / f"m{suffix}"
    save = model.save_weights if suffix == ".weights.h5" else model.save
    save(path)
    before = path.read_bytes()
    model.train_on_batch(X, Y)

    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keras_writing, "_write_listed" if suffix == ".h5" else "_write_tree", full)
    with pytest.raises(OSError, match="No space left on device; what was there is unchanged, free some space"):
        save(path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_without_h5py_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    told = re.escape('writing Keras\'s files needs h5py: pip install "fastcnn[keras]"')
    for name in ("m.keras", "m.h5"):
        with pytest.raises(ImportError, match=told):
            small(trained=False).save(tmp_path / name)
    with pytest.raises(ImportError, match="writing Keras's files needs h5py"):
        fc.callbacks.ModelCheckpoint(tmp_path / "m.keras")


def test_the_state_of_another_optimizer_is_told_and_the_optimizer_begins_anew(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(parts["config.json"])
    told["compile_config"]["optimizer"]["class_name"] = "Lion"
    for key in ("epsilon", "amsgrad"):
        del told["compile_config"]["optimizer"]["config"][key]
    parts["config.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.warns(UserWarning, match="the optimizer begins anew, since the file has 14 arrays"):
        again = fc.saving.load_model(tmp_path / "n.keras")
    assert again.optimizer.iterations == 0
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_members_with_other_paths_are_never_unpacked(tmp_path):
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "m.keras"
    small().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../evil", str(tmp_path / "evil"), "assets/../../evil"):
            archive.writestr(name, "x")
    fc.saving.load_model(path)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["inner", "m.keras"]


def test_weights_that_do_not_fit_change_neither_weights_nor_optimizer(tmp_path):
    other = fc.Sequential([fc.Input((5,)), layers.Dense(3, "relu"), layers.BatchNormalization(), layers.Dense(4)])
    other.save_weights(tmp_path / "m.weights.h5")
    model = small()
    weights, state = model.get_weights(), model.optimizer.get_state()
    with pytest.raises(ModelFileError, match=r"vars/0 as float32 \(3, 4\) instead of \(3, 2\)"):
        model.load_weights(tmp_path / "m.weights.h5")
    for one, before in zip([*model.get_weights(), *model.optimizer.get_state().values()], [*weights, *state.values()],
                           strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, before)


def test_checkpoints_are_written_in_keras_s_forms(tmp_path):
    model = small()
    each = [fc.callbacks.ModelCheckpoint(tmp_path / "m.keras"),
            fc.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
            fc.callbacks.BackupAndRestore(tmp_path / "backup")]
    model.fit(X, Y, epochs=2, verbose=0, callbacks=each)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["1.weights.h5", "2.weights.h5", "m.keras"]
    again = fc.saving.load_model(tmp_path / "m.keras")
    assert again.optimizer.iterations == model.optimizer.iterations
    fresh = small(trained=False)
    fresh.load_weights(tmp_path / "2.weights.h5")
    for one in (again, fresh):
        np.testing.assert_array_equal(one.predict(X), model.predict(X))
    for name, told in (("m.weights.h5", "save_weights_only=True"), ("m.pkl", "ends in .safetensors, .keras, .h5 or")):
        with pytest.raises(ArgumentError, match=told):
            fc.callbacks.ModelCheckpoint(tmp_path / name)


def test_registered_classes_are_found_without_being_told(tmp_path):
    @fc.saving.register_keras_serializable(package="mine")
    class Registered(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape):
            self.shift = self.add_weight(name="shift", shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return self.factor * x + self.shift

        def get_config(self):
            return super().get_config() | {"factor": self.factor}

    model = fc.Sequential([fc.Input((5,)), Registered(3.0), layers.Dense(2)])
    for suffix in SUFFIXES:
        model.save(tmp_path / f"m{suffix}")
        np.testing.assert_array_equal(fc.saving.load_model(tmp_path / f"m{suffix}").predict(X), model.predict(X))
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        entry = json.loads(archive.read("config.json"))["config"]["layers"][1]
    assert entry["registered_name"] == "mine>Registered"
