"""fastcnn's side of peers.py: layers under mixed_bfloat16. Imported in fastcnn's process alone."""

from asv_benchmarks.comparison.jobs import Job, layer_arrays


def bf16_forward(of: str) -> Job:
    """As `by_fastcnn.layers.convolution_forward`, of a layer that computes in bfloat16."""
    from fastcnn import layers

    s, x, kernel, bias, _ = layer_arrays(of)
    layer = layers.Conv2D(s.filters, s.size, s.stride, s.padding, groups=s.groups, dtype="mixed_bfloat16")
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return Job(lambda: {"y": layer.forward(x)[0]}, lambda: layer.forward(x)[0])
