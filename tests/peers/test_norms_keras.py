"""Normalizations, dropout, noise, shapes and preprocessing beside Keras on PyTorch, in float64; what Keras has not,
beside PyTorch and onnxruntime.
"""

import itertools

import numpy as np
import pytest

from fastcnn import layers
from fastcnn.layers import Call

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]

EXACT, SINGLE = 1e-10, 1e-5  # Keras's normalizations compute in float32, whatever they are given


def _numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def _pair(name, shape, theirs=None, **arguments):
    """Return our layer and Keras's, made with the same arguments and weights."""
    mine = getattr(layers, name)(**arguments, dtype="float64")
    other = getattr(keras.layers, name)(**(theirs or arguments), dtype="float64")
    mine.build((None, *shape))
    other.build((None, *shape))
    weights = [0.5 + np.abs(_numbers(w.shape, i)) for i, w in enumerate(mine.get_weights())]
    mine.set_weights(weights)
    assert [w.shape for w in other.get_weights()] == [w.shape for w in weights]
    other.set_weights(weights)
    return mine, other


def _agree(got, expected, tolerance=EXACT):
    expected = expected.detach().numpy() if hasattr(expected, "detach") else np.asarray(expected)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max(initial=0)))


def _same_training(mine, other, x, tolerance=EXACT):
    """Compare outputs of inference and of training, gradients of the input and of all that is trained, and weights."""
    _agree(mine.predict(x), other(torch.from_numpy(x), training=False), tolerance)
    theirs = torch.from_numpy(x.copy()).requires_grad_()
    y = other(theirs, training=True)
    got, backward = mine.forward(x)
    _agree(got, y, tolerance)
    dy = _numbers(got.shape, 9)
    y.backward(torch.from_numpy(dy))
    for p in mine.weights:
        p.zero_grad()
    _agree(backward(dy), theirs.grad, tolerance)
    trained = other.trainable_weights
    assert [p.name for p in mine.trainable_weights] == [w.name for w in trained]
    for p, w in zip(mine.trainable_weights, trained, strict=True):
        _agree(p.grad, w.value.grad, tolerance)
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        _agree(a, b, tolerance)


@pytest.mark.parametrize(("name", "shape", "axis"), [
    ("RMSNormalization", (7,), -1), ("RMSNormalization", (4, 5, 6), -1), ("UnitNormalization", (7,), -1),
    ("UnitNormalization", (4, 5, 6), 1), ("UnitNormalization", (4, 5, 6), [1, 2]),
], ids=str)
def test_normalizations_by_length(name, shape, axis):
    mine, other = _pair(name, shape, axis=axis)
    _same_training(mine, other, _numbers((3, *shape)), SINGLE)


SHAPES = [(7,), (5, 6), (4, 5, 6), (3, 4, 2, 6)]
FLAGS = list(itertools.product([True, False], repeat=2))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("center", "scale"), FLAGS)
@pytest.mark.parametrize(("momentum", "epsilon"), [(0.99, 1e-3), (0.5, 1e-5)])
@pytest.mark.parametrize("trainable", [True, False])
def test_batch_normalization(shape, center, scale, momentum, epsilon, trainable):
    mine, other = _pair("BatchNormalization", shape, center=center, scale=scale, momentum=momentum, epsilon=epsilon)
    mine.trainable = other.trainable = trainable
    for seed in range(3):  # the moving statistics go on
        other.zero_grad()
        _same_training(mine, other, 2 + 3 * _numbers((8, *shape), seed), SINGLE)


def test_a_frozen_batch_normalization_has_keras_weights_and_moves_nothing():
    mine, _ = _pair("BatchNormalization", (4, 5, 6))
    before = mine.get_weights()
    mine.trainable = False
    assert not mine.trainable_weights
    assert len(mine.non_trainable_weights) == 4
    x = _numbers((8, 4, 5, 6))
    mine.forward(x)[1](x)
    for a, b in zip(mine.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("center", "scale"), FLAGS)
