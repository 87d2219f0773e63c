"""Boxes as users give them: forms, doubts, overlaps, suppression, matching, anchors."""

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError
from fastcnn.geometry.boxes import FORMS
from tests.kernels.regions.drawing import boxes as drawn

boxes = fc.vision.boxes


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(FORMS, 2)))
def test_every_form_leads_to_every_other_and_back(source, target):
    size = (480, 640)
    first = boxes.convert(drawn(20, 400, dtype=np.float64), "xyxy", source, size)
    there = boxes.convert(first, source, target, size)
    np.testing.assert_allclose(boxes.convert(there, target, source, size), first, atol=1e-9)
    assert there.dtype == np.float64
    assert boxes.convert(first.astype(np.float32), source, target, size).dtype == np.float32


def test_forms_mean_what_their_names_say():
    box = [[10, 20, 40, 60]]
    for form, expected in (("yxyx", [20, 10, 60, 40]), ("xywh", [10, 20, 30, 40]), ("cxcywh", [25, 40, 30, 40]),
                           ("rel_xyxy", [0.1, 0.1, 0.4, 0.3]), ("rel_yxyx", [0.1, 0.1, 0.3, 0.4]),
                           ("rel_cxcywh", [0.25, 0.2, 0.3, 0.2])):
        np.testing.assert_allclose(boxes.convert(box, "xyxy", form, (200, 100)), [expected], rtol=1e-6)
    np.testing.assert_array_equal(boxes.convert(box, "xyxy", "center_xywh"), boxes.convert(box, "xyxy", "cxcywh"))


@pytest.mark.parametrize(("given", "form", "question"), [
    ([[0.1, 0.2, 0.3, 0.4]], "xyxy", "all values below 1: are these shares?"),
    ([[10, 20, 30, 40]], "rel_xyxy", "values above 2: are these pixels?"),
    ([[50, 60, 10, 12], [70, 80, 9, 9]], "xyxy", "most second corners lie before the first: .* xywh?"),
    ([[10, 20, -5, 40]], "xywh", "widths or heights below 0: are these two corners, xyxy?"),
])
def test_boxes_that_are_hardly_meant_so_are_asked_about(given, form, question):
    with pytest.warns(UserWarning, match=question):
        boxes.convert(given, form, "xyxy" if form != "xyxy" else "xywh", (100, 100))


def test_ordinary_boxes_are_not_asked_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        boxes.convert([[0, 0, 1, 1]], "xyxy", "xywh")
        boxes.convert([[0.5, 0.5, 1.0, 1.01]], "rel_cxcywh", "xyxy", (9, 9))
        boxes.convert([], "xywh")
        boxes.convert([[np.nan] * 4], "xyxy", "xywh")
        boxes.nms([[5, 5, 3, 3]], [0.5])


@pytest.mark.parametrize(("call", "text"), [
    (lambda: boxes.convert([[1, 2, 3, 4]], "xyhw"), "form: 'xyhw' is not known; did you mean 'xywh'"),
    (lambda: boxes.convert([[1, 2, 3]], "xyxy"), r"expected boxes \(..., 4\), got \(1, 3\)"),
    (lambda: boxes.convert([["a"] * 4], "xyxy"), "expected numbers for boxes, got <U1"),
    (lambda: boxes.convert([[1, 2, 3, 4]], "xyxy", "rel_xyxy"), "give image_size="),
    (lambda: boxes.convert([[1, 2, 3, 4]], "xyxy", "rel_xyxy", 7), r"expected image_size to be \(height, width\), got"),
    (lambda: boxes.iou([1, 2, 3, 4], [[1, 2, 3, 4]]), r"expected boxes \(A, 4\) and \(B, 4\)"),
    (lambda: boxes.nms([[1, 2, 3, 4]], [0.5, 0.6]), "a score for each"),
    (lambda: boxes.nms([[1, 2, 3, 4]], [0.5], 1.5), "an iou_threshold from 0 to 1, got 1.5"),
    (lambda: boxes.nms([[1, 2, 3, 4]], [0.5], classes=[0.5]), "expected classes to be 1 integers"),
    (lambda: boxes.nms([[1, 2, 3, 4]], [0.5], limit=0), "expected limit to be a positive integer, got 0"),
    (lambda: boxes.soft_nms([[1, 2, 3, 4]], [0.5], method="soft"), 'expected method "gaussian" or "linear"'),
    (lambda: boxes.encode([[1, 2, 1, 4]], [[1, 2, 3, 4]]), r"expected boxes with an area, got box 0, \[1.0, 2.0, 1.0"),
    (lambda: boxes.encode([[1, 2, 3, 4]], [[1, 2, 3, 4]] * 2), "for as many anchors"),
    (lambda: boxes.anchor_sides([[0, 0, 2, 2]] * 5, 2), "expected 1 to 1 anchors, as many as there are different"),
    (lambda: boxes.anchors((1, 1), 8), "expected sides, or sizes and ratios"),
    (lambda: boxes.Letterbox((0, 5), (8, 8)), "expected height to be a positive integer, got 0"),
    (lambda: boxes.Letterbox(7, (8, 8)), r"expected a size to be \(height, width\), got 7"),
])
def test_mistakes_are_told_in_a_sentence(call, text):
    with pytest.raises(ArgumentError, match=text):
        call()


