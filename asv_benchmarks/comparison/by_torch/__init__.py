"""PyTorch's side: a kind of work is a function of this package. Imported in PyTorch's process alone."""

# ruff: noqa: F403
from asv_benchmarks.comparison.by_torch.bf16 import *
from asv_benchmarks.comparison.by_torch.layers import *
from asv_benchmarks.comparison.by_torch.networks import *
from asv_benchmarks.comparison.by_torch.published import *
from asv_benchmarks.comparison.by_torch.seeing import *


def about() -> str:
    """Return versions and threads, in words."""
    import torch

    return f"PyTorch {torch.__version__} eager, channels last, {torch.get_num_threads()} threads"


def use_one_thread() -> None:
    """Run what follows on one thread."""
    import torch

    torch.set_num_threads(1)
