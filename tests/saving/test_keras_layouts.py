"""Weights in the layouts of Keras's versions, and parts of them; what Keras itself writes is read in tests/peers."""

import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ModelFileError
from tests.saving.keras_files import values, write_arrays, write_listed

pytest.importorskip("h5py")


def _two(first="a", second="b", units=3, **inner):
    return fc.Sequential([fc.Input((3,)), layers.Dense(3, name=first), layers.Dense(units, name=second)], name="mine")


def _nested():
    inner = fc.Sequential([fc.Input((6, 6, 2)), layers.Conv2D(2, 3, name="c1"), layers.BatchNormalization(name="n1"),
                           layers.Conv2D(2, 3, name="c2"), layers.BatchNormalization(name="n2")], name="base")
    inputs = fc.Input((6, 6, 2))
    return fc.Model(inputs, layers.Dense(2, name="top")(layers.GlobalAveragePooling2D()(inner(inputs))), name="mine")


def _kernels(model):
    return [model.get_layer(index=i).get_weights()[0] for i in range(2)]


A, B = values((3, 3), (3, 3))
ZERO = np.zeros(3, np.float32)


def _places(*names, folder="layers"):
    return {f"{folder}/{name}/vars/{i}": value for name, kernel in zip(names, (A, B), strict=True)
            for i, value in enumerate((kernel, ZERO))}


