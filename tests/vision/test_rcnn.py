"""R-CNN, Fast, Faster and Mask: networks and detectors, on pictures of a few squares and bars."""

import sys
from typing import ClassVar

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.errors import ArgumentError, DataError
from fastcnn.metrics import InstanceAP
from fastcnn.models.gradient_report import SUSPECT
from fastcnn.vision import detection, rcnn
from fastcnn.vision.rcnn.decoding import decode_regions
from fastcnn.vision.rcnn.masked_detections import paste
from fastcnn.vision.rcnn.region_detector import filled
from tests.vision import naive_rcnn as naive
from tests.vision.test_detection import NAMES, _pictures

GRID = rcnn.AnchorGrid((32, 48), [[10, 10], [18, 7]])


def _made(make=rcnn.mask_rcnn, seed=1, **more):
    fc.utils.set_random_seed(seed)
    return make(GRID, 2, filters=8, regions=12, hidden=32, **more)


def _compiled(model, rate=4e-3):
    model.compile(fc.optimizers.AdamW(rate), {
        "proposals": rcnn.ProposalLoss(GRID, count=64), "regions": rcnn.RegionLoss(count=12, share=0.5),
        **({"masks": rcnn.MaskLoss(2, count=8)} if "masks" in model.output_names else {})})
    return model


def _maps(part):
    """Return maps of the instances of pictures, with their classes: the boxes themselves."""
    maps = np.zeros((len(part), 32, 48, 2), np.int32)
    for k, one in enumerate(part):
        for number, (box, kind) in enumerate(zip(one.boxes.astype(int), one.classes, strict=True), 1):
            maps[k, box[1]:box[3], box[0]:box[2]] = number, kind
    return maps


@pytest.fixture(scope="module")
def trained():
    """Return a detector with masks that has learned four pictures, and how its losses fell."""
    model, part = _compiled(_made(mask_side=8, mask_filters=8, mask_depth=1)), _pictures()
    x, maps = detection.letterboxed(part, GRID.size)[0], _maps(part)
    history = model.fit(x, dict.fromkeys(model.output_names, maps), batch_size=4, epochs=120, verbose=0)
    return rcnn.RegionDetector(model, NAMES), history.history


def test_both_stages_and_masks_learn_four_pictures_by_heart(trained):
    detector, history = trained
    for name in ("proposals_loss", "regions_loss", "masks_loss"):
        assert history[name][-1] < 0.5 * max(history[name])
    found = detector.evaluate(_pictures())
    assert found["AP50"] > 0.9
    assert min(found["square"], found["bar"]) > 0.9
    assert len(detector.detect(_pictures().images[0])) == 0  # a background
    each = detector.detect(list(_pictures().images))
    assert InstanceAP(0.5)(_maps(_pictures())[..., 0], np.stack([one.instances() for one in each])) > 0.9


def test_boxes_and_masks_are_those_of_a_picture_of_another_size(trained):
    detector, _ = trained
    part = _pictures()
    large = part.images[1].repeat(3, 0).repeat(3, 1)
    found = detector.detect(large)
    overlaps = fc.vision.boxes.iou(3 * part[1].boxes, found.boxes)
    assert (overlaps.max(1) > 0.6).all()
    assert [found.classes[k] for k in overlaps.argmax(1)] == part[1].classes.tolist()
    instances = _maps(part)[1, ..., 0].repeat(3, 0).repeat(3, 1)
    assert InstanceAP(0.5)(instances[None], found.instances()[None]) == 1
    wide = np.pad(large, ((0, 0), (30, 30), (0, 0)), constant_values=114)  # letterboxed, it is another size
    every = detector.detect(wide, score_threshold=0.0)
    assert every.instances().shape == wide.shape[:2]
    assert (every.boxes >= 0).all()
    assert (every.boxes <= [156 + 48, 96] * 2).all()
    assert every.boxes[:, 0].max() > 100


