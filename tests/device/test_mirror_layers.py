"""Every layer of the table on a device whose arrays hide their numbers: the same bits as on the CPU."""

import numpy as np
import pytest

from fastcnn import device
from fastcnn.layers import Call
from tests.checks import ROWS, each, listed
from tests.mirror import MirrorArray, mirror


def _run(case, on):
    """Return outputs, gradients of inputs and of parameters, predictions, and statistics, as NumPy arrays."""
    with device.use(on):
        layer = case.layer("float32")
    assert all(device.of(p.array) is on for p in layer.weights)
    x = each(lambda one: on.put(np.ascontiguousarray(one)), case.input(dtype="float32"))
    y, backward = layer.forward(x, Call(3, 2))
    draw = np.random.default_rng(5)
    dys = [draw.standard_normal(one.shape).astype(one.dtype) for one in listed(y)]
    several = isinstance(y, tuple)
    dx = backward(tuple(map(on.put, dys)) if several else on.put(dys[0]))
    predicted = layer.predict(x)
    arrays = [one for part in (y, dx, predicted) for one in (part if isinstance(part, tuple) else (part,))]
    assert all(device.of(one) is on for one in arrays)
    return [on.get(one) for one in arrays] + [p.grad for p in layer.trainable_weights] + layer.get_weights()


@pytest.mark.parametrize(("kind", "case"), ROWS, ids=[f"{kind}: {case.name}" for kind, case in ROWS])
def test_a_layer_runs_without_a_look_at_the_numbers(kind, case):
    host = _run(case, device.current())
    hidden = _run(case, mirror)
    assert len(host) == len(hidden)
    for a, b in zip(host, hidden, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_array_of_the_mirror_gives_no_numbers():
    array = mirror.put(np.ones((3, 2), np.float32))
    assert type(array[1:]) is MirrorArray
    looks = (lambda: array + 1, lambda: np.asarray(array), lambda: array[0], lambda: array[:, 1], lambda: array[::2],
             lambda: np.sqrt(array), lambda: float(array), lambda: list(array), lambda: array.sum(),
             lambda: array == array, lambda: bool(array))
    for look in looks:
        with pytest.raises((TypeError, AttributeError)):
            look()
