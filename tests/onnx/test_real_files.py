"""Trained ONNX files of others do what they are for: they find a face, a cat, digits and notes, and keep their digits.

The files lie in ``../shared/data/real-models`` (or FASTCNN_DATA); a test is skipped where they are absent. Beside
onnxruntime: tests/peers/test_load_onnxruntime.py.
"""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.models import retyped

pytest.importorskip("onnx", reason='files of ONNX need onnx: pip install "fastcnn[onnx]"')


def photograph(data_dir, name, height, width):
    image = pytest.importorskip("PIL.Image")
    picture = image.open(data_dir / "style-photos" / name).convert("RGB").resize((width, height))
    return np.asarray(picture, np.float32)[None]


def outputs(path, x, tolerance):
    """Return what a file's model makes of x; it is its computation in float64 up to a share of the largest number."""
    model = fc.onnx.load(path)
    exact = retyped.in_float64(model, "the test").predict(x.astype(np.float64))
    found = model.predict(x)
    found, exact = ([one] if isinstance(one, np.ndarray) else one for one in (found, exact))
    for got, right in zip(found, exact, strict=True):
        np.testing.assert_allclose(got, right, rtol=0, atol=tolerance * np.abs(right).max())
    return found


def test_ultraface_finds_the_astronauts_face_and_none_in_a_cup(real_models, data_dir):
    x = np.concatenate([photograph(data_dir, name, 240, 320) for name in ("astronaut.png", "coffee.png")])
    scores, boxes = outputs(real_models / "onnx" / "ultraface_rfb_320.onnx", (x - 127) / 128, 1e-5)
    faces = scores[0, :, 1] > 0.7
    pixels = boxes[0, faces] * [320, 240, 320, 240]
    kept = fc.vision.boxes.nms(pixels, scores[0, faces, 1], 0.3)
    assert len(kept) == 1
    np.testing.assert_allclose(pixels[kept][0], [112, 29, 167, 81], atol=3)  # her face
    assert scores[1, :, 1].max() < 0.2


@pytest.mark.parametrize(("name", "kind"), [("astronaut.png", 0), ("chelsea.png", 15), ("coffee.png", 41)])
def test_fastestdet_sees_a_person_a_cat_and_a_cup(name, kind, real_models, data_dir):
    x = photograph(data_dir, name, 352, 352)[..., ::-1] / 255
    (y,) = outputs(real_models / "onnx" / "fastestdet_coco.onnx", np.ascontiguousarray(x), 2e-5)  # 1.04e-5 at the cup
    scores = y[0, ..., :1] ** 0.6 * y[0, ..., 5:] ** 0.4
    assert scores.max() > 0.75
    assert scores.max((0, 1)).argmax() == kind  # of COCO's 80 classes


def test_the_digits_of_cntk_are_right_about_9891_of_the_10000_test_images(real_models, data_dir):
    path = real_models / "onnx" / "mnist_cntk.onnx"
    _, (x, y) = fc.datasets.mnist.load_data(data_dir=data_dir)
    outputs(path, x[:16, :, :, None].astype(np.float32), 1e-5)
    assert (fc.onnx.load(path).predict(x[..., None], batch_size=500).argmax(1) == y).sum() == 9891


@pytest.mark.parametrize("notes", [(60, 64, 67), (57,), (69, 73)], ids=["c-e-g", "a", "a-c-sharp"])
def test_basic_pitch_hears_the_notes_of_a_chord(notes, real_models):
    seconds = np.arange(43844) / 22050
    sound = sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * overtone * seconds) / overtone
                for note in notes for overtone in (1, 2, 4))
    x = (sound / 8).reshape(1, 1, -1).astype(np.float32)
    # A logarithm of what is nearly silent makes much of rounding: onnxruntime is further from float64.
    heard = outputs(real_models / "onnx" / "basic_pitch.onnx", x, 2e-3)[1][0, 40:140].mean(0)
    assert sorted(21 + np.argsort(heard)[-len(notes):]) == list(notes)  # as MIDI counts them
