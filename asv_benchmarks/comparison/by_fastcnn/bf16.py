"""fastcnn's side: layers, steps and predictions in bfloat16. Imported in fastcnn's process alone."""

from collections.abc import Callable
from typing import Any

from asv_benchmarks.comparison.by_fastcnn.networks import training_step
from asv_benchmarks.comparison.by_fastcnn.published import published_prediction, published_step
from asv_benchmarks.comparison.jobs import Job, layer_arrays


def bf16_forward(of: str) -> Job:
    """As `by_fastcnn.layers.convolution_forward`, of a layer that computes in bfloat16."""
    from fastcnn import layers

    s, x, kernel, bias, _ = layer_arrays(of)
    layer = layers.Conv2D(s.filters, s.size, s.stride, s.padding, groups=s.groups, dtype="mixed_bfloat16")
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return Job(lambda: {"y": layer.forward(x)[0]}, lambda: layer.forward(x)[0])


def _mixed(make: Callable[[str], Job], of: str) -> Job:
    """Return a job whose layers are made under the policy."""
    from fastcnn import dtype_policies

    with dtype_policies.as_written("mixed_bfloat16"):
        job = make(of)

    def check() -> dict[str, Any]:
        with dtype_policies.as_written("mixed_bfloat16"):
            return job.check()

    return Job(check, job.run)


def bf16_step(of: str) -> Job:
    """As `training_step`, of a network whose layers compute in bfloat16."""
    return _mixed(training_step, of)


def bf16_published_step(of: str) -> Job:
    """As `published_step`, of a network whose layers compute in bfloat16."""
    return _mixed(published_step, of)


bf16_compiled_step, bf16_compiled_published_step = bf16_step, bf16_published_step  # the peer is another


def bf16_network_prediction(of: str) -> Job:
    """As `network_prediction`, in bfloat16."""
    return published_prediction(of, precision="bf16")
