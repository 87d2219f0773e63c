"""Parts: every class in its share, no group on two sides, the seed decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError


@given(st.lists(st.integers(4, 60), min_size=2, max_size=12), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(0, 99))
def test_every_class_has_its_share_in_every_part(counts, dev, test, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    shares = {"train": 1 - dev - test, "dev": dev, "test": test}
    parts = fc.data.split(y, {"dev": dev, "test": test}, seed=seed)
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(y)))
    for name, index in parts.items():
        assert (np.diff(index) > 0).all()
        own = np.bincount(y[index], minlength=len(counts))
        assert (own >= 1).all()
        assert (np.abs(own - shares[name] * np.array(counts)) <= 2).all()


def test_a_part_of_many_small_classes_has_its_size():
    y = np.repeat(np.arange(400), 7)  # 1.4 of each for testing: not 1, which were 14 %, nor 2
    parts = fc.data.split(y, {"test": 0.2})
    assert len(parts["test"]) == 560


def test_by_default_the_parts_are_three_fifths_one_and_one():
    assert [len(part) for part in fc.data.split(np.arange(1000) % 10).values()] == [600, 200, 200]
    assert fc.data.share_for(2_000_000) == 0.01


def test_the_seed_decides():
    y = np.arange(300) % 3
    one, same, other = (fc.data.split(y, seed=seed)["test"] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_text_labels_and_float_targets_are_stratified_too():
    words = np.array(["cat", "dog"])[np.arange(40) % 2]
    assert sorted(words[fc.data.split(words, {"dev": 0.1})["dev"]]) == ["cat", "cat", "dog", "dog"]
    targets = np.random.default_rng(0).random(1000)
    dev = targets[fc.data.split(targets, {"dev": 0.1})["dev"]]
    assert np.histogram(dev, 10, (0, 1))[0].min() >= 7  # ten of each tenth, whose bounds the sample moves


def test_several_labels_are_stratified_by_the_rarest_and_several_floats_by_their_mean_rank():
    y = (np.random.default_rng(0).random((2000, 3)) < (0.5, 0.2, 0.02)).astype(float)
    y[::7, 0] = -1
    for name, index in fc.data.split(y, {"dev": 0.25, "test": 0.25}, seed=4).items():
        fair = (y == 1).sum(axis=0) * len(index) / len(y)
        assert abs((y[index, 2] == 1).sum() - fair[2]) < 1, name  # the rarest: to within one example
        assert abs((y[index] == 1).sum(axis=0) / fair - 1).max() < 0.15, name
    rooms = np.random.default_rng(1).random((500, 1)) + np.random.default_rng(2).random((500, 2)) / 10
    means = [rooms[index].mean() for index in fc.data.split(rooms, {"dev": 0.1, "test": 0.1}).values()]
    assert np.ptp(means) < 0.03
    assert np.array_equal(fc.data.split([[0], [1]] * 9)["dev"], fc.data.split([0, 1] * 9)["dev"])


def test_a_part_without_examples_is_refused():
    with pytest.raises(DataError, match="got none in dev; add some"):
        fc.data.split([0.5, 1.5], {"dev": 0.5}, groups=[7, 7])


@given(st.integers(8, 40), st.integers(0, 99))
def test_no_group_is_in_two_parts(number, seed):
    draw = np.random.default_rng(seed)
    groups = draw.integers(0, number, 600)
    y = draw.integers(0, 3, 600)
    parts = fc.data.split(y, {"dev": 0.2, "test": 0.2}, groups=groups, seed=seed)
    seen = [set(groups[index]) for index in parts.values()]
    assert sum(map(len, seen)) == len(set(groups))
    assert sum(map(len, parts.values())) == 600


def test_groups_get_near_the_shares():
    draw = np.random.default_rng(3)
    groups = draw.integers(0, 150, 3000)
    y = (groups % 7 == 0).astype(int)  # a rare class, whole groups of it
    parts = fc.data.split(y, {"dev": 0.2, "test": 0.2}, groups=groups)
    for name, share in (("train", 0.6), ("dev", 0.2), ("test", 0.2)):
        assert abs(len(parts[name]) / 3000 - share) < 0.02
        assert abs(y[parts[name]].mean() - y.mean()) < 0.03


def test_folds_are_equal_and_each_has_every_class():
    y = np.arange(103) % 4
    found = fc.data.folds(y, 5, seed=3)
    assert sorted(map(len, found)) == [20, 20, 21, 21, 21]
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(103))
    assert all(len(np.unique(y[fold])) == 4 for fold in found)


@pytest.mark.parametrize(("given", "said"), [
    (([0, 1], {"val": 0.1}), "part"),
    (([0, 1], {"dev": 1.0}), "below 1"),
    (([0, 1], {"dev": 0.5, "test": 0.5}), "together"),
    (([[[0, 1]]], {"dev": 0.5}), "shape"),
    (([], {"dev": 0.5}), "at least one"),
])  # fmt: skip
def test_what_is_no_split_is_refused(given, said):
    with pytest.raises(ArgumentError, match=said):
        fc.data.split(*given)


def test_a_seed_or_groups_that_are_none_are_refused():
    with pytest.raises(ArgumentError, match="seed"):
        fc.data.split([0, 1, 0, 1], {"dev": 0.5}, seed=-1)
    with pytest.raises(ArgumentError, match="group for each"):
        fc.data.split([0, 1, 0, 1], {"dev": 0.5}, groups=[1, 2])
    with pytest.raises(ArgumentError, match="at least 2"):
        fc.data.folds([0, 1, 0, 1], 1)


def test_a_class_that_is_missing_from_a_part_is_named():
    with pytest.raises(DataError, match=r"got none of owl in test; add examples to its 2"):
        fc.data.split([0] * 10 + [1] * 2, {"dev": 0.2, "test": 0.2}, names=["cat", "owl"])
    with pytest.raises(DataError, match="none of 1 in"):
        fc.data.split([0] * 10 + [1] * 5, {"dev": 0.2}, groups=[*range(10), *[99] * 5])