LAYOUTS = {
    "Keras 3, and 2.15": _places("dense", "dense_1"),
    "Keras 2.12 to 2.14, which counts layers with weights twice": _places(
        "dense", "dense_2", folder="_layer_checkpoint_dependencies"),
    "the same folder, counted once": _places("dense", "dense_1", folder="_layer_checkpoint_dependencies"),
    "groups with the layers' own names": _places("a", "b"),
    "groups with the layers' own names, in another order": dict(reversed(_places("a", "b").items())),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_are_found_in_every_layout(tmp_path, layout):
    model = _two()
    fc.saving.load_keras_weights(model, write_arrays(tmp_path / "m.weights.h5", LAYOUTS[layout]))
    for kernel, expected in zip(_kernels(model), (A, B), strict=True):
        np.testing.assert_array_equal(kernel, expected)


def test_automatic_names_pair_the_layers_of_a_class_in_the_order_in_which_they_were_made(tmp_path):
    model = _two("dense_9", "dense_10")
    path = write_arrays(tmp_path / "m.weights.h5", _places("dense_99", "dense_100"))
    model.load_weights(path)
    for kernel, expected in zip(_kernels(model), (A, B), strict=True):
        np.testing.assert_array_equal(kernel, expected)
    with pytest.raises(ModelFileError, match="0 weights in layers/dense instead of the 2"):
        _two("x", "y").load_weights(path)


def test_a_layer_in_two_models_has_one_place_which_only_some_versions_count(tmp_path):
    def model():
        shared = layers.Dense(3, name="shared")
        inner_inputs, inputs = fc.Input((3,)), fc.Input((3,))
        inner = fc.Model(inner_inputs, shared(inner_inputs), name="inner")
        return fc.Model(inputs, layers.Dense(3, name="last")(shared(inner(inputs))))

    for last in ("dense", "dense_1"):
        arrays = {f"layers/functional/layers/dense/vars/{i}": value for i, value in enumerate((A, ZERO))}
        arrays |= {f"layers/{last}/vars/{i}": value for i, value in enumerate((B, ZERO))}
        ours = model()
        ours.load_weights(write_arrays(tmp_path / f"{last}.weights.h5", arrays))
        np.testing.assert_array_equal(ours.get_layer("shared").get_weights()[0], A)
        np.testing.assert_array_equal(ours.get_layer("last").get_weights()[0], B)


@pytest.mark.parametrize("frozen", [(), ("c1", "n1", "c2", "n2"), ("n1",)], ids=["none", "all", "one"])
def test_the_weights_of_a_model_inside_are_told_by_their_names_whatever_was_frozen_when_they_were_written(
        tmp_path, frozen):
    model = _nested()
    base = model.get_layer("base")
    given = dict(zip((p.path for p in base.weights), values(*(p.shape for p in base.weights)), strict=True))
    trained = [p.path for p in base.weights if p.trainable and p.path.split("/")[0] not in frozen]
    order = [*trained, *(path for path in given if path not in trained)]
    groups = {"base": {f"{path}:0": given[path] for path in order},
              "top": {"top/kernel:0": np.ones((2, 2)), "top/bias:0": np.ones(2)}}
    model.load_weights(write_listed(tmp_path / "m.h5", groups))
    for p in base.weights:
        np.testing.assert_array_equal(p.value, given[p.path])


@pytest.mark.parametrize("how", ["trained first", "as they lie", "what was frozen last"])
def test_the_weights_of_a_model_inside_whose_layers_had_other_names_are_told_by_their_order(tmp_path, how):
    model = _nested()
    base = model.get_layer("base")
    if how == "what was frozen last":
        base.get_layer("n1").trainable = False
    order = {"trained first": sorted(base.weights, key=lambda p: not p.trainable), "as they lie": base.weights,
             "what was frozen last": base.trainable_weights + base.non_trainable_weights}[how]
    given = dict(zip((p.path for p in order), values(*(p.shape for p in order)), strict=True))
    groups = {"base": {f"l{k}/{p.name}:0": given[p.path] for k, p in enumerate(order)},
              "top": {"top/kernel:0": np.ones((2, 2)), "top/bias:0": np.ones(2)}}
    model.load_weights(write_listed(tmp_path / "m.h5", groups))
    for p in base.weights:
        np.testing.assert_array_equal(p.value, given[p.path])


def test_weights_in_an_order_that_no_model_inside_has_are_refused(tmp_path):
    model = _nested()
    order = model.get_layer("base").weights[::-1]
    groups = {"base": {f"l{k}/{p.name}:0": np.zeros(p.shape) for k, p in enumerate(order)},
              "top": {"top/kernel:0": np.ones((2, 2)), "top/bias:0": np.ones(2)}}
    with pytest.raises(ModelFileError, match='weights in base in an order that Sequential "base" does not have'):
        model.load_weights(write_listed(tmp_path / "m.h5", groups))


def test_by_name_looks_into_models_of_a_common_name(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = write_arrays(tmp_path / "m.weights.h5", {
        "layers/sequential/layers/dense/vars/0": A, "layers/sequential/layers/dense/vars/1": ZERO,
        "layers/dense/vars/0": B, "layers/dense/vars/1": ZERO})  # fmt: skip
    with h5py.File(path, "a") as file:
        for group, name in (("sequential", "base"), ("sequential/layers/dense", "a"), ("dense", "top")):
            file.require_group(f"layers/{group}/vars").attrs["name"] = name
    for inner in ("base", "other"):
        base = fc.Sequential([fc.Input((3,)), layers.Dense(3, name="a")], name=inner)
        model = fc.Sequential([fc.Input((3,)), base, layers.Dense(3, name="top")])
        before = base.get_weights()[0]
        model.load_weights(path, by_name=True)
        np.testing.assert_array_equal(base.get_weights()[0], A if inner == "base" else before)
        np.testing.assert_array_equal(model.get_layer("top").get_weights()[0], B)


def test_a_depthwise_kernel_has_its_old_name_in_files_before_keras_3(tmp_path):
    model = fc.Sequential([fc.Input((4, 4, 2)), layers.DepthwiseConv2D(3, name="d")])
    kernel, bias = values((3, 3, 2, 1), (2,))
    model.load_weights(write_listed(tmp_path / "m.h5", {"d": {"d/depthwise_kernel:0": kernel, "d/bias:0": bias}}))
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def _listed(tmp_path):
    return write_listed(tmp_path / "m.h5", {"b": {"b/kernel:0": B, "b/bias:0": ZERO},
                                            "a": {"a/kernel:0": A, "a/bias:0": ZERO}})


def test_by_name_takes_the_layers_of_common_names_from_a_list(tmp_path):
    model = _two("a", "other", units=5)
    before = model.get_layer("other").get_weights()
    model.load_weights(_listed(tmp_path), by_name=True)
    np.testing.assert_array_equal(model.get_layer("a").get_weights()[0], A)
    np.testing.assert_array_equal(model.get_layer("other").get_weights()[0], before[0])
    with pytest.raises(ModelFileError, match=r'of the names that Sequential "mine" has, got b, a; leave by_name'):
        _two("x", "y").load_weights(_listed(tmp_path), by_name=True)


@pytest.mark.parametrize("by_name", [False, True])
def test_skip_mismatch_warns_of_the_layer_that_does_not_fit(tmp_path, by_name):
    model = _two("a", "b", units=5)
    path = _listed(tmp_path)
    before = model.get_weights()
    with pytest.raises(ModelFileError, match=re.escape("b/b/kernel:0 as float32 (3, 3) instead of (3, 5)")):
        model.load_weights(path, by_name=by_name)
    assert all(np.array_equal(x, y) for x, y in zip(before, model.get_weights(), strict=True))
    with pytest.warns(UserWarning, match='Dense "b" is left as it is, since the file has b/b/kernel:0 as') as told:
        model.load_weights(path, by_name=by_name, skip_mismatch=True)
    assert told[0].filename == __file__
    np.testing.assert_array_equal(model.get_layer("a").get_weights()[0], A)


def test_another_number_of_layers_is_told_with_what_to_do(tmp_path):
    model = fc.Sequential([fc.Input((3,)), layers.Dense(3, name="a")])
    with pytest.raises(ModelFileError, match=r"got 2 layers with weights instead of 1; .*by_name=True"):
        model.load_weights(_listed(tmp_path), skip_mismatch=True)
    model.load_weights(_listed(tmp_path), by_name=True)
    np.testing.assert_array_equal(model.get_weights()[0], A)


def test_by_name_reads_the_names_that_late_versions_of_keras_3_write(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = write_arrays(tmp_path / "m.weights.h5", _places("dense", "dense_1"))
    with pytest.raises(ModelFileError, match="layers without names, as older versions of Keras write them; leave"):
        _two("dense", "dense_1").load_weights(path, by_name=True)
    with h5py.File(path, "a") as file:
        for group, name in (("dense", "b"), ("dense_1", "a")):
            file[f"layers/{group}/vars"].attrs["name"] = name
    model = _two("a", "x", units=7)
    model.load_weights(path, by_name=True)
    np.testing.assert_array_equal(model.get_layer("a").get_weights()[0], B)


def test_a_file_is_known_by_its_content_not_by_its_name(tmp_path):
    model = _two()
    model.load_weights(_listed(tmp_path).rename(tmp_path / "weights"))
    np.testing.assert_array_equal(_kernels(model)[0], A)
    _two().save(tmp_path / "own.safetensors")
    model.load_weights((tmp_path / "own.safetensors").rename(tmp_path / "own.h5"))
    assert not np.array_equal(_kernels(model)[0], A)
