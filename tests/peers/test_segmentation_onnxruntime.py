"""Networks of pixels in ONNX files give in onnxruntime what they give here, for sizes that do not divide."""

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime")

import fastcnn as fc  # noqa: E402
from fastcnn import layers  # noqa: E402
from fastcnn.vision import segmentation  # noqa: E402


def _unet():
    return segmentation.unet(3, filters=4, depth=2, convolutions=1)


def _head():
    return segmentation.fcn(fc.Sequential([
        fc.Input((32, 32, 1)), layers.Conv2D(4, 3, 2, name="fine"), layers.ReLU(), layers.MaxPooling2D(2),
        layers.Conv2D(6, 3, name="coarse"), layers.GlobalAveragePooling2D(), layers.Dense(4)]), 3,
        layers=("fine", "coarse"))


@pytest.mark.parametrize("make", [_unet, _head])
@pytest.mark.parametrize("size", [(37, 50), (32, 64)])
def test_a_segmenter_gives_the_same_probabilities_in_onnxruntime(make, size, tmp_path):
    fc.utils.set_random_seed(2)
    segmenter = segmentation.Segmenter(make(), ("disc",))
    for weight in segmenter.model.trainable_weights:  # heads that begin with zeros tell nothing
        weight.assign(np.random.default_rng(weight.value.size).normal(0, 0.2, weight.shape))
    fc.onnx.export(segmenter.prediction_model(size), tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).random((2, *size, 1), np.float32)
    given = session.get_inputs()[0]
    found = session.run(None, {given.name: x if given.shape[-1] == 1 else x.transpose(0, 3, 1, 2).copy()})[0]
    mine = segmenter.model.predict(x, verbose=0)
    np.testing.assert_allclose(found if found.shape == mine.shape else found.transpose(0, 2, 3, 1), mine, atol=2e-6)
    assert np.ptp(mine) > 0.1
    again = fc.onnx.load(tmp_path / "m.onnx")
    np.testing.assert_allclose(again.predict(x, verbose=0), mine, atol=2e-6)


@pytest.mark.parametrize("make", [_unet, _head])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_one_file_takes_pictures_of_any_size(make, layout, tmp_path):
    fc.utils.set_random_seed(2)
    model = make()
    for weight in model.trainable_weights:
        weight.assign(np.random.default_rng(weight.value.size).normal(0, 0.2, weight.shape))
    fc.onnx.export(model, tmp_path / "m.onnx", layout=layout)
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    last = layout == "channels_last"
    for size in ((37, 50), (32, 64), (1, 3), (70, 41)):
        x = np.random.default_rng(0).random((2, *size, 1), np.float32)
        (found,) = session.run(None, {session.get_inputs()[0].name: x if last else x.transpose(0, 3, 1, 2).copy()})
        np.testing.assert_allclose(found if last else found.transpose(0, 2, 3, 1), model.predict(x, verbose=0),
                                   atol=2e-6)
