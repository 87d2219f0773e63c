"""PyTorch has the same samples and gradients; its automatic derivatives are those of the losses of boxes."""

import math

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.layers import Call

torch = pytest.importorskip("torch")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = pytest.mark.peers
RNG = np.random.default_rng(5)


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("border", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_samples_at_a_grid_and_both_gradients(mode, border, corners):
    x, grid = RNG.standard_normal((2, 6, 7, 3)), RNG.uniform(-1.8, 1.8, (2, 5, 4, 2))
    layer = layers.GridSample(mode, border, corners, dtype="float64")
    y, backward = layer.forward((x, grid), Call())
    dy = RNG.standard_normal(y.shape)
    images = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    places = torch.tensor(grid, requires_grad=True)
    other = torch.nn.functional.grid_sample(images, places, mode, border, corners)
    other.backward(torch.tensor(np.moveaxis(dy, -1, 1)))
    np.testing.assert_allclose(y, np.moveaxis(other.detach().numpy(), 1, -1), atol=1e-12)
    dx, dgrid = backward(dy)
    np.testing.assert_allclose(dx, np.moveaxis(images.grad.numpy(), 1, -1), atol=1e-12)
    np.testing.assert_allclose(dgrid, places.grad.numpy(), atol=1e-11)


def _overlap_loss(kind, a, b):
    """Return the loss of pairs of boxes as the papers have it."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    common = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - common
    iou = common / union
    around = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    if kind == "BoxIoU":
        return 1 - iou
    if kind == "BoxGIoU":
        return 1 - iou + (around.prod(1) - union) / around.prod(1)
    far = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) ** 2).sum(1) / 4 / (around ** 2).sum(1)
    if kind == "BoxDIoU":
        return 1 - iou + far
    (wa, ha), (wb, hb) = (a[:, 2:] - a[:, :2]).T, (b[:, 2:] - b[:, :2]).T
    v = 4 / math.pi ** 2 * (torch.atan(wb / hb) - torch.atan(wa / ha)) ** 2
    with torch.no_grad():
        share = v / (1 - iou + v)
    return 1 - iou + far + share * v


@pytest.mark.parametrize("kind", ["BoxIoU", "BoxGIoU", "BoxDIoU", "BoxCIoU"])
def test_losses_of_boxes_and_their_gradients(kind):
    corners = RNG.uniform(0, 20, (2, 300, 2))
    truth, found = np.concatenate([corners, corners + RNG.uniform(1, 15, (2, 300, 2))], 2)
    losses, gradient = getattr(fc.losses, kind)().forward(truth, found)
    a = torch.tensor(found, requires_grad=True)
    other = _overlap_loss(kind, a, torch.tensor(truth))
    other.mean().backward()
    np.testing.assert_allclose(losses, other.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(gradient, a.grad.numpy(), atol=1e-13)


@pytest.mark.parametrize("make", [
    lambda: layers.RoIAlign((3, 2), 0.75), lambda: layers.RoIAlign(4, 0.5, 2, False), lambda: layers.RoIPooling(3, 0.6),
], ids=["align", "align of old", "pool"])
def test_regions_beyond_the_borders_without_area_and_turned_round_in_onnxruntime(make, tmp_path):
    low = RNG.uniform(-4, 14, (2, 10, 2))
    boxes = np.concatenate([low, low + RNG.uniform(0, 16, (2, 10, 2))], 2)
    boxes[:, 0], boxes[:, 1] = (3, 3, 3, 3), (5, 6, 4, 2)
    xs = RNG.standard_normal((2, 9, 11, 5)).astype(np.float32), boxes.astype(np.float32)
    inputs = [fc.Input((9, 11, 5)), fc.Input((10, 4))]
    model = fc.Model(inputs, make()(inputs))
    session = ort.InferenceSession(str(fc.onnx.export(model, tmp_path / "m.onnx")))
    found = session.run(None, {one.name: x for one, x in zip(session.get_inputs(), xs, strict=True)})[0]
    np.testing.assert_allclose(model.predict(list(xs)), found, rtol=0, atol=2e-5)  # its places are of float32


def test_5000_boxes_are_those_that_onnxruntime_keeps():
    corner = RNG.uniform(0, 600, (5000, 2))
    boxes = np.concatenate([corner, corner + RNG.uniform(4, 120, (5000, 2))], 1).astype(np.float32)
    scores = RNG.permutation(5000).astype(np.float32) / 5000
    from onnx import TensorProto, helper

    names = ("boxes", "scores", "most", "iou")
    info = [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 5000, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 5000])]
    graph = helper.make_graph(
        [helper.make_node("NonMaxSuppression", names, ["y"])], "nms", info,
        [helper.make_tensor_value_info("y", TensorProto.INT64, None)],
        [helper.make_tensor("most", TensorProto.INT64, [1], [5000]),
         helper.make_tensor("iou", TensorProto.FLOAT, [1], [0.5])])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = ort.InferenceSession(proto.SerializeToString())
    expected = session.run(None, {"boxes": boxes[None], "scores": scores[None, None]})[0][:, 2]
    np.testing.assert_array_equal(fc.vision.boxes.nms(boxes, scores), expected)
