"""PyTorch's side: autocast to bfloat16, eager and by torch.compile. Imported in PyTorch's process alone."""

from typing import Any

from asv_benchmarks.comparison.by_torch.layers import back, convolution
from asv_benchmarks.comparison.by_torch.networks import training_step
from asv_benchmarks.comparison.by_torch.published import published_step
from asv_benchmarks.comparison.jobs import Job


def _autocast() -> Any:
    import torch

    return torch.autocast("cpu", torch.bfloat16)


def bf16_forward(of: str) -> Job:
    """y of images and weights in float32, which autocast makes bfloat16 each time, as in training."""
    import torch

    geometry, x, kernel, bias, _ = convolution(of)

    def run() -> Any:
        with torch.inference_mode(), _autocast():
            return torch.nn.functional.conv2d(x, kernel, bias, **geometry)

    return Job(lambda: {"y": back(run().float())}, run)


def bf16_step(of: str) -> Job:
    """As `training_step`; forward and loss under autocast."""
    return training_step(of, _autocast)


def bf16_compiled_step(of: str) -> Job:
    """As `bf16_step`, by torch.compile."""
    return training_step(of, _autocast, compiled=True)


def bf16_published_step(of: str) -> Job:
    """As `published_step`; forward and loss under autocast."""
    return published_step(of, _autocast)


def bf16_compiled_published_step(of: str) -> Job:
    """As `bf16_published_step`, by torch.compile."""
    return published_step(of, _autocast, compiled=True)
