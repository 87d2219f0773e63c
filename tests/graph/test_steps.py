"""Steps over slots: whose memory is free after which, and which steps must give a gradient."""

from types import SimpleNamespace

from fastcnn.graph.steps import Graph, GraphStep


def node(*weights, many=False, held=None):
    made = SimpleNamespace(trainable_weights=weights, many_inputs=many)
    if held is not None:
        made.holds_layers, made.held_layers = True, lambda: held
    return made


def test_a_slot_is_dead_after_the_last_step_that_has_it_unless_it_is_an_output():
    steps = [GraphStep(node(), (0,), (1,)), GraphStep(node(), (1,), (2, 3)), GraphStep(node(many=True), (0, 2), (4,)),
             GraphStep(node(), (4,), (5,))]
    graph = Graph([0], [5, 1], steps, 6)
    assert [step.last_uses for step in graph.steps] == [(), (3,), (0, 2), (4,)]  # nobody reads 3; 1 and 5 are outputs
    assert graph.readers() == [2, 2, 1, 0, 1, 1]


def test_a_link_has_one_input_and_one_output_and_takes_no_tuple():
    assert GraphStep(node(), (0,), (1,)).is_link
    assert not GraphStep(node(many=True), (0,), (1,)).is_link
    assert not GraphStep(node(), (0, 1), (2,)).is_link
    assert not GraphStep(node(), (0,), (1, 2)).is_link
    assert not GraphStep(node(many=True), (0, 1), (2, 3)).is_link


def test_gradients_are_wanted_where_something_before_learns():
    steps = [GraphStep(node(), (0,), (1,)), GraphStep(node("w"), (1,), (2,)), GraphStep(node(), (2,), (3,)),
             GraphStep(node(many=True), (1, 3), (4,))]
    graph = Graph([0], [4], steps, 5)
    # For each step: must it give the gradient of its input, and has it a way back at all?
    assert graph.learns(False) == [(False, False), (False, True), (True, True), (True, True)]
    assert graph.learns(True) == [(True, True)] * 4
    assert graph.learns(False) == [(False, False), (False, True), (True, True), (True, True)]


def test_a_node_that_holds_layers_passes_gradients_between_them_always():
    for held, below in (({"a": object()}, True), ({}, False)):
        assert Graph([0], [1], [GraphStep(node("w", held=held), (0,), (1,))], 2).learns(False) == [(below, True)]
