"""Where arrays lie in one piece of memory: the largest first, each as low as what lives at the same time lets it."""

from types import SimpleNamespace

from fastcnn.graph.arena import offsets, planned_bytes
from fastcnn.graph.steps import Graph, GraphStep


def test_what_does_not_live_at_once_lies_at_the_same_place():
    assert offsets([100, 300, 64, 200], [(0, 1), (1, 2), (2, 3), (3, 4)]) == ([320, 0, 320, 0], 448)
    assert offsets([64, 64, 64], [(0, 0), (1, 1), (2, 2)]) == ([0, 0, 0], 64)


def test_the_lowest_gap_that_is_wide_enough_is_taken_and_may_be_filled_to_the_brim():
    sizes, lives = [256, 192, 128, 64, 64, 64], [(0, 1), (0, 5), (2, 3), (2, 3), (2, 3), (2, 3)]
    assert offsets(sizes, lives) == ([0, 256, 0, 128, 192, 448], 512)
    assert offsets([128, 256, 64], [(0, 0), (0, 9), (5, 9)]) == ([256, 0, 256], 384)


def test_of_equal_sizes_the_first_comes_first_and_all_begin_at_a_line():
    assert offsets([65, 65, 1], [(0, 9)] * 3) == ([0, 128, 256], 320)
    assert offsets([], []) == ([], 0)


def test_bytes_are_planned_for_one_sample_of_what_each_step_writes():
    def node(*shapes):
        return SimpleNamespace(output_shape=shapes if len(shapes) > 1 else shapes[0], many_inputs=False)

    steps = [GraphStep(node((None, 5, 20)), (0,), (1,)), GraphStep(node((None, 50), (None, 10)), (1,), (2, 3)),
             GraphStep(node((None, 7)), (2,), (4,))]
    graph = Graph([0], [4, 3], steps, 5)  # slot 3 is an output, and lives to the end
    assert planned_bytes(graph, 4) == (768, 4 * (100 + 50 + 10 + 7))
    assert planned_bytes(graph, 8) == (1408, 8 * (100 + 50 + 10 + 7))
