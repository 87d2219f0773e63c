"""The triplet loss beside PyTorch's arithmetic: values and gradients of all triplets, and of the hardest."""

import numpy as np
import pytest

from fastcnn import losses

torch = pytest.importorskip("torch")


def _torch(x, y, mining, margin):
    x = torch.from_numpy(x).requires_grad_()
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    same = torch.from_numpy(y[:, None] == y[None])
    other, pair = ~same, same & ~torch.eye(len(y), dtype=torch.bool)
    if mining == "hard":
        furthest = distance.masked_fill(~pair, -1).amax(1)
        nearest = distance.masked_fill(~other, torch.inf).amin(1)
        loss = torch.relu(furthest - nearest + margin).mean()
    else:
        each = torch.relu(distance[:, :, None] - distance[:, None, :] + margin)
        each = each[pair[:, :, None] & other[:, None, :]]
        loss = each.sum() / (each > 0).sum()
    loss.backward()
    return loss.item(), x.grad.numpy()


@pytest.mark.parametrize("mining", ["all", "hard"])
def test_triplets_have_pytorchs_loss_and_gradient(mining):
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((24, 8)).astype(np.float32) / 3, np.repeat(np.arange(6), 4)
    expected, slope = _torch(x, y, mining, 0.3)
    values, dx = losses.Triplet(0.3, mining).forward(y, x)
    assert values.mean() == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(dx, slope, atol=1e-6)
