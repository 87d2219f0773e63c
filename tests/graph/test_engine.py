"""The engine of rules: which steps it finds, in which order, and what becomes of networks that everybody knows."""

from collections import Counter

import pytest

import fastcnn as fc
from fastcnn import initializers, layers
from fastcnn.graph.rules import Context, Rule, rewritten
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.traits import NONE, Trait


class Node:
    """A node of a kind, which promises nothing but its traits."""

    replayable, parameters, trainable_weights, input_shape, output_shape = True, (), (), (None, 1), (None, 1)

    def __init__(self, kind, many=False, traits=NONE):
        self.kind = self.name = kind
        self.many_inputs, self.traits = many, traits

    def forward(self, x, call=None):
        raise NotImplementedError

    def predict(self, x):
        raise NotImplementedError


def graph(*steps, outputs=None, slots=12):
    """A graph of steps "kind: inputs > output"; a sum reads several."""
    made = []
    for text in steps:
        kind, _, rest = text.partition(": ")
        inputs, _, output = rest.partition(" > ")
        inputs = tuple(map(int, inputs.split()))
        node = Node(kind, len(inputs) > 1, Trait.SUM if kind == "sum" else NONE)
        made.append(GraphStep(node, inputs, (int(output),)))
    return Graph([0], outputs or [made[-1].outputs[0]], made, slots)


def is_a(kind):
    return lambda node: node.kind == kind


def joined(*kinds, **more):
    """A rule that joins kinds to one, "a+b"."""
    return Rule(f"joins {'+'.join(kinds)}", tuple(map(is_a, kinds)),
                lambda match: Node("+".join(node.kind for node in match.nodes), len(match.steps[0].inputs) > 1 or any(
                    node.many_inputs for node in match.nodes)), **{"prediction": True} | more)


def text(found):
    return [f"{step.node.kind}: {' '.join(map(str, step.inputs))} > {step.outputs[0]}" for step in found.steps]


def run(given, *rules, training=False, fills_lanes=False, explain=False):
    found, fusions = rewritten(given, rules, Context(training, fills_lanes), explain)
    return text(found), fusions


def test_a_chain_is_joined_where_its_last_step_was_and_reads_what_its_first_read():
    found, fusions = run(graph("a: 0 > 1", "x: 0 > 2", "b: 1 > 3", "y: 3 2 > 4"), joined("a", "b"))
    assert found == ["x: 0 > 2", "a+b: 0 > 3", "y: 3 2 > 4"]
    assert fusions == [("prediction", "joins a+b", ("a", "b"), "Node", "")]


def test_what_further_steps_read_comes_after_what_the_first_read():
    found, _ = run(graph("x: 0 > 1", "a: 0 > 2", "sum: 1 2 > 3", "b: 3 > 4"), joined("a", "sum", "b"))
    assert found == ["x: 0 > 1", "a+sum+b: 0 1 > 4"]


def test_of_several_that_a_sum_reads_the_one_that_runs_last_joins_it():
    for order in ("1 2", "2 1"):
        found, _ = run(graph("a: 0 > 1", "a: 0 > 2", f"sum: {order} > 3"), joined("a", "sum"))
        assert found == ["a: 0 > 1", "a+sum: 0 1 > 3"]
    found, _ = run(graph("a: 0 > 1", "a: 0 > 2", "sum: 1 2 > 3", outputs=[3, 2]), joined("a", "sum"))
    assert found == ["a: 0 > 2", "a+sum: 0 2 > 3"]  # somebody else reads the last
    found, _ = run(graph("a: 0 > 1", "sum: 1 1 > 2"), joined("a", "sum"))
    assert found == ["a: 0 > 1", "sum: 1 1 > 2"]


def test_who_is_no_sum_is_joined_by_its_first_input_alone():
    given = graph("a: 0 > 1", "x: 0 > 2", "b: 2 1 > 3")
    assert run(given, joined("a", "b"))[0] == text(given)
    assert run(graph("a: 0 > 1", "x: 0 > 2", "b: 1 2 > 3"), joined("a", "b"))[0] == ["x: 0 > 2", "a+b: 0 2 > 3"]


def test_rules_run_in_their_order_and_see_what_those_before_them_made():
    given = graph("a: 0 > 1", "b: 1 > 2", "c: 2 > 3")
    assert run(given, joined("a", "b"), joined("b", "c"))[0] == ["a+b: 0 > 2", "c: 2 > 3"]
    assert run(given, joined("b", "c"), joined("a", "b"))[0] == ["a: 0 > 1", "b+c: 1 > 3"]
    assert run(given, joined("a", "b"), joined("a+b", "c"))[0] == ["a+b+c: 0 > 3"]
    assert text(given) == ["a: 0 > 1", "b: 1 > 2", "c: 2 > 3"]  # the graph itself stays


def test_one_rule_fits_again_where_it_was():
    again = Rule("joins all", (lambda node: node.kind.startswith("a"), is_a("b")),
                 lambda match: Node("a" + match.nodes[0].kind), prediction=True)
    assert run(graph("a: 0 > 1", "b: 1 > 2", "b: 2 > 3"), again)[0] == ["aaa: 0 > 3"]


def test_the_other_pattern_is_tried_where_the_first_does_not_fit():
    rule = joined("a", "b", "c", or_pattern=(is_a("b"), is_a("c")))
    assert run(graph("a: 0 > 1", "b: 1 > 2", "c: 2 > 3"), rule)[0] == ["a+b+c: 0 > 3"]
    assert run(graph("x: 0 > 1", "b: 1 > 2", "c: 2 > 3"), rule)[0] == ["x: 0 > 1", "b+c: 1 > 3"]


