"""Average precision beside pycocotools and faster-coco-eval: the twelve numbers, to 1e-9."""

import contextlib
import io
import time

import numpy as np
import pytest

import fastcnn as fc

pytest.importorskip("pycocotools")
pytest.importorskip("faster_coco_eval")
import faster_coco_eval
from pycocotools import coco, cocoeval

pytestmark = pytest.mark.peers
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def random_boxes(seed, images=25, objects=14, detections=30, whole=False, crowds=True, classes=3):
    """Return objects (K, 7) and detections (K, 6) for each image, most detections near an object."""
    rng = np.random.default_rng(seed)
    every = []
    for _ in range(images):
        counts = rng.integers(0, objects + 1), rng.integers(0, detections + 1)
        corners = rng.uniform(0, 400, (sum(counts), 2))
        boxes = np.hstack([corners, corners + np.exp(rng.uniform(1, 5.5, corners.shape))])
        labels = rng.integers(0, classes, len(boxes))
        for k in range(counts[0], len(boxes)):
            if counts[0] and rng.random() < 0.7:
                source = rng.integers(counts[0])
                boxes[k], labels[k] = boxes[source] + rng.normal(0, 4, 4), labels[source]
        boxes = np.round(boxes) if whole else boxes
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        shares = rng.uniform(0.5, 1, len(boxes))  # an area of a mask is less than that of its box
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) * shares
        full = np.column_stack([boxes, labels, crowds * (shares < 0.55), areas])
        found = np.column_stack([boxes, labels, np.round(shares, 2)])  # rounded, for equal scores
        every.append((full[: counts[0]], found[counts[0] :]))
    return [one for one, _ in every], [other for _, other in every]


def as_coco(objects, found):
    """Return the same as COCO's dictionaries."""
    shape = lambda row: [row[0], row[1], row[2] - row[0], row[3] - row[1]]
    annotations = [{"image_id": k, "category_id": int(row[4]), "bbox": shape(row), "area": float(row[6]),
                    "iscrowd": int(row[5])} for k, rows in enumerate(objects) for row in rows]
    annotations = [{"id": number, **one} for number, one in enumerate(annotations, 1)]
    results = [{"image_id": k, "category_id": int(row[4]), "bbox": shape(row), "score": float(row[5])}
               for k, rows in enumerate(found) for row in rows]
    labels = {int(row[4]) for rows in (*objects, *found) for row in rows}
    return {"images": [{"id": k} for k in range(len(objects))], "annotations": annotations,
            "categories": [{"id": k, "name": str(k)} for k in sorted(labels)], "info": {}}, results


def evaluated(module, evaluator, objects, found):
    """Return the twelve numbers of another library, and the seconds of CPU time of its evaluation."""
    data, results = as_coco(objects, found)
    with contextlib.redirect_stdout(io.StringIO()):
        truth, seen = module.COCO(), module.COCO()
        truth.dataset = data
        truth.createIndex()
        begin = time.process_time()
        if results:
            seen = truth.loadRes(results)
        else:
            seen.dataset = {**data, "annotations": []}
            seen.createIndex()
        one = evaluator(truth, seen, "bbox")
        one.evaluate()
        one.accumulate()
        one.summarize()
    return np.array(one.stats[:12], np.float64), time.process_time() - begin


def ours(objects, found, batch=7):
    metric = fc.metrics.MeanAveragePrecision()
    begin = time.process_time()
    for k in range(0, len(objects), batch):
        metric.update_state(objects[k : k + batch], found[k : k + batch])
    numbers = metric.results()
    return np.array([numbers[name] for name in NAMES]), time.process_time() - begin


CASES = {
    "any boxes": lambda: random_boxes(0),
    "whole numbers": lambda: random_boxes(1, whole=True),
    "without crowds": lambda: random_boxes(2, crowds=False),
    "more than a hundred": lambda: random_boxes(3, images=3, objects=30, detections=500),
    "one class": lambda: random_boxes(4, classes=1),
    "images without objects": lambda: (lambda o, f: ([*o, *(one[:0] for one in o)], f + f))(*random_boxes(5, 9)),
    "no detections": lambda: (lambda o, f: (o, [one[:0] for one in f]))(*random_boxes(6, 9)),
    "no objects": lambda: (lambda o, f: ([one[:0] for one in o], f))(*random_boxes(7, 9)),
    "objects found exactly": lambda: (lambda o, f: (o, [np.hstack([one[:, :5], one[:, :1]]) for one in o]))(
        *random_boxes(8, 9)),
    "crowds alone": lambda: (lambda o, f: ([one + [0, 0, 0, 0, 0, 1, 0] * (one[:, 5:6] == 0) for one in o], f))(
        *random_boxes(9, 9)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_twelve_numbers_are_those_of_both_libraries(case):
    objects, found = CASES[case]()
    expected, _ = evaluated(coco, cocoeval.COCOeval, objects, found)
    np.testing.assert_allclose(ours(objects, found)[0], expected, rtol=0, atol=1e-9)
    if any(map(len, found)) and any(map(len, objects)):
        theirs, _ = evaluated(faster_coco_eval, faster_coco_eval.COCOeval_faster, objects, found)
        np.testing.assert_allclose(theirs, expected, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_counting_takes_a_twentieth_of_the_time_of_pycocotools():
    objects, found = random_boxes(10, images=72, objects=26, detections=300)
    ours(objects, found)
    ratios = [evaluated(coco, cocoeval.COCOeval, objects, found)[1] / ours(objects, found)[1] for _ in range(5)]
    assert np.median(ratios) > 20


def test_detections_of_blood_cells_are_counted_as_both_libraries_count_them(data_dir):
    cells = fc.datasets.load("bccd", data_dir).test
    rng, objects, found = np.random.default_rng(0), [], []
    for row in range(len(cells)):
        some = cells.slice_of(row)
        boxes, labels = cells.boxes[some].astype(np.float64), cells.classes[some]
        areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        objects.append(np.column_stack([boxes, labels, np.zeros(len(boxes)), areas]))
        near = np.repeat(boxes, 3, axis=0) + rng.normal(0, 6, (3 * len(boxes), 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        scores = np.round(rng.random(len(near)), 2)
        found.append(np.column_stack([near, np.repeat(labels, 3), scores])[rng.random(len(near)) < 0.7])
    expected, _ = evaluated(coco, cocoeval.COCOeval, objects, found)
    np.testing.assert_allclose(ours(objects, found)[0], expected, rtol=0, atol=1e-9)
    theirs, _ = evaluated(faster_coco_eval, faster_coco_eval.COCOeval_faster, objects, found)
    np.testing.assert_allclose(ours(objects, found)[0], theirs, rtol=0, atol=1e-9)
    assert 0.1 < expected[0] < 0.9
