"""Prediction runs a rewritten graph: the same numbers as the layers one by one, in fewer steps."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, device, layers
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.graph.nodes.scaled_conv import ScaledConv
from fastcnn.graph.nodes.with_relu import WithReLU
from fastcnn.kernels.cpu.amx import unit

DTYPES = [("float64", 1e-10), ("float32", 1e-4)]


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def images(n, dtype, shape=(13, 12, 3)):
    return np.random.default_rng(4).standard_normal((n, *shape)).astype(dtype)


def trained_like(model):
    """Give normalizations statistics that are not 0 and 1."""
    draw = np.random.default_rng(5)
    for p in model.weights:
        if p.name in ("gamma", "moving_variance"):
            p.assign(draw.uniform(0.5, 1.5, p.shape).astype(p.array.dtype))
        elif p.name in ("beta", "moving_mean", "bias"):
            p.assign(draw.uniform(-0.5, 0.5, p.shape).astype(p.array.dtype))
    return model


def residual(dtype):
    """A projection and a bottleneck, as in ResNet-50, then a block whose short cut is its input."""
    kw = {"dtype": dtype}
    x = inputs = fc.Input((13, 12, 3), dtype=dtype)
    x = layers.Conv2D(20, 3, **kw)(layers.ZeroPadding2D(((1, 1), (2, 0)), **kw)(x))
    x = layers.ReLU(**kw)(layers.BatchNormalization(**kw)(x))
    x = layers.MaxPooling2D(3, 2, **kw)(layers.ZeroPadding2D(1, **kw)(x))
    short = layers.BatchNormalization(**kw)(layers.Conv2D(32, 1, **kw)(x))
    y = layers.ReLU(**kw)(layers.BatchNormalization(**kw)(layers.Conv2D(16, 3, padding="same", **kw)(x)))
    y = layers.BatchNormalization(**kw)(layers.Conv2D(32, 3, padding="same", use_bias=False, **kw)(y))
    x = layers.ReLU(**kw)(layers.Add(**kw)([short, y]))
    y = layers.Dropout(0.3, **kw)(layers.Conv2D(32, 1, **kw)(x))
    x = layers.Add(**kw)([y, x])
    x = layers.Dense(10, activation="softmax", **kw)(layers.GlobalAveragePooling2D(**kw)(x))
    return fc.Model(inputs, x)


def inverted(dtype):
    """An inverted residual with ReLU6, as in MobileNet v2; then a dense layer that is added to."""
    kw = {"dtype": dtype}
    x = inputs = fc.Input((13, 12, 16), dtype=dtype)
    y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(layers.Conv2D(40, 1, use_bias=False, **kw)(x)))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, **kw)(y)
    y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(y))
    y = layers.BatchNormalization(**kw)(layers.Conv2D(16, 1, use_bias=False, **kw)(y))
    x = layers.Flatten(**kw)(layers.Add(**kw)([x, y]))
    a = layers.Dense(24, **kw)(x)
    b = layers.Dense(24, activation="tanh", **kw)(x)
    return fc.Model(inputs, layers.Activation("tanh", **kw)(layers.Add(**kw)([a, b])))


def dense_block(dtype):
    """Normalization before convolution, as in DenseNet; one tensor is read by many."""
    kw = {"dtype": dtype}
    x = inputs = fc.Input((13, 12, 3), dtype=dtype)
    for _ in range(2):
        y = layers.ReLU(**kw)(layers.BatchNormalization(**kw)(x))
        y = layers.Conv2D(8, 3, padding="same", use_bias=False, **kw)(y)
        x = layers.Concatenate(**kw)([x, y])
    x = layers.ReLU(**kw)(layers.Add(**kw)([x, x]))
    return fc.Model(inputs, layers.GlobalAveragePooling2D(**kw)(x))


def squeezing(dtype):
    """Inverted residuals with swish, and with squeeze and excitation before the projection, as in EfficientNet."""
    kw = {"dtype": dtype}
    x = inputs = fc.Input((44, 42, 16), dtype=dtype)
    for strides in (2, 1):
        y = layers.Conv2D(96, 1, activation="swish", **kw)(x)
        y = layers.DepthwiseConv2D(5, strides, padding="same", use_bias=False, **kw)(y)
        y = layers.Activation("swish", **kw)(layers.BatchNormalization(**kw)(y))
        z = layers.Reshape((1, 1, 96), **kw)(layers.GlobalAveragePooling2D(**kw)(y))
        z = layers.Conv2D(96, 1, activation="sigmoid", **kw)(layers.Conv2D(4, 1, activation="swish", **kw)(z))
        y = layers.Conv2D(16, 1, **kw)(layers.Multiply(**kw)([y, z]))
        x = y if strides == 2 else layers.Add(**kw)([x, y])
    return fc.Model(inputs, x)


NETWORKS = {"residual": residual, "inverted": inverted, "dense block": dense_block, "squeezing": squeezing}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("n", [2, 20])
def test_prediction_is_the_same_with_fusion_switched_off(network, dtype, tolerance, n):
    fc.utils.set_random_seed(3)
    model = trained_like(NETWORKS[network](dtype))
    x = images(n, dtype, model.input_shape[1:])
    config.set_fusion(False)
    expected = model.predict(x)
    config.set_fusion(True)
    for _ in range(3):  # the second time a plan is made, where the batch is small
        np.testing.assert_allclose(model.predict(x), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
    for p in model.weights:
        p.assign(0.9 * p.array)
    config.set_fusion(False)
    changed = model.predict(x)
    config.set_fusion(True)
    np.testing.assert_allclose(model.predict(x), changed, rtol=tolerance, atol=tolerance * np.abs(changed).max())


def kinds(model):
    return [type(step.node).__name__ for step in model.prediction_graph().steps]


def test_a_residual_network_runs_as_convolutions_that_add():
    model = residual("float32")
    assert kinds(model) == ["FusedConv", "MaxPooling2D", *["FusedConv"] * 4, "GlobalAveragePooling2D", "Dense"]
    added = [step for step in model.prediction_graph().steps if getattr(step.node, "adds", False)]
    assert [len(step.inputs) for step in added] == [2, 2]


def test_an_inverted_residual_is_one_step():
    assert kinds(inverted("float32")) == ["InvertedResidual", "Flatten", "Dense", "FusedConv"]


@pytest.mark.parametrize("size", [14, 60])  # parts of the channels, and bands
@pytest.mark.parametrize("n", [1, 3])
def test_blocks_of_bfloat16_multiply_pairs_where_the_cpu_does(size, n):
    """Two blocks one after the other, the second with a residual: what lies between them has 16 bits."""
    kw = {"dtype": "mixed_bfloat16"}
    fc.utils.set_random_seed(3)
    x = inputs = fc.Input((size, size, 16))
    for _ in range(2):
        y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(layers.Conv2D(96, 1, use_bias=False, **kw)(x)))
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, **kw)(y)
        y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(y))
        y = layers.BatchNormalization(**kw)(layers.Conv2D(16, 1, use_bias=False, **kw)(y))
        x = y if x is inputs else layers.Add(**kw)([x, y])
    model = trained_like(fc.Model(inputs, layers.Conv2D(8, 1, **kw)(x)))
    pictures = images(n, "float32", model.input_shape[1:])
    config.set_fusion(False)
    expected = model.predict(pictures)
    config.set_fusion(True)
    with device.cpu.recording() as calls:
        model.predict(pictures)
    names = [kernel.__name__ for kernel, _ in calls if "inverted" in kernel.__name__]
    assert names == [f"{'pairs_' if unit.has_pairs() else ''}inverted_residual_forward"] * 2
    for _ in range(3):
        # Fifteen times the 2^-9 to which a number of bfloat16 is good: two blocks and a convolution round that often.
        np.testing.assert_allclose(model.predict(pictures), expected, atol=0.03 * np.abs(expected).max())


def test_before_squeeze_and_excitation_an_expansion_and_its_window_are_one_step():
    assert kinds(squeezing("float32"))[:3] == ["InvertedResidual", "GlobalAveragePooling2D", "Reshape"]


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_blocks_within_l2_give_the_same_numbers(dtype, tolerance):
    """Large enough for the kernel that computes a block band by band; with and without expansion and addend."""
    kw = {"dtype": dtype}
    fc.utils.set_random_seed(3)
    x = inputs = fc.Input((40, 38, 16), dtype=dtype)
    y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(layers.Conv2D(96, 1, use_bias=False, **kw)(x)))
    y = layers.DepthwiseConv2D(3, 2, **kw)(layers.ZeroPadding2D(((0, 1), (0, 1)), **kw)(y))
    y = layers.Conv2D(160, 1, **kw)(layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(y)))
    z = layers.DepthwiseConv2D(3, padding="same", **kw)(y)
    y = layers.Add(**kw)([y, layers.BatchNormalization(**kw)(layers.Conv2D(160, 1, use_bias=False, **kw)(z))])
    model = trained_like(fc.Model(inputs, y))
    assert kinds(model) == ["InvertedResidual", "InvertedResidual"]
    pictures = images(3, dtype, (40, 38, 16))
    config.set_fusion(False)
    expected = model.predict(pictures)
    config.set_fusion(True)
    for _ in range(3):
        np.testing.assert_allclose(model.predict(pictures), expected, atol=tolerance * np.abs(expected).max())
    model.weights[1].assign(1.5 * model.weights[1].array)
    config.set_fusion(False)
    expected = model.predict(pictures)
    config.set_fusion(True)
    np.testing.assert_allclose(model.predict(pictures), expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("size", [130, 34])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_the_first_convolution_of_an_image_joins_the_block_after_it(dtype, tolerance, size):
    """As in MobileNet v1 and v2; in one call where the image is large, else in three."""
    kw = {"dtype": dtype}
    fc.utils.set_random_seed(3)
    inputs = fc.Input((size, size - 4, 3), dtype=dtype)
    y = layers.Conv2D(40, 3, 2, use_bias=False, **kw)(layers.ZeroPadding2D(((0, 1), (0, 1)), **kw)(inputs))
    y = layers.ReLU(6.0, **kw)(layers.BatchNormalization(**kw)(y))
    y = layers.ReLU(6.0, **kw)(layers.DepthwiseConv2D(3, padding="same", **kw)(y))
    model = trained_like(fc.Model(inputs, layers.Conv2D(10, 1, **kw)(y)))
    assert kinds(model) == ["InvertedResidual"]
    pictures = images(2, dtype, model.input_shape[1:])
    config.set_fusion(False)
    expected = model.predict(pictures)
    config.set_fusion(True)
    for _ in range(3):
        np.testing.assert_allclose(model.predict(pictures), expected, atol=tolerance * np.abs(expected).max())


def test_normalization_before_a_convolution_takes_the_rectifier():
    graph = dense_block("float32").prediction_graph()
    assert [isinstance(step.node, WithReLU) for step in graph.steps] == [True, False, False] * 2 + [True, False]


def test_what_somebody_else_reads_is_not_covered():
    x = inputs = fc.Input((6, 6, 4))
    y = layers.Conv2D(4, 1)(x)
    model = fc.Model(inputs, [layers.ReLU()(y), layers.Add()([x, y])])
    assert not any(isinstance(step.node, FusedConv) for step in model.prediction_graph().steps)
    picture = images(2, "float32", (6, 6, 4))
    a, b = model.predict(picture)
    np.testing.assert_allclose(b - picture, model.layers[1].predict(picture), atol=1e-6)
    np.testing.assert_allclose(a, np.maximum(b - picture, 0), atol=1e-6)


def test_zeros_before_a_pooling_of_negative_numbers_stay():
    """Zeros go into a pooling that ignores them only where nothing before it is negative."""
    for activation, expected in (
            (None, ["Conv2D", "ZeroPadding2D", "MaxPooling2D"]), ("relu", ["Conv2D", "MaxPooling2D"])):
        inputs = fc.Input((6, 6, 2))
        x = layers.Conv2D(4, 1, activation=activation, bias_initializer=fc.initializers.Constant(-100))(inputs)
        model = fc.Model(inputs, layers.MaxPooling2D(3)(layers.ZeroPadding2D(1)(x)))
        assert kinds(model) == expected
        assert (model.predict(images(1, "float32", (6, 6, 2)))[0, 0] == 0).all()


def test_an_addend_that_broadcasts_is_added_by_the_layer():
    inputs = fc.Input((6, 6, 4)), fc.Input((1, 1, 4))
    model = fc.Model(inputs, layers.Add()([layers.Conv2D(4, 1)(inputs[0]), inputs[1]]))
    assert kinds(model) == ["Conv2D", "Add"]


def test_the_summary_tells_what_a_prediction_plans():
    model = residual("float32")
    lines = []
    model.summary(print_fn=lines.append)
    assert f"8 steps, whose outputs share {model.planned_bytes():,} bytes" in lines[0]
    apart = sum(4 * int(np.prod(step.node.output_shape[1:])) for step in model.prediction_graph().steps)
    assert max(4 * 13 * 12 * 20, apart / 4) < model.planned_bytes() < apart


def test_a_gate_of_channels_is_taken_by_the_convolution_after_it_whoever_is_one_sample():
    fc.utils.set_random_seed(3)
    image, gate = fc.Input((5, 4, 6)), fc.Input((6,))
    multiply, conv = layers.Multiply(), layers.Conv2D(9, 1, activation="swish")
    model = fc.Model([image, gate], conv(multiply([image, gate])))
    node = model.prediction_graph().steps[-1].node
    assert isinstance(node, ScaledConv)
    x, scale = images(3, "float32", (5, 4, 6)), images(3, "float32", (6,))
    for given in ((x, scale), (x, scale[:1]), (x[:1], scale), (x[:0], scale[:0])):
        np.testing.assert_allclose(node.predict(given), conv.predict(multiply.predict(given)), atol=1e-6)


def test_an_activation_that_no_kernel_ends_in_follows_as_a_pass():
    fc.utils.set_random_seed(3)
    model = trained_like(fc.Sequential([fc.Input((5, 4, 6)), layers.BatchNormalization(), layers.ReLU(),
                                        layers.Conv2D(9, 1, activation="gelu")]))
    assert kinds(model) == ["ScaledConv"]
    x = images(3, "float32", (5, 4, 6))
    expected = x
    for layer in model.layers:
        expected = layer.predict(expected)
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-5)
