"""Models that move to a card and back: what comes along, what is refused, and that nothing has moved then."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers
from fastcnn.errors import ArgumentError, DeviceError
from fastcnn.kernels import cuda

CUDA = device.named("cuda")
DRAW = np.random.default_rng(3)
X, Y = DRAW.random((6, 5), np.float32), np.arange(6) % 3


def _model(**arguments):
    fc.utils.clear_session()
    fc.utils.set_random_seed(4)
    dense = [layers.Dense(4, activation="tanh", **arguments), layers.Dense(3, **arguments)]
    return fc.Sequential([fc.Input((5,)), *dense])


def _compiled():
    model = _model()
    model.compile(fc.optimizers.Adam(0.05), fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def _where(model):
    return {device.of(p.array).name for p in model.weights}


def test_a_training_goes_on_where_the_model_moves_and_as_if_it_had_not():
    staying, moving = _compiled(), _compiled()
    for place in ("cpu", "cuda", "cpu", "cuda:0"):
        assert moving.to(place) is moving
        assert _where(moving) == {"cuda:0" if place.startswith("cuda") else "cpu"}
        logs = [model.fit(X, Y, 3, epochs=2, verbose=0, shuffle=False).history["loss"] for model in (staying, moving)]
        np.testing.assert_allclose(*logs, rtol=1e-5)
    assert moving.optimizer.iterations == staying.optimizer.iterations == 16
    for mine, other in zip(moving.optimizer.get_state().values(), staying.optimizer.get_state().values(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    np.testing.assert_allclose(moving.predict(X), staying.predict(X), atol=1e-5)
    np.testing.assert_allclose(moving(X), staying(X), atol=1e-5)


def test_files_and_copies_know_no_device(tmp_path):
    model = _compiled().to("cuda")
    model.fit(X, Y, 3, verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = fc.saving.load_model(tmp_path / "m.safetensors")
    assert _where(loaded) == _where(copy.deepcopy(model)) == {"cpu"}
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), atol=1e-6)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    np.testing.assert_allclose(loaded.evaluate(X, Y), model.evaluate(X, Y), rtol=1e-6)


def test_new_models_live_where_the_configuration_says(monkeypatch):
    try:
        fc.config.set_device("cuda")
        assert fc.config.device() == "cuda:0"
        assert _where(_model()) == {"cuda:0"}
    finally:
        fc.config.set_device("cpu")
    assert _where(_model()) == {"cpu"}
    monkeypatch.setenv("FASTCNN_DEVICE", "cuda")
    monkeypatch.setattr(device, "_chosen", [])
    assert _where(_model()) == {"cuda:0"}


def test_layers_without_a_kernel_are_named_and_nothing_moves(monkeypatch):
    monkeypatch.delattr(cuda, "softmax_forward")
    for kernels in (CUDA.kernels, CUDA.inquiry().kernels):  # which remember what they found
        kernels.__dict__.pop("softmax_forward", None)
    fc.utils.clear_session()
    inputs = fc.Input((4,))
    y = layers.Softmax()(layers.Dense(3)(inputs))
    model = fc.Model(inputs, layers.Softmax(name="last")(layers.Dense(3)(y)))
    with pytest.raises(DeviceError) as caught:
        model.to("cuda")
    assert str(caught.value) == (
        'Model "functional".to: expected layers that cuda:0 has kernels for, got Softmax "softmax" (kernel '
        'softmax_forward), Softmax "last" (kernel softmax_forward); leave the model on the cpu')
    assert _where(model) == {"cpu"}
    with device.use(CUDA):
        there = fc.Sequential([fc.Input((4,)), layers.Dense(3), layers.Softmax()])
    with pytest.raises(DeviceError, match="softmax_forward"):
        there.predict(X[:, :4])


def test_sizes_that_are_left_open_are_asked_for_one_size():
    def made(*last):
        return fc.Sequential([fc.Input((None, None, 3)), layers.Conv2D(2, 3), *last, layers.GlobalAveragePooling2D()])

    with pytest.raises(DeviceError, match=r'got Abs "abs" \(kernel function_forward\)'):
        made(layers.Abs(name="abs")).to("cuda")
    there = made(layers.ReLU())
    there.to("cuda")
    assert _where(there) == {"cuda:0"}


def test_a_model_of_another_type_or_one_that_is_not_built_stays():
    with pytest.raises(DeviceError, match="expected a model of float32, which cuda:0 computes in, got float64"):
        _model(dtype="float64").to("cuda")
    with pytest.raises(DeviceError, match="computes in, got bfloat16"):
        fc.Sequential([fc.Input((5,), dtype="mixed_bfloat16"), layers.Dense(3, dtype="mixed_bfloat16")]).to("cuda")
    on_bytes = fc.quantize(_model(), X)
    with pytest.raises(DeviceError, match=r'got .*QuantizedDense "dense" \(kernel'):
        (on_bytes[0] if isinstance(on_bytes, tuple) else on_bytes).to("cuda")
    with pytest.raises(ArgumentError, match="to expected a built model"):
        fc.Sequential([layers.Dense(3)]).to("cuda")
    with pytest.raises(ArgumentError, match="device: expected cpu, cuda or cuda:0, got 'gpu'"):
        _model().to("gpu")


def test_models_inside_and_layers_with_a_call_move_with_the_model():
    class Twice(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(5, activation="relu")

        def call(self, x):
            return self.dense(self.dense(x)) + x

    fc.utils.clear_session()
    inner = fc.Sequential([fc.Input((5,)), Twice(), layers.Dense(4)])
    model = fc.Sequential([fc.Input((5,)), layers.Dense(5), inner, layers.Dense(2)])
    expected = model.predict(X)
    inner.predict(X)
    model.to("cuda")
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-6)
    assert inner.predict(X).shape == (6, 4)
    assert _where(inner) == {"cuda:0"}
    np.testing.assert_allclose(model.to("cpu").predict(X), expected, atol=1e-7)
