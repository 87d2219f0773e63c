"""A part of a file's weights: by the names of layers, or what fits, with a warning of what does not."""

import re
import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ModelFileError


def _model(classes=3, trunk="conv", head="head", inner=False):
    inputs = fc.Input((6, 6, 2))
    x = layers.Conv2D(2, 3, name=trunk)(inputs)
    if inner:
        x = fc.Sequential([fc.Input((4, 4, 2)), layers.BatchNormalization(name="norm")], name="inner")(x)
    return fc.Model(inputs, layers.Dense(classes, name=head)(layers.Flatten()(x)), name="mine")


def _filled(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.random(p.shape, np.float32) for p in model.weights])
    return model


def _unchanged(model, before):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


@pytest.fixture
def saved(tmp_path):
    """A saved model and its file."""
    model = _filled(_model(inner=True))
    model.save(tmp_path / "m.safetensors")
    return model, tmp_path / "m.safetensors"


def test_by_name_takes_the_layers_of_common_names_and_leaves_the_others(saved):
    theirs, path = saved
    ours = _filled(_model(5, head="other", inner=True), 1)
    before = ours.get_layer("other").get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.load_weights(path, by_name=True)
    for name in ("conv", "inner"):
        for a, b in zip(ours.get_layer(name).get_weights(), theirs.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert _unchanged(ours.get_layer("other"), before)


def test_by_name_never_goes_by_order(saved):
    theirs, path = saved
    ours = _filled(_model(trunk="other", inner=True), 1)
    before = ours.get_layer("other").get_weights()
    ours.load_weights(path, by_name=True)
    assert _unchanged(ours.get_layer("other"), before)
    np.testing.assert_array_equal(ours.get_layer("head").get_weights()[0], theirs.get_layer("head").get_weights()[0])


def test_by_name_with_a_layer_of_another_shape_is_refused_and_nothing_is_set(saved):
    ours = _filled(_model(5, inner=True), 1)
    before = ours.get_weights()
    with pytest.raises(ModelFileError, match=re.escape("'head/kernel' as float32 (32, 3) instead of float32 (32, 5)")):
        ours.load_weights(saved[1], by_name=True)
    assert _unchanged(ours, before)


@pytest.mark.parametrize("by_name", [False, True])
def test_skip_mismatch_warns_of_each_layer_that_stays_as_it_is(saved, by_name):
    theirs, path = saved
    ours = _filled(_model(5, inner=True), 1)
    before = ours.get_layer("head").get_weights()
    with pytest.warns(UserWarning, match=r"m.safetensors: head is left as it is, since the file has 'head/kernel' as "
                                         r"float32 \(32, 3\) instead of float32 \(32, 5\), 'head/bias' as ") as told:
        ours.load_weights(path, by_name=by_name, skip_mismatch=True)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert _unchanged(ours.get_layer("head"), before)
    np.testing.assert_array_equal(ours.get_layer("conv").get_weights()[0], theirs.get_layer("conv").get_weights()[0])


def test_skip_mismatch_goes_by_order_where_names_differ(saved):
    theirs, path = saved
    ours = _model(5, trunk="a", head="b", inner=True)
    with pytest.warns(UserWarning, match="b is left as it is"):
        ours.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(ours.get_layer("a").get_weights()[0], theirs.get_layer("conv").get_weights()[0])


def test_a_warning_that_is_an_error_comes_before_anything_is_set(saved):
    ours = _filled(_model(5, inner=True), 1)
    before = ours.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="head is left"):
            ours.load_weights(saved[1], skip_mismatch=True)
    assert _unchanged(ours, before)


def test_weights_of_which_nothing_fits_are_refused(saved):
    ours = fc.Sequential([fc.Input((3,)), layers.Dense(2, name="x")], name="mine")
    with pytest.raises(ModelFileError, match=r'names that Sequential "mine" has, got conv, inner/norm, head; leave'):
        ours.load_weights(saved[1], by_name=True)
    with pytest.raises(ModelFileError, match=r"no 'x/kernel'.*; .*, or take what fits with by_name=True$"):
        ours.load_weights(saved[1], skip_mismatch=True)


def test_a_layer_takes_all_of_its_weights_or_none(saved):
    inputs = fc.Input((6, 6, 2))
    x = layers.Conv2D(2, 3, use_bias=False, name="conv")(inputs)
    ours = _filled(fc.Model(inputs, layers.Dense(3, name="head")(layers.Flatten()(x))), 1)
    before = ours.get_layer("conv").get_weights()
    with pytest.warns(UserWarning, match="conv is left as it is, since the file has 'conv/bias', which"):
        ours.load_weights(saved[1], by_name=True, skip_mismatch=True)
    assert _unchanged(ours.get_layer("conv"), before)