def test_a_batch_normalization_told_to_infer_still_learns(center, scale):
    mine, other = _pair("BatchNormalization", (4, 5, 6), center=center, scale=scale)
    x, dy = _numbers((8, 4, 5, 6)), _numbers((8, 4, 5, 6), 1)
    theirs = torch.from_numpy(x.copy()).requires_grad_()
    y = other(theirs, training=False)
    got, backward = mine.forward(x, Call(training=False))
    _agree(got, y, SINGLE)
    y.backward(torch.from_numpy(dy))
    _agree(backward(dy), theirs.grad, SINGLE)
    for p, w in zip(mine.trainable_weights, other.trainable_weights, strict=True):
        _agree(p.grad, w.value.grad, SINGLE)
    for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("shape", "axis"), [
    ((7,), -1), ((5, 40), -1), ((5, 6), 2), ((4, 5, 6), -1), ((4, 5, 6), [1, 2, 3]), ((4, 5, 6), (-2, -1)),
    ((3, 4, 2, 6), [-1]), ((3, 4, 2, 6), [3, 4]),
], ids=str)
@pytest.mark.parametrize(("center", "scale"), FLAGS)
@pytest.mark.parametrize("epsilon", [1e-3, 1e-6])
def test_layer_normalization(shape, axis, center, scale, epsilon):
    mine, other = _pair("LayerNormalization", shape, axis=axis, center=center, scale=scale, epsilon=epsilon)
    _same_training(mine, other, 2 + 3 * _numbers((8, *shape)), SINGLE)


@pytest.mark.parametrize(("shape", "groups"), [
    ((40,), 2), ((12,), 3), ((5, 6), 2), ((4, 5, 6), 3), ((4, 5, 6), -1), ((4, 5, 6), 1), ((9, 7, 64), 32),
    ((3, 4, 2, 6), 2),
], ids=str)
@pytest.mark.parametrize(("center", "scale"), FLAGS)
@pytest.mark.parametrize("epsilon", [1e-3, 1e-6])
def test_group_normalization(shape, groups, center, scale, epsilon):
    mine, other = _pair("GroupNormalization", shape, groups=groups, center=center, scale=scale, epsilon=epsilon)
    _same_training(mine, other, 2 + 3 * _numbers((8, *shape)), SINGLE)


@pytest.mark.parametrize("case", [
    ("LayerNormalization", (5, 40), {"axis": -1}), ("LayerNormalization", (4, 5, 6), {"axis": (1, 2, 3)}),
    ("GroupNormalization", (12,), {"groups": 3}), ("GroupNormalization", (40, 6), {"groups": 2}),
    ("GroupNormalization", (9, 8, 64), {"groups": 32}), ("GroupNormalization", (40, 30, 6), {"groups": -1}),
    ("GroupNormalization", (3, 40, 20, 64), {"groups": 1}),
], ids=str)
def test_layer_and_group_normalization_are_pytorchs_in_float64(case):
    name, shape, arguments = case
    layer = getattr(layers, name)(epsilon=1e-5, **arguments, dtype="float64")
    layer.build((None, *shape))
    for seed, p in enumerate(layer.weights):
        p.assign(_numbers(p.shape, seed))
    x, dy = 2 + 3 * _numbers((2, *shape)), _numbers((2, *shape), 1)
    y, backward = layer.forward(x)
    dx = backward(dy)
    gamma, beta = (torch.from_numpy(p.numpy()).requires_grad_() for p in layer.weights)
    if name == "LayerNormalization":
        theirs = torch.from_numpy(x.copy()).requires_grad_()
        expected, grad = torch.nn.functional.layer_norm(theirs, gamma.shape, gamma, beta, 1e-5), dy
    else:
        first = lambda a: np.moveaxis(a, -1, 1).copy()
        theirs, grad = torch.from_numpy(first(x)).requires_grad_(), first(dy)
        groups = shape[-1] if layer.groups == -1 else layer.groups
        expected = torch.nn.functional.group_norm(theirs, groups, gamma, beta, 1e-5)
        y, dx = first(y), first(dx)
    expected.backward(torch.from_numpy(grad))
    for a, b in ((y, expected), (dx, theirs.grad), *((p.grad, t.grad) for p, t in zip(layer.weights, (gamma, beta)))):
        _agree(a, b)


