"""Rows of length 1, samples dealt out, batches packed and by number, a bar."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError

X, Y = np.arange(20).reshape(10, 2), np.arange(10)
split = fc.utils.split_dataset


@pytest.mark.parametrize(("axis", "order"), [(0, 2), (-1, 1), (1, np.inf), (-2, 3)])
def test_vectors_get_the_length_1_along_any_axis(axis, order):
    x = np.random.default_rng(0).standard_normal((3, 4))
    x[0] = 0
    found = fc.utils.normalize(x, axis, order)
    lengths = np.linalg.norm(found, order, axis)
    np.testing.assert_allclose(lengths[lengths > 0], 1)
    assert (found[0] == 0).all()
    with pytest.raises(ArgumentError, match="normalize: expected an axis"):
        fc.utils.normalize(x, 5)


def test_arrays_are_dealt_out_in_the_structure_they_came_in():
    left, right = split((X, Y), 0.7)
    assert isinstance(left, tuple)
    np.testing.assert_array_equal(left[0], X[:7])
    np.testing.assert_array_equal(right[1], Y[7:])
    left, right = split({"x": X, "y": Y}, right_size=4)
    assert (len(left["x"]), right["y"].tolist()) == (6, [6, 7, 8, 9])
    left, right = split([X, Y], 2, 3)
    assert (left[1].tolist(), right[1].tolist()) == ([0, 1], [7, 8, 9])
    assert split(["a", "b", "c"], 1) == (["a"], ["b", "c"])
    assert split(((k, k) for k in range(3)), 2) == ([(0, 0), (1, 1)], [(2, 2)])


def test_a_seed_decides_which_samples_go_where():
    (x, y), (_, y_val) = split((X, Y), 0.5, shuffle=True, seed=1)
    assert (x == X[y]).all()
    assert sorted([*y, *y_val]) == Y.tolist()
    assert y.tolist() != Y[:5].tolist()
    assert split(Y, 0.5, shuffle=True, seed=1)[0].tolist() == y.tolist()


@pytest.mark.parametrize(("given", "sizes", "text"), [
    (Y, (), "expected left_size or right_size"), (Y, (11,), "from 1 to 9 of 10, got 11"), (Y, (0.01,), "two parts"),
    (Y, (0.8, 0.8), "expected two parts of 10 samples, got 8 and 8"), (Y, ("a",), "got 'a'"),
    ({"x": X, "y": Y[:3]}, (0.5,), "arrays of as many samples, got 10, 3"), ([], (0.5,), "samples, got 0")])
def test_sizes_that_do_not_fit_are_refused(given, sizes, text):
    with pytest.raises(ArgumentError, match=text):
        split(given, *sizes)


def test_a_batch_is_packed_and_unpacked():
    pack, unpack = fc.utils.pack_x_y_sample_weight, fc.utils.unpack_x_y_sample_weight
    assert unpack(pack(1)) == (1, None, None)
    assert unpack(pack([1, 2])) == ([1, 2], None, None)
    assert unpack(pack(1, 2)) == (1, 2, None)
    assert unpack(pack(1, 2, 3)) == (1, 2, 3)
    with pytest.raises(ArgumentError, match="got 4 things"):
        unpack((1, 2, 3, 4))


class Numbers(fc.utils.PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.ends = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((2, 1), index, "float32"), np.full((2, 1), 2.0 * index, "float32")

    def on_epoch_end(self):
        self.ends += 1


def test_a_dataset_by_number_trains_a_model():
    model = fc.Sequential([fc.Input((1,)), fc.layers.Dense(1)])
    model.compile(fc.optimizers.SGD(0.1), "mse")
    numbers = Numbers(workers=2)
    history = model.fit(numbers, epochs=30, verbose=0).history
    assert history["loss"][-1] < 1e-2
    assert numbers.ends == 30
    assert numbers.num_batches == 3
    for of in ("num_batches", "__getitem__"):
        with pytest.raises(NotImplementedError, match="PyDataset: expected"):
            getattr(fc.utils.PyDataset(), of) if of == "num_batches" else fc.utils.PyDataset()[0]


def test_a_bar_shows_steps_and_means(capsys):
    bar = fc.utils.Progbar(3, interval=0, stateful_metrics=["acc"])
    bar.update(1, [("loss", 1.0), ("acc", 0.5)])
    bar.update(2, [("loss", 2.0), ("acc", 0.75)])
    assert bar.means == {"loss": 1.5, "acc": 0.75}
    bar.update(3, [("loss", 9.0)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1/3", "2/3", "3/3"]
    assert lines[1].endswith("loss: 1.5000 - acc: 0.7500")
    assert "loss: 9.0000" in lines[2]
    fc.utils.Progbar(2, verbose=2).update(2, [("loss", 1e-5)])
    assert capsys.readouterr().out.endswith("loss: 1.0000e-05\n")
    fc.utils.Progbar(None, verbose=1).update(7)
    assert "7/Unknown" in capsys.readouterr().out
    with pytest.raises(ArgumentError, match="got both"):
        fc.utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_symbolic_tensors_are_told_from_arrays():
    assert fc.utils.is_keras_tensor(fc.Input((2,)))
    assert not fc.utils.is_keras_tensor(X)
