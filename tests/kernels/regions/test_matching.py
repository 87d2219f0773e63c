import numpy as np
import pytest

from fastcnn.kernels.cpu.regions.matching import match_boxes, match_boxes_scratch
from tests import reference
from tests.kernels.checking import assert_same_bits, inputs_unchanged, many, unwritten
from tests.kernels.regions.drawing import boxes


def _match(anchors, objects):
    n, m = len(anchors), len(objects)
    size = match_boxes_scratch(n, m)
    whole = np.full(n, -9), unwritten(n, dtype=anchors.dtype), np.full(m, -9), unwritten(m, dtype=anchors.dtype)
    with inputs_unchanged(anchors, objects):
        match_boxes(*whole, unwritten(size, dtype=anchors.dtype), np.full(size, -9), anchors, objects)
    return whole


@pytest.mark.parametrize(("anchors", "objects"), [(700, 30), (1, 1), (65, 3), (0, 4), (5, 0), (0, 0)])
def test_matches_agree_with_their_twin(anchors, objects):
    a, b = boxes(many(anchors), 30), boxes(objects, 30, seed=1)
    for got, expected in zip(_match(a, b), reference.match_boxes(a, b), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_lowest_index_wins_ties_also_between_chunks():
    a = np.tile(boxes(1, 30), (20000, 1))
    b = np.concatenate([boxes(1, 30, seed=5), a[:1], a[:1]])
    object_of, overlap_of, anchor_of, best_of = _match(a, b)
    assert (object_of == 1).all()
    assert (overlap_of == 1).all()
    assert anchor_of.tolist()[1:] == [0, 0]
    assert best_of.tolist()[1:] == [1, 1]


def test_boxes_of_nan_and_without_area_overlap_with_nothing_and_hide_nobody():
    a = boxes(70, 30)
    expected = _match(a, boxes(4, 30, seed=1))
    a_with = a.copy()
    a_with[0] = np.nan
    b = np.concatenate([boxes(4, 30, seed=1), np.array([[np.nan] * 4, [3, 3, 3, 9]], np.float32)])
    object_of, overlap_of, anchor_of, best_of = _match(a_with, b)
    assert (object_of[0], overlap_of[0]) == (0, 0)
    np.testing.assert_array_equal(object_of[1:], expected[0][1:])
    assert anchor_of[4:].tolist() == [0, 0]
    assert best_of[4:].tolist() == [0, 0]


def test_the_same_bits_from_any_number_of_threads():
    a, b = boxes(40000, 90), boxes(20, 90, seed=1)
    assert_same_bits(lambda: _match(a, b))
