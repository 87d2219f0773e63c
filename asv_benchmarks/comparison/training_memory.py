"""Peak memory of training: ``python -m asv_benchmarks.comparison.training_memory fastcnn|torch NETWORK``; prints bytes.

Of a small network what two epochs add to the imports; of ``resnet50.b16``, where that is little, the process's peak in
three steps. PyTorch's process imports nothing of fastcnn.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asv_benchmarks.comparison.process import resident


def _growth(train: Callable[[], Any]) -> int:
    """Return by how many bytes the resident memory grows at most while `train` runs (Linux)."""
    before = resident()
    return _peak(train) - before


def _peak(train: Callable[[], Any]) -> int:
    """Return how many bytes are resident at most while `train` runs (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to what is resident (proc(5))
    train()
    return resident("VmHWM")


def _small_by_fastcnn(network: str) -> int:
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


def _small_by_torch(network: str) -> int:
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


def _three(step: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: [step() for _ in range(3)]


def _published_by_fastcnn(network: str) -> int:
    """Three steps, as `by_fastcnn.published.published_step`."""
    from asv_benchmarks.comparison.by_fastcnn.published import published_step

    return _peak(_three(published_step(network).run))


def _published_by_torch(network: str) -> int:
    """The same in PyTorch, less what the import of the library takes that reads its file."""
    import torch  # noqa: F401

    before = resident()
    import onnx  # noqa: F401

    reader = resident() - before

    from asv_benchmarks.comparison.by_torch.published import published_step

    return _peak(_three(published_step(network).run)) - reader


if __name__ == "__main__":
    side, network = sys.argv[1:]
    by = {("fastcnn", False): _small_by_fastcnn, ("torch", False): _small_by_torch,
          ("fastcnn", True): _published_by_fastcnn, ("torch", True): _published_by_torch}
    print(by[side, "." in network](network))
