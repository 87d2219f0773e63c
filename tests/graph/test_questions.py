"""What rules ask of nodes, and which networks predict in which nodes: what a guard lets pass, and what it does not."""

import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph.node import is_replayable
from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.graph.nodes.with_relu import WithReLU
from fastcnn.graph.rules import questions
from fastcnn.kernels import codes
from fastcnn.operations.activation import Elementwise
from fastcnn.traits import Trait


class Own:
    """A function of one's own."""

    def forward(self, x):
        return x, lambda dy: dy


def built(layer, *shape):
    layer.build((None, *(shape or (6, 6, 3))))
    return layer


def own_activation():
    layer = layers.Activation("relu")
    layer.function = Own()
    return layer


DENSE, DENSE_RELU, DENSE_TANH = built(layers.Dense(2), 3), built(layers.Dense(2, activation="relu"), 3), built(
    layers.Dense(2, activation="tanh"), 3)
CLIPPED = [built(layers.Dense(2, activation=Elementwise("clip", codes.CLIP, 6.0, lowest)), 3) for lowest in (0.5, -0.5)]
ADDS = FusedConv.of(built(layers.Conv2D(3, 1))).with_residual()
RELU, RELU6, LINEAR, DROPOUT = layers.ReLU(), layers.ReLU(6.0), layers.Activation("linear"), layers.Dropout(0.5)
YES_AND_NO = {
    "is_linear": ([DENSE, ADDS], [DENSE_RELU, RELU, LINEAR]),
    "is_affine": ([DENSE], [DENSE_RELU, ADDS, LINEAR]),
    "is_activation": ([RELU, RELU6, layers.Softmax(), layers.Tanh()], [LINEAR, DENSE_RELU, own_activation(), DROPOUT]),
    "is_relu": ([RELU, layers.Activation("relu")], [RELU6, layers.Tanh(), LINEAR, DENSE_RELU]),
    "is_idle": ([DROPOUT, LINEAR], [RELU, DENSE, own_activation()]),
    "ends_in_clamp": ([DENSE, DENSE_RELU, *CLIPPED], [DENSE_TANH, RELU]),
    "ends_in_epilogue": ([DENSE, DENSE_RELU, *CLIPPED, DENSE_TANH],
                         [built(layers.Dense(2, activation="gelu"), 3), RELU]),
    "is_not_negative": ([DENSE_RELU, CLIPPED[0], WithReLU(built(layers.BatchNormalization()))],
                        [DENSE, DENSE_TANH, CLIPPED[1], layers.Tanh()]),
}


@pytest.mark.parametrize("question", YES_AND_NO)
def test_a_question_is_answered_by_what_a_node_declares(question):
    ask, (yes, no) = getattr(questions, question), YES_AND_NO[question]
    assert [bool(ask(node)) for node in (*yes, *no)] == [True] * len(yes) + [False] * len(no)


def test_all_traits_that_are_asked_for_must_be_there():
    conv = built(layers.Conv2D(2, 3))
    assert questions.has(Trait.PRODUCT | Trait.CONV2D)(conv)
    assert not questions.has(Trait.PRODUCT | Trait.DEPTHWISE2D)(conv)
    assert not questions.has(Trait.PRODUCT)(object())


@pytest.mark.parametrize(("function", "rank", "expected"), [
    ("softmax", 2, True), ("softmax", 4, True), ("log_softmax", 2, False), ("relu", 2, False)])
def test_a_softmax_over_the_last_axis_is_one_whose_logits_a_loss_takes(function, rank, expected):
    layer = built(layers.Activation(function), *(3,) * (rank - 1))
    assert questions.is_softmax(layer.function, layer) == expected


def test_a_softmax_over_another_axis_is_none():
    for axis, expected in ((-1, True), (3, True), (1, False), ((1, 2, 3), False), ((2, 3), False)):
        layer = built(layers.Softmax(axis=axis), 2, 3, 4)
        assert questions.is_softmax(layer.function, layer) == expected


def test_what_does_more_than_to_call_kernels_is_not_replayed():
    class Mine(layers.Layer):
        replayable = True

        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

    sequential = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    assert is_replayable(DENSE)
    assert is_replayable(FusedConv.of(DENSE_TANH))
    assert not is_replayable(own_activation())
    assert not is_replayable(object())
    assert is_replayable(Mine(layers.ReLU()))
    assert not is_replayable(Mine(own_activation()))
    assert not is_replayable(Mine(sequential))
    assert not is_replayable(sequential)


def kinds(*made, shape=(12, 12, 3)):
    """Return what a prediction runs, by the names of classes."""
    model = fc.Sequential([fc.Input(shape), *made])
    return [type(step.node).__name__ for step in model.prediction_graph().steps]


def conv(filters=8, size=1, **kwargs):
    return layers.Conv2D(filters, size, **kwargs)


def window(**kwargs):
    return layers.DepthwiseConv2D(3, **kwargs)


