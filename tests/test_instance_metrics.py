"""Metrics of objects marked pixel by pixel, beside the rule written out with SciPy's assignment."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import fastcnn as fc
from fastcnn.errors import ArgumentError


def _maps(seed, images=4, void=False):
    """Return maps of squares, and those maps moved, with some lost and some invented."""
    rng = np.random.default_rng(seed)
    true, pred = np.zeros((2, images, 40, 40), np.int32)
    for n in range(images):
        for k in range(rng.integers(0, 9)):
            i, j = rng.integers(0, 32, 2)
            side = rng.integers(3, 9)
            true[n, i : i + side, j : j + side] = 3 * k + 2
            if rng.random() < 0.8:
                i, j = np.clip(np.add((i, j), rng.integers(-1, 2, 2)), 0, 40)
                pred[n, i : i + side, j : j + side] = 50 - k
        pred[n, :3, :2] = 99
    if void:
        true[:, 20:24, 5:30] = -1
    return true, pred


def _ious(true, pred):
    known = true >= 0
    names = [[k for k in np.unique(m) if k > 0] for m in (np.where(known, true, 0), pred)]
    names[1] = [k for k in names[1] if ((pred == k) & ~known).sum() * 2 <= (pred == k).sum()]
    return np.array([[((true == a) & (pred == b)).sum() / (((true == a) | (pred == b)) & known).sum()
                      for b in names[1]] for a in names[0]]).reshape(len(names[0]), len(names[1]))


def _hits(ious, threshold):
    if not ious.size:
        return 0
    good = ious >= threshold
    return int(good[linear_sum_assignment(-(good + ious / 1e3))].sum())


@pytest.mark.parametrize("void", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_objects_match_as_an_assignment_matches_them(threshold, void):
    true, pred = _maps(1, void=void)
    metric = fc.metrics.InstanceAP(threshold)
    value = metric(true, pred[..., None])
    tables = [_ious(*pair) for pair in zip(true, pred, strict=True)]
    hits = np.array([_hits(table, threshold) for table in tables])
    rest = np.array([sum(table.shape) for table in tables]) - hits
    assert value == pytest.approx(hits.sum() / rest.sum(), abs=1e-12)
    assert 0 < value < 1
    shares = (hits / np.maximum(rest, 1))[rest > 0]
    assert fc.metrics.InstanceAP(threshold, by_image=True)(true, pred) == pytest.approx(shares.mean(), abs=1e-12)
    found = metric.results()
    assert found["precision"][0] == pytest.approx(hits.sum() / sum(table.shape[1] for table in tables))
    assert found["recall"][0] == pytest.approx(hits.sum() / sum(table.shape[0] for table in tables))
    assert found["F1"][0] == pytest.approx(2 * hits.sum() / sum(sum(table.shape) for table in tables))


@pytest.mark.parametrize("void", [False, True])
def test_panoptic_quality_is_the_mean_of_ious_times_the_f1_score(void):
    true, pred = _maps(2, void=void)
    tables = [_ious(*pair) for pair in zip(true, pred, strict=True)]
    ious = np.concatenate([table[table > 0.5] for table in tables])
    expected = ious.sum() / (sum(sum(table.shape) for table in tables) / 2)
    metric = fc.metrics.PanopticQuality()
    assert metric(true, pred) == pytest.approx(expected, abs=1e-12)
    assert metric.segmentation_quality == pytest.approx(ious.mean(), abs=1e-12)


def test_pairs_below_a_half_are_matched_from_the_largest_iou_down():
    true, pred = np.array([[1, 1, 1, 1, 1, 2, 0, 0]]), np.array([[4, 4, 5, 5, 5, 5, 5, 0]])
    assert _ious(true, pred).round(3).tolist() == [[0.4, 0.429], [0.0, 0.2]]
    metric = fc.metrics.InstanceAP(0.4)
    assert metric([true], [pred]) == pytest.approx(1 / 3)  # 1 goes with 5, and 4 has nothing left


@pytest.mark.parametrize("make", [fc.metrics.InstanceAP, fc.metrics.PanopticQuality])
def test_parts_merge_into_the_whole_and_empty_images_count_nothing(make):
    true, pred = _maps(3, 6)
    whole, first, second = make(), make(), make()
    whole.update_state(true, pred)
    first.update_state(true[:2], pred[:2])
    second.update_state(true[2:], pred[2:])
    second.update_state(true[:1] * 0, pred[:1] * 0)
    first.merge_state([second])
    assert first.result() == pytest.approx(whole.result(), abs=1e-12)
    again = make()
    again.set_state(first.get_state())
    assert again.result() == first.result()
    assert make()(true[:1] * 0, pred[:1] * 0) == make().result() == 0.0
    assert make()(true[:1] * 0, pred[:1]) == 0.0


@pytest.mark.parametrize(("make", "message"), [
    (lambda: fc.metrics.InstanceAP(0), "expected thresholds above 0 and at most 1, got 0"),
    (lambda: fc.metrics.InstanceAP()(np.zeros((1, 4, 4)), np.zeros((1, 4, 4))), "expected maps .* of int, a number"),
    (lambda: fc.metrics.InstanceAP()(np.zeros((1, 4, 4), int), np.zeros((1, 4, 5), int)), r"\(4, 4\), got \(4, 5\)"),
    (lambda: fc.metrics.InstanceAP()(np.zeros((2, 4, 4), int), np.zeros((1, 4, 4), int)), "as many maps as targets"),
])
def test_what_cannot_be_counted_is_said(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_dice_is_twice_the_iou_over_one_and_the_iou():
    rng = np.random.default_rng(0)
    t, y = rng.integers(0, 2, (3, 6, 6)), rng.random((3, 6, 6, 1))
    iou = fc.metrics.BinaryIoU([1])(t, y[..., 0])
    assert fc.metrics.DiceScore()(t, y) == pytest.approx(2 * iou / (1 + iou), abs=1e-12)
    classes, shares = rng.integers(0, 3, (3, 6, 6)), rng.random((3, 6, 6, 3))
    of_each = [fc.metrics.IoU(3, [k], sparse_y_pred=False)(classes, shares) for k in (1, 2)]
    expected = np.mean([2 * one / (1 + one) for one in of_each])
    assert fc.metrics.DiceScore(3)(classes, shares) == pytest.approx(expected, abs=1e-12)
    y[0, 0, 0] = np.nan
    assert fc.metrics.DiceScore()(t, y) <= fc.metrics.DiceScore()(t, np.nan_to_num(y, nan=float(t[0, 0, 0])))
