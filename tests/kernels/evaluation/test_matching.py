"""Detections matched with objects, beside the rule written out."""

import numpy as np
import pytest

from fastcnn.kernels.cpu.evaluation.matching import match_detections
from tests import reference

THRESHOLDS = np.array([0.3, 0.5, 0.75, 1.0, 0.5])
AREAS = np.array([(0.0, 1e10), (0.0, 30.0), (30.0, 1e10)])


def _groups(seed, count, whole):
    """Return some groups of boxes near one another; of whole numbers many IoUs are equal."""
    rng = np.random.default_rng(seed)
    objects, detections, groups = [], [], []
    for _ in range(count):
        g, d = rng.integers(0, 5), rng.integers(0, 7)
        corners = rng.uniform(0, 4, (g + d, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(1, 9, (g + d, 2))], axis=1)
        boxes = np.round(boxes) if whole else boxes
        kinds = rng.choice(3, g, p=[0.6, 0.2, 0.2])
        areas = np.prod(boxes[:g, 2:] - boxes[:g, :2], axis=1) * rng.uniform(0.8, 1, g)
        groups.append((len(detections), len(detections) + d, len(objects), len(objects) + g))
        objects += np.column_stack([boxes[:g], areas, kinds]).tolist()
        detections += boxes[g:].tolist()
    detections, objects = np.array(detections).reshape(-1, 4), np.array(objects).reshape(-1, 6)
    return detections, objects, np.array(groups, np.int64).reshape(-1, 4)


def _matched(detections, objects, groups):
    columns = len(AREAS) * (len(THRESHOLDS) - 1) + 1
    outcomes = np.full((len(detections), columns), 9, np.uint8)
    taken, overlaps = np.full((len(objects), columns), 7, np.uint8), np.full(len(objects), np.nan)
    match_detections(outcomes, taken, overlaps, detections, objects, groups, THRESHOLDS, AREAS)
    return outcomes


@pytest.mark.parametrize("whole", [False, True], ids=["any", "whole"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_true_and_false_is_what_the_twin_says(seed, whole):
    case = _groups(seed, 12, whole)
    expected = reference.match_detections(*case, THRESHOLDS, AREAS)
    assert set(np.unique(expected)) == {0, 1, 2}
    np.testing.assert_array_equal(_matched(*case), expected)


def test_no_groups_and_groups_without_objects_match_as_the_twin_does():
    assert _matched(*_groups(0, 0, False)).shape == (0, 13)
    detections = np.array([[0.0, 0, 5, 5], [0, 0, 9, 9]])
    np.testing.assert_array_equal(_matched(detections, np.zeros((0, 6)), np.array([[0, 2, 0, 0]])),
                                  [[0, 0, 0, 0] * 2 + [2] * 4 + [0], [0, 0, 0, 0] + [2] * 4 + [0] * 4 + [0]])


def test_many_groups_are_matched_alike_on_any_number_of_threads(two_threads):
    case = _groups(1, 2000, False)
    found = []
    for threads in (1, 2):
        two_threads(threads)
        found.append(_matched(*case))
    np.testing.assert_array_equal(*found)