#: Three layers, each with a chance to be part of an inverted residual, and what runs of them.
BLOCKS = {
    "an expansion": ((conv(activation="relu6"), window(), conv()), ["InvertedResidual"]),
    "of a signal of colours": ((conv(size=3, strides=2), window(), conv()), ["InvertedResidual"]),
    "with functions": ((conv(activation="silu"), window(activation="hard_silu"), conv(activation="tanh")),
                       ["InvertedResidual"]),
    "without an expansion": ((conv(activation="gelu"), window(activation="relu"), conv()),
                             ["Conv2D", "InvertedResidual"]),
    "an expansion in groups": ((conv(9, groups=3), window(), conv()), ["Conv2D", "InvertedResidual"]),
    "a window with another function": ((conv(), window(activation="gelu"), conv()),
                                       ["Conv2D", "DepthwiseConv2D", "Conv2D"]),
    "two filters a channel": ((conv(), window(depth_multiplier=2), conv()), ["Conv2D", "DepthwiseConv2D", "Conv2D"]),
    "a window with gaps": ((conv(), window(dilation_rate=2), conv()), ["Conv2D", "DepthwiseConv2D", "Conv2D"]),
    "a wide projection": ((conv(), window(), conv(size=3)), ["InvertedResidual", "Conv2D"]),
    "a projection in strides": ((conv(), window(), conv(strides=2)), ["InvertedResidual", "Conv2D"]),
    "a projection in groups": ((conv(), window(), conv(groups=2)), ["InvertedResidual", "Conv2D"]),
    "a projection with another function": ((conv(), window(), conv(activation="gelu")), ["InvertedResidual", "Conv2D"]),
    "a projection with a border": ((conv(), window(), conv(padding=((1, 1), (1, 1)))), ["InvertedResidual", "Conv2D"]),
    "zeros before the projection": ((conv(), window(), layers.ZeroPadding2D(1), conv()),
                                    ["InvertedResidual", "FusedConv"]),
    "zeros before the window": ((conv(), layers.ZeroPadding2D(1), window(), conv()), ["InvertedResidual"]),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_three_convolutions_are_an_inverted_residual_or_not(name):
    made, expected = BLOCKS[name]
    assert kinds(*[type(layer).from_config(layer.get_config()) for layer in made]) == expected


@pytest.mark.parametrize(("channels", "size", "joins"), [(4, 3, True), (5, 3, False), (5, 1, True)])
def test_the_first_convolution_of_an_image_joins_with_any_window_up_to_four_channels(channels, size, joins):
    found = kinds(conv(size=size), window(), conv(), shape=(12, 12, channels))
    assert found == (["InvertedResidual"] if joins else ["Conv2D", "InvertedResidual"])


@pytest.mark.parametrize(("border", "pooling", "reason"), [
    (1, {}, None), (2, {}, None), (((2, 0), (0, 2)), {}, None),
    (3, {}, "may lie within the zeros"), (((3, 0), (0, 0)), {}, "may lie within the zeros"),
    (((0, 3), (0, 0)), {}, "may lie within the zeros"), (((0, 0), (0, 3)), {}, "may lie within the zeros"),
    (1, {"padding": "same"}, "has a padding"), (1, {"ceil_mode": True}, "has a padding"),
    (1, {"dilation_rate": 2, "strides": 1}, "has a padding")])
@pytest.mark.parametrize("activation", ["relu", None])
def test_zeros_join_the_pooling_after_them_where_no_window_tells_them_from_none(border, pooling, reason, activation):
    made = conv(activation=activation), layers.ZeroPadding2D(border), layers.MaxPooling2D(3, **pooling)
    model = fc.Sequential([fc.Input((12, 12, 3)), *made])
    found = [one for one in model.fusions(1) if one.rule == "zeros, max pooling"]
    expected = reason or ("" if activation else "the image may be negative")
    assert [expected in one.reason if expected else one.reason for one in found] == [True if expected else ""]
    names = ["Conv2D", "MaxPooling2D"] if not expected else ["Conv2D", "ZeroPadding2D", "MaxPooling2D"]
    assert [type(step.node).__name__ for step in model.prediction_graph().steps] == names


def test_zeros_around_the_input_itself_stay():
    assert kinds(layers.ZeroPadding2D(1), layers.MaxPooling2D(3)) == ["ZeroPadding2D", "MaxPooling2D"]


def test_a_node_takes_a_residual_a_border_and_an_activation_once_each():
    layer = built(layers.Conv2D(3, 3, padding="same"))
    node = FusedConv.of(layer)
    assert FusedConv.of(node) is node
    assert Trait.TAKES_RESIDUAL | Trait.TAKES_BORDER | Trait.PRODUCT in node.traits
    adds = node.with_residual()
    assert Trait.TAKES_RESIDUAL not in adds.traits
    assert Trait.TAKES_BORDER in adds.traits
    assert (adds.many_inputs, adds.input_shape) == (True, ((None, 6, 6, 3), (None, 6, 6, 3)))
    bordered = node.with_border(built(layers.ZeroPadding2D(1), 4, 4, 3))
    assert bordered.border == ((2, 2), (2, 2))  # the zeros, and those of "same"
    assert Trait.TAKES_BORDER not in bordered.traits
    assert Trait.TAKES_RESIDUAL in bordered.traits
    assert (bordered.many_inputs, bordered.input_shape) == (False, (None, 4, 4, 3))
    assert not any(trait in node.traits for trait in (Trait.CONV2D, Trait.BATCH_NORM))
