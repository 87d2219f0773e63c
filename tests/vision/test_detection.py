"""YOLO: cells, loss, network, detector, on pictures of a few squares and bars."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import detection
from fastcnn.vision.detection.best_boxes import best_boxes

CELLS = detection.YoloCells((32, 48), [[8, 8], [16, 8], [20, 20]], strides=(8, 16))
NAMES = ("square", "bar")
NOTHING = np.full((2, 1, 6), -1, np.float32)


def _pictures(count=4, seed=0, sizes=((32, 48),)):
    """Return pictures with a few bright squares and bars each, the first with none."""
    draw = np.random.default_rng(seed)
    images, boxes, offsets, classes = [], [], [0], []
    for k in range(count):
        h, w = sizes[k % len(sizes)]
        image = draw.integers(0, 60, (h, w, 3)).astype(np.uint8)
        for slot in range(0 if k == 0 else 2):
            kind = (k + slot) % 2
            wide, high = (10, 10) if kind == 0 else (18, 7)
            x, y = draw.integers(0, w // 2 - wide) + slot * (w // 2), draw.integers(0, h - high)
            image[y:y + high, x:x + wide] = (220, 120 + 100 * kind, 60)
            boxes.append((x, y, x + wide, y + high))
            classes.append(kind)
        images.append(image)
        offsets.append(len(boxes))
    return fc.datasets.BoxedImages(images, boxes, offsets, classes, NAMES, tuple(f"{k}.png" for k in range(count)),
                                   [one.shape[:2] for one in images])


@pytest.fixture(scope="module")
def trained():
    """Return a detector that has learned four pictures, and how its loss fell."""
    fc.utils.set_random_seed(1)
    x, rows = detection.letterboxed(_pictures(), CELLS.size)
    model = detection.yolo(CELLS, 2, filters=8, blocks=0)
    model.compile(fc.optimizers.AdamW(5e-3), detection.YoloLoss(CELLS))
    history = model.fit(x, rows, batch_size=4, epochs=150, verbose=0)
    return detection.Detector(model, CELLS, NAMES), history.history["loss"]


def test_a_detector_learns_four_pictures_by_heart(trained):
    detector, losses = trained
    assert losses[-1] < 0.3 * losses[0]
    found = detector.evaluate(_pictures())
    assert found["AP50"] > 0.9
    assert min(found["square"], found["bar"]) > 0.9
    assert len(detector.detect(_pictures().images[0])) == 0  # a background


def test_average_precision_is_told_in_the_log_as_the_detector_finds_it(trained):
    detector, _ = trained
    part = _pictures(6, seed=5).joined(_pictures())
    x, rows = detection.letterboxed(part, CELLS.size)
    model = fc.Model(detector.model.inputs, detector.model.outputs)
    model.compile("sgd", detection.YoloLoss(CELLS), metrics=[
        detection.YoloAveragePrecision(CELLS), detection.YoloAveragePrecision(CELLS.get_config(), "AP", name="ap")])
    found, told = detector.evaluate(part), model.evaluate(x, rows, batch_size=4, verbose=0, return_dict=True)
    assert 0.2 < found["AP50"] < 1
    np.testing.assert_allclose((told["AP50"], told["ap"]), (found["AP50"], found["AP"]), atol=1e-12)
    metric = detection.YoloAveragePrecision(CELLS, "AP75", 0.4)
    again = detection.YoloAveragePrecision.from_config(metric.get_config())
    assert (again.name, again.measure, again.iou_threshold, len(again.cells)) == ("AP75", "AP75", 0.4, len(CELLS))


def test_found_boxes_are_those_of_the_picture_in_its_own_pixels(trained):
    detector, _ = trained
    part = _pictures()
    large = part.images[1].repeat(3, 0).repeat(3, 1)
    wide = np.pad(large, ((0, 0), (30, 30), (0, 0)), constant_values=114)  # letterboxed, it is another size
    for picture, left in ((large, 0), (wide, 30)):
        every = fc.vision.detect(detector, picture, score_threshold=0.0)
        assert len(every) > 2
        assert every.boxes.min() >= 0
        assert (every.boxes[:, 2:] <= picture.shape[1::-1]).all()
        if left == 0:
            found = detector.detect(picture)
            overlaps = fc.vision.boxes.iou(3 * part[1].boxes, found.boxes)
            assert (overlaps.max(1) > 0.6).all()
            assert [found.classes[k] for k in overlaps.argmax(1)] == part[1].classes.tolist()
            assert (np.diff(found.scores) <= 0).all()


def test_a_detector_is_saved_with_all_its_settings(trained, tmp_path):
    detector, _ = trained
    detector.iou_threshold = 0.4
    detector.save(tmp_path / "cells.safetensors")
    again = detection.Detector.load(tmp_path / "cells.safetensors")
    assert (again.classes, again.iou_threshold, again.cells.get_config()) == (NAMES, 0.4, CELLS.get_config())
    for one, other in zip(detector.detect(list(_pictures().images)),
                          fc.vision.detect(tmp_path / "cells.safetensors", list(_pictures().images)), strict=True):
        np.testing.assert_array_equal(one.rows(), other.rows())
    assert len(fc.vision.detect(again, _pictures().images[1], score_threshold=0.999)) == 0
    detector.model.save(tmp_path / "alone.safetensors")
    with pytest.raises(DataError, match="a model without such settings; name another file"):
        detection.Detector.load(tmp_path / "alone.safetensors")


def test_a_threshold_is_chosen_by_f1_and_kept_with_the_detector(trained, tmp_path):
    detector = detection.Detector(trained[0].model, CELLS, NAMES)
    chosen = detector.choose_threshold(_pictures(6, seed=5).joined(_pictures()))
    assert detector.score_threshold == chosen.threshold != 0.25
    found = [detector.detect(one) for one in _pictures().images]
    assert sum(map(len, found)) == 6  # what it has learned by heart
    assert 0.5 < chosen.f1 <= 1
    assert chosen.f1 == pytest.approx(2 / (1 / chosen.precision + 1 / chosen.recall))
    detector.save(tmp_path / "chosen.safetensors")
    assert detection.Detector.load(tmp_path / "chosen.safetensors").score_threshold == chosen.threshold


def test_the_prediction_model_finds_the_same_boxes(trained):
    detector, _ = trained
    x = np.stack(_pictures().images)
    rows = detector.prediction_model(suppress=True).predict(x, verbose=0)
    for found, own in zip(detector.detect(list(x)), rows, strict=True):
        own = own[own[:, 5] >= 0]
        np.testing.assert_allclose(np.clip(own[:, :4], 0, [48, 32, 48, 32]), found.boxes, atol=1e-3)
        np.testing.assert_allclose(own[:, 4], found.scores, atol=1e-6)


@pytest.mark.parametrize(("flips", "turn"), [
    ("horizontal", lambda x: x[:, ::-1]), ("vertical", lambda x: x[::-1]),
    ("horizontal_and_vertical", lambda x: x[::-1, ::-1])])
def test_with_flips_a_mirror_image_has_the_mirrored_boxes(trained, flips, turn, tmp_path):
    detector = detection.Detector(trained[0].model, CELLS, NAMES, score_threshold=0.02, flips=flips)
    picture = _pictures(2, seed=3).images[1]
    found, mirrored = detector.detect(picture), detector.detect(np.ascontiguousarray(turn(picture)))
    low, high = mirrored.boxes[:, :2], mirrored.boxes[:, 2:]
    across, down = turn(np.array([[0, 1], [2, 3]]))[0, 0] % 2 == 1, turn(np.array([[0, 1], [2, 3]]))[0, 0] > 1
    there = np.where([across, down], [48, 32] - high, low), np.where([across, down], [48, 32] - low, high)
    assert len(found) == len(mirrored) > 0
    np.testing.assert_allclose(np.hstack(there), found.boxes, atol=1e-3)
    np.testing.assert_allclose(mirrored.scores, found.scores, atol=1e-5)
    plain = detection.Detector(trained[0].model, CELLS, NAMES, score_threshold=0.02).detect(picture)
    assert plain.scores[0] != found.scores[0]
    detector.save(tmp_path / "flips.safetensors")
    np.testing.assert_array_equal(detection.Detector.load(tmp_path / "flips.safetensors").detect(picture).rows(),
                                  found.rows())


def test_found_boxes_are_drawn(trained, tmp_path):
    pytest.importorskip("PIL")
    detector, _ = trained
    picture = _pictures().images[1]
    found = detector.detect(picture)
    drawn = found.draw(picture, tmp_path / "found.png")
    assert drawn.shape == picture.shape
    assert (drawn != picture).any()
    np.testing.assert_array_equal(drawn, fc.datasets.rgb.read_rgb(tmp_path / "found.png"))
    np.testing.assert_array_equal(detection.Detections(*(one[:0] for one in (found.boxes, found.scores, found.classes)),
                                                       NAMES).draw(picture), picture)


@pytest.mark.parametrize("form", ["v3", "v5"])
def test_decoding_places_gives_what_the_formulas_say(form):
    cells = detection.YoloCells((32, 48), [[8, 8], [16, 8], [20, 20]], (8, 16), form)
    x = np.random.default_rng(0).normal(size=(2, len(cells), 7))
    boxes, scores = cells.decode(x)
    s = 1 / (1 + np.exp(-x))
    column, row, stride, pw, _ = cells.places.T.astype(float)
    middle = (column + (2 * s[..., 0] - 0.5 if form == "v5" else s[..., 0])) * stride
    wide = pw * ((2 * s[..., 2]) ** 2 if form == "v5" else np.exp(x[..., 2]))
    np.testing.assert_allclose(boxes[..., 0], middle - wide / 2, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(boxes[..., 2], middle + wide / 2, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scores, s[..., 4:5] * s[..., 5:], rtol=1e-6)
    assert ((column * stride < 48) & (row * stride < 32)).all()


def test_of_boxes_of_the_same_score_that_of_the_lower_place_stays():
    boxes = np.array([[0, 0, 10, 10], [40, 0, 50, 10], [1, 0, 11, 10], [0, 0, 10, 10], [41, 0, 51, 10]], np.float32)
    scores = np.array([[0.5, 0.0], [0.0, 0.7], [0.5, 0.0], [0.5, 0.7], [0.0, 0.7]], np.float32)
    found, points, kinds = best_boxes(boxes, scores, (64, 64), 0.1, 0.5, 10)
    np.testing.assert_array_equal(found, boxes[[1, 3, 0]])  # of the second class places 1 and 3, of the first place 0
    assert kinds.tolist() == [1, 1, 0]
    assert points.tolist() == pytest.approx([0.7, 0.7, 0.5])


def test_boxes_move_with_augmented_pictures_in_fit():
    fc.utils.set_random_seed(0)
    x, rows = detection.letterboxed(_pictures(8), CELLS.size)
    model = detection.yolo(CELLS, 2, filters=4, blocks=0)
    model.compile(fc.optimizers.AdamW(5e-3), detection.YoloLoss(CELLS))
    pipeline = Pipeline([layers.RandomFlip(), layers.RandomZoom(0.2, fill_mode="constant")])
    history = model.fit(x, rows, batch_size=4, epochs=80, augmentation=pipeline, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.85 * history[0]


def test_pictures_of_several_sizes_are_letterboxed_with_their_boxes():
    part = _pictures(3, sizes=((32, 48), (40, 40)))
    x, rows = detection.letterboxed(part, (64, 64))
    assert x.shape == (3, 64, 64, 3)
    assert x.dtype == np.uint8
    assert (x[0, :10] == 114).all()
    place = fc.vision.boxes.Letterbox((40, 40), (64, 64))
    np.testing.assert_allclose(place.invert(rows[1][:, :4]), part[1].boxes, atol=1e-4)
    x1, y1, x2, y2 = np.round(rows[1][0, :4]).astype(int)
    assert x[1, y1 + 2:y2 - 2, x1 + 2:x2 - 2, 0].mean() > 210


def test_one_to_three_grids_have_a_head_each():
    for strides, places in (((16,), 3 * 12), ((8, 16), 3 * 48 + 12 * 3), ((8, 16, 32), 3 * (48 + 12 + 3))):
        anchors = [[[8, 8], [16, 8], [20, 20]]] * len(strides)
        cells = detection.YoloCells((32, 96), anchors, strides)
        model = detection.yolo(cells, 2, filters=4)
        assert len(cells) == sum(3 * 32 * 96 // stride**2 for stride in strides)
        assert model.output_shape == (None, len(cells), 7)
        assert sum(one.name.startswith("head") for one in model.layers) == len(strides), places


@pytest.mark.parametrize("count", [2, 0])
def test_what_supervision_is_handed_are_arrays_of_a_row_a_box(count, monkeypatch):
    given = {}
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=lambda **more: given.update(more)))
    boxes = np.array([[2, 3, 20, 30], [0, 0, 5, 5]], np.float32)[:count]
    detection.Detections(boxes, np.array([0.9, 0.5], np.float32)[:count], np.array([1, 0])[:count],
                         ("cat", "dog")).to_supervision()
    assert {name: (one.shape, one.dtype.kind) for name, one in given.items() if name != "data"} == {
        "xyxy": ((count, 4), "f"), "confidence": ((count,), "f"), "class_id": ((count,), "i")}
    assert given["data"]["class_name"].tolist() == ["dog", "cat"][:count]
    given["xyxy"][:] = -1
    assert (boxes >= 0).all()


def test_without_supervision_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    none = detection.Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int), ())
    with pytest.raises(ImportError, match="to_supervision needs the package supervision: pip install supervision"):
        none.to_supervision()


def test_a_class_that_is_not_there_is_found_in_any_image():
    model = detection.yolo(CELLS, 2, filters=4, blocks=0)
    model.compile("sgd", detection.YoloLoss(CELLS))
    rows = np.tile([[2.0, 3, 12, 13, 1]], (70, 1))
    rows[69, 4] = 2
    with pytest.raises(DataError, match="expected classes below 2 for 7 outputs a place, got 2"):
        model.fit(np.zeros((70, 32, 48, 3), np.uint8), fc.data.RaggedRows(rows, np.arange(71)), verbose=0)


def _fit(rows, classes=2):
    model = detection.yolo(CELLS, classes, filters=4, blocks=0)
    model.compile("sgd", detection.YoloLoss(CELLS))
    model.fit(np.zeros((1, 32, 48, 3), np.uint8), np.array([rows], np.float32), verbose=0)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: detection.YoloCells((30, 48), [[8, 8]]), ArgumentError, "a size of multiples of 16, got"),
    (lambda: detection.YoloCells((32, 48), [[8, 0]]), ArgumentError, "width and height above 0"),
    (lambda: detection.YoloCells((32, 48), []), ArgumentError, "expected anchors"),
    (lambda: detection.YoloCells((32, 48), ["ab"]), ArgumentError, "expected anchors"),
    (lambda: detection.YoloCells((32, 48), 5), ArgumentError, "expected anchors"),
    (lambda: detection.YoloCells((32, 48), [[8, 8]], 16), ArgumentError, "expected strides that rise, got 16"),
    (lambda: detection.YoloCells((32, 48), [[8, 8]], (16, 8)), ArgumentError, "expected strides that rise"),
    (lambda: detection.letterboxed([1], (3, 3)), ArgumentError, "expected BoxedImages"),
    (lambda: detection.YoloCells((32, 48), [[8, 8]], (8, 16)), ArgumentError, "an anchor for each of 2 strides, got 1"),
    (lambda: detection.YoloCells((32, 48), [[8, 8]], form="v4"), ArgumentError, "form: 'v4' is not known"),
    (lambda: detection.yolo(detection.YoloCells((36, 48), [[8, 8]], (12,)), 2), ArgumentError, "powers of two"),
    (lambda: detection.YoloLoss("cells"), ArgumentError, "expected YoloCells, got str"),
    (lambda: detection.YoloAveragePrecision("cells"), ArgumentError, "expected YoloCells, got str"),
    (lambda: detection.YoloLoss(CELLS, ratio=0.5), ArgumentError, "a ratio of at least 1"),
    (lambda: detection.YoloLoss(CELLS, overlap="eiou"), ArgumentError, "overlap: 'eiou' is not known"),
    (lambda: detection.YoloLoss(CELLS, ignore_threshold=2), ArgumentError, "an ignore_threshold from 0 to 1"),
    (lambda: detection.YoloLoss(CELLS)(NOTHING, np.zeros((2, 5, 7))), ArgumentError, "expected outputs"),
    (lambda: _fit([[2, 3, 12, 13, 2]]), DataError, "expected classes below 2 for 7 outputs a place, got 2"),
    (lambda: _fit([[2, 3, 12, 3, 1]]), DataError, "expected boxes with an area"),
    (lambda: _fit([[2, np.nan, 12, 3, 1]]), DataError, "NaN"),
    (lambda: _fit([2, 3, 4, 5, 1]), DataError, "expected rows x1, y1, x2, y2, class of each of 1 images"),
    (lambda: detection.Detector(detection.yolo(CELLS, 2, filters=4), CELLS, ("one",)), ArgumentError,
     "expected a model with outputs"),
    (lambda: detection.Detector(detection.yolo(CELLS, 2, filters=4), CELLS, NAMES, flips="diagonal"), ArgumentError,
     "Detector: flips: 'diagonal' is not known"),
    (lambda: detection.Detector(detection.yolo(CELLS, 2, filters=4), CELLS, NAMES).detect(np.zeros((4, 4, 3))),
     ArgumentError, "of uint8, 0 to 255"),
    (lambda: detection.Detector(detection.yolo(CELLS, 2, filters=4), CELLS, ("a", "b")).evaluate(_pictures()),
     DataError, "Detector.evaluate: expected boxes of the classes a, b, got square, bar"),
    (lambda: detection.Detector(detection.yolo(CELLS, 2, filters=4), CELLS, ("a", "b")).choose_threshold(_pictures()),
     DataError, "Detector.choose_threshold: expected boxes of the classes a, b, got square, bar"),
])
def test_what_cannot_be_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()
