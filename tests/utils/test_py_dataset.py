"""PyDataset: batches by number, which fit takes, with Keras's arguments; a class of one's own says what they are."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((12, 3)), RNG.standard_normal((12, 1))


class Batches(fc.utils.PyDataset):
    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size, self.begun, self.ended = size, 0, 0

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, idx):
        part = slice(idx * self.size, (idx + 1) * self.size)
        return X[part], Y[part]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


def model():
    net = fc.Sequential([fc.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    net.compile("sgd", "mse")
    return net


@pytest.mark.parametrize("workers", [1, 4])
def test_batches_by_number_train_as_arrays_do(workers):
    one, other, batches = model(), model(), Batches(5, workers=workers)
    one.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    other.fit(batches, epochs=2, shuffle=False, verbose=0, validation_data=Batches(6))
    np.testing.assert_array_equal(one.layers[0].kernel, other.layers[0].kernel)
    assert batches.begun == batches.ended == 2
    assert batches.num_batches == 3


def test_what_a_class_of_one_s_own_has_not_said_is_told():
    with pytest.raises(NotImplementedError, match=r"expected __len__\(self\)"):
        fc.utils.PyDataset().num_batches  # noqa: B018
    with pytest.raises(NotImplementedError, match=r"expected __getitem__\(self, index\)"):
        fc.utils.PyDataset()[0]


def test_a_size_of_batches_beside_them_is_told_to_change_nothing():
    with pytest.warns(UserWarning, match="batch_size changes nothing beside a Batches"):
        model().fit(Batches(4), batch_size=3, verbose=0)
