"""Models written and read: what comes back, what is refused before anything is written."""

import re
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

import fastcnn as fc
from fastcnn import layers, saving
from fastcnn.errors import ArgumentError, ModelFileError
from tests.saving.files import StandIn, small_model

RNG = np.random.default_rng(0)


def randomize(model):
    for p in model.weights:
        p.assign(RNG.random(p.shape))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_model_has_the_same_structure_and_the_same_weights(tmp_path, dtype):
    model = small_model(dtype)
    randomize(model)
    model.save(tmp_path / "m.safetensors")
    loaded = saving.load_model(tmp_path / "m.safetensors")
    assert type(loaded) is fc.Sequential
    assert loaded.get_config() == model.get_config()
    assert [p.path for p in loaded.weights] == [p.path for p in model.weights]
    for old, new in zip(model.weights, loaded.weights, strict=True):
        assert new.dtype == dtype
        np.testing.assert_array_equal(new.value, old.value)


def test_a_loaded_model_predicts_the_same_bits_and_trains_on(tmp_path):
    model = small_model()
    x, y = RNG.random((4, 6, 5, 1), np.float32), np.array([0, 1, 2, 0])
    saving.save_model(model, str(tmp_path / "m.safetensors"))
    loaded = saving.load_model(str(tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    loaded.compile("sgd", fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    loaded.fit(x, y, verbose=0)
    assert not np.array_equal(loaded.predict(x), model.predict(x))


def test_the_tensors_lie_under_their_paths_for_every_reader_of_safetensors(tmp_path):
    model = small_model()
    model.save(tmp_path / "m.safetensors")
    tensors = safetensors.numpy.load_file(tmp_path / "m.safetensors")
    assert set(tensors) == {p.path for p in model.weights}
    for p in model.weights:
        np.testing.assert_array_equal(tensors[p.path], p.value)


def test_the_same_model_gives_the_same_bytes_in_every_process(tmp_path):
    code = (
        "import sys; from fastcnn import saving; from tests.saving.files import StandIn;"
        "saving.save_model(StandIn(), sys.argv[1], {'b': {'z': 1, 'a': 2}, 'a': 3});"
        "print([m for m in ('numba', 'fastcnn.layers') if m in sys.modules])"
    )
    for name in "ab":
        command = [sys.executable, "-c", code, str(tmp_path / f"{name}.safetensors")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n", "saving imports Numba although it needs no layer yet"
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_metadata_comes_back_as_json_has_it(tmp_path):
    path = tmp_path / "m.safetensors"
    given = {
        "classes": ("ä", "b\x00"),
        "scale": np.float32(255),
        "counts": np.arange(3),
        7: None,
        "big": 2**70,
        "x": 0.1,
    }
    saving.save_model(small_model(), path, given)
    expected = {"classes": ["ä", "b\x00"], "scale": 255.0, "counts": [0, 1, 2], "7": None, "big": 2**70, "x": 0.1}
    assert saving.load_metadata(path) == expected
    saving.save_model(small_model(), path)
    assert saving.load_metadata(path) == {}


class Scaled(layers.Layer):
    """A layer of a user's own, with a weight and a configuration."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def create_weights(self, input_shape):
        """Make one weight."""
        self.add_weight("scale", (1,), "ones")


class Own(fc.Sequential):
    """A model of a user's own."""


class Other(Scaled):
    """Another layer."""


def test_own_layers_and_models_are_found_in_custom_objects_and_nowhere_else(tmp_path):
    path = tmp_path / "m.safetensors"
    Own([fc.Input((2,)), Scaled(2.5), layers.Dense(2), Other(factor=3)]).save(path)
    loaded = saving.load_model(path, custom_objects={"Scaled": Scaled, "Own": Own, "Other": Other})
    assert (type(loaded), [type(layer) for layer in loaded.layers]) == (Own, [Scaled, layers.Dense, Other])
    assert (loaded.layers[0].factor, loaded.layers[2].factor) == (2.5, 3)
    with pytest.raises(ModelFileError, match="unknown classes 'Other', 'Own', 'Scaled'; pass them as custom_objects"):
        saving.load_model(path)
    with pytest.raises(ModelFileError, match="unknown classes 'Other'; pass"):
        saving.load_model(path, custom_objects={"Scaled": Scaled, "Own": Own})


def test_weights_are_loaded_into_a_second_model_of_the_same_code_by_their_order(tmp_path):
    first, second = small_model(), small_model()
    assert {p.path for p in first.weights}.isdisjoint(p.path for p in second.weights)
    randomize(first)
    first.save(tmp_path / "m.safetensors")
    saving.load_weights(second, tmp_path / "m.safetensors")
    for old, new in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(new.value, old.value)


def test_weights_with_the_same_paths_are_loaded_by_path_in_any_order(tmp_path):
    first = fc.Sequential([fc.Input((2,)), layers.Dense(2, name="a"), layers.Dense(2, name="b")])
    second = fc.Sequential([fc.Input((2,)), layers.Dense(2, name="b"), layers.Dense(2, name="a")])
    randomize(first)
    first.save(tmp_path / "m.safetensors")
    saving.load_weights(second, tmp_path / "m.safetensors")
    np.testing.assert_array_equal(second.get_layer("a").weights[0].value, first.get_layer("a").weights[0].value)


def dense(units, name, **kwargs):
    return [fc.Input((2,)), layers.Dense(units, name=name, **kwargs)]


OTHERS = {
    "another shape": (
        dense(4, "a"),
        ["'a/kernel' as float32 (2, 3) instead of float32 (2, 4)", "'a/bias' as float32 (3,)"],
    ),
    "another type": (
        dense(3, "a", dtype="float64"),
        ["'a/kernel' as float32 (2, 3) instead of float64 (2, 3)", "'a/bias'"],
    ),
    "fewer": (dense(3, "a", use_bias=False), ["'a/bias', which the model lacks"]),
    "other weights": ([*dense(3, "b"), layers.Dense(1, name="c")], ["no 'b/kernel'", "no 'c/bias'", "'a/bias', which"]),
}


@pytest.mark.parametrize("case", OTHERS)
def test_weights_that_do_not_fit_are_all_named_and_none_is_set(tmp_path, case):
    parts, texts = OTHERS[case]
    path = tmp_path / "m.safetensors"
    fc.Sequential(dense(3, "a")).save(path)
    model = fc.Sequential(parts, name="mine")
    before = model.get_weights()
    with pytest.raises(ModelFileError) as caught:
        saving.load_weights(model, path)
    message = str(caught.value)
    assert message.startswith(f'{path}: expected the weights of Sequential "mine", got ')
    assert all(text in message for text in texts), message
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


class Twins(layers.Layer):
    def create_weights(self, input_shape):
        for _ in range(2):
            self.add_weight("kernel", (2,), "zeros")


def twice_named():
    return fc.Sequential([fc.Input((2,)), Twins(name="part_0")])


UNSAVABLE = {
    "another suffix": ({"filepath": "m.pb"}, "ends in .safetensors, .keras or .h5, got .pb; save as m.safetensors"),
    "no suffix": ({"filepath": "m"}, "got no suffix; save as m.safetensors"),
    "nothing": ({"filepath": ""}, "save as model.safetensors"),
    "a set": (
        {"metadata": {"a": {1}}},
        "metadata: expected numbers, strings, lists and dicts, as JSON has them, got: an",
    ),
    "not finite": ({"metadata": {"a": np.nan}}, "Out of range float values"),
    "half a character": ({"metadata": {"a": "\ud800"}}, "surrogates not allowed"),
    "not built": ({"model": fc.Sequential([layers.Dense(2)])}, "expected a built model"),
    "one path twice": ({"model": twice_named()}, "expected weights with different paths, got two of part_0/kernel"),
}


@pytest.mark.parametrize("case", UNSAVABLE)
def test_what_cannot_be_saved_is_refused_before_anything_is_written(tmp_path, monkeypatch, case):
    arguments, text = UNSAVABLE[case]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError) as caught:
        saving.save_model(**{"model": StandIn(), "filepath": "m.safetensors"} | arguments)
    assert text in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_unless_overwrite_is_false(tmp_path):
    path = tmp_path / "m.safetensors"
    saving.save_model(StandIn(), path, {"run": 1}, overwrite=False)
    saving.save_model(StandIn(), path, {"run": 2})
    with pytest.raises(ArgumentError, match=r"got one that exists; .*overwrite=True or --overwrite"):
        saving.save_model(StandIn(), path, {"run": 3}, overwrite=False)
    assert saving.load_metadata(path) == {"run": 2}


def test_weights_are_not_loaded_into_a_model_that_is_not_built(tmp_path):
    with pytest.raises(ArgumentError, match="expected a built model"):
        saving.load_weights(fc.Sequential([layers.Dense(2)]), tmp_path / "m.safetensors")


@pytest.mark.parametrize(("given", "text"), [
    ({"custom_objects": [Scaled]}, "expected custom_objects as a dict of classes and functions, {'Scale': Scale}, "),
    ({"custom_objects": {"Scaled": 3}}, "expected custom_objects as a dict of classes"),
    ({"safe_mode": None}, "expected safe_mode to be True or False, got None")])  # fmt: skip
def test_arguments_of_load_model_are_checked_first(tmp_path, given, text):
    with pytest.raises(ArgumentError, match=re.escape(f"load_model: {text}")):
        saving.load_model(tmp_path / "absent.safetensors", **given)
