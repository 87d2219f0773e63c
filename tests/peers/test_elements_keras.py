"""Merge layers, activations, Dense against Keras, and against PyTorch where Keras has no word: outputs, gradients."""

import inspect

import numpy as np
import pytest

from fastcnn import activations, layers

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers


#: PyTorch has constants of single precision in these: 1 / 6, and 1 / alpha.
SINGLE = 1e-7

#: Keras's PyTorch back end rounds the inputs of a product and of a maximum to float32, whatever their type.
ROUNDED = {"Maximum": 1e-6, "Minimum": 1e-6, "Dot": 1e-6, "Dense": 1e-6}


def _draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def _tensors(arrays):
    return [torch.from_numpy(np.ascontiguousarray(a)).requires_grad_() for a in arrays]


def _close(got, expected, name, tolerance):
    expected = expected.detach().numpy() if hasattr(expected, "detach") else expected
    assert got.shape == tuple(expected.shape), name
    bound = tolerance * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound, err_msg=name)


def _agree(layer, peer, arrays, weights=(), tolerance=1e-10):
    """Compare outputs of both verbs and the gradients of all inputs and weights in float64; `peer` takes tensors."""
    many = layer.many_inputs
    given = list(arrays) if many else arrays[0]
    y, backward = layer.forward(given)
    dy = _draw(*y.shape, seed=3)
    found = backward(dy)
    np.testing.assert_array_equal(layer.predict(given), y)
    tensors = _tensors(arrays)
    output = peer(tensors if many else tensors[0])
    _close(y, output, "output", tolerance)
    (output * torch.from_numpy(dy)).sum().backward()
    for got, tensor in zip(found if many else (found,), tensors, strict=True):
        _close(got, tensor.grad, "gradient of an input", tolerance)
    for parameter, weight in zip(layer.trainable_weights, weights, strict=True):
        _close(parameter.grad, weight.value.grad, parameter.name, tolerance)


def _agree_with_keras(name, shapes, *args, ties=False, **options):
    arrays = [_draw(3, *shape, seed=k) for k, shape in enumerate(shapes)]
    if ties:
        arrays = [np.round(a) for a in arrays]
    layer = getattr(layers, name)(*args, dtype="float64", **options)
    peer = getattr(keras.layers, name)(*args, dtype="float64", **options)
    whole = [(None, *shape) for shape in shapes]
    layer.build(tuple(whole) if layer.many_inputs else whole[0])
    peer.build(whole if layer.many_inputs else whole[0])
    values = [_draw(*p.shape, seed=7 + k) for k, p in enumerate(layer.weights)]
    assert [p.shape for p in layer.weights] == [tuple(w.shape) for w in peer.weights]
    layer.set_weights(values)
    peer.set_weights(values)
    expected = peer.compute_output_shape(whole if layer.many_inputs else whole[0])
    assert tuple(expected) == layer.output_shape
    _agree(layer, peer, arrays, peer.trainable_weights, ROUNDED.get(name, 1e-10))


IMAGE = (5, 4, 6)
MERGES = ("Add", "Multiply", "Average", "Maximum", "Minimum")


@pytest.mark.parametrize("shapes", [
    (IMAGE, IMAGE), (IMAGE, IMAGE, IMAGE), (IMAGE, (1, 1, 6)), (IMAGE, (6,)), (IMAGE, (5, 4, 1)),
    ((5, 1, 6), (1, 4, 1)), ((1, 4, 6), IMAGE, (5, 1, 1)), (IMAGE, (1, 4, 1)), ((7,), (1,)), ((7,),),
], ids=str)
@pytest.mark.parametrize("name", [*MERGES, "Subtract"])
def test_merges_agree_with_keras(name, shapes):
    if name != "Subtract" or len(shapes) == 2:
        _agree_with_keras(name, shapes)


@pytest.mark.parametrize("name", ["Maximum", "Minimum"])
def test_equal_numbers_share_a_gradient_as_in_keras(name):
    _agree_with_keras(name, (IMAGE, IMAGE, IMAGE), ties=True)


