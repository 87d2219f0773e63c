"""Whether a device has the kernels that a graph needs, found before it runs: all layers that lack one are named."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import DeviceError
from fastcnn.graph.execute import arguments
from fastcnn.graph.steps import Graph
from fastcnn.host_device import MissingKernelError
from fastcnn.layers.base import Call
from fastcnn.symbolic import as_shapes

_BATCH = 2


def require_kernels(graph: Graph, shapes: Sequence[Any], dtype: np.dtype, d: "device.Device", who: str) -> None:
    """Walk through training and prediction on a device without memory and without work, if `d` offers one.

    Parameters
    ----------
    graph : Graph
        Of layers as they are.
    shapes : sequence of tuple
        Of its inputs, with None for the batch.
    dtype : dtype
    d : Device
    who : str
        For errors.

    Raises
    ------
    DeviceError
        If a layer needs a kernel that is not there, or numbers of a type that the device does not compute in.
    """
    stage = d.inquiry()
    if stage is None or any(None in shape[1:] for shape in shapes):
        return
    strange = next((one for one in (dtype, *(getattr(step.node, "compute_dtype", dtype) for step in graph.steps))
                    if one not in d.dtypes), None)
    if strange is not None:
        known = " or ".join(one.name for one in d.dtypes)
        raise DeviceError(f"{who}: expected a model of {known}, which {d.name} computes in, got {strange}; make it "
                          f"with that dtype, or leave it on the cpu")
    values: list[Any] = [None] * graph.slots
    for slot, shape in zip(graph.inputs, shapes, strict=True):
        values[slot] = stage.empty((_BATCH, *shape[1:]), dtype)
    missing: dict[str, str] = {}
    for step in graph.steps:
        given = arguments(step, values)
        gradients = [(p, p._gradient) for p in step.node.parameters]
        try:
            y, backward = step.node.forward(given, Call(training=step.training))
            ys = y if len(step.outputs) > 1 else (y,)
            backward(y)
            step.node.predict(given)
            _require_none_of_the_host(stage.kernels.hosts(), step.node, d.name)
        except MissingKernelError as error:
            missing[str(step.node)] = error.kernel
            ys = tuple(stage.empty((_BATCH, *shape[1:]), dtype) for shape in as_shapes(step.node.output_shape))
        finally:
            for p, gradient in gradients:
                p._gradient = gradient
        for slot, one in zip(step.outputs, ys, strict=True):
            values[slot] = one
        stage.kernels.forget()
    if missing:
        told = ", ".join(f"{layer} (kernel {kernel})" for layer, kernel in list(missing.items())[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise DeviceError(f"{who}: expected layers that {d.name} has kernels for, got {told}{more}; leave the model on "
                          f"the cpu")


def _require_none_of_the_host(hosts: list[np.ndarray], node: Any, who: str) -> None:
    """Raise for a node that gave kernels arrays of the host, but for parameters, which would move."""
    own = [one for p in node.parameters for one in (p.array, p._gradient) if isinstance(one, np.ndarray)]
    if any(not any(np.may_share_memory(host, one) for one in own) for host in hosts):
        raise MissingKernelError(who, "for arrays that are kept on the host")