def test_a_step_that_is_left_out_gives_its_readers_what_it_read():
    rule = Rule("idle", (is_a("i"),), None, prediction=True)
    found, fusions = run(graph("i: 0 > 1", "i: 1 > 2", "a: 2 > 3", "b: 2 > 4", outputs=[3, 4, 2]), rule)
    assert found == ["a: 0 > 3", "b: 0 > 4"]
    assert [one.node for one in fusions] == ["nothing", "nothing"]
    graph_found = rewritten(graph("i: 0 > 1", "a: 1 > 2", outputs=[2, 1]), [rule], Context(False))[0]
    assert graph_found.outputs == [2, 0]
    # Whoever else reads what it read now shares it: then nobody reads that alone.
    both = graph("a: 0 > 1", "i: 1 > 2", "b: 1 > 3", "c: 2 > 4", outputs=[3, 4])
    assert run(both, rule, joined("a", "b"), joined("a", "c"))[0] == ["a: 0 > 1", "b: 1 > 3", "c: 1 > 4"]
    alone = graph("a: 0 > 1", "i: 1 > 2", "b: 2 > 3")
    assert run(alone, joined("a", "b"), rule)[0] == ["a+b: 0 > 3"]  # what leaves out comes first


def test_the_longest_run_is_taken_that_the_guard_lets_pass_at_every_length():
    def guard(match):
        return "too long" if len(match.steps) > 3 else None

    run_of = Rule("a run", (is_a("a"), lambda node: node.kind in "ab"),
                  lambda match: Node("".join(node.kind for node in match.nodes)), guard, prediction=True, is_run=True)
    given = graph("b: 0 > 1", "a: 1 > 2", "b: 2 > 3", "b: 3 > 4", "a: 4 > 5", "c: 5 > 6")
    found, fusions = run(given, run_of, explain=True)
    assert found == ["b: 0 > 1", "abb: 1 > 4", "a: 4 > 5", "c: 5 > 6"]
    assert [(one.layers, one.reason) for one in fusions] == [(("a", "b", "b"), ""), (("a",), "")]
    shared = graph("a: 0 > 1", "b: 1 > 2", "b: 2 > 3", outputs=[3, 2])
    assert run(shared, run_of)[0] == ["ab: 0 > 2", "b: 2 > 3"]


def test_chains_run_where_their_last_step_was_in_training_and_in_large_batches():
    given = graph("a: 0 > 1", "b: 0 > 2", "c: 1 > 3", "d: 2 > 4", "sum: 3 4 > 5", "e: 5 > 6")
    together = ["a: 0 > 1", "c: 1 > 3", "b: 0 > 2", "d: 2 > 4", "sum: 3 4 > 5", "e: 5 > 6"]
    assert run(given, training=True)[0] == run(given, fills_lanes=True)[0] == together
    assert run(given)[0] == text(given)


def test_penalties_and_inference_keep_steps_apart_in_training_alone():
    rule = joined("a", "b", training=True)
    for change, reason in (({"regularizer": "l2"}, "a has an activity_regularizer"),
                           ({"training": False}, "a runs as in inference")):
        given = graph("a: 0 > 1", "b: 1 > 2")
        for name, value in change.items():
            setattr(given.steps[0], name, value)
        found, fusions = run(given, rule, training=True, explain=True)
        assert found == ["a: 0 > 1", "b: 1 > 2"]
        assert [one.reason for one in fusions] == [reason]
        assert run(given, rule, explain=False, training=True)[1] == []
        assert run(given, rule)[0] == ["a+b: 0 > 2"]


def test_a_node_trains_as_its_steps_did_and_is_penalized_as_the_last():
    given = graph("a: 0 > 1", "b: 1 > 2")
    given.steps[0].use, given.steps[1].use, given.steps[1].regularizer = 3, 4, "l2"
    for step in given.steps:
        step.training = False
    step, = rewritten(given, [joined("a", "b", training=True)], Context(True))[0].steps
    assert (step.training, step.regularizer, step.use) == (False, "l2", 3)


# What runs of networks that everybody knows: in training on a batch that fills lanes, and in prediction of one image.
NETWORKS = {
    "ResNet50": ({"ConvBatchNorm": 53}, 56, {"FusedConv": 53}, 56),
    "MobileNetV2": ({"ConvBatchNorm": 52}, 54, {"InvertedResidual": 17, "FusedConv": 1}, 20),
    "DenseNet121": ({"ConvBatchNorm": 59, "WithReLU": 62}, 246,
                    {"ScaledConv": 61, "FusedConv": 1, "WithReLU": 1}, 185),
    "VGG16": ({"ConvMaxPool": 5}, 17, {}, 22),
    "LeNet5": ({"BatchInterleaved": 1}, 5, {}, 8),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_everybody_knows_run_as_nodes(name):
    with initializers.nothing_drawn():
        model = getattr(fc.applications, name)()
    for batch, predicts, (nodes, steps) in ((64, False, NETWORKS[name][:2]), (1, True, NETWORKS[name][2:])):
        found = [type(step.node).__name__ for step in model._executable.get(batch, predicts=predicts).steps]
        assert Counter(kind for kind in found if not hasattr(layers, kind)) == nodes
        assert len(found) == steps
