"""Detectors in ONNX files, with and without suppression, give in onnxruntime what they give here."""

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime")

import fastcnn as fc  # noqa: E402
from fastcnn.vision import detection, rcnn  # noqa: E402


def _detector(form="v5", block="residual", strides=(8, 16), flips=None):
    """Return a detector of numbers that vary, as those of a trained one do."""
    fc.utils.set_random_seed(2)
    cells = detection.YoloCells((32, 64), [[8, 8], [16, 8], [20, 20]], strides, form)
    model = detection.yolo(cells, 2, filters=4, block=block)
    for head in (layer for layer in model.layers if layer.name.startswith("head")):
        weights, bias = head.get_weights()
        head.set_weights([20 * weights, np.zeros_like(bias)])
    return detection.Detector(model, cells, ("one", "two"), score_threshold=0.3, max_detections=20,
                              flips=flips)


@pytest.mark.parametrize("how", [
    {"form": "v3"}, {"form": "v5"}, {"strides": (16,)}, {"strides": (8, 16, 32)}, {"block": "repvgg"},
    {"block": "elan"}, {"flips": "horizontal_and_vertical"}], ids=lambda how: "-".join(map(str, how.values())))
@pytest.mark.parametrize("suppress", [False, True])
def test_a_detector_gives_the_same_boxes_in_onnxruntime(suppress, how, tmp_path):
    detector = _detector(**how)
    model = detector.prediction_model(suppress)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3)).astype(np.float32)
    fc.onnx.export(model, tmp_path / "detector.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "detector.onnx", providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    fed = images if given.shape[-1] == 3 else images.transpose(0, 3, 1, 2).copy()
    found = session.run(None, {given.name: fed})
    mine = model.predict(images, verbose=0)
    mine = list(mine) if isinstance(mine, (list, tuple)) else [mine]
    assert len(found) == len(mine) == (1 if suppress else 2)
    if suppress:
        assert (mine[0][..., 5] >= 0).any()
    for one, other in zip(found, mine, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-4)  # pixels of boxes up to 80 wide


def _of_regions(make):
    """Return a detector of two stages whose numbers vary, as those of a trained one do."""
    fc.utils.set_random_seed(2)
    grid = rcnn.AnchorGrid((32, 64), [[8, 8], [16, 12]])
    model = make(grid, 2, filters=4, regions=8, hidden=16)
    numbers = next(one for one in model.layers if type(one).__name__ == "Conv2D" and one.filters == 10)
    numbers.set_weights([100 * numbers.get_weights()[0], np.zeros(10)])
    for head in (one for one in model.layers if type(one).__name__ == "Dense" and one.units != 16):
        kernel, bias = head.get_weights()
        head.set_weights([100 * kernel, bias])
    return rcnn.RegionDetector(model, ("one", "two"), score_threshold=0.3, max_detections=10)


@pytest.mark.parametrize(("make", "suppress"), [(rcnn.faster_rcnn, False), (rcnn.faster_rcnn, True),
                                                (rcnn.mask_rcnn, None)])
def test_two_stages_and_masks_give_the_same_in_onnxruntime(make, suppress, tmp_path):
    detector = _of_regions(make)
    model = detector.model if suppress is None else detector.prediction_model(suppress)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3)).astype(np.float32)
    fc.onnx.export(model, tmp_path / "regions.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of a constant that it folds
    session = onnxruntime.InferenceSession(tmp_path / "regions.onnx", options, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: images})
    mine = model.predict(images, verbose=0)
    mine = list(mine) if isinstance(mine, (list, tuple)) else [mine]
    assert len(np.unique(mine[-1].round(2))) > 10
    for one, other in zip(found, mine, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)  # boxes in pixels, through two networks
