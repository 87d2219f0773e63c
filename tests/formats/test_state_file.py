"""A state comes back from its file as it was, bit for bit, and what is no state is told."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.formats import safetensors, state_file

KINDS = ["float32", "float64", "float16", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
         "uint64"]
ARRAYS = st.sampled_from(KINDS).flatmap(lambda kind: arrays_of.arrays(kind, arrays_of.array_shapes(
    min_dims=0, max_dims=3, min_side=0, max_side=3)))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), ARRAYS,
                   ARRAYS.filter(lambda a: a.size).map(lambda a: a.reshape(-1)[0]))
KEYS = st.text() | st.sampled_from(["array", "float", "dict"]) | st.integers()
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
                     | st.tuples(inner, inner), max_leaves=8)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b if not isinstance(a, float) else math.copysign(1, a) == math.copysign(1, b) and (
        a == b or (math.isnan(a) and math.isnan(b)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(TREES)
def test_a_state_comes_back_as_it_was(tmp_path, tree):
    path = tmp_path / "state.safetensors"
    try:
        state_file.save(path, tree, {"a": 1})
    except ArgumentError as error:  # half a pair of surrogates is no text
        assert "surrogates not allowed" in str(error)  # noqa: PT017
        return
    found, metadata = state_file.read(path)
    assert same(found, tree)
    assert metadata == {"a": 1}


def test_numbers_in_another_order_of_bytes_keep_their_values(tmp_path):
    state_file.save(tmp_path / "a.safetensors", [np.arange(3, dtype=">i4")], {})
    np.testing.assert_array_equal(state_file.read(tmp_path / "a.safetensors")[0][0], [0, 1, 2])


@pytest.mark.parametrize(("value", "told"), [(object(), "a object at callbacks/0"), ({1, 2}, "a set at callbacks/0")])
def test_what_is_no_state_is_told_with_its_place_and_nothing_is_written(tmp_path, value, told):
    with pytest.raises(ArgumentError, match=told):
        state_file.save(tmp_path / "a.safetensors", {"callbacks": [value]}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_saved_model_is_no_state(tmp_path):
    told = {"class_name": "Sequential", "config": {}}
    (tmp_path / "m.safetensors").write_bytes(b"".join(safetensors.pack(told, {}, {})))
    with pytest.raises(ModelFileError, match="expected the state of a training, got a saved Sequential"):
        state_file.read(tmp_path / "m.safetensors")


def test_a_state_whose_entries_lead_nowhere_is_told(tmp_path):
    told = {"class_name": "TrainingState", "config": {"state": {"array": "nowhere"}}}
    (tmp_path / "m.safetensors").write_bytes(b"".join(safetensors.pack(told, {}, {})))
    with pytest.raises(ModelFileError, match="wrong entries"):
        state_file.read(tmp_path / "m.safetensors")
