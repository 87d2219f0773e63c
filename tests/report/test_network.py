"""Health, units, costs and pictures of a network: faults put in are told, and nothing of it changes."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, report
from fastcnn.errors import ArgumentError


@pytest.fixture
def model():
    fc.utils.set_random_seed(3)
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu", name="c"), layers.Flatten(),
                           layers.Dense(10, activation="softmax", name="d")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = fc.datasets.digits.load_data()
    return x[:128, ..., None].astype("float32") / 16, y[:128]


def test_a_sound_network_is_told_so_and_has_the_bits_that_it_had(model, digits):
    before = [np.array(one) for one in model.get_weights()]
    found = report.health(model, *digits, steps=4)
    assert found.sentences[0].startswith("Nothing stands out")
    assert [one.path for one in found.weights] == ["c/kernel", "d/kernel"]
    assert all(1e-4 < one.update < 0.1 and one.gradient > 0 for one in found.weights)
    report.layer_costs(model, batch=4, rounds=1)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.optimizer.iterations == 0


def test_dead_units_and_those_that_are_alike_are_counted(model, digits):
    kernel, bias = model.get_layer("c").get_weights()
    bias[[1, 5]] = -100
    kernel[..., 3] = kernel[..., 2]
    model.get_layer("c").set_weights([kernel, bias])
    found = report.health(model, *digits, steps=2)
    assert found.activity[0].dead.tolist() == [1, 5]
    assert any("c: 2 of 8 units never fire on 128 training examples: they are dead" in one for one in found.sentences)
    assert any("c/kernel: 1 unit has the weights of another one" in one for one in found.sentences)


def test_saturated_units_and_rates_that_are_too_high_or_too_low_are_told(digits):
    x, y = digits
    fc.utils.set_random_seed(0)
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(4, "tanh", name="t"),
                           layers.Dense(10, "softmax", name="d")])
    model.get_layer("t").set_weights([np.full((64, 4), 3.0), np.zeros(4)])
    model.compile(fc.optimizers.SGD(1e-9), "sparse_categorical_crossentropy")
    told = report.health(model, x, y, steps=2).sentences
    assert any(one.startswith("t: all 4 units of tanh are at an end") for one in told)
    assert any("d/kernel moves by" in one and "larger --lr" in one for one in told)
    model.compile(fc.optimizers.SGD(50.0), "sparse_categorical_crossentropy")
    assert any("d/kernel moves by" in one and "smaller --lr" in one for one in
               report.health(model, x, y, steps=2).sentences)


def test_a_gradient_that_vanishes_on_its_way_is_told(digits):
    x, y = digits
    fc.utils.set_random_seed(0)
    deep = [layers.Dense(8, "sigmoid", kernel_initializer=fc.initializers.RandomNormal(stddev=0.02), name=f"s{k}")
            for k in range(5)]
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), *deep, layers.Dense(10, "softmax", name="d")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert any("The gradient of s0/kernel is" in one and "vanishes" in one for one in
               report.health(model, x, y, steps=2).sentences)


def test_what_cannot_be_trained_is_told(model, digits):
    with pytest.raises(ArgumentError, match="built and compiled"):
        report.health(fc.Sequential([layers.Dense(2)]), *digits)
    with pytest.raises(ArgumentError, match="expected examples"):
        report.health(model, digits[0][:0], digits[1][:0])


def test_costs_count_what_the_summary_counts_and_keep_moving_statistics(digits):
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(4, 3, name="c"), layers.BatchNormalization(name="b"),
                           layers.GlobalAveragePooling2D(name="g")])
    before = model.get_weights()
    found = report.layer_costs(model, batch=2, rounds=1)
    assert [(one.layer, one.parameters) for one in found] == [("c", 40), ("b", 16), ("g", 0)]
    assert found[0].bytes == 2 * 6 * 6 * 4 * 4 + 160
    assert all(one.seconds > 0 for one in found)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pictures_of_a_network_inside_another_are_those_of_its_layers(model, digits):
    x, _ = digits
    nested = fc.Sequential([fc.Input((8, 8, 1)), model])
    np.testing.assert_array_equal(report.filters(nested), model.get_layer("c").get_weights()[0])
    for own, other in zip(report.feature_maps(nested, x[0]), report.feature_maps(model, x[0]), strict=True):
        np.testing.assert_array_equal(own.maps, other.maps)
    name, patches = report.strongest_patches(nested, x[:20], units=2, count=3)
    assert (name, [len(unit) for unit in patches]) == ("c", [3, 3])
    assert patches[0][0].pixels.shape == (3, 3, 1)
    seen = report.explanations(nested, x[0], random=fc.models.clone_model(model))
    assert list(seen.learned) == list(seen.random) == ["occlusion", "gradient", "Grad-CAM"]
    assert all(heat.shape == (8, 8) for heat in seen.learned.values())
    assert seen.target == int(model.predict(x[:1], verbose=0).argmax())


def test_a_network_without_convolutions_has_no_filters_and_still_explains(digits):
    x, _ = digits
    model = fc.Sequential([fc.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3, "softmax")])
    assert report.filters(model) is None
    assert report.feature_maps(model, x[0]) == []
    assert list(report.explanations(model, x[0]).learned) == ["occlusion", "gradient"]
    with pytest.raises(ArgumentError, match="a network with a convolution"):
        report.strongest_patches(model, x[:4])