def test_a_detector_of_regions_is_saved_with_all_its_settings(trained, tmp_path):
    detector, _ = trained
    detector.iou_threshold = 0.4
    detector.save(tmp_path / "cells.safetensors")
    again = fc.vision.load(tmp_path / "cells.safetensors")
    assert isinstance(again, rcnn.RegionDetector)
    assert again.get_config() == detector.get_config()
    for one, other in zip(detector.detect(list(_pictures().images)),
                          fc.vision.detect(tmp_path / "cells.safetensors", list(_pictures().images)), strict=True):
        np.testing.assert_array_equal(one.rows(), other.rows())
        np.testing.assert_array_equal(one.masks, other.masks)
    assert len(fc.vision.detect(again, _pictures().images[1], score_threshold=1.0)) == 0
    detector.model.save(tmp_path / "alone.safetensors")
    with pytest.raises(DataError, match="a model without such settings; name another file"):
        rcnn.RegionDetector.load(tmp_path / "alone.safetensors")


def test_found_objects_are_drawn_in_colour(trained, tmp_path):
    pytest.importorskip("PIL")
    detector, _ = trained
    picture = _pictures().images[1].repeat(8, 0).repeat(8, 1)
    found = detector.detect(picture)
    drawn = found.draw(picture, tmp_path / "found.png")
    boxes_alone = detection.Detections(found.boxes, found.scores, found.classes, NAMES).draw(picture)
    inside = found.instances() > 0
    assert (drawn != boxes_alone).any(-1)[inside].mean() > 0.3
    np.testing.assert_array_equal(drawn[~inside], boxes_alone[~inside])
    np.testing.assert_array_equal(drawn, fc.datasets.rgb.read_rgb(tmp_path / "found.png"))


def test_the_prediction_model_finds_the_same_boxes(trained):
    detector, _ = trained
    x = np.stack(_pictures().images)
    rows = detector.prediction_model(suppress=True).predict(x, verbose=0)
    for found, own in zip(detector.detect(list(x)), rows, strict=True):
        own = own[own[:, 5] >= 0]
        np.testing.assert_allclose(np.clip(own[:, :4], 0, [48, 32, 48, 32]), found.boxes, atol=1e-3)
        np.testing.assert_allclose(own[:, 4], found.scores, atol=1e-6)
        np.testing.assert_array_equal(own[:, 5], found.classes)


def test_regions_are_decoded_as_boxes_are():
    x = np.random.default_rng(0).normal(size=(2, 5, 15))
    x[..., :4] = [3, 4, 20, 12]
    boxes, scores = decode_regions(x, 2)
    for k in range(2):
        expected = fc.vision.boxes.decode(x[..., 7 + 4 * k:11 + 4 * k].copy(), x[0, :, :4].copy())
        np.testing.assert_allclose(boxes[:, :, k], expected, atol=1e-9)
    shares = np.exp(x[..., 4:7])
    np.testing.assert_allclose(scores, (shares / shares.sum(-1, keepdims=True))[..., 1:])


@pytest.mark.parametrize("box", [(2.2, 1.7, 9.6, 7.1), (-3.5, -2, 4, 3.2), (5, 3, 20, 30), (4.6, 4.6, 5.4, 5.4)])
def test_masks_are_pasted_as_a_slow_loop_does(box):
    mask, size = np.random.default_rng(0).random((7, 7)).astype(np.float32), (10, 12)
    expected = naive.pasted(mask, box, size)
    (top, left), part = paste(mask, np.array(box), size)
    whole = np.zeros(size)
    whole[top:top + part.shape[0], left:left + part.shape[1]] = part
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    found = rcnn.MaskedDetections(np.array([box, box], np.float32), np.array([0.9, 0.8], np.float32), np.zeros(2, int),
                                  ("cat",), np.stack([mask, 1 + 0 * mask]), size)
    np.testing.assert_array_equal(found.instances() == 1, expected >= 0.5)  # the better one has what both claim


def _heads_on(model):
    """Return a model with the layers of a two-stage network that takes its boxes as they are given."""
    features, given = model.get_layer("features").output, fc.Input((12, 4))
    x = next(one for one in model.layers if type(one).__name__ == "RoIAlign")([features, given])
    x = next(one for one in model.layers if type(one).__name__ == "Reshape" and one.name != "proposals")(x)
    hidden, logits, offsets = (one for one in model.layers if type(one).__name__ == "Dense")
    x = hidden(x)
    told = layers.Concatenate(name="regions")([given, logits(x), offsets(x)])
    return fc.Model([model.input, given], [model.get_layer("proposals").output, told])


