"""Pooling, padding, cropping and upsampling against Keras, and what Keras has not against PyTorch and onnxruntime."""

import numpy as np
import pytest

from fastcnn import layers
from fastcnn.geometry.pool import passes
from fastcnn.operations.pooling import max_pool_with_argmax

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
F = torch.nn.functional

pytestmark = pytest.mark.peers

SIGNAL, IMAGE, VOLUME = (3, 13, 5), (2, 11, 9, 6), (2, 6, 7, 5, 3)
SHAPES = {1: SIGNAL, 2: IMAGE, 3: VOLUME}


def _random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _agrees(layer, peer, x, tolerance=2e-6):
    """Assert that a layer and a function of tensors have the same output and the same gradient."""
    given = torch.tensor(x, requires_grad=True)
    expected = peer(given)
    y, backward = layer.forward(x)
    assert y.shape == tuple(expected.shape)
    dy = _random(y.shape, 1)
    (expected * torch.tensor(dy)).sum().backward()
    for got, wanted in ((y, expected.detach().numpy()), (backward(dy), given.grad.numpy())):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * max(1, np.abs(wanted).max()))


def _channels_first(function, *more):
    """Return a PyTorch function of (N, C, ...), and `more`, as one of (N, ..., C)."""
    return lambda x: function(x.movedim(-1, 1), *more).movedim(1, -1)