@pytest.mark.parametrize(("shapes", "axis"), [
    ((IMAGE, (5, 4, 2)), -1), ((IMAGE, (2, 4, 6), IMAGE), 1), ((IMAGE, (5, 1, 6)), -2), (((7,), (3,), (1,)), 1),
    ((IMAGE,), 3),
], ids=str)
def test_concatenate_agrees_with_keras(shapes, axis):
    _agree_with_keras("Concatenate", shapes, axis=axis)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("shapes", "axes"), [
    (((7,), (7,)), 1), (((7,), (7,)), -1), (((5, 7), (7, 4)), (2, 1)), (((5, 7), (5, 3)), 1), (((5, 7), (5,)), (1, 1)),
    (((4, 5, 6), (3, 4)), (1, 2)), (((3, 4, 2), (5, 2, 3)), (1, -1)),
], ids=str)
def test_dot_agrees_with_keras(shapes, axes, normalize):
    _agree_with_keras("Dot", shapes, axes, normalize=normalize)


KERAS_NAMES = sorted({"relu", "relu6", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "celu", "silu", "swish", "gelu",
                      "softplus", "softsign", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
                      "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus",
                      "sparse_sigmoid", "mish", "softmax", "log_softmax", "linear"})


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_activations_agree_with_keras_by_name(name):
    x = 3 * _draw(3, *IMAGE)
    _agree(layers.Activation(name, dtype="float64"), keras.layers.Activation(name, dtype="float64"), [x],
           tolerance=SINGLE if name == "hard_sigmoid" else 1e-10)


@pytest.mark.parametrize(("name", "parameters"), [
    ("relu", {"max_value": 0.8}), ("relu", {"max_value": 6}), ("relu", {"negative_slope": 0.2}),
    ("relu", {"threshold": 0.5}), ("relu", {"negative_slope": 0.2, "max_value": 1.5, "threshold": 0.5}),
    ("relu", {"negative_slope": 0.2, "max_value": 1.5}), ("leaky_relu", {"negative_slope": 0.4}),
    ("elu", {"alpha": 2.0}),
    ("celu", {"alpha": 0.4}), ("gelu", {"approximate": True}), ("soft_shrink", {"threshold": 0.1}),
    ("hard_shrink", {"threshold": 0.9}), ("threshold", {"threshold": 0.3, "default_value": -1.0}),
    ("squareplus", {"b": 2}), ("softmax", {"axis": 1}), ("softmax", {"axis": -2}), ("log_softmax", {"axis": 2}),
], ids=str)
def test_functions_with_parameters_agree_with_keras(name, parameters):
    x = _draw(3, *IMAGE)
    expected = getattr(keras.activations, name)(torch.from_numpy(x), **parameters)
    np.testing.assert_allclose(getattr(activations, name)(x, **parameters), expected, atol=1e-7)


def test_functions_have_keras_s_arguments():
    for name in set(activations.__all__) - {"get", "step", "swish", "hard_swish"}:
        ours, theirs = (inspect.signature(getattr(of, name)).parameters.values()
                        for of in (activations, keras.activations))
        assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs], name


@pytest.mark.parametrize("kind", ["Activation", "Add", "Average", "Concatenate", "Dense", "Dot", "ELU", "LeakyReLU",
                                  "Maximum", "Minimum", "Multiply", "PReLU", "ReLU", "Softmax", "Subtract"])
def test_layers_have_keras_s_arguments(kind):
    ours, theirs = ([(p.name, "zeros" if p.default == "Zeros" else p.default)
                     for p in inspect.signature(getattr(of, kind)).parameters.values()
                     if p.kind is not p.VAR_KEYWORD] for of in (layers, keras.layers))
    assert [pair for pair in ours if pair[0] not in ("args",)] == [pair for pair in theirs if pair[0] not in ("args",)]


@pytest.mark.parametrize(("name", "args", "options"), [
    ("ReLU", (), {}), ("ReLU", (6.0,), {}), ("ReLU", (), {"max_value": 1.2, "negative_slope": 0.1, "threshold": 0.3}),
    ("LeakyReLU", (), {}), ("ELU", (0.5,), {}), ("Softmax", (), {}), ("Softmax", (1,), {}), ("Softmax", ((1, 3),), {}),
    ("PReLU", (), {}), ("PReLU", (), {"shared_axes": [1, 2]}), ("PReLU", (), {"shared_axes": 3}),
    ("PReLU", (), {"shared_axes": (1, 3)}), ("PReLU", (), {"shared_axes": (1, 2, 3)}),
], ids=str)
def test_activation_layers_agree_with_keras(name, args, options):
    _agree_with_keras(name, (IMAGE,), *args, **options)


