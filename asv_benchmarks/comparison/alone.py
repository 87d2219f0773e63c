"""What peers.py measures in processes of their own: peak memory, and the share of the machine's multiply-adds.

As a script it is such a process: ``alone.py memory-fastcnn``, ``memory-torch``, ``direct-float32`` ... It imports
neither its neighbours nor, for PyTorch, anything of fastcnn, and prints one line of JSON.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]

#: ResNet-50's 3x3 layers, batch 8: (h = w, c, filters, stride).
_RESNET50 = {"conv2_2": (56, 64, 64, 1), "conv3_2": (56, 128, 128, 2), "conv3_5": (28, 128, 128, 1),
             "conv4_2": (28, 256, 256, 2), "conv4_5": (14, 256, 256, 1), "conv5_2": (14, 512, 512, 2),
             "conv5_5": (7, 512, 512, 1)}

_CHAIN, _STEPS = 768, 30_000  # numbers of a thread, and multiply-adds of each: a quarter of a millisecond


def measure(name: str, one_core: bool = False) -> dict[str, Any]:
    """Return the row of one of `works.ALONE`: a ratio, and words."""
    from asv_benchmarks.comparison import starting  # not by the script below, which has no package

    if name == "memory":
        _run("memory-fastcnn")  # fills the kernel cache
        own, peer = (statistics.median(_run(f"memory-{side}") for _ in range(3)) for side in ("fastcnn", "torch"))
        return {"name": name, "fastcnn_bytes": own, "torch_bytes": peer, "ratio": peer / own, "sure": True,
                "words": f"{own / 1e6:.1f} MB, PyTorch {peer / 1e6:.1f} MB: {peer / own:.2f}"}
    if ".resnet50." in name:
        return starting.measure(name)
    kind = name.partition(".")[2]
    target = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"} if kind == "avx2" else {}
    found = _run(f"direct-{'float64' if kind == 'float64' else 'float32'}", *(["one"] if one_core else []), **target)
    shares = found["shares"]
    mean = statistics.geometric_mean(shares.values())
    each = ", ".join(f"{layer} {share:.0%}" for layer, share in shares.items())
    return {"name": name, "ratio": mean, "shares": shares, "sure": not one_core, "peak": found["peak"],
            "words": f"{mean:.0%} of {found['peak'] / 1e9:.0f} GFLOP/s ({found['vectors']}): {each}"}


def _run(*args: str, **environment: str) -> Any:
    """Return what this file prints, as a script; fastcnn is found beside it, if it is not installed."""
    if not args[0].endswith("torch"):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, __file__, *args]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"peers.py: {args[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


# --- the script: peak memory ------------------------------------------------------------------------------------------


def _growth(train: Callable[[], Any]) -> int:
    """Return by how many bytes the resident memory grows at most while `train` runs (Linux)."""
    def kilobytes(field: str) -> int:
        found = re.search(field + r":\s+(\d+)", Path("/proc/self/status").read_text())
        assert found is not None
        return int(found[1])

    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to what is resident (proc(5))
    before = kilobytes("VmRSS")
    train()
    return 1024 * (kilobytes("VmHWM") - before)


def fastcnn_memory(network: str) -> int:
    """Two epochs of ten batches of 128, above the imports and one compiled kernel; the data, 4 MB, is inside."""
    import numpy as np

    from fastcnn import applications, device

    one = np.ones(1, np.float32)
    device.cpu.kernels.add(one, one, one)

    def train() -> None:
        model = applications.by_name[network]()
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        x, y = np.ones((1280, 28, 28, 1), np.float32), np.zeros(1280, np.int64)
        model.fit(x, y, batch_size=128, epochs=2, verbose=0)

    return _growth(train)


def torch_memory() -> int:
    """The same of the convnet, above the imports and one convolution: eager, channels last, fused Adam.

    The first optimizer imports PyTorch's compiler, 70 MB, which counts among the imports.
    """
    import torch
    from torch import nn

    torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3))
    torch.optim.Adam([torch.ones(1)], fused=True)

    def train() -> None:
        model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
                              nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
                              ).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        criterion = nn.CrossEntropyLoss()
        x = torch.ones(1280, 1, 28, 28).contiguous(memory_format=torch.channels_last)
        y = torch.zeros(1280, dtype=torch.int64)
        for _ in range(2):
            for index in torch.randperm(1280).split(128):
                optimizer.zero_grad()
                loss = criterion(model(x[index]), y[index])
                loss.backward()
                optimizer.step()
                loss.item()

    return _growth(train)


# --- the script: share of the peak ------------------------------------------------------------------------------------


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
    sys.path.pop(0)  # this folder, whose files have the names of other modules
    what, *rest = sys.argv[1:]
    if what == "memory-torch":
        print(torch_memory())
    elif what == "memory-fastcnn":
        print(fastcnn_memory(rest[0] if rest else "convnet"))
    else:
        print(json.dumps(direct(what.partition("-")[2], "one" in rest)))
