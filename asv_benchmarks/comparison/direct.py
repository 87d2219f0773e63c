"""The direct convolution's share of the machine's multiply-adds.

``python -m asv_benchmarks.comparison.direct float32|float64 [one]``, with "one" on one thread and by CPU time, prints
one line of JSON.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

#: ResNet-50's 3x3 layers, batch 8: (h = w, c, filters, stride).
_RESNET50 = {"conv2_2": (56, 64, 64, 1), "conv3_2": (56, 128, 128, 2), "conv3_5": (28, 128, 128, 1),
             "conv4_2": (28, 256, 256, 2), "conv4_5": (14, 256, 256, 1), "conv5_2": (14, 512, 512, 2),
             "conv5_5": (7, 512, 512, 1)}

_CHAIN, _STEPS = 768, 30_000  # numbers of a thread, and multiply-adds of each: a quarter of a millisecond


def _inside(side: int, stride: int) -> int:
    """Return how many elements of a window of 3, over all its places along one side, lie on the image, not around it.

    A kernel that leaves out the zeros around an image would else seem faster than the machine.
    """
    return sum(0 <= place * stride + element - 1 < side for place in range(-(-side // stride)) for element in range(3))


def direct(dtype: str, one_core: bool) -> dict[str, Any]:
    """Return for each layer which share of the peak the direct convolution reaches, the peak, and Numba's vectors.

    Products with the zeros around an image are not counted. The peak is measured before and after each convolution,
    since a busy machine changes its clock from one moment to the next.
    """
    import numba
    import numpy as np

    from fastcnn import config, kernels, layers
    from fastcnn.kernels.cpu.simd.width import features

    if one_core:
        numba.set_num_threads(1)
    config.set_winograd(False)
    clock = time.process_time if one_core else time.perf_counter
    kind, rows = np.dtype(dtype).type, np.ones((numba.get_num_threads(), _CHAIN), dtype)
    to = np.empty_like(rows)

    def speed(operations: float, work: Callable[[], Any]) -> float:
        start = clock()
        work()
        return operations / (clock() - start)

    def peak() -> float:
        return speed(2 * rows.size * _STEPS, lambda: kernels.cpu.multiply_add_chain(to, rows, kind(0.5), kind(0.1),
                                                                                     _STEPS))

    peak()
    peaks, shares = [], {}
    for name, (side, c, filters, stride) in _RESNET50.items():
        layer = layers.Conv2D(filters, 3, stride, 1, dtype=dtype)
        x = np.random.default_rng(0).standard_normal((8, side, side, c)).astype(dtype)
        for _ in range(2):
            layer.predict(x)
        found = []
        for _ in range(15):
            before = peak()
            reached = speed(2 * 8 * filters * c * _inside(side, stride) ** 2, lambda x=x, one=layer: one.predict(x))
            peaks.append((before + peak()) / 2)
            found.append(reached / peaks[-1])
        shares[name] = statistics.median(found)
    return {"vectors": features()[0], "peak": statistics.median(peaks), "shares": shares}


if __name__ == "__main__":
    print(json.dumps(direct(sys.argv[1], "one" in sys.argv[2:])))
