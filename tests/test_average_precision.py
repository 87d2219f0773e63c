"""Average precision as a user meets it: shapes, what does not count, parts merged. Its values are in tests/peers."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError

OBJECTS = [np.array([[10, 10, 50, 50, 0], [60, 20, 90, 80, 1.0]]), np.zeros((0, 5)), np.array([[5, 5, 30, 40, 0.0]])]
FOUND = [np.array([[12, 10, 50, 50, 0, 0.9], [60, 20, 80, 80, 1, 0.8]]), np.array([[0, 0, 9, 9, 1, 0.3]]),
         np.array([[5, 5, 30, 40, 0, 0.7], [5, 5, 30, 40, 0, 0.6]])]


def _random(seed, images=12, most=9):
    rng = np.random.default_rng(seed)
    objects, found = [], []
    for _ in range(images):
        corners = rng.uniform(0, 80, (rng.integers(0, most), 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 90, corners.shape)], axis=1)
        classes = rng.integers(0, 3, (len(boxes), 1))
        objects.append(np.hstack([boxes, classes, rng.choice(3, (len(boxes), 1), p=[0.8, 0.1, 0.1])]))
        near = boxes + rng.normal(0, 4, boxes.shape) * [1, 1, 0, 0]
        scores = np.round(rng.random((len(boxes), 1)), 1)
        found.append(np.hstack([near, classes, scores])[rng.random(len(boxes)) < 0.8])
    return objects, found


def test_rows_that_fill_a_batch_up_do_not_count_and_types_do_not_matter():
    lists, padded = fc.metrics.MeanAveragePrecision(), fc.metrics.MeanAveragePrecision()
    value = lists(OBJECTS, FOUND)
    full, seen = np.full((3, 4, 6), -1, np.float32), np.full((3, 5, 6), -1, np.float32)
    for k, (objects, found) in enumerate(zip(OBJECTS, FOUND, strict=True)):
        full[k, : len(objects), :5], full[k, : len(objects), 5] = objects, 0
        seen[k, : len(found)] = found
    assert 0 < value < 1
    assert padded(full, seen) == pytest.approx(value, abs=1e-12)
    assert fc.metrics.MeanAveragePrecision()(full[:0], seen[:0]) == -1.0


def test_a_second_detection_of_an_object_is_false_and_one_of_a_crowd_or_a_difficult_one_does_not_count():
    box = [[0.0, 0, 40, 40]] * 3
    twice = np.column_stack([box[:2], [0, 0], [0.9, 0.8]])
    ap = lambda objects: fc.metrics.MeanAveragePrecision("VOC50")([np.array(objects)], [twice])
    other = [100.0, 100, 140, 140, 0, 0]
    assert ap([[*box[0], 0, 0]]) == pytest.approx(1)
    assert ap([[*box[0], 0, 0], other]) == pytest.approx(0.5)
    late = np.vstack([twice, [*other[:4], 0, 0.1]])
    for kind, expected in ((0, 0.5 + 0.5 * 2 / 3), (1, 1.0), (2, 1.0)):
        metric = fc.metrics.MeanAveragePrecision("VOC50")
        assert metric([np.array([[*box[0], 0, kind], other])], [late]) == pytest.approx(expected)
        coco = metric.results()["AP50"]
        assert (coco == pytest.approx(1)) == bool(kind)


def test_voc_s_rule_gives_a_detection_to_the_nearest_object_although_it_is_taken():
    objects = np.array([[0, 0, 10, 10, 0], [0, 4, 10, 14, 0.0]])
    found = np.array([[0, 0, 10, 10, 0, 0.9], [0, 1, 10, 11, 0, 0.8], [0, 4, 10, 14, 0, 0.7]])
    metric = fc.metrics.MeanAveragePrecision("VOC50", thresholds=[0.5])
    metric.update_state([objects], [found])
    assert metric.result() == pytest.approx(0.5 + 0.5 * 2 / 3)  # the second is false
    assert metric.results()["AP50"] == pytest.approx(1)  # COCO gives it the object that is left


@pytest.mark.parametrize("measure", ["AP", "APs", "VOC50"])
def test_batches_and_parts_merged_give_the_bits_of_the_whole(measure):
    objects, found = _random(3)
    whole = fc.metrics.MeanAveragePrecision(measure)
    whole.update_state(objects, found)
    parts = [slice(0, 5), slice(5, 6), slice(6, 12)]
    metrics = [fc.metrics.MeanAveragePrecision(measure) for _ in parts]
    batches = fc.metrics.MeanAveragePrecision(measure)
    for metric, part in zip(metrics, parts, strict=True):
        metric.update_state(objects[part], found[part])
        batches.update_state(objects[part], found[part])
    resumed = fc.metrics.MeanAveragePrecision(measure)
    resumed.set_state(metrics[0].get_state())
    resumed.merge_state(metrics[1:])
    assert 0 < whole.result() < 1
    assert whole.results() == batches.results() == resumed.results()
    assert metrics[0].results() != whole.results()
    with pytest.raises(ArgumentError, match="expected metrics like MeanAveragePrecision"):
        whole.merge_state([fc.metrics.MeanAveragePrecision(measure, thresholds=[0.5])])


def test_the_state_goes_through_the_file_of_a_training(tmp_path):
    from fastcnn.formats import state_file

    metric = fc.metrics.MeanAveragePrecision()
    metric.update_state(*_random(1))
    state_file.save(tmp_path / "s", {"metrics": [metric.get_state()]}, {})
    again = fc.metrics.MeanAveragePrecision()
    again.set_state(state_file.read(tmp_path / "s")[0]["metrics"][0])
    assert again.results() == metric.results()


def test_the_best_threshold_is_that_of_the_largest_f1_of_all_that_part_scores():
    objects, found = _random(4)
    objects = [np.column_stack([some[:, :4], np.zeros(len(some))]) for some in objects]
    found = [np.column_stack([some[:, :4], np.zeros(len(some)), some[:, 5]]) for some in found]
    metric = fc.metrics.MeanAveragePrecision("AP50", thresholds=[0.5])
    metric.update_state(objects, found)
    chosen, total = metric.best_threshold(), sum(map(len, objects))

    def reached(threshold):
        left = [some[some[:, 5] > threshold] for some in found]
        one = fc.metrics.MeanAveragePrecision("AP50", thresholds=[0.5])
        one.update_state(objects, left)
        hits, told = one.results()["AR100"] * total, sum(map(len, left))
        return 2 * hits / (told + total), hits / max(told, 1), hits / total

    every = [reached(threshold) for threshold in (0, *np.arange(0.05, 1.0, 0.1))]  # scores are tenths
    assert chosen.f1 == pytest.approx(max(every)[0])
    assert chosen[1:] == pytest.approx(reached(chosen.threshold))
    assert 0.2 < chosen.f1 < 1


def test_of_equal_f1_the_highest_threshold_is_chosen_and_neighbouring_scores_are_parted():
    box = [[0.0, 0, 40, 40], [60.0, 0, 90, 40], [0.0, 60, 30, 99]]
    scores = np.float32([0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.25])
    metric = fc.metrics.MeanAveragePrecision()
    metric.update_state([np.column_stack([box[:1], [0]])], [np.column_stack([box, [0, 1, 0], scores])])
    chosen = metric.best_threshold()
    assert (chosen.f1, chosen.precision, chosen.recall) == (1, 1, 1)
    assert (scores > chosen.threshold).tolist() == [True, False, False]
    with pytest.raises(DataError, match="objects and detections to choose a threshold by, got 0 objects and 0"):
        fc.metrics.MeanAveragePrecision().best_threshold()


def test_three_thousand_objects_in_an_image_need_little_memory():
    import tracemalloc

    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 1900, (3000, 2))
    boxes = np.hstack([corners, corners + 20, np.zeros((3000, 1))])
    metric = fc.metrics.MeanAveragePrecision(max_detections=(1, 10, 3000))
    metric.update_state(OBJECTS, FOUND)
    tracemalloc.start()
    try:
        metric.update_state([boxes], [np.hstack([boxes, rng.random((3000, 1))])])
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: fc.metrics.MeanAveragePrecision("AP60"), "measure: 'AP60' is not known"),
    (lambda: fc.metrics.MeanAveragePrecision(thresholds=[]), "expected thresholds above 0"),
    (lambda: fc.metrics.MeanAveragePrecision(thresholds=[0.5, 1.5]), "expected thresholds above 0"),
    (lambda: fc.metrics.MeanAveragePrecision(max_detections=(1, 1, 10)), "expected three rising max_detections"),
    (lambda: fc.metrics.MeanAveragePrecision()(np.zeros((2, 5)), np.zeros((1, 2, 6))), r"expected objects \(B, K, 5"),
    (lambda: fc.metrics.MeanAveragePrecision()([np.zeros((2, 4))], [np.zeros((1, 6))]), r"got \(2, 4\)"),
    (lambda: fc.metrics.MeanAveragePrecision()(OBJECTS, FOUND[:2]), "detections for each of 3 images, got those of 2"),
    (lambda: fc.metrics.MeanAveragePrecision()(OBJECTS, FOUND, np.ones(3)), "expected no sample_weight"),
    (lambda: fc.metrics.MeanAveragePrecision()([np.full((1, 5), np.nan)], [np.zeros((1, 6))]), "in image 0 of the"),
    (lambda: fc.metrics.MeanAveragePrecision()([np.full((1, 5), 0.5)], [np.zeros((1, 6))]), "whole numbers of classes"),
    (lambda: fc.metrics.MeanAveragePrecision()([np.full((1, 6), 7)], [np.zeros((1, 6))]), "kinds of objects 0, 1 or 2"),
])
def test_what_cannot_be_counted_is_said(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
