"""Numbers that are not finite, in what a model is trained on: refused before a step takes them in, with their place."""

import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import finite, layers, ops
from fastcnn.errors import DataError

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((70, 6, 4)).astype("float32")
Y = DRAW.standard_normal((70, 2)).astype("float32")


def spoiled(x, *places, value=np.nan):
    x = x.copy()
    for place in places:
        x[place] = value
    return x


def model(*first):
    fc.utils.set_random_seed(1)
    made = fc.Sequential([fc.Input((6, 4)), *first, layers.Flatten(), layers.ReLU(), layers.Dense(2)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 40_000, 200_000])
def test_numbers_are_finite_until_one_of_them_is_not_wherever_it_lies(dtype, size):
    x = DRAW.standard_normal((size, 2)).astype(dtype)
    assert finite.are_finite(x)
    assert finite.are_finite(x.T)
    for value in (np.nan, np.inf, -np.inf):
        for place in {(0, 0), (size // 2, 1), (size - 1, 1)}:
            bad = spoiled(x, place, value=value)
            assert not finite.are_finite(bad)
            assert finite.told(bad) == (f"{'NaN' if value != value else 'infinity'} in 1 of {size:,} samples, first in "
                                        f"sample {place[0]}, column {place[1]}")


def test_what_is_told_has_both_kinds_the_rows_by_their_numbers_and_leaves_out_what_may_be_anything():
    x = spoiled(spoiled(X, (3, 1, 2), (3, 2, 2), (9, 0, 0)), (60, 5, 3), value=-np.inf)
    assert finite.told(x) == "NaN and infinity in 3 of 70 samples, first in sample 3, at (1, 2)"
    assert finite.told(x[9:10], rows=[41], what="image") == "NaN in 1 of 1 images, first in image 41, at (0, 0)"
    assert finite.told(x, spared=np.isnan) == "infinity in 1 of 70 samples, first in sample 60, at (5, 3)"
    assert finite.told(spoiled(np.ones(3), 2)) == "NaN in 1 of 3 samples, first in sample 2"


def test_what_the_type_of_the_model_cannot_hold_is_not_finite():
    x = np.array([[1.0], [1e39]])
    assert finite.are_finite(x)
    assert not finite.are_finite(x, np.float32)
    assert finite.told(x, np.float32) == "1e+39, too large for float32 in 1 of 2 samples, first in sample 1, column 0"
    assert finite.are_finite(np.array([2**40]), np.float32)
    assert finite.are_finite(np.zeros((0, 3)))


WAYS = {
    "fit": lambda one, x: one.fit(x, Y, verbose=0),
    "validation": lambda one, x: one.fit(X, Y, verbose=0, validation_data=(x, Y)),
    "evaluate": lambda one, x: one.evaluate(x, Y),
    "train_on_batch": lambda one, x: one.train_on_batch(x, Y),
    "a batch of several": lambda one, x: one.fit([(X, Y), (x, Y)], verbose=0),
    "a type that is converted": lambda one, x: one.fit(np.asarray(x, "float16"), Y, verbose=0),
    "Fortran's order": lambda one, x: one.fit(np.asfortranarray(x), Y, verbose=0),
}


@pytest.mark.parametrize("way", WAYS)
def test_inputs_that_are_not_finite_are_refused_before_anything_is_changed(way):
    one = model()
    before = one.get_weights()
    with pytest.raises(DataError, match=r"numbers in x, got NaN in 2 of 70 samples, first in sample 8, at \(1, 3\);"):
        WAYS[way](one, spoiled(X, (8, 1, 3), (65, 0, 0)))
    if way not in ("a batch of several", "validation"):
        assert all(np.array_equal(a, b) for a, b in zip(before, one.get_weights(), strict=True))
    assert np.isnan(one.predict(spoiled(X, (8, 1, 3)))).sum() <= 2  # who predicts may see what becomes of it


def test_a_memory_map_is_looked_at_as_it_is_read(tmp_path):
    np.save(tmp_path / "x.npy", spoiled(X, (41, 2, 2)))
    one, x = model(), np.load(tmp_path / "x.npy", mmap_mode="r")
    for rows, given in ((41, x), (1, x[40:60])):
        for shuffle in (True, False):
            with pytest.raises(DataError, match=rf"NaN in 1 of \d+ samples, first in sample {rows}, at \(2, 2\)"):
                one.fit(given, Y[:len(given)], batch_size=16, verbose=0, shuffle=shuffle)
    one.fit(x[:40], Y[:40], verbose=0)


def test_the_input_of_several_is_named():
    a, b = fc.Input((4,), name="left"), fc.Input((3,), name="right")
    one = fc.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))
    one.compile("sgd", "mse")
    with pytest.raises(DataError, match="numbers in right, got infinity in 1 of 5 samples, first in sample 4, col"):
        one.fit([np.ones((5, 4)), spoiled(np.ones((5, 3)), (4, 1), value=np.inf)], np.ones(5), verbose=0)


class Fills(layers.Layer):
    def call(self, x):
        return ops.where(ops.isnan(x), 0.0, x)


@pytest.mark.parametrize("first", [Fills, lambda: layers.Lambda(lambda x: ops.where(ops.isnan(x), 0.0, x))])
def test_a_model_that_fills_gaps_itself_gets_them(first):
    one = model(first())
    with warnings.catch_warnings(action="error"):
        history = one.fit(spoiled(X, (8, 1, 3)), Y, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert all(np.isfinite(w).all() for w in one.get_weights())


def test_a_graph_that_fills_gaps_gets_them():
    x = fc.Input((6, 4))
    one = fc.Model(x, layers.Dense(2)(layers.Flatten()(ops.where(ops.isnan(x), 0.0, x))))
    one.compile("sgd", "mse")
    assert np.isfinite(one.fit(spoiled(X, (8, 1, 3)), Y, verbose=0).history["loss"]).all()


def test_targets_and_weights_tell_how_many_and_where():
    one, x = model(), X
    with pytest.raises(DataError, match="got NaN among them: NaN in 1 of 70 samples, first in sample 3, column 1"):
        one.fit(x, spoiled(Y, (3, 1)), verbose=0)
    with pytest.raises(DataError, match=r"got 1\.0\.\.inf: infinity in 2 of 70 samples, first in sample 5"):
        one.fit(x, Y, sample_weight=spoiled(np.ones(70), 5, 6, value=np.inf), verbose=0)