def test_gradients_of_both_stages_are_slopes_where_the_boxes_stay():
    model = _made(rcnn.faster_rcnn, activation="tanh")
    part = _pictures(3)
    x, rows = detection.letterboxed(part, GRID.size)
    y = dict.fromkeys(("proposals", "regions"), rows[:])
    boxes = np.stack([filled(np.concatenate([one.boxes + 1, GRID.boxes[5::9]]), 12) for one in part])
    report = fc.check_gradients(_compiled(_heads_on(model)), [x, boxes], y, numbers=3)
    assert report.verdict not in SUSPECT, report


def test_no_gradient_goes_through_the_boxes():
    model = _made(rcnn.faster_rcnn)
    x, rows = detection.letterboxed(_pictures(3), GRID.size)
    _, boxes = (one[..., :4] for one in model.forward(x.astype(np.float32), layers.Call())[0])
    gradients = []
    for one, given in ((model, x), (_heads_on(model), [x, boxes.copy()])):
        one.seed = 3
        one.compile(fc.optimizers.SGD(0.0), {"proposals": rcnn.ProposalLoss(GRID), "regions": rcnn.RegionLoss()})
        one.train_on_batch(given, dict.fromkeys(("proposals", "regions"), rows[:]))
        gradients.append({p.path: p.gradient.copy() for p in one.trainable_weights})
    assert all(one.any() for one in gradients[0].values())
    for path, one in gradients[0].items():
        np.testing.assert_array_equal(one, gradients[1][path])


def test_training_has_the_same_bits_on_any_threads_and_after_a_stop(two_threads):
    x, rows = detection.letterboxed(_pictures(6), GRID.size)
    y = dict.fromkeys(("proposals", "regions"), rows)
    pipeline = Pipeline([layers.RandomFlip(), layers.RandomZoom(0.2, fill_mode="constant")], seed=2)
    weights = []
    for count, epochs in ((1, (3,)), (2, (3,)), (1, (1, 3))):
        two_threads(count)
        model, begin = _compiled(_made(rcnn.faster_rcnn)), 0
        for end in epochs:
            model.fit(x, y, batch_size=2, initial_epoch=begin, epochs=end, augmentation=pipeline, verbose=0)
            begin = end
        weights.append(model.get_weights())
    for one, other, resumed in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, resumed)


class _Noted(rcnn.RegionLoss):
    """Notes what training tells it to draw by."""

    seen: ClassVar[list] = []

    def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None, draw=(0, 0)):
        self.seen.append((wants_gradient, draw))
        return super().forward(y_true, y_pred, wants_gradient, sample_weight, draw)


def test_losses_that_draw_are_told_seed_and_step_in_training_alone():
    model = rcnn.fast_rcnn((32, 48), 2, filters=4, regions=4, hidden=8)
    model.compile("sgd", _Noted())
    x, boxes = np.zeros((4, 32, 48, 3), np.uint8), np.tile(np.array([[1, 1, 9, 9]] * 4, np.float32), (4, 1, 1))
    rows = np.tile(np.array([[[1, 1, 9, 9, 0]]], np.float32), (4, 1, 1))
    model.fit([x, boxes], rows, batch_size=2, epochs=2, verbose=0)
    assert [draw for wanted, draw in _Noted.seen if wanted] == [(model.seed, step) for step in range(4)]
    _Noted.seen.clear()
    model.evaluate([x, boxes], rows, verbose=0)
    assert {draw for _, draw in _Noted.seen} == {(0, 0)}


def _jittered(picture):
    """Return a few boxes of a picture, near what is bright on it."""
    rng, bright = np.random.default_rng(0), picture[..., 0] > 150
    if not bright.any():
        return GRID.boxes[::8]
    rows, columns = (np.flatnonzero(bright.any(axis)) for axis in (1, 0))
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    boxes = [(part[0], rows[0], part[-1] + 1, rows[-1] + 1) for part in parts]
    for k, (x1, _, x2, _) in enumerate(boxes):
        own = np.flatnonzero(bright[:, x1:x2].any(1))
        boxes[k] = x1, own[0], x2, own[-1] + 1
    near = np.repeat(np.array(boxes, np.float32), 3, 0)
    return np.concatenate([near + rng.normal(0, 0.7, near.shape), GRID.boxes[::24]]).astype(np.float32)