@pytest.mark.parametrize("channels", [1, 3, 20])
@pytest.mark.parametrize("size", [1, 2, 4, 5, 9])
@pytest.mark.parametrize(("alpha", "beta", "k"), [(1e-4, 0.75, 1.0), (0.5, 0.75, 2.0), (2.0, 0.5, 0.1)])
def test_local_response_normalization_as_pytorch_has_it(channels, size, alpha, beta, k):
    x, dy = 3 * _numbers((2, 4, 3, channels)), _numbers((2, 4, 3, channels), 1)
    mine = layers.LocalResponseNormalization((size // 2, (size - 1) // 2), alpha / size, beta, k, dtype="float64")
    theirs = torch.from_numpy(np.moveaxis(x, -1, 1).copy()).requires_grad_()
    y = torch.nn.functional.local_response_norm(theirs, size, alpha, beta, k)
    y.backward(torch.from_numpy(np.moveaxis(dy, -1, 1).copy()))
    got, backward = mine.forward(x)
    _agree(np.moveaxis(got, -1, 1), y)
    _agree(np.moveaxis(backward(dy), -1, 1), theirs.grad)
    if size % 2:
        same = layers.LocalResponseNormalization(size, alpha / size, beta, k, dtype="float64")
        np.testing.assert_array_equal(same.predict(x), got)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_local_response_normalization_as_onnx_has_it(size):
    ort, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    kind = onnx.TensorProto.FLOAT
    info = [onnx.helper.make_tensor_value_info(name, kind, None) for name in "xy"]
    node = onnx.helper.make_node("LRN", ["x"], ["y"], size=size, alpha=0.3, beta=0.6, bias=1.5)
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "lrn", info[:1], info[1:]),
                                   opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    x = 3 * _numbers((2, 4, 3, 7)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": np.moveaxis(x, -1, 1).copy()})
    got = layers.LocalResponseNormalization(((size - 1) // 2, size // 2), 0.3 / size, 0.6, 1.5).predict(x)
    np.testing.assert_allclose(np.moveaxis(got, -1, 1), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "dims"), [
    ((5,), (1,)), ((5, 6), (2, 1)), ((4, 5, 6), (3, 1, 2)), ((4, 5, 6), (2, 3, 1)), ((4, 17, 20), (3, 2, 1)),
    ((2, 3, 4, 5), (4, 1, 3, 2)),
], ids=str)
def test_permute(shape, dims):
    _same_training(*_pair("Permute", shape, dims=dims), _numbers((3, *shape)))


def test_repeat_vector():
    _same_training(*_pair("RepeatVector", (7,), n=4), _numbers((3, 7)))


@pytest.mark.parametrize(("shape", "target"), [
    ((4, 6), (24,)), ((4, 6), (-1, 3)), ((4, 6), (2, 3, 4)), ((4, 6), (8, -1)), ((4, 6), (None, 3)),
], ids=str)
def test_reshape(shape, target):
    theirs = {"target_shape": tuple(-1 if n is None else n for n in target)}
    _same_training(*_pair("Reshape", shape, theirs, target_shape=target), _numbers((3, *shape)))


@pytest.mark.parametrize(("scale", "offset"), [
    (1 / 255, 0.0), (1 / 127.5, -1.0), ([0.5, 2.0, -1.0], 0.0), ([0.5, 2.0, -1.0], [1.0, 2.0, 3.0]),
    (2.0, [1.0, 0.0, 4.0]),
])
def test_rescaling(scale, offset):
    x = _numbers((3, 4, 5, 3))
    mine = layers.Rescaling(scale, offset, dtype="float64")
    other = keras.layers.Rescaling(np.asarray(scale), np.asarray(offset), dtype="float64")
    _same_training(mine, other, x)


AXES = [((7,), -1), ((4, 5, 3), -1), ((4, 5, 3), None), ((4, 5, 3), (1, 3)), ((4, 5, 3), 2), ((4, 5, 3), (1, 2, 3)),
        ((4, 5, 3), (-1, -2))]


@pytest.mark.parametrize(("shape", "axis"), AXES, ids=str)
@pytest.mark.parametrize("invert", [False, True])
def test_normalization_adapts(shape, axis, invert):
    data = 5 + 3 * _numbers((20, *shape))
    data[..., 0] = 2.0  # without variance
    mine = layers.Normalization(axis=axis, invert=invert, dtype="float64")
    other = keras.layers.Normalization(axis=axis, invert=invert, dtype="float64")
    mine.adapt(data)
    other.adapt(data)
    assert [p.name for p in mine.weights] == [w.name for w in other.weights] == ["mean", "variance", "count"]
    for a, b in zip(mine.get_weights()[:2], other.get_weights()[:2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)  # Keras rounds them to float32
    mine.set_weights(other.get_weights())
    x = data[:3] + 0.1
    if not invert:  # a difference of rounding, divided by 1e-7
        x[..., 0] = 2.0
    _same_training(mine, other, x, SINGLE)


@pytest.mark.parametrize(("mean", "variance", "axis"), [
    (3.0, 2.0, -1), ([1.0, 2.0, 3.0], [1.0, 4.0, 0.25], -1), (0.5, 2.0, None),
    ([1.0, 2.0, 3.0], [1.0, 4.0, 2.0], (2, 3)),
])
@pytest.mark.parametrize("invert", [False, True])
def test_normalization_with_given_numbers(mean, variance, axis, invert):
    mine = layers.Normalization(axis=axis, mean=mean, variance=variance, invert=invert, dtype="float64")
    other = keras.layers.Normalization(axis=axis, mean=np.asarray(mean), variance=np.asarray(variance), invert=invert,
                                       dtype="float64")
    assert not mine.weights
    _same_training(mine, other, _numbers((3, 4, 5, 3)), SINGLE)


def _values(y, x):
    """Return the distinct factors between an output and an input, and how often the first stands for the input."""
    return np.unique(np.round(y / x, 9))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropouts_drop_what_keras_drops(rate):
    """The same values, as often: the masks are other ones."""
    x = 1 + np.abs(_numbers((16, 9, 8, 32)))
    images = {"noise_shape": (None, 1, 1, None)}
    for name, arguments in (("Dropout", {}), ("Dropout", images), ("SpatialDropout2D", {})):
        mine, other = (getattr(room, name)(rate, **arguments, seed=1, dtype="float64")
                       for room in (layers, keras.layers))
        got, expected = mine.forward(x)[0], other(torch.from_numpy(x), training=True).numpy()
        np.testing.assert_array_equal(_values(got, x), _values(expected, x))
        share, of = np.mean(got == 0), np.mean(expected == 0)
        draws = 16 * 32 if arguments or "Spatial" in name else x.size
        assert abs(share - of) < 6 * (rate * (1 - rate) / draws) ** 0.5
        if draws < x.size:
            assert ((got == 0) == (got[:, :1, :1] == 0)).all()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_alpha_dropout_is_keras_for_the_same_mask(rate):
    x, dy = _numbers((16, 9, 8, 4)), _numbers((16, 9, 8, 4), 1)
    layer = layers.AlphaDropout(rate, seed=1, dtype="float64")
    y, backward = layer.forward(x)
    dx = backward(dy)
    values = np.unique(np.round(y[dx == 0], 9))
    assert values.size == 1  # what is dropped is one number
    other = keras.layers.AlphaDropout(rate, seed=1, dtype="float64")
    theirs = torch.from_numpy(x.copy()).requires_grad_()
    expected = other(theirs, training=True)
    expected.backward(torch.from_numpy(dy))
    dropped = theirs.grad.numpy() == 0
    np.testing.assert_allclose(values[0], np.unique(np.round(expected.detach().numpy()[dropped], 9)), atol=1e-8)
    kept = ~dropped & (dx != 0)
    assert kept.any()
    np.testing.assert_allclose(y[kept], expected.detach().numpy()[kept], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(dx[kept], theirs.grad.numpy()[kept], rtol=1e-10)


@pytest.mark.parametrize(("name", "strength"), [("GaussianNoise", 0.3), ("GaussianDropout", 0.2)])
def test_gaussian_noise_has_keras_mean_and_deviation(name, strength):
    x = np.full((200, 500), 2.0)
    ours = getattr(layers, name)(strength, seed=1, dtype="float64").forward(x)[0]
    theirs = getattr(keras.layers, name)(strength, seed=1, dtype="float64")(torch.from_numpy(x), training=True).numpy()
    assert abs(ours.mean() - theirs.mean()) < 0.02
    assert abs(ours.std() / theirs.std() - 1) < 0.02
