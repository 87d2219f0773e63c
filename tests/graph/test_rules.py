"""Every rule of fusion: where it fits, where its guard holds it back and why, and that the numbers stay the same."""

import ast
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, graph, layers
from fastcnn.graph.node import PredictionNode, TrainingNode, is_replayable
from fastcnn.graph.rules import RULES, Rule, added
from fastcnn.symbolic import as_shapes

KW = {"dtype": "float64"}


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def conv(filters=4, size=3, **kwargs):
    return layers.Conv2D(filters, size, **kwargs, **KW)


def norm(**kwargs):
    return layers.BatchNormalization(**kwargs, **KW)


def chain(*made):
    def applied(x):
        for layer in made:
            x = layer(x)
        return x

    return applied


def relu(**kwargs):
    return layers.ReLU(**kwargs, **KW)


def twice_read(first, second):
    """A layer whose output another one and a sum read."""
    def applied(x):
        y = first(x)
        return layers.Add(**KW)([y, second(y)])

    return applied


def beside(x, other=None):
    """A convolution that is added to its own input, or to another tensor."""
    return layers.Add(**KW)([conv(padding="same", activation=None)(x), x if other is None else other(x)])


def three(x):
    return layers.Add(**KW)([conv(padding="same")(x), x, x])


def head(x):
    return layers.Dense(3, activation="softmax", **KW)(layers.GlobalAveragePooling2D(**KW)(x))


def flat(*made):
    return chain(layers.GlobalAveragePooling2D(**KW), *made)


def side_by_side(layer):
    """A layer of an image and what a convolution makes of it, side by side."""
    return lambda x: layer(layers.Concatenate(**KW)([x, conv(12, 3, padding="same")(x)]))


def gate(x, channels=4):
    return layers.Reshape((1, 1, channels), **KW)(layers.GlobalAveragePooling2D(**KW)(x))


def gated(channels):
    """An image times a number for each of its channels."""
    return lambda x: layers.Multiply(**KW)([x, gate(x, channels)])


def shortcut(*after, of=None):
    """A convolution and its normalization, added to the input or what is made of it, and what follows the sum."""
    return lambda x: chain(*after)(layers.Add(**KW)([norm()(conv(padding="same")(x)), x if of is None else of(x)]))


