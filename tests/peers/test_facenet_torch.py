"""FaceNet beside PyTorch: the definition of nn4.small2, with Torch's own poolings, normalizations and concatenation."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

import fastcnn as fc  # noqa: E402

pytestmark = pytest.mark.peers


class _Peer:
    """The network in PyTorch's functions, with the weights of one of fastcnn's."""

    def __init__(self, model):
        self.weights = {layer.name: [torch.from_numpy(np.asarray(one)) for one in layer.get_weights()]
                        for layer in model.layers}

    def conv(self, x, name, strides=1):
        kernel, bias = self.weights[f"conv{name}"]
        scale, offset, mean, variance = self.weights[f"bn{name}"]
        x = functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, strides, kernel.shape[0] // 2)
        return functional.relu(functional.batch_norm(x, mean, variance, scale, offset, eps=1e-5))

    def inception(self, x, name, pool, strides=1):
        found = [self.conv(self.conv(x, f"_{name}_{size}_reduce"), f"_{name}_{size}", strides)
                 for size in ("3x3", "5x5") if f"conv_{name}_{size}" in self.weights]
        small = pool(x)
        if f"conv_{name}_pool" in self.weights:
            small = self.conv(small, f"_{name}_pool")
        whole = torch.zeros((*small.shape[:2], *found[0].shape[2:]))
        top, left = ((whole.shape[k] - small.shape[k]) // 2 for k in (2, 3))
        whole[:, :, top:top + small.shape[2], left:left + small.shape[3]] = small
        found.append(whole)
        if f"conv_{name}_1x1" in self.weights:
            found.append(self.conv(x, f"_{name}_1x1"))
        return torch.cat(found, 1)

    def __call__(self, x):
        norm = torch.nn.LocalResponseNorm(5, 1e-4, 0.75)
        largest, root = (lambda x: functional.max_pool2d(x, 3, 2)), (lambda x: functional.lp_pool2d(x, 2.0, 3))
        x = norm(functional.max_pool2d(self.conv(x, "1", 2), 3, 2, 1))
        x = functional.max_pool2d(norm(self.conv(self.conv(x, "2"), "3")), 3, 2, 1)
        for name, pool, strides in (("3a", largest, 1), ("3b", root, 1), ("3c", largest, 2), ("4a", root, 1),
                                    ("4e", largest, 2), ("5a", root, 1), ("5b", largest, 1)):
            x = self.inception(x, f"inception_{name}", pool, strides)
        kernel, bias = self.weights["dense"]
        return functional.normalize(functional.avg_pool2d(x, 3).flatten(1) @ kernel + bias)


def test_facenet_is_what_pytorch_computes():
    fc.utils.set_random_seed(1)
    model, draw = fc.applications.FaceNet(), np.random.default_rng(0)
    for p in model.weights:  # statistics that are not 0 and 1
        if "mean" in p.name or "variance" in p.name:
            p.assign(0.1 * draw.standard_normal(p.shape) if "mean" in p.name else draw.uniform(0.5, 1.5, p.shape))
    x = draw.random((2, 96, 96, 3), dtype=np.float32)
    with torch.no_grad():
        expected = _Peer(model)(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
