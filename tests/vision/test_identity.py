"""Who it is: batches of classes, verification, recognition, one-shot trials, and a small network that learns them."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses
from fastcnn.datasets.annotated.identities import OneShotRun
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import identity


def _digits():
    (x, y), _ = fc.datasets.digits.load_data()
    return (x / 16).astype(np.float32)[..., None], y


def test_batches_hold_some_images_of_each_of_some_classes_and_repeat_by_seed():
    y = np.array([0] * 5 + [1] * 2 + [2] * 9 + [3])
    x = np.arange(len(y), dtype=np.float32)[:, None]
    batches = identity.ClassBatches(x, y, 3, 4, batches=6, seed=1)
    assert len(batches) == 6
    seen = set()
    for k in range(6):
        images, classes = batches[k]
        assert images.shape == (12, 1)
        assert sorted(np.unique(classes, return_counts=True)[1]) == [4, 4, 4]
        np.testing.assert_array_equal(y[images[:, 0].astype(int)], classes)
        for one in set(classes) & {0, 2}:  # there are enough of them
            assert len(set(images[classes == one, 0])) == 4
        seen |= set(images[:, 0])
    assert len(seen) > 12
    np.testing.assert_array_equal(batches[2][0], identity.ClassBatches(x, y, 3, 4, seed=1)[2][0])
    before = batches[0][0]
    batches.on_epoch_end()
    assert not np.array_equal(batches[0][0], before)


@pytest.mark.parametrize(("arguments", "error", "told"), [
    ({"classes_per_batch": 5}, DataError, "at least 5 classes, got 3"),
    ({"images_per_class": 1}, ArgumentError, "at least 2 classes a batch and 2 images"),
    ({"y": np.zeros(5)}, DataError, "a class, a whole number"),
    ({"y": np.zeros(4, int)}, DataError, "each of 5 images")])
def test_batches_that_cannot_be_are_told(arguments, error, told):
    given = {"x": np.zeros((5, 2)), "y": np.array([0, 1, 2, 0, 1]), "classes_per_batch": 2} | arguments
    with pytest.raises(error, match=told):
        identity.ClassBatches(**given)


def test_a_network_learns_embeddings_by_triplets_within_fit():
    fc.utils.set_random_seed(3)
    x, y = _digits()
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten(),
                           layers.Dense(16), layers.UnitNormalization()])
    model.compile(fc.optimizers.Adam(3e-3), losses.Triplet(0.3))
    fitted = model.fit(identity.ClassBatches(x, y, 10, 6, batches=25), epochs=2, verbose=0)
    assert fitted.history["loss"][1] < 0.7 * fitted.history["loss"][0]
    (_, _), (x_test, y_test) = fc.datasets.digits.load_data()
    x_test = (x_test / 16).astype(np.float32)[..., None]
    assert fc.metrics.RecallAtK()(y_test, model.predict(x_test, verbose=0)) > 0.94
    zero, one = (x_test[y_test == k][:20] for k in (0, 1))
    _, near = identity.verify(model, zero[:10], zero[10:], 0.5)
    _, far = identity.verify(model, zero[:10], one[:10], 0.5)
    assert near.mean() < 0.3 * far.mean()
    gallery = identity.Gallery(model, threshold=float((near.mean() + far.mean()) / 2))
    gallery.enroll({"zero": zero[:3], "one": one[:3]})
    assert [found.name for found in gallery.identify(one[5:10])] == ["one"] * 5


def test_strangers_are_not_recognized_and_the_first_of_equals_is_taken():
    model = fc.Sequential([fc.Input((1, 2, 1)), layers.Flatten()])
    gallery = identity.Gallery(model, threshold=1.0)
    with pytest.raises(DataError, match="enroll some first"):
        gallery.identify(np.zeros((1, 1, 2, 1)))
    gallery.enroll({"ann": np.zeros((1, 1, 2, 1)), "twin": np.zeros((1, 1, 2, 1))})
    assert len(gallery) == 2
    near, far = gallery.identify(np.array([[[[0.5], [0.0]]], [[[3.0], [4.0]]]]))
    assert near == ("ann", 0.25, "ann")
    assert far == (identity.NOT_RECOGNIZED, 25.0, "ann")
    with pytest.raises(ValueError, match="expected"):
        gallery.enroll({"bob": np.zeros((1, 1, 2, 1)), "bad": np.zeros((1, 3, 2, 1))})
    assert len(gallery) == 2, "who is enrolled together is enrolled whole or not at all"


def test_a_threshold_is_chosen_where_most_pairs_are_right():
    assert identity.choose_threshold([0.1, 0.2, 0.9, 0.8], [1, 1, 0, 0]) == pytest.approx(0.5)


def test_one_shot_trials_count_queries_that_are_named_right():
    pictures = np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1)
    model = fc.Sequential([fc.Input((4, 1, 1)), layers.Flatten()])
    runs = [OneShotRun(pictures, pictures, np.arange(4)), OneShotRun(pictures, pictures, np.array([0, 1, 3, 2]))]
    np.testing.assert_allclose(identity.one_shot_accuracy(model, runs), [1, 0.5])


def test_losses_of_embeddings_refuse_what_they_do_not_take():
    y, x = np.array([0, 0, 1]), np.zeros((3, 2), np.float32)
    for arguments in ({"mining": "soft"}, {"reduction": "sum"}, {"margin": -1}):
        with pytest.raises(ArgumentError, match="Triplet"):
            losses.Triplet(**arguments)
    with pytest.raises(ArgumentError, match="no sample_weight"):
        losses.Triplet()(y, x, sample_weight=np.ones(3))
    with pytest.raises(DataError, match="whole number"):
        losses.Triplet()(np.array([0.5, 1, 2]), x)
    with pytest.raises(ArgumentError, match="embeddings"):
        losses.Triplet()(y, np.zeros((3, 2, 2), np.float32))


def test_a_contrastive_loss_is_its_formula_and_its_slope():
    y, d = np.array([[1], [0], [0]], np.float64), np.array([[0.5], [0.25], [1.5]])
    loss = losses.Contrastive(margin=1.0)
    assert loss(y, d) == pytest.approx((0.25 + 0.75**2 + 0) / 3)
    _, dx = loss.forward(y, d)
    np.testing.assert_allclose(dx, np.array([[1.0], [-1.5], [0.0]]) / 3, atol=1e-12)