# rule: what fits and what runs there, then what nearly fits and why not. A head is put on what has none.
ROWS = {
    "a softmax layer before cross-entropy": (
        lambda: flat(layers.Dense(3, **KW), layers.Softmax(**KW)), "nothing",
        lambda: flat(layers.Dense(3, **KW), layers.Softmax(activity_regularizer="l2", **KW)),
        "it has an activity_regularizer"),
    "a softmax before cross-entropy": (
        lambda: flat(layers.Dense(3, activation="softmax", **KW)), "Dense",
        lambda: flat(layers.Dense(3, activation="softmax", activity_regularizer="l2", **KW)),
        "it has an activity_regularizer"),
    "dropout, noise, linear activations": (
        lambda: chain(layers.Dropout(0.5, **KW), layers.Activation("linear", **KW), conv()), "nothing", None, ""),
    "a linear layer, batch normalization, a rectifier": (
        lambda: chain(conv(), norm(), layers.LeakyReLU(**KW)), "ConvBatchNorm",
        lambda: chain(conv(), norm(activity_regularizer="l2"), relu()), "has an activity_regularizer"),
    "a linear layer, batch normalization": (
        lambda: chain(conv(), norm(), layers.Tanh(**KW)), "ConvBatchNorm",
        lambda: lambda x: norm()(conv()(x), training=False), "runs as in inference"),
    "batch normalization, a sum, a rectifier": (
        lambda: shortcut(layers.ReLU6(**KW)), "ConvBatchNorm",
        lambda: shortcut(relu(), of=gate), "the residual is broadcast"),
    "batch normalization, a sum": (
        lambda: shortcut(layers.Tanh(**KW)), "ConvBatchNorm",
        lambda: lambda x: layers.Add(**KW)([norm()(conv(padding="same")(x)), x, x]), "takes two"),
    "batch normalization, max pooling": (
        lambda: chain(conv(), norm(), relu(), layers.MaxPooling2D((3, 2), **KW)), "ConvBatchNormMaxPool",
        lambda: chain(conv(), norm(), layers.MaxPooling2D(3, strides=2, **KW)), "has windows that overlap"),
    "batch normalization or a sum, ReLU, in training": (
        lambda: chain(norm(), relu()), "WithReLU", lambda: twice_read(norm(), relu()), "others read the output of"),
    "zeros, a convolution, in training": (
        lambda: chain(layers.ZeroPadding2D(((0, 1), (2, 1)), **KW), conv(strides=2)), "Conv2D",
        lambda: twice_read(layers.ZeroPadding2D(1, **KW), conv(padding="same")), "others read the output of"),
    "zeros, max pooling, in training": (
        lambda: chain(conv(strides=2), norm(), relu(), layers.ZeroPadding2D(1, **KW),
                      layers.MaxPooling2D(3, strides=2, **KW)), "MaxPooling2D",
        lambda: chain(conv(), norm(), layers.LeakyReLU(**KW), layers.ZeroPadding2D(1, **KW),
                      layers.MaxPooling2D(3, **KW)), "the image may be negative"),
    "a convolution or dense layer, batch normalization or a scale": (
        lambda: chain(conv(), norm(), norm()), "FusedConv",
        lambda: twice_read(conv(), norm()), "others read the output of"),
    "narrow convolutions, with activations and poolings": (
        lambda: chain(conv(), relu(), layers.MaxPooling2D(2, **KW)), "BatchInterleaved",
        lambda: chain(conv(trainable=False)), "is frozen"),
    "a linear layer, an activation": (
        lambda: chain(conv(8, 3, padding="same"), layers.Activation("gelu", **KW)), "Conv2D",
        lambda: twice_read(conv(8, 3), layers.Activation("gelu", **KW)), "others read the output of"),
    "a convolution, max pooling": (
        lambda: chain(conv(8, 3, padding="same", activation="relu"), layers.MaxPooling2D(2, **KW)), "ConvMaxPool",
        lambda: chain(conv(8, 3, padding="same", activation="tanh"), layers.MaxPooling2D(2, **KW)),
        "has another activation than ReLU"),
    "two images, a convolution": (
        lambda: side_by_side(conv(8, 3, padding="same", activation="relu")), "JoinedConv",
        lambda: side_by_side(conv(8, 3, strides=2)), "has other windows than 3 x 3, strides, dilation or groups"),
    "zeros, a convolution": (
        lambda: chain(layers.ZeroPadding2D(1, **KW), conv(strides=2)), "FusedConv",
        lambda: twice_read(layers.ZeroPadding2D(1, **KW), conv(padding="same")), "others read the output of"),
    "a convolution or dense layer, a sum": (
        lambda: beside, "FusedConv", lambda: lambda x: beside(x, gate), "the residual is broadcast"),
    "a convolution or dense layer, an activation": (
        lambda: chain(conv(8, 3, padding="same"), layers.Activation("gelu", **KW)), "FusedConv",
        lambda: twice_read(conv(8, 3), layers.Activation("gelu", **KW)), "others read the output of"),
    "batch normalization or a sum, ReLU": (
        lambda: chain(norm(), relu()), "WithReLU", lambda: twice_read(norm(), relu()), "others read the output of"),
    "zeros, max pooling": (
        lambda: chain(conv(activation="relu", padding="same", strides=2), layers.ZeroPadding2D(1, **KW),
              layers.MaxPooling2D(3, **KW)), "MaxPooling2D",
        lambda: chain(layers.ZeroPadding2D(1, **KW), layers.MaxPooling2D(3, **KW)), "the image may be negative"),
    "batch normalization with ReLU or a gate, a 1x1 convolution": (
        lambda: chain(norm(), relu(), conv(8, 1, activation="relu"), gated(8), conv(8, 1)), "ScaledConv",
        lambda: chain(lambda x: layers.Multiply(**KW)([x, x]), conv(8, 1)), "has no number for each channel second"),
    "an inverted residual": (
        lambda: chain(conv(24, 1, activation="relu6"), layers.DepthwiseConv2D(3, padding="same", **KW), conv(4, 1)),
        "InvertedResidual",
        lambda: chain(conv(24, 1), twice_read(layers.DepthwiseConv2D(3, padding="same", **KW), conv(24, 1))),
        "others read the output of"),
    "an expansion and a depthwise convolution": (
        lambda: chain(conv(24, 1, activation="relu6"), layers.DepthwiseConv2D(3, padding="same", **KW), gated(24),
                      conv(4, 1)), "InvertedResidual",
        lambda: chain(twice_read(conv(24, 1), layers.DepthwiseConv2D(3, padding="same", **KW))),
        "others read the output of"),
}


