"""Every layer of the table on a card, in the simulator: as on the CPU, or refused by the name of a kernel."""

import numpy as np
import pytest

from fastcnn import device
from fastcnn.host_device import MissingKernelError
from fastcnn.kernels import cuda
from fastcnn.kernels.cuda.compile.simulator import grid
from fastcnn.layers import Call
from tests.checks import ROWS, each, listed

CUDA = device.named("cuda")

#: They predict in whole numbers, by kernels of the CPU; a model with one does not move.
ON_BYTES = ("QuantizedConv2D", "QuantizedDense")


def _run(case, on):
    """Return outputs, gradients of inputs and of parameters, predictions, and statistics, as NumPy arrays."""
    with device.use(on):
        layer = case.layer("float32")
    x = each(lambda one: on.put(np.ascontiguousarray(one)), case.input(dtype="float32"))
    y, backward = layer.forward(x, Call(3, 2))
    draw = np.random.default_rng(5)
    dys = [on.put(draw.standard_normal(one.shape).astype(one.dtype)) for one in listed(y)]
    dx = backward(tuple(dys) if isinstance(y, tuple) else dys[0])
    arrays = [one for part in (y, dx, layer.predict(x)) for one in (part if isinstance(part, tuple) else (part,))]
    assert all(device.of(one) is on for one in arrays)
    return [on.get(one) for one in arrays] + [p.grad for p in layer.trainable_weights] + layer.get_weights()


@pytest.mark.parametrize(("kind", "case"), [row for row in ROWS if row[0] not in ON_BYTES],
                         ids=[f"{kind}: {case.name}" for kind, case in ROWS if kind not in ON_BYTES])
def test_a_layer_is_the_cpu_s_or_is_refused(kind, case, monkeypatch):
    monkeypatch.setattr(grid, "looks_for_races", False)
    found, missing = [], ""
    try:
        found = _run(case, CUDA)
    except MissingKernelError as error:
        missing = error.kernel
    if missing:
        assert missing.partition("_scratch")[0] not in cuda.__all__
        return
    for mine, other in zip(found, _run(case, device.cpu), strict=True):
        bound = 1e-5 * max(1.0, np.abs(other).max(initial=0))  # sums of up to some thousand terms, in another order
        np.testing.assert_allclose(mine, other, atol=bound, rtol=0)
