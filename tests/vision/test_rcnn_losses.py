"""The losses of the R-CNN family beside slow loops, and what they draw."""

import tracemalloc

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import rcnn
from fastcnn.vision.rcnn.objects import objects_of
from fastcnn.vision.rcnn.sampling import balanced, draws
from tests.mirror import mirror
from tests.vision import naive_rcnn as naive

GRID = rcnn.AnchorGrid((32, 48), [[8, 8], [16, 10]])
ROWS = np.array([[2, 3, 12, 13, 0, 0], [20, 10, 38, 22, 1, 0], [26, 12, 40, 24, 0, 0], [0, 20, 14, 32, 0, 1],
                 [-1] * 6], np.float64)
OBJECTS, CLASSES, CROWDS = ROWS[:3, :4], [0, 1, 0], ROWS[3:4, :4]
NOTHING = np.full((2, 1, 6), -1, np.float32)


def _numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _regions(count=20, seed=1):
    """Return boxes near the objects and elsewhere, the last without area."""
    rng = np.random.default_rng(seed)
    near = OBJECTS[rng.integers(0, 3, count // 2)] + rng.normal(0, 1.5, (count // 2, 4))
    corner = rng.uniform(0, 30, (count - count // 2, 2))
    boxes = np.concatenate([near, np.hstack([corner, corner + rng.uniform(4, 16, corner.shape)])])
    boxes[-1] = 0
    return boxes


@pytest.mark.parametrize("count", [400, 24])
def test_proposals_learn_what_slow_loops_say(count):
    loss, x = rcnn.ProposalLoss(GRID, count=count, positive=0.5, box_gain=2.0), _numbers(1, len(GRID), 5)
    own, others = naive.anchors_with_and_without(GRID.boxes.astype(float), OBJECTS, CROWDS, 0.5, 0.3)
    drawn = balanced(np.array(sorted(own)), np.array(others), count, 0.5, draws(3, 7, 0))
    assert 3 <= len(drawn[0]) <= count // 2
    expected = naive.proposal_loss(x[0], GRID.boxes.astype(float), OBJECTS, own, drawn, 2.0)
    np.testing.assert_allclose(loss.forward(ROWS[None], x, draw=(3, 7))[0], [expected], rtol=1e-9)


@pytest.mark.parametrize("count", [64, 6])
def test_regions_learn_what_slow_loops_say(count):
    loss, x = rcnn.RegionLoss(count=count, share=0.5, box_gain=0.5), _numbers(1, 20, 15)
    x[0, :, :4] = _regions()
    own, others = naive.regions_with_and_without(x[0, :, :4], OBJECTS, CROWDS, 0.5)
    drawn = balanced(np.array(sorted(own)), np.array(others), count, 0.5, draws(3, 7, 0))
    assert len(drawn[0]) >= 3
    assert 19 not in drawn[1]
    expected = naive.region_loss(x[0], 2, OBJECTS, CLASSES, own, drawn, 0.5)
    np.testing.assert_allclose(loss.forward(ROWS[None], x, draw=(3, 7))[0], [expected], rtol=1e-9)


def _map():
    """Return a map of two instances, with their classes."""
    instances = np.zeros((32, 48, 2), np.int32)
    instances[3:13, 2:12, 0] = 7
    instances[10:22, 20:38] = 4, 1
    instances[10:13, 20:24] = 0
    return instances


@pytest.mark.parametrize("count", [32, 3])
def test_masks_learn_what_slow_loops_say(count):
    loss, x = rcnn.MaskLoss(2, count=count), _numbers(1, 20, 4 + 6 * 6 * 2)
    x[0, :, :4] = _regions()
    told = objects_of(_map(), np.float64)
    own, _ = naive.regions_with_and_without(x[0, :, :4], told.boxes, [], 0.5)
    drawn, _ = balanced(np.array(sorted(own)), np.array([], int), count, 1.0, draws(3, 7, 0))
    expected = naive.mask_loss(x[0], 2, 6, _map()[..., 0], told.numbers, told.classes, own, drawn)
    assert len(drawn) >= 3
    np.testing.assert_allclose(loss.forward(_map()[None], x, draw=(3, 7))[0], [expected], rtol=1e-9)


def test_objects_of_a_map_are_the_boxes_around_its_instances():
    told = objects_of(_map(), np.float32)
    np.testing.assert_array_equal(told.boxes, [[20, 10, 38, 22], [2, 3, 12, 13]])
    assert (told.numbers.tolist(), told.classes.tolist(), told.boxes.dtype) == ([4, 7], [1, 0], np.float32)
    assert objects_of(_map()[..., 0], np.float32).classes.tolist() == [0, 0]
    rows = objects_of(ROWS, np.float32)
    np.testing.assert_array_equal(rows.boxes, OBJECTS)
    np.testing.assert_array_equal(rows.crowds, CROWDS)
    assert len(objects_of(np.zeros((4, 4), int), np.float32).boxes) == 0


def test_what_is_drawn_is_a_function_of_seed_step_and_image():
    own, others = np.arange(40), np.arange(40, 1000)
    first = balanced(own, others, 32, 0.5, draws(1, 2, 3))
    assert [len(one) for one in first] == [16, 16]
    assert all((np.diff(one) > 0).all() for one in first)
    for one, other in zip(first, balanced(own, others, 32, 0.5, draws(1, 2, 3)), strict=True):
        np.testing.assert_array_equal(one, other)
    for key in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        assert (balanced(own, others, 32, 0.5, draws(*key))[1] != first[1]).any()
    few = balanced(own[:3], others, 32, 0.5, draws(1, 2, 3))
    assert [len(one) for one in few] == [3, 29]  # filled up with background
    shares = np.bincount(np.concatenate([balanced(own, others, 16, 1.0, draws(0, k, 0))[0] for k in range(500)]))
    assert 150 < shares.min() <= shares.max() < 250  # each of 40 in 16 of 40 draws: 200 of 500


def _cases():
    x = _numbers(2, 20, 15, seed=4)
    x[:, :, :4] = _regions()
    masks = _numbers(2, 20, 4 + 16, seed=4)
    masks[:, :, :4] = _regions()
    rows = np.stack([ROWS, np.full_like(ROWS, -1)])
    return [(rcnn.ProposalLoss(GRID, count=40, positive=0.5), rows, _numbers(2, len(GRID), 5, seed=4), 0),
            (rcnn.RegionLoss(count=12, share=0.5), rows, x, 4),
            (rcnn.MaskLoss(count=4), np.stack([_map()[..., 0], 0 * _map()[..., 0]]), masks, 4)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_gradients_are_slopes_images_have_weights_and_every_device_has_the_same(which):
    loss, y, x, first = _cases()[which]
    weights, draw = np.array([0.5, 2.0]), (5, 6)
    gradient = loss.forward(y, x, sample_weight=weights, draw=draw)[1]
    value = lambda x: loss.forward(y, x, False, weights, draw)[0].mean()
    assert not gradient[..., :first].any()
    places = np.argwhere(gradient)
    for n, p, k in [*places[:: max(1, len(places) // 20)], (0, 5, first), (1, 3, first + 1)]:
        step = np.zeros_like(x)
        step[n, p, k] = 1e-6
        slope = (value(x + step) - value(x - step)) / 2e-6
        np.testing.assert_allclose(gradient[n, p, k], slope, rtol=1e-5, atol=1e-8)
    alone = loss.forward(y, x, draw=draw)[0]
    np.testing.assert_allclose(loss.forward(y, x, False, weights, draw)[0], weights * alone)
    there = loss.forward(y, mirror.put(x.astype(np.float32)), draw=draw)
    for one, other in zip(loss.forward(y, x.astype(np.float32), draw=draw), there, strict=True):
        np.testing.assert_array_equal(one, mirror.get(other))
    again = type(loss).from_config(loss.get_config())
    np.testing.assert_array_equal(again.forward(y, x, draw=draw)[1], loss.forward(y, x, draw=draw)[1])


def test_images_without_objects_are_background_and_those_without_regions_cost_nothing():
    x = _numbers(2, len(GRID), 5).astype(np.float32)
    losses, gradient = rcnn.ProposalLoss(GRID).forward(NOTHING, x)
    assert np.isfinite(losses).all()
    assert (losses > 0).all()
    assert gradient[..., 4].any()
    assert not gradient[..., :4].any()
    x = _numbers(2, 20, 15).astype(np.float32)
    x[0, :, :4], x[1, :, :4] = _regions(), 0
    losses, gradient = rcnn.RegionLoss().forward(NOTHING, x)
    assert losses[0] > 0
    assert losses[1] == 0
    assert not gradient[0, :, 7:].any()
    assert not gradient[1].any()
    masks = _numbers(2, 20, 20).astype(np.float32)
    losses, gradient = rcnn.MaskLoss().forward(np.zeros((2, 32, 48), int), masks)
    assert not losses.any()
    assert not gradient.any()


def test_a_million_anchors_and_three_thousand_objects_take_little_memory():
    grid = rcnn.AnchorGrid((4096, 4096), [[16, 16], [32, 32], [64, 64], [128, 128]])
    assert len(grid) == 2**20
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 4000, (3000, 2))
    rows = np.hstack([corners, corners + rng.uniform(8, 90, (3000, 2)), np.zeros((3000, 2))])[None].astype(np.float32)
    x = np.zeros((1, len(grid), 5), np.float32)
    loss = rcnn.ProposalLoss(grid)
    tracemalloc.start()
    losses, gradient = loss.forward(rows, x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(losses).all()
    assert np.count_nonzero(gradient[..., 4]) == 256
    assert most < 100e6  # 20 of them the gradient


def test_anchors_are_decoded_as_boxes_are():
    x = _numbers(2, len(GRID), 5)
    boxes, scores = GRID.decode(x)
    expected = fc.vision.boxes.clip(fc.vision.boxes.decode(x[..., :4], GRID.boxes.astype(float)), GRID.size)
    np.testing.assert_allclose(boxes, expected, atol=1e-9)
    np.testing.assert_allclose(scores[..., 0], 1 / (1 + np.exp(-x[..., 4])))
    np.testing.assert_array_equal(GRID.boxes, fc.vision.boxes.anchors((4, 6), 8, GRID.sides))
    assert rcnn.AnchorGrid(**GRID.get_config()).boxes.tolist() == GRID.boxes.tolist()


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: rcnn.AnchorGrid((30, 48), [[8, 8]]), ArgumentError, "a size of multiples of 8, got"),
    (lambda: rcnn.AnchorGrid((32, 48), [[8, 0]]), ArgumentError, "width and height above 0"),
    (lambda: rcnn.AnchorGrid((32, 48), "ab"), ArgumentError, "expected sides"),
    (lambda: rcnn.AnchorGrid(32, [[8, 8]]), ArgumentError, "a size \\(height, width\\), got 32"),
    (lambda: GRID.decode(np.zeros((1, 5, 5))), ArgumentError, "expected \\(N, 48, 5\\)"),
    (lambda: rcnn.ProposalLoss("grid"), ArgumentError, "expected an AnchorGrid, got str"),
    (lambda: rcnn.ProposalLoss(GRID, positive=0.2), ArgumentError, "negative <= positive"),
    (lambda: rcnn.ProposalLoss(GRID, share=2), ArgumentError, "a share from 0 to 1"),
    (lambda: rcnn.ProposalLoss(GRID, reduction="sum"), ArgumentError, "expected reduction"),
    (lambda: rcnn.ProposalLoss(GRID)(NOTHING, np.zeros((2, 5, 5))), ArgumentError, "expected outputs \\(N, 48, 5\\)"),
    (lambda: rcnn.RegionLoss(positive=0), ArgumentError, "a positive above 0"),
    (lambda: rcnn.RegionLoss()(NOTHING, np.zeros((2, 5, 9))), ArgumentError, "5 \\+ 5 classes"),
    (lambda: rcnn.RegionLoss()(NOTHING, np.zeros((3, 5, 10))), DataError, "each of 3 images, got those of 2"),
    (lambda: rcnn.RegionLoss().forward(NOTHING, np.zeros((2, 5, 10)), sample_weight=np.ones(3)), ArgumentError,
     "a sample_weight for each image"),
    (lambda: rcnn.RegionLoss().check(ROWS[None], 10), DataError, "expected classes below 1, got 1"),
    (lambda: rcnn.RegionLoss().check(ROWS[None, :, :4], 10), DataError, "expected rows x1, y1, x2, y2, class"),
    (lambda: rcnn.RegionLoss().check(np.array([[[2, 3, 2, 9, 0]]], float), 10), DataError, "boxes with an area"),
    (lambda: rcnn.RegionLoss().check(np.array([[[2, np.nan, 2, 9, 0]]], float), 10), DataError, "NaN"),
    (lambda: rcnn.RegionLoss().check(_map()[None], 10), DataError, "expected classes below 1, got 1"),
    (lambda: rcnn.RegionLoss().check(np.zeros((2, 4), int), 10), DataError, "maps of instances"),
    (lambda: rcnn.MaskLoss(2)(_map()[None], np.zeros((1, 3, 9))), ArgumentError, "4 \\+ S S 2"),
    (lambda: rcnn.MaskLoss()(ROWS[None], np.zeros((1, 3, 8))), DataError, "maps of instances .* got rows of boxes"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()
