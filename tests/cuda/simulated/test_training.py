"""Whole networks in the simulator: training steps and predictions as on the CPU, to rounding."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers
from fastcnn.kernels.cuda.compile.simulator import grid

CUDA = device.named("cuda")
DRAW = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def without_races(monkeypatch):
    """Kernels have tests of their own, in which races are looked for; here that would take half the time."""
    monkeypatch.setattr(grid, "looks_for_races", False)


def _convnet():
    return fc.Sequential([
        fc.Input((10, 10, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(6, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.4),
        layers.Dense(10, activation="softmax")])


def _residual():
    """A small ResNet: a stem, a block with a plain shortcut, and one that halves the image."""
    def block(x, filters, strides):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
        if strides > 1:
            x = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides, use_bias=False)(x))
        return layers.ReLU()(layers.Add()([x, y]))

    inputs = fc.Input((6, 6, 2))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)))
    x = layers.GlobalAveragePooling2D()(block(block(x, 4, 1), 6, 2))
    return fc.Model(inputs, layers.Dense(10, activation="softmax")(x))


NETWORKS = {"LeNet-5": (fc.applications.LeNet5, (1, 28, 28, 1), "adam"),
            "the convnet": (_convnet, (3, 10, 10, 1), "adam"),
            "a small ResNet": (_residual, (4, 6, 6, 2), "momentum")}


def _trained(name, place, path):
    make, shape, optimizer = NETWORKS[name]
    fc.utils.clear_session()
    fc.utils.set_random_seed(5)
    model = make()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.to(place)
    draw = np.random.default_rng(2)
    x, y = draw.random((3 * shape[0], *shape[1:]), np.float32), draw.integers(0, 10, 3 * shape[0])
    logs = model.fit(x, y, shape[0], verbose=0, shuffle=False).history  # three steps
    model.save(path)
    return model, np.array(list(logs.values())), model.predict(x[:shape[0]]), model.get_weights(), x[:shape[0]]


@pytest.mark.parametrize("name", NETWORKS)
def test_three_steps_of_training_are_the_cpu_s(name, tmp_path):
    mine, other = (_trained(name, place, tmp_path / f"{place}.safetensors") for place in ("cuda", "cpu"))
    assert {device.of(p.array) for p in mine[0].weights} == {CUDA}
    np.testing.assert_allclose(mine[1], other[1], rtol=1e-5)
    np.testing.assert_allclose(mine[2], other[2], atol=1e-5)
    for a, b in zip(mine[3], other[3], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    loaded = fc.saving.load_model(tmp_path / "cuda.safetensors")
    np.testing.assert_allclose(loaded.predict(mine[4]), mine[2], atol=1e-5)


def test_a_training_gives_the_same_bits_again_and_takes_no_memory_after_its_first_epoch():
    found = []
    x, y = np.random.default_rng(2).random((4, 6, 6, 2), np.float32), np.arange(4)
    for _ in range(2):
        fc.utils.clear_session()
        fc.utils.set_random_seed(5)
        model = _residual()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.to("cuda")
        model.fit(x, y, 2, verbose=0)
        before = CUDA.allocated, CUDA.card.held[0]
        model.fit(x, y, 2, verbose=0)
        assert (CUDA.allocated, CUDA.card.held[0]) == before
        found.append([w.tobytes() for w in model.get_weights()])
    assert found[0] == found[1]


def test_small_predictions_are_captured_until_weights_change_and_are_the_same_bits():
    fc.utils.clear_session()
    model = _convnet()
    x = np.random.default_rng(2).random((4, 10, 10, 1), np.float32)
    expected = [model.predict(x[:k]) for k in (1, 2)]
    model.to("cuda")
    graphs = lambda: model.executables.one.graphs._known
    first = [model.predict(x[:1]), model.predict(x[1:2])]
    assert [type(one).__name__ for one in graphs().values()] == ["DeviceGraph"]
    again = [model.predict(x[:1]), model.predict(x[1:2])]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(first[0], expected[0], atol=1e-6)
    for _ in range(3):
        np.testing.assert_allclose(model.predict(x[:2]), expected[1], atol=1e-6)
    assert len(graphs()) == 2
    kept = model.infer(x[:1])
    model.infer(x[2:3])
    np.testing.assert_array_equal(CUDA.get(kept), first[0])
    model.set_weights([w * np.float32(0.5) for w in model.get_weights()])
    changed = model.predict(x[:1])
    assert len(graphs()) == 1
    assert np.abs(changed - first[0]).max() > 1e-3
    np.testing.assert_allclose(model.to("cpu").predict(x[:1]), changed, atol=1e-6)