def model_of(make):
    fc.utils.clear_session()
    fc.utils.set_random_seed(7)
    x = fc.Input((10, 10, 4), **KW)
    y = make()(x)
    model = fc.Model(x, y if y.shape == (None, 3) else head(y))
    model.compile(fc.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    draw = np.random.default_rng(2)
    for p in model.weights:  # else a normalization does nothing yet
        p.assign(0.3 * draw.standard_normal(p.shape) if "variance" not in p.name else draw.uniform(0.5, 1.5, p.shape))
    return model


def records(make, rule, batch_size=None):
    """Return what is told of a rule: in batches that fill lanes, where it wants them, and in small ones elsewhere."""
    batch_size = batch_size or (16 if rule.startswith("narrow") else 4)
    return [one for one in model_of(make).fusions(batch_size) if one.rule == rule]


def test_every_rule_has_a_row_and_a_name_of_its_own():
    assert sorted(ROWS) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("rule", ROWS)
def test_a_rule_fits_where_it_should(rule):
    make, node, _, _ = ROWS[rule]
    found = [one for one in records(make, rule) if one.node]
    assert found
    assert {one.node for one in found} == {node}
    assert all(not one.reason and one.layers for one in found)


@pytest.mark.parametrize("rule", [rule for rule, row in ROWS.items() if row[2]])
def test_a_rule_that_nearly_fits_says_why_it_does_not(rule):
    _, _, make, reason = ROWS[rule]
    found = records(make, rule)
    assert found
    assert all(not one.node for one in found)
    assert any(reason in one.reason for one in found), found


@pytest.mark.parametrize("rule", ROWS)
def test_the_numbers_are_those_without_fusion(rule):
    draw = np.random.default_rng(3)
    x, y = draw.standard_normal((16, 10, 10, 4)), draw.integers(0, 3, 16)
    for make in ROWS[rule][::2]:
        found = []
        for on in (True, False):
            config.set_fusion(on)
            if make is None:
                continue
            model = model_of(make)
            losses = [model.train_on_batch(x, y) for _ in range(2)]
            found.append([np.array(losses), *model.get_weights(), model.predict(x), model.predict(x[:1])])
        for a, b in zip(*found, strict=True) if found else ():
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("make", "batch", "reason"), [
    (lambda: chain(conv()), 2, "fewer images than a vector has lanes"),
    (lambda: chain(conv(40, 1), conv(64, 1)), 16, "is wide: 40 channels to 64"),
    (lambda: chain(conv(strides=2)), 16, "has strides, dilation or groups"),
    (lambda: chain(conv(300, 1)), 16, "larger than the cache")])
def test_a_narrow_run_is_held_back_for_a_reason(make, batch, reason):
    found = records(make, "narrow convolutions, with activations and poolings", batch)
    assert any(reason in one.reason for one in found), found


def test_a_sum_of_three_is_no_addend():
    found = records(lambda: three, "a convolution or dense layer, a sum")
    assert [one.reason for one in found] == ["others read the output of input_layer, too"] or all(
        "takes two" in one.reason for one in found)
    assert found


def test_fusions_are_told_as_text_and_not_at_all_when_switched_off():
    model = model_of(ROWS["an inverted residual"][0])
    text = str(model.fusions(1))
    assert text.splitlines()[0] == "training, in batches of 1"
    assert "an inverted residual -> InvertedResidual (1)\n    conv2d + depthwise_conv2d + conv2d_1" in text
    assert "a softmax before cross-entropy -> Dense (1)\n    dense" in text
    config.set_fusion(False)
    assert model.fusions() == []
    assert str(model.fusions()) == "no rule of fusion fits"
    with pytest.raises(fc.errors.ArgumentError, match="expected a positive batch_size, got 0"):
        model.fusions(0)