def _kerass_pooling(name, arguments):
    """Return Keras's layer; for averages with uneven borders Keras's definition, which its PyTorch back end misses.

    Up to Keras 3.15 that repeats edge pixels where the border is uneven (keras-team/keras, pull request 23233); Keras
    on TensorFlow and JAX divides the sum by how many elements lie in the image.
    """
    if not name.startswith("Average") or arguments.get("padding") != "same":
        return getattr(keras.layers, name)(**arguments)
    rank = int(name[-2])
    several = lambda value: (value,) * rank if isinstance(value, int) else value
    window = several(arguments["pool_size"])
    strides = several(arguments.get("strides", window))
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]

    def peer(x):
        flat = []
        for length, k, s in list(zip(x.shape[2:], window, strides, strict=True))[::-1]:
            total = max(0, (-(-length // s) - 1) * s + k - length)
            flat += [total // 2, total - total // 2]
        return pool(F.pad(x, flat), window, strides) / pool(F.pad(torch.ones_like(x), flat), window, strides)

    return _channels_first(peer)


POOLINGS = [
    {}, {"pool_size": 3}, {"pool_size": 3, "strides": 2}, {"pool_size": 3, "strides": 1, "padding": "same"},
    {"pool_size": 2, "padding": "same"}, {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, "strides": 3}, {"pool_size": 1, "strides": 2}, {"pool_size": 4, "strides": 3, "padding": "same"},
]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["MaxPooling", "AveragePooling"])
@pytest.mark.parametrize("arguments", POOLINGS, ids=str)
def test_pooling_is_kerass(kind, rank, arguments):
    name, arguments = f"{kind}{rank}D", {"pool_size": 2, **arguments}
    _agrees(getattr(layers, name)(**arguments), _kerass_pooling(name, arguments), _random(SHAPES[rank]))


@pytest.mark.parametrize("arguments", [
    {"pool_size": (3, 2), "strides": (1, 3)}, {"pool_size": (2, 4), "strides": (3, 1), "padding": "same"},
    {"pool_size": (11, 9)}, {"pool_size": (1, 3)},
], ids=str)
@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D"])
def test_pooling_with_unequal_windows_is_kerass(name, arguments):
    _agrees(getattr(layers, name)(**arguments), _kerass_pooling(name, arguments), _random(IMAGE))


@pytest.mark.parametrize("shape", [(2, 7, 9, 4), (1, 5, 5, 3)])
def test_averages_with_even_borders_are_kerass(shape):
    arguments = {"pool_size": 3, "strides": 2, "padding": "same"}
    _agrees(layers.AveragePooling2D(**arguments), keras.layers.AveragePooling2D(**arguments), _random(shape))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("arguments", [{"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}])
def test_min_pooling_is_max_pooling_of_the_negative(rank, arguments):
    peer = getattr(keras.layers, f"MaxPooling{rank}D")(**arguments)
    _agrees(getattr(layers, f"MinPooling{rank}D")(**arguments), lambda x: -peer(-x), _random(SHAPES[rank]))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_l2_pooling_is_pytorchs(rank):
    peer = (F.lp_pool1d, F.lp_pool2d, F.lp_pool3d)[rank - 1]
    for size, stride in ((2, 2), (3, 1), (2, 3)):
        _agrees(getattr(layers, f"L2Pooling{rank}D")(size, stride),
                _channels_first(peer, 2, size, stride), _random(SHAPES[rank]))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling_is_kerass(rank, keepdims):
    x = _random(SHAPES[rank])
    axes = tuple(range(1, rank + 1))
    for kind in ("GlobalMaxPooling", "GlobalAveragePooling"):
        name = f"{kind}{rank}D"
        _agrees(getattr(layers, name)(keepdims=keepdims), getattr(keras.layers, name)(keepdims=keepdims), x)
    _agrees(getattr(layers, f"GlobalMinPooling{rank}D")(keepdims=keepdims), lambda x: x.amin(axes, keepdim=keepdims), x)
    _agrees(getattr(layers, f"GlobalL2Pooling{rank}D")(keepdims=keepdims),
            lambda x: torch.linalg.vector_norm(x, dim=axes, keepdim=keepdims), x)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, (5, 3, 2)])
def test_adaptive_pooling_is_kerass(rank, size):
    size = size[:rank] if isinstance(size, tuple) else size
    for kind in ("AdaptiveAveragePooling", "AdaptiveMaxPooling"):
        name = f"{kind}{rank}D"
        _agrees(getattr(layers, name)(size), getattr(keras.layers, name)(size), _random(SHAPES[rank]))


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("window", "strides", "padding", "dilation"), [
    ((2, 2), (2, 2), (0, 0), (1, 1)), ((3, 3), (2, 2), (1, 1), (1, 1)), ((3, 2), (1, 3), (1, 1), (1, 1)),
    ((2, 3), (2, 3), (1, 0), (1, 1)), ((3, 3), (2, 2), (1, 0), (2, 1)), ((2, 2), (3, 2), (1, 1), (3, 4)),
    ((3, 3), (4, 3), (0, 1), (2, 3)),
])
def test_pooling_as_pytorch_exports_it(window, strides, padding, dilation, ceil_mode):
    x = _random(IMAGE)
    _agrees(layers.MaxPooling2D(window, strides, padding, dilation_rate=dilation, ceil_mode=ceil_mode),
            _channels_first(F.max_pool2d, window, strides, padding, dilation, ceil_mode), x)
    if dilation == (1, 1):
        for counted in (False, True):
            _agrees(layers.AveragePooling2D(window, strides, padding, ceil_mode=ceil_mode, count_include_pad=counted),
                    _channels_first(F.avg_pool2d, window, strides, padding, ceil_mode, counted), x)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_pooling_of_volumes_as_pytorch_exports_it(ceil_mode):
    x, window, strides, padding, dilation = _random((2, 7, 8, 9, 3)), (3, 2, 3), (2, 3, 1), (1, 1, 0), (1, 2, 3)
    _agrees(layers.MaxPooling3D(window, strides, padding, dilation_rate=dilation, ceil_mode=ceil_mode),
            _channels_first(F.max_pool3d, window, strides, padding, dilation, ceil_mode), x)
    for counted in (False, True):
        _agrees(layers.AveragePooling3D(window, strides, padding, ceil_mode=ceil_mode, count_include_pad=counted),
                _channels_first(F.avg_pool3d, window, strides, padding, ceil_mode, counted), x)


def test_ties_go_to_the_first_as_in_pytorch():
    x = np.round(_random((2, 6, 6, 6, 4)))
    _agrees(layers.MaxPooling3D(3, 2), _channels_first(F.max_pool3d, 3, 2), x)
    _agrees(layers.MaxPooling2D(3, 2), _channels_first(F.max_pool2d, 3, 2), x[0])


@pytest.mark.parametrize(("rank", "arguments"), [
    (1, {"pool_size": 3, "strides": 2, "padding": 1}), (2, {"pool_size": 3, "strides": 2, "padding": 1}),
    (2, {"pool_size": 2, "strides": 3, "dilation_rate": 2}), (3, {"pool_size": (2, 3, 2), "strides": 2, "padding": 1}),
])
def test_places_of_maxima_are_pytorchs_indices(rank, arguments):
    x = _random(SHAPES[rank])
    peer = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
    _, expected = peer(torch.tensor(x).movedim(-1, 1), arguments["pool_size"], arguments["strides"],
                        arguments.get("padding", 0), arguments.get("dilation_rate", 1), return_indices=True)
    layer = getattr(layers, f"MaxPooling{rank}D")(**arguments)
    expected_y = layer(x)
    y, found = max_pool_with_argmax(x, passes(x.shape, layer.pool_size, layer.strides, layer.padding,
                                              dilation=layer.dilation_rate), expected_y.shape)
    np.testing.assert_array_equal(found, expected.movedim(1, -1).numpy())
    np.testing.assert_array_equal(y, expected_y)


def _onnx(operator, x, **attributes):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node(operator, ["x"], ["y"], **attributes)
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, x.shape)], [value("y", 1, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.moveaxis(session.run(None, {"x": x})[0], 1, -1)


@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("dilations", [(1, 1), (2, 3)])
@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 0, 2, 1), (0, 2, 1, 0)])
def test_pooling_with_uneven_borders_is_onnxs(pads, dilations, ceil_mode):
    x = _random((2, 11, 12, 5))
    first = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    shape = {"kernel_shape": (3, 3), "strides": (2, 3), "pads": pads, "ceil_mode": ceil_mode}
    ours = {"pool_size": 3, "strides": (2, 3), "padding": ((pads[0], pads[2]), (pads[1], pads[3])),
            "ceil_mode": bool(ceil_mode), "dilation_rate": dilations}
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=2e-6 * max(1, np.abs(b).max()))
    close(layers.MaxPooling2D(**ours)(x), _onnx("MaxPool", first, dilations=dilations, **shape))
    close(layers.L2Pooling2D(**ours)(x), _onnx("LpPool", first, p=2, dilations=dilations, **shape))
    for counted in (0, 1):
        close(layers.AveragePooling2D(**ours, count_include_pad=bool(counted))(x),
              _onnx("AveragePool", first, dilations=dilations, count_include_pad=counted, **shape))


