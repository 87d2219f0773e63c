"""Recipes: a training of a task of seeing as the command line, a script and a notebook begin it."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError, NotFiniteLossError
from fastcnn.vision import Recipe, detection


def _pictures(count, boxes=1, names=("cat",), size=(32, 48)):
    """Return pictures with a bright square in each."""
    draw = np.random.default_rng(count)
    images, found = [], []
    for _ in range(count):
        image = draw.integers(0, 60, (*size, 3)).astype(np.uint8)
        x, y = draw.integers(0, (size[1] - 12, size[0] - 12))
        image[y:y + 12, x:x + 12] = 200
        images.append(image)
        found.append((x, y, x + 12, y + 12))
    return fc.datasets.BoxedImages(images, found[:count * boxes], np.arange(count + 1) * boxes,
                                   [0] * (count * boxes), names, tuple(f"{k}.png" for k in range(count)),
                                   [size] * count)


def _dense():
    model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
    model.compile(fc.optimizers.SGD(0.1), "mse")
    return Recipe(model, np.ones((10, 2)), lambda: model, np.ones((10, 1)), batch_size=4, epochs=2)


def test_a_recipe_is_fitted_with_a_rate_that_ends_at_nothing():
    recipe = _dense()
    history = recipe.fit(verbose=0)
    assert history.epoch == [0, 1]
    assert recipe.model.optimizer.iterations == 6 == 2 * recipe.steps_per_epoch
    assert recipe.model.optimizer.learning_rate < 1e-9


def test_a_recipe_that_is_given_minutes_measures_its_steps():
    recipe = _dense()
    recipe.fit(minutes=0.005, verbose=0)
    assert recipe.model.optimizer.iterations > 6
    with pytest.raises(ArgumentError, match=r"Recipe.fit: expected epochs or minutes, got both, 3 and 0.1"):
        recipe.fit(3, minutes=0.1)


def test_the_recipe_of_a_yolo_is_the_same_training_for_the_same_seed():
    made = [detection.yolo_recipe(_pictures(3), _pictures(2), seed=4, epochs=1, filters=4, anchors=1) for _ in range(2)]
    losses = [recipe.fit(verbose=0).history for recipe in made]
    assert losses[0] == losses[1]
    assert set(losses[0]) == {"loss", "val_loss"}
    assert made[0].finish().cells.size == (32, 64)  # multiples of 32


def test_a_yolo_is_finished_with_the_threshold_that_dev_pictures_choose():
    with_dev, alone = (detection.yolo_recipe(_pictures(3), dev, filters=4, anchors=1, block="repvgg").finish()
                       for dev in (_pictures(2), None))
    assert alone.score_threshold == 0.25
    assert with_dev.score_threshold == alone.choose_threshold(_pictures(2)).threshold
    trained = detection.yolo_recipe(_pictures(3), _pictures(2), filters=4, anchors=1)
    before = [trained.finish().score_threshold for _ in range(2)]
    trained.fit(1, verbose=0)
    assert before[0] == before[1] != trained.finish().score_threshold
    empty = detection.yolo_recipe(_pictures(3), _pictures(2, boxes=0), filters=4, anchors=1)
    assert empty.finish().score_threshold == 0.25
    assert len(with_dev.model.layers) > len(empty.finish().model.layers)  # its blocks are of another kind


def test_mirror_images_are_shown_in_training_and_looked_at_afterwards_or_neither():
    for flips, names in (("horizontal", ["RandomFlip"]), (None, [])):
        recipe = detection.yolo_recipe(_pictures(1), filters=2, flips=flips)
        assert [type(one).__name__ for one in recipe.augmentation.stages if "Flip" in type(one).__name__] == names
        assert recipe.finish().flips == flips
    with pytest.raises(ArgumentError, match="flips: 'diagonal' is not known"):
        detection.yolo_recipe(_pictures(1), filters=2, flips="diagonal")


def test_the_size_of_a_yolo_is_that_of_most_pictures_in_multiples_of_its_stride():
    sizes = [(480, 640), (480, 640), (100, 30)]
    part = fc.datasets.BoxedImages([np.zeros((*size, 3), np.uint8) for size in sizes], [[0, 0, 20, 20]], [0, 1, 1, 1],
                                   [0], ("cat",), ("a", "b", "c"), sizes)
    assert detection.yolo_recipe(part, filters=2).x.shape == (3, 288, 384, 3)
    assert detection.yolo_recipe(part, filters=2, size=(64, 96)).finish().cells.size == (64, 96)


def test_what_no_yolo_can_learn_from_is_refused():
    with pytest.raises(DataError, match="yolo_recipe: expected boxes to learn, got 2 pictures without a single one"):
        detection.yolo_recipe(_pictures(2, boxes=0))
    with pytest.raises(ArgumentError, match="expected BoxedImages as train, a part of a data set of boxes, got nd"):
        detection.yolo_recipe(np.zeros((2, 8, 8, 3)))
    with pytest.raises(DataError, match="expected dev pictures of the classes cat, got dog"):
        detection.yolo_recipe(_pictures(1), _pictures(1, names=("dog",)))
    with pytest.raises(ArgumentError, match="expected a size of multiples of 8, 16, 32"):
        detection.yolo_recipe(_pictures(1), size=(40, 40))


def test_a_weight_decay_of_a_recipe_is_that_of_kernels_alone():
    model = detection.yolo_recipe(_pictures(1), filters=2).model
    model.optimizer.build(model.trainable_variables)
    assert model.optimizer.weight_decay == 0.01
    made = fc.optimizers.SGD(0.5)
    assert detection.yolo_recipe(_pictures(1), filters=2, optimizer=made).model.optimizer is made


@pytest.mark.parametrize("shuffles", [True, False])
def test_a_loss_that_is_not_finite_names_its_parts_the_picture_and_the_step_before_weights_change(shuffles):
    cells = detection.YoloCells((32, 48), [[16, 16]])
    model = fc.Sequential([fc.Input((32, 48, 3)), layers.AveragePooling2D(16), layers.Conv2D(6, 1),
                           layers.Reshape((6, 6))])
    model.compile("sgd", detection.YoloLoss(cells))
    x, rows = detection.letterboxed(_pictures(6), cells.size)
    x = x.astype(np.float32)
    x[4] = 3e38  # of which the pooling makes infinity
    with pytest.raises(NotFiniteLossError) as caught:
        model.fit(x, rows, batch_size=2, verbose=0, shuffle=shuffles)
    error = caught.value
    assert (error.sample, error.epoch) == (4, 0)
    assert shuffles or (error.step, error.row) == (2, 0)
    assert f"boxes, objectness, classes of sample 4 in epoch 1, step {error.step + 1}; try" in str(error)
    assert model.optimizer.iterations == error.step
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_parts_of_a_loss_are_named_for_the_first_sample_that_has_one_that_is_not_finite():
    from fastcnn.losses.finite_parts import require_finite

    parts = np.ones((3, 4), np.float32)
    require_finite("mine", ("a", "b", "c"), parts)
    parts[1, 2] = parts[2, 2] = np.inf
    parts[0, 3] = np.nan
    with pytest.raises(NotFiniteLossError, match="mine: expected a finite loss, got inf in its b, c of sample 2 of a"):
        require_finite("mine", ("a", "b", "c"), parts)