def test_what_is_told_is_what_runs():
    for rule in ROWS:
        model = model_of(ROWS[rule][0])
        for training in (True, False):
            graph = model._executable.get(16, (0,) if training else (), not training)
            nodes = [type(step.node).__name__ for step in graph.steps]
            mode = "training" if training else "prediction"
            told = {one.node for one in model.fusions(16) if one.mode == mode and one.node not in ("", "nothing")}
            fused = {name for name in nodes if not hasattr(layers, name)}
            assert fused <= told


@pytest.mark.parametrize("rule", ROWS)
def test_what_runs_is_a_node_as_it_is_written_down(rule):
    for make in filter(None, ROWS[rule][::2]):
        model = model_of(make)
        for batch in (1, 16):
            get = model._executable.get
            training, prediction = get(batch, (0,)) or get(batch), get(batch, predicts=True)
            assert all(isinstance(step.node, TrainingNode) for step in training.steps)
            assert all(isinstance(step.node, PredictionNode) for step in prediction.steps)
            for step in (*training.steps, *prediction.steps):
                shapes = step.node.input_shape if step.node.many_inputs else (step.node.input_shape,)
                assert len(step.inputs) >= len(shapes) == len(as_shapes(shapes))
                assert is_replayable(step.node)
                assert set(map(id, step.node.parameters)) <= set(map(id, model.weights))
            assert {id(p) for step in training.steps for p in step.node.trainable_weights} == {
                id(p) for p in model.trainable_weights}


def test_mistakes_in_a_rule_of_ones_own_are_told():
    is_dense = lambda node: isinstance(node, layers.Dense)
    with pytest.raises(fc.errors.ArgumentError, match=r'rule "x": expected a pattern of functions.*got \(\)'):
        Rule("x", (), str, prediction=True)
    with pytest.raises(fc.errors.ArgumentError, match=r"expected a pattern of functions.*Dense"):
        Rule("x", ("Dense",), str, prediction=True)
    with pytest.raises(fc.errors.ArgumentError, match="expected training=True or prediction=True, got neither"):
        Rule("x", (is_dense,), str)
    with pytest.raises(fc.errors.ArgumentError, match="expected a pattern of one step, which is left out, got 2"):
        Rule("x", (is_dense, is_dense), None, prediction=True)
    with pytest.raises(fc.errors.ArgumentError, match="expected two questions of a run"):
        Rule("x", (is_dense,), str, prediction=True, is_run=True)
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2)])
    with (added(Rule("x", (is_dense,), lambda match: "node", prediction=True)),
          pytest.raises(fc.errors.ArgumentError, match=r"got str without input_shape, output_shape, .*predict")):
        model.predict(np.zeros((1, 3), np.float32))
    assert model.predict(np.zeros((1, 3), np.float32)).shape == (1, 2)


def test_fusions_of_a_model_without_shapes_ask_for_them_and_long_names_are_cut():
    with pytest.raises(fc.errors.ArgumentError, match="expected a built model"):
        fc.Sequential([layers.Dense(2)]).fusions()
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2, name="d" * 500), layers.Tanh()])
    assert max(map(len, str(model.fusions()).splitlines())) < 100


GRAPH = Path(graph.__file__).parent


def test_no_rule_node_or_engine_asks_for_a_class():
    """A layer is known by what it declares; what is left are arrays, tuples and the place where an input begins."""
    for path in sorted(GRAPH.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            text = ast.unparse(node) if isinstance(node, (ast.Call, ast.Compare)) else ""
            if isinstance(node, ast.Call) and text.startswith(("isinstance(", "issubclass(")):
                assert text.split(", ")[-1] in ("np.ndarray)", "tuple)", "InputLayer)", "cls)"), f"{path}: {text}"
            if isinstance(node, ast.Compare):
                assert "type(" not in text, f"{path}: {text}"
                assert "__name__" not in text, f"{path}: {text}"
                assert "__class__" not in text, f"{path}: {text}"