@pytest.mark.parametrize(("layer", "peer"), [
    (layers.Mish, torch.nn.Mish()), (layers.HardSiLU, torch.nn.Hardswish()), (layers.SELU, torch.nn.SELU()),
    (layers.Softsign, torch.nn.Softsign()), (layers.Softplus, torch.nn.Softplus()), (layers.ReLU6, torch.nn.ReLU6()),
    (lambda **k: layers.CELU(0.7, **k), torch.nn.CELU(0.7)), (layers.HardSigmoid, torch.nn.Hardsigmoid()),
    (lambda **k: layers.ThresholdedReLU(0.4, **k), torch.nn.Threshold(0.4, 0.0)),
    (lambda **k: layers.Clip(-0.5, 0.8, **k), torch.nn.Hardtanh(-0.5, 0.8)),
    (lambda **k: layers.GELU(approximate=True, **k), torch.nn.GELU("tanh")), (layers.SiLU, torch.nn.SiLU()),
    (lambda **k: layers.LogSoftmax(2, **k), torch.nn.LogSoftmax(2)),
], ids=lambda v: repr(v) if isinstance(v, torch.nn.Module) else "")
def test_activation_layers_agree_with_pytorch(layer, peer):
    rounded = isinstance(peer, (torch.nn.CELU, torch.nn.Hardsigmoid))
    _agree(layer(dtype="float64"), peer, [2 * _draw(3, *IMAGE)], tolerance=SINGLE if rounded else 1e-10)


@pytest.mark.parametrize("shape", [(7,), (4, 7), IMAGE], ids=str)
@pytest.mark.parametrize("options", [
    {}, {"use_bias": False, "activation": "relu6"}, {"activation": "mish"}, {"activation": "softmax"},
    {"activation": "hard_silu", "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"},
], ids=str)
def test_dense_agrees_with_keras(shape, options):
    _agree_with_keras("Dense", (shape,), 9, **options)


FUNCTIONS = {
    "Abs": torch.abs, "Sqrt": torch.sqrt, "Log": torch.log, "Reciprocal": torch.reciprocal, "Erf": torch.erf,
    "Sign": torch.sign, "Round": torch.round, "Floor": torch.floor, "Ceil": torch.ceil,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementary_functions_agree_with_pytorch(name):
    _agree(getattr(layers, name)(dtype="float64"), FUNCTIONS[name], [np.abs(_draw(3, 7, 5)) + 0.1])


@pytest.mark.parametrize("exponent", [2, 3, -1, -2.5, 0.5, 1 / 3])
def test_a_power_agrees_with_pytorch(exponent):
    _agree(layers.Power(exponent, dtype="float64"), lambda x: torch.pow(x, exponent), [np.abs(_draw(3, 7, 5)) + 0.1])


@pytest.mark.parametrize(("k", "axis"), [(1, -1), (3, 1), (2, 2)])
def test_the_largest_agree_with_pytorch(k, axis):
    x = _draw(3, 7, 4, 5)
    _agree(layers.TopK(k, axis, dtype="float64"), lambda x: torch.topk(x, k, axis)[0], [x])
    indices = torch.topk(torch.from_numpy(x), k, axis)[1].numpy()
    np.testing.assert_array_equal(layers.TopK(k, axis, indices=True, dtype="float64")(x), indices)


def test_a_choice_agrees_with_pytorch():
    condition, a, b = (_draw(3, 7, 5, 1) > 0).astype(float), _draw(3, 7, 1, 4, seed=1), _draw(3, 7, 5, 4, seed=2)
    y, backward = layers.Where(dtype="float64").forward([condition, a, b])
    tensors = _tensors([a, b])
    expected = torch.where(torch.from_numpy(condition) != 0, *tensors)
    _close(y, expected, "output", 0)
    dy = _draw(*y.shape, seed=3)
    (expected * torch.from_numpy(dy)).sum().backward()
    for got, tensor in zip(backward(dy)[1:], tensors, strict=True):
        _close(got, tensor.grad, "gradient", 1e-10)