@pytest.mark.parametrize("make", [rcnn.fast_rcnn, rcnn.rcnn])
def test_networks_of_given_proposals_learn_four_pictures(make, tmp_path):
    fc.utils.set_random_seed(1)
    more = {"side": 16} if make is rcnn.rcnn else {"stride": 4}
    model = make((32, 48), 2, filters=8, regions=12, hidden=32, **more)
    model.compile(fc.optimizers.AdamW(4e-3), rcnn.RegionLoss(count=12, share=0.5))
    x, rows = detection.letterboxed(_pictures(), GRID.size)
    boxes = np.stack([filled(_jittered(one), 12) for one in x])
    model.fit([x, boxes], rows, batch_size=4, epochs=100, verbose=0)
    detector = rcnn.RegionDetector(model, NAMES, proposals=_jittered)
    assert detector.evaluate(_pictures())["AP50"] > 0.9
    with pytest.raises(ArgumentError, match="got a function of your own; save the model"):
        detector.save(tmp_path / "own.safetensors")


def test_selective_search_proposes_what_stands_out(monkeypatch):
    with monkeypatch.context() as changed:
        changed.setitem(sys.modules, "cv2", None)
        with pytest.raises(ImportError, match=r'pip install "fastcnn\[rcnn\]"'):
            rcnn.selective_search(np.zeros((9, 9, 3), np.uint8))
    pytest.importorskip("cv2", reason='selective search needs pip install ".[rcnn]"')
    picture = np.full((60, 80, 3), 40, np.uint8)
    picture[10:30, 20:50] = 220, 30, 30
    boxes = rcnn.selective_search(picture, 20)
    assert fc.vision.boxes.iou(boxes, [[20, 10, 50, 30]]).max() > 0.8
    np.testing.assert_array_equal(boxes, rcnn.selective_search(picture, 20))
    assert len(rcnn.selective_search(picture[..., :1], 2)) <= 2


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: rcnn.faster_rcnn("grid", 2), ArgumentError, "expected an AnchorGrid, got str"),
    (lambda: rcnn.faster_rcnn(rcnn.AnchorGrid((36, 48), [[8, 8]], 12), 2), ArgumentError, "a power of two, got 12"),
    (lambda: rcnn.faster_rcnn(rcnn.AnchorGrid((40, 48), [[8, 8]], 8), 2), ArgumentError, "multiples of 16, twice"),
    (lambda: rcnn.mask_rcnn(GRID, 2, mask_side=7), ArgumentError, "an even mask_side, got 7"),
    (lambda: rcnn.fast_rcnn(32, 2), ArgumentError, "a size \\(height, width\\), got 32"),
    (lambda: rcnn.fast_rcnn((32, 48), 0), ArgumentError, "classes"),
    (lambda: rcnn.RegionDetector(_made(rcnn.faster_rcnn), ("one",)), ArgumentError, "a model of 1 classes"),
    (lambda: rcnn.RegionDetector(_made(rcnn.faster_rcnn), NAMES, proposals="selective_search"), ArgumentError,
     "makes its own"),
    (lambda: rcnn.RegionDetector(rcnn.fast_rcnn((32, 48), 2, filters=4, hidden=8), NAMES), ArgumentError,
     'expected proposals="selective_search"'),
    (lambda: rcnn.RegionDetector(rcnn.fast_rcnn((32, 48), 2, filters=4, hidden=8), NAMES, proposals="search"),
     ArgumentError, "'search' is not known"),
    (lambda: rcnn.RegionDetector(fc.Sequential([fc.Input((3,)), layers.Dense(2)]), NAMES), ArgumentError,
     "the output regions, got"),
    (lambda: rcnn.selective_search(np.zeros((9, 9, 3))), (ArgumentError, ImportError), "of uint8|needs OpenCV"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()
