"""Whole models of Keras that are damaged or hostile: each is refused by one error that names the file."""

import json
import os
import pickle
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn.errors import ModelFileError
from tests.saving.keras_files import (
    call,
    entry,
    functional,
    image,
    sequential,
    tensor,
    values,
    write_archive,
    write_arrays,
    write_h5_model,
)

h5py = pytest.importorskip("h5py")
KERNEL, BIAS = values((2, 3), (3,))
ARRAYS = {"layers/dense/vars/0": KERNEL, "layers/dense/vars/1": BIAS}
CONFIG = functional([image("batch_shape", inbound=[]), entry("Dense", "d", [call(tensor("x"))], units=3)],
                    ["x", 0, 0], ["d", 0, 0])  # fmt: skip


def refusal(path):
    with pytest.raises(ModelFileError) as caught:
        fc.saving.load_model(path, compile=False)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def outcome(path):
    """Return the model of a file, or what the error says."""
    try:
        return fc.saving.load_model(path, compile=False)
    except ModelFileError as error:
        return str(error)


def is_told(found, path):
    return isinstance(found, str) and found.startswith(f"{path}: expected ") and "\n" not in found


def test_every_cut_of_an_archive_and_of_a_file_is_refused(tmp_path):
    dense = {"d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}}
    parts = [image(inbound=[]), entry("Dense", "d", [[["x", 0, 0, {}]]], units=3)]
    listed = write_h5_model(tmp_path / "m.h5", functional(parts, [["x", 0, 0]], [["d", 0, 0]]), dense)
    for whole in (write_archive(tmp_path / "m.keras", CONFIG, ARRAYS), listed):
        assert fc.saving.load_model(whole).count_params() == 9
        content = whole.read_bytes()
        for end in range(0, len(content), len(content) // 40):
            whole.write_bytes(content[:end])
            refusal(whole)


def test_a_flipped_byte_of_an_archive_is_refused_or_says_nothing(tmp_path):
    path = write_archive(tmp_path / "m.keras", CONFIG, ARRAYS)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for at in rng.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[at] ^= rng.integers(1, 256)
        path.write_bytes(damaged)
        found = outcome(path)
        assert is_told(found, path) or np.array_equal(found.get_weights()[0], KERNEL)


KEYS = st.sampled_from(["class_name", "config", "name", "layers", "items", "value", "shape", "x"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda s: st.lists(s, max_size=3) | st.dictionaries(KEYS, s, max_size=3))
PLACES = [("class_name",), ("config",), ("config", "layers"), ("config", "layers", 1), ("config", "input_layers"),
          ("config", "output_layers"), ("config", "layers", 1, "config"), ("config", "layers", 1, "inbound_nodes"),
          ("config", "layers", 1, "inbound_nodes", 0), ("config", "layers", 1, "inbound_nodes", 0, "args"),
          ("config", "layers", 0, "config", "batch_shape"), ("config", "layers", 1, "config", "units"),
          ("config", "layers", 1, "config", "activation"), ("config", "layers", 1, "config", "kernel_regularizer"),
          ("config", "layers", 1, "config", "dtype"), ("config", "layers", 1, "class_name")]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, place=st.sampled_from(PLACES))
def test_a_structure_with_anything_in_it_is_a_model_or_one_sentence(tmp_path, value, place):
    config = json.loads(json.dumps(CONFIG))
    inside = config
    for key in place[:-1]:
        inside = inside.setdefault(key, {}) if isinstance(inside, dict) else inside[key]
    inside[place[-1]] = value
    path = write_archive(tmp_path / "m.keras", config, ARRAYS)
    found = outcome(path)
    assert is_told(found, path) or isinstance(found, fc.Model)


HOSTILE = {
    "a layer larger than all memory": entry("Dense", "d", [call(tensor("x"))], units=1 << 50),
    "a layer larger than its weights": entry("Dense", "d", [call(tensor("x"))], units=1 << 30),
    "an enormous number": entry("Dense", "d", [call(tensor("x"))], units=10**400),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_sizes_that_the_file_does_not_have_are_refused_and_touch_no_memory(tmp_path, case):
    config = functional([image("batch_shape", inbound=[]), HOSTILE[case]], ["x", 0, 0], ["d", 0, 0])
    path = write_archive(tmp_path / "m.keras", config, ARRAYS)
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # of 1024 bytes on Linux


def test_an_array_of_zeros_that_the_file_does_not_hold_is_refused(tmp_path):
    path = write_arrays(tmp_path / "m.weights.h5", {"layers/dense/vars/1": BIAS})
    with h5py.File(path, "a") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 20, 3), "f4", chunks=True)  # no chunk is there
    assert path.stat().st_size < 1 << 16
    model = fc.Sequential([fc.Input((1 << 20,)), fc.layers.Dense(3)])
    with pytest.raises(ModelFileError, match="of 12,582,912 bytes, of which it holds 0; Keras writes no such thing"):
        model.load_weights(path)


def test_an_archive_that_claims_to_unpack_to_a_hundred_times_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "m.keras"
    parts = [image("batch_shape", (None, 1 << 20), inbound=[]), entry("Dense", "d", [call(tensor("x"))], units=64)]
    wide = functional(parts, ["x", 0, 0], ["d", 0, 0])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(wide))
        archive.writestr("metadata.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(150):
                member.write(bytes(1 << 20))
    tracemalloc.start()
    assert "157,286,400 bytes of weights, more than the" in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 300 << 20  # the model itself is 256 MiB, of zeros that are not there
    tracemalloc.stop()


ARCHIVES = {
    "no structure": ({"metadata.json": "{}"}, "a zip archive without config.json, as .npz and .pt are, too"),
    "no JSON": ({"config.json": "{", "metadata.json": "{}"}, "a damaged config.json"),
    "a list": ({"config.json": "[]", "metadata.json": "{}"}, "a config.json that is no dict"),
    "a depth beyond the stack": ({"config.json": "[" * 100_000, "metadata.json": "{}"}, "a damaged config.json"),
    "no text": ({"config.json": b"\xff\xfe", "metadata.json": "{}"}, "damage or a layout that Keras does not write"),
    "a text of 65 MB": ({"config.json": " " * (65 << 20), "metadata.json": "{}"}, "68,157,440 bytes of config.json"),
    "no weights": ({"config.json": json.dumps(CONFIG), "metadata.json": "{}"}, "an archive without model.weights.h5"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_without_what_it_should_have_is_refused(tmp_path, case):
    members, text = ARCHIVES[case]
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert text in refusal(tmp_path / "m.keras")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_nothing_of_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = pickle.dumps(Bomb()).hex()
    for part in (entry("Lambda", "l", function=[code, None, None]), entry("Lambda", "l", function={
            "class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}),
                 entry("Popen", "p", args=["mkdir exploded"]), entry("os.mkdir", "m", path="exploded")):
        refusal(write_h5_model(tmp_path / "m.h5", sequential(image(), part), {}))
    assert not (tmp_path / "exploded").exists()


def test_an_attribute_that_is_no_text_is_refused(tmp_path):
    path = write_h5_model(tmp_path / "m.h5", sequential(image(), entry("ReLU", "r")), {})
    for value, text in ((np.arange(3), "an attribute 'model_config' of / that is no text"),
                        ("{", "a damaged model_config")):
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = value
        assert text in refusal(path)


def test_many_layers_in_the_worst_order_take_no_longer_than_they_are_many(tmp_path):
    """Each stands before the one that it takes: a search in every round would take minutes."""
    count = 20_000
    chain = [entry("Lambda", f"r{i}", [[[f"r{i - 1}" if i else "x", 0, 0, {}]]]) for i in range(count)]
    config = functional([*reversed(chain), image(inbound=[])], [["x", 0, 0]], [[f"r{count - 1}", 0, 0]])
    path = write_h5_model(tmp_path / "m.h5", config, {})
    began = time.process_time()
    assert 'got Lambda "r19999"' in refusal(path)
    assert time.process_time() - began < 20
