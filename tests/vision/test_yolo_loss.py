"""What a YOLO learns from boxes: losses, their gradients, what is background, and how much memory it takes."""

import numpy as np

import fastcnn as fc
from fastcnn import device
from fastcnn.vision import detection
from fastcnn.vision.detection.best_boxes import best_boxes
from tests.mirror import mirror

CELLS = detection.YoloCells((32, 48), [[8, 8], [16, 8], [20, 20]], strides=(8, 16))
NOTHING = np.full((2, 1, 6), -1, np.float32)


def test_numbers_that_mean_the_objects_have_no_box_loss_and_decode_to_them():
    loss, target = detection.YoloLoss(CELLS), np.array([[[9, 5, 19, 13, 1, 0]]], float)
    x = np.random.default_rng(0).normal(size=(1, len(CELLS), 7))
    column, row, stride, pw, ph = CELLS.places.T.astype(float)
    inverse = lambda share: np.log(share / (1 - share))
    with np.errstate(invalid="ignore"):
        x[0, :, 0], x[0, :, 1] = (inverse((at / stride - cell + 0.5) / 2) for at, cell in ((14, column), (9, row)))
        x[0, :, 2], x[0, :, 3] = (inverse(np.sqrt(side / prior) / 2) for side, prior in ((10, pw), (8, ph)))
    own = np.isfinite(x).all(-1)
    x[~np.isfinite(x)] = 0
    np.testing.assert_allclose(CELLS.decode(x)[0][own], np.tile(target[0, 0, :4], (own.sum(), 1)), atol=1e-9)
    assert loss.parts(target, x).box < 1e-6


def test_the_gradient_of_the_loss_is_its_slope_and_images_have_weights():
    loss = detection.YoloLoss(CELLS, iou_objectness=False)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, len(CELLS), 7))
    y = np.array([[[2, 3, 12, 13, 0, 0], [20, 10, 38, 17, 1, 0]], [[-1] * 6] * 2], float)
    weights = np.array([0.5, 2.0])
    gradient = loss.forward(y, x, sample_weight=weights)[1]
    value = lambda x: loss.forward(y, x, False, weights)[0].mean()
    for n, p, k in [*np.argwhere(gradient[..., :4])[:12], (0, 3, 4), (1, 5, 4), (1, 5, 0), (0, 0, 6)]:
        step = np.zeros_like(x)
        step[n, p, k] = 1e-5
        np.testing.assert_allclose(gradient[n, p, k], (value(x + step) - value(x - step)) / 2e-5, atol=1e-8)
    alone = [detection.YoloLoss(CELLS, iou_objectness=False)(y[n:n + 1], x[n:n + 1]) for n in (0, 1)]
    np.testing.assert_allclose(loss.forward(y, x, False, weights)[0], weights * alone, rtol=1e-5)


def test_the_loss_is_the_same_on_another_device():
    x = np.random.default_rng(3).normal(size=(2, len(CELLS), 7)).astype(np.float32)
    y = np.array([[[2, 3, 12, 13, 0, 0], [20, 10, 38, 17, 1, 0]], [[-1] * 6] * 2], np.float32)
    here, there = (detection.YoloLoss(CELLS).forward(y, on.put(x)) for on in (device.current(), mirror))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one, mirror.get(other))


def test_a_batch_without_boxes_is_learned_as_background():
    fc.utils.set_random_seed(0)
    model = detection.yolo(CELLS, 2, filters=4, blocks=0)
    model.compile("sgd", detection.YoloLoss(CELLS))
    x = np.random.default_rng(0).integers(0, 255, (2, 32, 48, 3)).astype(np.uint8)
    losses, gradient = detection.YoloLoss(CELLS).forward(NOTHING, np.asarray(model.predict(x, verbose=0)))
    assert np.isfinite(losses).all()
    assert not gradient[..., [0, 1, 2, 3, 5, 6]].any()
    history = model.fit(x, NOTHING, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_one_crowded_picture_does_not_pad_all_others_before_a_training():
    import tracemalloc

    rows = np.tile(np.array([[1, 2, 9, 12, 0, 0]], np.float32), (3000 + 4999, 1))
    ragged = fc.data.RaggedRows(rows, np.append(0, np.arange(3000, 8000)), "boxes")
    assert ragged.shape == (5000, 3000, 6)  # 360 MB, were it padded
    tracemalloc.start()
    detection.YoloLoss(CELLS).check(ragged, 7)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4e6


def test_three_thousand_objects_on_twenty_five_thousand_places_take_little_memory():
    import tracemalloc

    cells = detection.YoloCells((640, 640), [[[8, 8], [12, 12], [20, 20]]] * 3, strides=(8, 16, 32))
    draw = np.random.default_rng(0)
    corners = draw.uniform(0, 600, (3000, 2))
    objects = np.column_stack([corners, corners + draw.uniform(5, 40, (3000, 2)), np.zeros(3000)])[None]
    x = draw.normal(size=(1, len(cells), 6)).astype(np.float32)
    boxes, scores = (np.asarray(one)[0] for one in cells.decode(x))
    tracemalloc.start()
    losses, gradient = detection.YoloLoss(cells, ignore_threshold=0.6).forward(objects, x)
    found = best_boxes(boxes, scores, cells.size, 0.001, 0.5, 3000)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(cells) == 25_200
    assert len(found[0]) == 3000
    assert np.isfinite(losses).all()
    assert gradient.any()
    assert most < 20e6


def test_the_loss_is_read_back_from_its_configuration():
    loss = detection.YoloLoss(CELLS, box_gain=2.0, ratio=3, overlap="ciou", ignore_threshold=0.6)
    again = detection.YoloLoss.from_config(loss.get_config())
    x = np.random.default_rng(0).normal(size=(1, len(CELLS), 7))
    y = np.array([[[2, 3, 12, 13, 0]]], float)
    assert again(y, x) == loss(y, x)
    assert again.get_config() == loss.get_config()