@pytest.mark.parametrize(("name", "argument"), [
    ("ZeroPadding1D", 2), ("ZeroPadding1D", (1, 3)), ("ZeroPadding2D", 1), ("ZeroPadding2D", (2, 0)),
    ("ZeroPadding2D", ((1, 0), (2, 3))), ("ZeroPadding3D", (1, 0, 2)), ("ZeroPadding3D", ((1, 0), (2, 3), (0, 1))),
    ("Cropping1D", 2), ("Cropping1D", (0, 3)), ("Cropping2D", 1), ("Cropping2D", ((1, 0), (2, 3))),
    ("Cropping3D", (1, 0, 2)), ("Cropping3D", ((1, 0), (2, 3), (0, 1))),
    ("UpSampling1D", 3), ("UpSampling2D", 2), ("UpSampling2D", (3, 1)), ("UpSampling3D", 2),
    ("UpSampling3D", (1, 3, 2)),
])
def test_borders_and_nearest_upsampling_are_kerass(name, argument):
    _agrees(getattr(layers, name)(argument), getattr(keras.layers, name)(argument), _random(SHAPES[int(name[-2])]))


@pytest.mark.parametrize("name", [f"{kind}{rank}D" for kind in ("ZeroPadding", "Cropping", "UpSampling", "MaxPooling")
                                  for rank in (1, 2, 3)] + ["GlobalMaxPooling2D"])
def test_defaults_are_kerass(name):
    x = _random(SHAPES[int(name[-2])])
    np.testing.assert_array_equal(getattr(layers, name)()(x), getattr(keras.layers, name)()(x).numpy())


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("mode", "theirs"), [("zero", "constant"), ("edge", "replicate"), ("reflect", "reflect")])
def test_padding_is_pytorchs(mode, theirs, rank):
    padding = ((1, 2), (3, 0), (2, 2))[:rank]
    flat = [n for pair in reversed(padding) for n in pair]
    _agrees(getattr(layers, f"Padding{rank}D")(padding, mode), _channels_first(F.pad, flat, theirs),
            _random(SHAPES[rank]))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [1, 2, (3, 2), (1, 4)])
@pytest.mark.parametrize("shape", [IMAGE, (1, 1, 2, 3), (2, 3, 1, 20)])
def test_interpolating_upsampling_is_kerass(shape, size, interpolation):
    _agrees(layers.UpSampling2D(size, interpolation=interpolation),
            keras.layers.UpSampling2D(size, interpolation=interpolation), _random(shape), tolerance=5e-6)
