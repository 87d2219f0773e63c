"""PyTorch's side of peers.py: autocast to bfloat16, as in by_fastcnn/bf16.py. Imported in PyTorch's process alone."""

from typing import Any

from asv_benchmarks.comparison.by_torch.layers import _back, _convolution
from asv_benchmarks.comparison.jobs import Job


def autocast() -> Any:
    """Return the context in which PyTorch computes in bfloat16."""
    import torch

    return torch.autocast("cpu", torch.bfloat16)


def bf16_forward(of: str) -> Job:
    """y of images and weights in float32, which autocast makes bfloat16 each time, as in training."""
    import torch

    geometry, x, kernel, bias, _ = _convolution(of)

    def run() -> Any:
        with torch.inference_mode(), autocast():
            return torch.nn.functional.conv2d(x, kernel, bias, **geometry)

    return Job(lambda: {"y": _back(run().float())}, run)
