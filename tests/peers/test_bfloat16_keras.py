"""Layers under mixed_bfloat16 beside Keras's: types of variables, of computation and of outputs, and their numbers."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
ml_dtypes = pytest.importorskip("ml_dtypes")
pytestmark = pytest.mark.peers

MIXED = "mixed_bfloat16"
IMAGE, FLAT = (3, 9, 8, 5), (7, 11)

CASES = {
    "Conv2D": ((6, 3), {"padding": "same", "activation": "relu"}, IMAGE),
    "Conv2D, strides": ((16, 3), {"strides": 2, "use_bias": False}, IMAGE),
    "Conv1D": ((6, 3), {"dilation_rate": 2}, (3, 12, 5)),
    "Conv2DTranspose": ((6, 3), {"strides": 2, "padding": "same"}, IMAGE),
    "DepthwiseConv2D": ((3,), {"padding": "same"}, IMAGE),
    "SeparableConv2D": ((6, 3), {"padding": "same"}, IMAGE),
    "Dense": ((9,), {"activation": "tanh"}, FLAT),
    "BatchNormalization": ((), {}, IMAGE),
    "LayerNormalization": ((), {}, FLAT),
    "MaxPooling2D": ((2,), {}, IMAGE),
    "AveragePooling2D": ((2,), {}, IMAGE),
    "GlobalAveragePooling2D": ((), {}, IMAGE),
    "ReLU": ((), {}, IMAGE),
    "Activation": (("gelu",), {}, IMAGE),
    "Softmax": ((), {}, FLAT),
    "Flatten": ((), {}, IMAGE),
    "PReLU": ((), {}, FLAT),
}


def _numbers(tensor):
    return tensor.detach().to(torch.float64).numpy()


@pytest.mark.parametrize("name", CASES)
def test_types_and_numbers_are_keras_s(name):
    given, options, shape = CASES[name]
    kind = name.partition(",")[0]
    layer, peer = (getattr(room, kind)(*given, dtype=MIXED, **options) for room in (layers, keras.layers))
    draw = np.random.default_rng(0)
    x = draw.standard_normal(shape).astype(np.float32)
    y = layer(x)
    peer.build(shape)
    values = [p.value + 0.3 * draw.standard_normal(p.shape) for p in layer.weights]
    values = [np.abs(v) + 0.1 if "variance" in p.name else v for v, p in zip(values, layer.weights, strict=True)]
    layer.set_weights(values)
    peer.set_weights(values)
    y, expected = layer(x), peer(torch.from_numpy(x))
    assert [p.name for p in layer.weights] == [w.name for w in peer.weights]
    assert layer.dtype_policy.name == peer.dtype_policy.name == MIXED
    assert layer.compute_dtype.name == peer.compute_dtype
    assert layer.variable_dtype.name == peer.variable_dtype
    assert y.dtype.name == keras.backend.standardize_dtype(expected.dtype)
    assert [p.dtype.name for p in layer.weights] == [w.dtype for w in peer.weights]
    found, wanted = y.astype(np.float64), _numbers(expected)
    # Keras rounds the bias and each step, too: two steps of bfloat16, of the largest number.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2 * 2.0**-7 * max(1, np.abs(wanted).max()))


def test_a_policy_is_read_from_keras_s_configuration_and_one_of_ours_by_keras():
    policy = keras.dtype_policies.serialize(keras.DTypePolicy(MIXED))
    assert fc.dtype_policies.deserialize({key: policy[key] for key in ("class_name", "config")}).name == MIXED
    told = fc.dtype_policies.serialize(fc.DTypePolicy(MIXED))
    assert keras.dtype_policies.get(told).name == keras.dtype_policies.get(told["config"]["name"]).name == MIXED


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, when it writes a file
def test_a_model_in_a_file_of_keras_s_keeps_its_policies(tmp_path):
    model = fc.Sequential([fc.Input((6, 6, 2)), layers.Conv2D(4, 3, dtype=MIXED), layers.Flatten(dtype=MIXED),
                           layers.Dense(3)])
    model.save(tmp_path / "ours.keras")
    peer = keras.saving.load_model(tmp_path / "ours.keras")
    assert [layer.dtype_policy.name for layer in peer.layers] == [MIXED, MIXED, "float32"]
    x = np.random.default_rng(1).standard_normal((3, 6, 6, 2)).astype(np.float32)
    np.testing.assert_allclose(model.predict(x), peer.predict(x, verbose=0), rtol=0, atol=0.03)
    peer.save(tmp_path / "theirs.keras")
    again = fc.saving.load_model(tmp_path / "theirs.keras")
    assert [layer.dtype_policy.name for layer in again.layers] == [MIXED, MIXED, "float32"]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