def test_overlaps_of_no_boxes_have_their_shape():
    for function in (boxes.iou, boxes.giou, boxes.diou, boxes.ciou):
        assert function([], [[0, 0, 1, 1]]).shape == (0, 1)
        assert function([[0, 0, 1, 1]], []).shape == (1, 0)


def test_suppression_is_by_class_and_the_limit_is_of_a_class():
    some = np.tile(np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32), (3, 1))
    scores, classes = np.array([0.5, 0.9, 0.8, 0.3, 0.5, 0.7], np.float32), [0, 0, 1, 1, 0, 1]
    assert boxes.nms(some, scores).tolist() == [1, 2]
    assert boxes.nms(some, scores, classes=classes).tolist() == [1, 2, 5, 0]
    assert boxes.nms(some, scores, classes=classes, limit=1).tolist() == [1, 2]
    assert boxes.nms(some, scores, classes=classes, score_threshold=0.7).tolist() == [1, 2]
    far = np.array([7, 7, -2, -2, 7, -2]) * 10 ** 9
    assert boxes.nms(some, scores, classes=far).tolist() == [1, 2, 5, 0], "by segments, not by moving boxes apart"
    assert boxes.nms(some, np.full(6, np.nan)).tolist() == []


def test_kept_boxes_are_those_of_the_obvious_loop():
    some, scores = drawn(300, 60), (np.random.default_rng(1).integers(0, 50, 300) / 64).astype(np.float32)
    left, kept = sorted(range(300), key=lambda i: (-scores[i], i)), []
    table = boxes.iou(some, some)
    while left:
        kept.append(left.pop(0))
        left = [i for i in left if table[kept[-1], i] <= 0.25]
    assert boxes.nms(some, scores, 0.25).tolist() == kept


def test_soft_suppression_keeps_all_and_lowers_scores():
    some = [[0, 0, 10, 10], [0, 0, 10, 5], [40, 40, 50, 50]]
    kept, scores = boxes.soft_nms(some, [0.9, 0.8, 0.7], method="linear", iou_threshold=0.3)
    assert kept.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [0.9, 0.7, 0.4], rtol=1e-6)
    kept, scores = boxes.soft_nms(some, [0.9, 0.8, 0.7], sigma=0.5)
    np.testing.assert_allclose(scores, [0.9, 0.7, 0.8 * np.exp(-0.5)], rtol=1e-6)


def test_offsets_come_back_and_those_of_a_mad_network_are_finite():
    anchors, some = drawn(12), drawn(12, seed=1)
    np.testing.assert_allclose(boxes.decode(boxes.encode(some, anchors), anchors), some, atol=1e-4)
    assert np.isfinite(boxes.decode(np.full((12, 4), 1e4), anchors)).all()


def test_anchors_of_a_grid_lie_row_by_row_about_the_middles():
    found = boxes.anchors((2, 3), 16, [[8, 4], [32, 32]])
    assert found.shape == (12, 4)
    assert found[2].tolist() == [20, 6, 28, 10]
    assert found[7].tolist() == [-8, 8, 24, 40]


def test_anchors_of_a_data_set_are_its_groups_and_the_same_for_a_seed():
    draw = np.random.default_rng(0)
    sides = np.repeat([[10.0, 12.0], [60.0, 30.0], [100.0, 110.0]], 50, axis=0) * draw.uniform(0.9, 1.1, (150, 2))
    some = np.concatenate([np.zeros((150, 2)), sides], 1)
    found, mean = boxes.anchor_sides(some, 3, seed=4)
    np.testing.assert_allclose(found, [[10, 12], [60, 30], [100, 110]], rtol=0.03)
    assert mean > 0.85
    np.testing.assert_array_equal(boxes.anchor_sides(some, 3, seed=4)[0], found)
    with_empty = np.concatenate([some, [[5, 5, 5, 9]]])
    np.testing.assert_array_equal(boxes.anchor_sides(with_empty, 3, seed=4)[0], found)


MEMORY = """
import numpy as np, resource
from fastcnn import vision
draw = np.random.default_rng(0)
def some(n, size):
    corner = draw.uniform(0, size, (n, 2))
    return np.concatenate([corner, corner + draw.uniform(5, 60, (n, 2))], 1).astype(np.float32)
anchors, objects = vision.boxes.anchors((500, 500), 4, sizes=[32, 64], ratios=[0.5, 2]), some(3000, 2000)
vision.boxes.match(anchors[:9], objects[:9])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = vision.boxes.match(anchors, objects)
print(len(anchors), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
assert (found[3] > 0).all() and (found[1][found[2]] >= found[3] - 1e-6).all()
"""


def test_a_million_anchors_and_3000_objects_take_little_memory():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    anchors, megabytes = map(int, done.stdout.split())
    assert anchors == 1_000_000
    assert megabytes < 100  # a matrix of float32 would be 12,000
