"""Pairs and Siamese networks; the recipe that trains embeddings; what is said where embeddings collapse."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses
from fastcnn.datasets import IdentityImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import identity
from fastcnn.vision.identity.siamese_training import turned


def test_half_of_the_pairs_are_of_one_person_and_others_of_one_group_where_asked():
    labels = np.array([7, 7, 7, 3, 3, 5, 9, 9])
    groups = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    pairs = identity.balanced_pairs(labels, 400, seed=2)
    assert pairs.same.sum() == 200
    np.testing.assert_array_equal(labels[pairs.first] == labels[pairs.second], pairs.same)
    assert (pairs.first != pairs.second).all()
    assert set(pairs.first[pairs.same]) == {0, 1, 2, 3, 4, 6, 7}, "nobody's only picture is compared with itself"
    assert (groups[pairs.first] != groups[pairs.second]).any()
    within = identity.balanced_pairs(labels, 400, 2, groups)
    np.testing.assert_array_equal(groups[within.first], groups[within.second])
    for a, b in zip(pairs, identity.balanced_pairs(labels, 400, seed=2), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("labels", "groups", "told"), [
    ([1, 2, 3], None, "a person with two pictures"), ([1, 1, 1], None, "two persons, got none"),
    ([1, 1, 2], [0, 0, 1], "two persons in a group"), ([], None, "a person with two pictures")])
def test_persons_without_pairs_are_told(labels, groups, told):
    with pytest.raises(DataError, match=told):
        identity.balanced_pairs(labels, 4, 0, groups)


def test_batches_of_pairs_repeat_by_seed_and_go_on_where_a_state_was_taken():
    x, y = np.arange(12, dtype=np.float32)[:, None], np.arange(12) // 3
    batches = identity.PairBatches(x, y, batch_size=6, seed=4)
    assert len(batches) == 1
    (a, b), same = batches[0]
    np.testing.assert_array_equal(a[:, 0] // 3 == b[:, 0] // 3, same[:, 0] == 1)
    batches.on_epoch_end()
    state = batches.get_state()
    (c, _), _ = batches[0]
    assert not np.array_equal(a, c)
    other = identity.PairBatches(x, y, batch_size=6, seed=4)
    other.set_state(state)
    np.testing.assert_array_equal(other[0][0][0], c)


@pytest.mark.parametrize("comparison", ["absolute", "chi-square"])
def test_a_siamese_network_is_its_formula_and_its_weights_are_shared(comparison):
    embedding = fc.Sequential([fc.Input((2, 2, 1)), layers.Flatten(), layers.Dense(3, activation="relu")])
    model = identity.siamese(embedding, comparison)
    assert model.count_params() == embedding.count_params() + 4
    a, b = np.random.default_rng(0).random((2, 5, 2, 2, 1), np.float32)
    f, g = (embedding.predict(one, verbose=0).astype(np.float64) for one in (a, b))
    compared = abs(f - g) if comparison == "absolute" else (f - g) ** 2 / (f + g + 1e-6)
    kernel, bias = model.get_layer("same").get_weights()
    np.testing.assert_allclose(model.predict([a, b], verbose=0), 1 / (1 + np.exp(-(compared @ kernel + bias))),
                               rtol=1e-5)
    np.testing.assert_array_equal(model.predict([a, b], verbose=0), model.predict([b, a], verbose=0))


def test_a_siamese_network_learns_to_tell_digits_of_a_kind_within_fit():
    (x, y), (x_test, y_test) = fc.datasets.digits.load_data()
    x, x_test = ((one / 16).astype(np.float32)[..., None] for one in (x, x_test))
    embedding = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten(),
                               layers.Dense(16, activation="relu")])
    model = identity.siamese(embedding)
    model.compile(fc.optimizers.Adam(5e-3), "binary_crossentropy")
    model.fit(identity.PairBatches(x, y, 128, batches=40), epochs=4, verbose=0)
    pairs = identity.balanced_pairs(y_test, 600)
    found = model.predict([x_test[pairs.first], x_test[pairs.second]], verbose=0)
    assert fc.metrics.Verification(threshold=0.5, similarity=True)(pairs.same, found) > 0.85


def test_siamese_refuses_what_gives_no_embeddings_and_unknown_comparisons():
    with pytest.raises(ArgumentError, match="to embeddings"):
        identity.siamese(fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(2, 3)]))
    with pytest.raises(ArgumentError, match="did you mean 'absolute'"):
        identity.siamese(fc.Sequential([fc.Input((8,)), layers.Dense(2)]), "absolut")


@pytest.mark.parametrize("mining", ["all", "semi-hard", "hard"])
@pytest.mark.parametrize("labels", [[4, 4, 4], [1, 2, 3], [0]])
def test_a_batch_without_a_triplet_has_the_loss_and_the_gradient_0(mining, labels):
    x = np.random.default_rng(0).normal(size=(len(labels), 2)).astype(np.float32)
    value, dx = losses.Triplet(0.3, mining).forward(np.array(labels), x)
    assert (np.asarray(value) == 0).all()
    assert (np.asarray(dx) == 0).all()


def _letters(count=6, each=6, side=20):
    """Return pictures of a stroke at an angle of its own for each of some characters of two alphabets."""
    draw, (rows, columns) = np.random.default_rng(0), np.mgrid[:side, :side] - side / 2 + 0.5
    images = []
    for k in range(count):
        for _ in range(each):
            angle = np.pi * k / count + draw.normal() * 0.05
            stroke = abs(rows * np.cos(angle) - columns * np.sin(angle)) < 1.5
            images.append(np.where(stroke, 0, 255)[..., None])
    return IdentityImages(np.array(images, np.uint8), np.repeat(np.arange(count), each),
                          tuple(f"a{k % 2}/c{k}" for k in range(count)), tuple(map(str, range(count * each))),
                          np.arange(count) % 2, ("a0", "a1"))


def test_the_recipe_trains_a_recognizer_whose_threshold_comes_from_others():
    letters = _letters()
    recipe = identity.siamese_recipe(letters.of(letters.names[:4]), letters.of(letters.names[4:]), size=(16, 16),
                                     epochs=2, filters=4, embedding_size=8, batch_size=32, seed=1)
    assert recipe.notes == ("4 classes, 32 with turns",
                            "the threshold is chosen on pairs of 2 classes that are not learned")
    history = recipe.fit(verbose=0).history
    assert {"loss", "val_loss", "same_distance", "other_distance", "active"} <= set(history)
    assert history["same_distance"][-1] < history["other_distance"][-1]
    recognizer = recipe.finish()
    assert recognizer.threshold > 0
    assert set(recognizer.evaluate(letters, pairs=50)) >= {"verification_accuracy", "verification_accuracy_in_groups"}


def test_a_recipe_repeats_by_seed_and_takes_its_threshold_from_those_that_learn_where_no_others_are():
    letters = _letters()
    found = []
    for _ in range(2):
        recipe = identity.siamese_recipe(letters, size=(16, 16), epochs=1, filters=2, embedding_size=4, batch_size=24,
                                         seed=3, turns=False)
        assert "learned too" in recipe.notes[1]
        recipe.fit(verbose=0)
        found.append(recipe.finish())
    assert found[0].threshold == found[1].threshold
    np.testing.assert_array_equal(found[0].embed(letters.images), found[1].embed(letters.images))


def test_turned_and_mirrored_pictures_are_other_characters():
    x = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    pictures, labels = turned(x, np.array([0, 1]))
    assert labels.tolist() == list(range(16))
    assert len({tuple(one.ravel()) for one in pictures}) == 16
    with pytest.raises(ArgumentError, match="as high as wide"):
        turned(np.zeros((1, 4, 6, 1), np.uint8), np.array([0]))


@pytest.mark.parametrize(("arguments", "error", "told"), [
    ({"size": (8, 20)}, ArgumentError, "at least 16 x 16"), ({"epochs": 0}, ArgumentError, "epochs"),
    ({"images_per_class": 1}, DataError, "two images of each"), ({"mining": "soft"}, ArgumentError, "mining")])
def test_a_recipe_that_cannot_be_is_refused_before_it_begins(arguments, error, told):
    with pytest.raises(error, match=told):
        identity.siamese_recipe(_letters(), filters=2, **arguments)


def test_a_recipe_of_something_else_or_of_one_person_is_refused():
    with pytest.raises(ArgumentError, match="IdentityImages as train"):
        identity.siamese_recipe([1])
    letters = _letters()
    with pytest.raises(DataError, match="two persons, got none"):
        identity.siamese_recipe(letters.of(letters.names[:1]))


def _collapsing(kernel):
    model = fc.Sequential([fc.Input((4,)), layers.Dense(2, kernel_initializer=kernel, bias_initializer="ones"),
                           layers.UnitNormalization()])
    model.compile(fc.optimizers.SGD(0.0), losses.Triplet(0.3))
    x, y = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32), np.arange(24) // 4
    return model, identity.ClassBatches(x, y, 6, 4)


def test_embeddings_that_collapse_are_called_so_once():
    model, batches = _collapsing("zeros")
    with pytest.warns(UserWarning, match="the embeddings have collapsed: two persons are 0 apart") as told:
        history = model.fit(batches, epochs=2, verbose=0, callbacks=[identity.EmbeddingMonitor()])
    assert len(told) == 1
    assert history.history["active"] == [1, 1]
    assert history.history["loss"] == pytest.approx([0.3, 0.3])


def test_the_monitor_tells_mean_distances_and_active_triplets_of_the_same_pictures():
    model, batches = _collapsing("glorot_uniform")
    monitor = identity.EmbeddingMonitor(margin=0.1)
    history = model.fit(batches, epochs=2, verbose=0, callbacks=[monitor]).history
    x = model.predict(batches.x, verbose=0)
    distances, alike = identity.squared_distances(x, x), batches.y[:, None] == batches.y
    own = alike & ~np.eye(24, dtype=bool)
    assert history["same_distance"] == pytest.approx([distances[own].mean()] * 2)
    assert history["other_distance"] == pytest.approx([distances[~alike].mean()] * 2)
    gaps = distances[:, :, None] - distances[:, None, :] + 0.1
    assert history["active"] == pytest.approx([(gaps > 0)[own[:, :, None] & ~alike[:, None, :]].mean()] * 2)
