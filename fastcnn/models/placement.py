"""Moving a model to another device: its parameters, its optimizer's state, and whatever was derived from them."""

from typing import Any

from fastcnn import device
from fastcnn.graph.missing_kernels import require_kernels
from fastcnn.layers import held_layers


def move(model: Any, name: str) -> None:
    """Move a built model; nothing changes unless the device has all kernels that it needs.

    Parameters
    ----------
    model : Model
    name : str
        As of `fastcnn.device.named`.

    Raises
    ------
    ArgumentError, DeviceError
        As of `fastcnn.Model.to`.
    """
    d = device.named(name)
    weights = model.weights
    if all(device.of(p.array) is d for p in weights):
        return
    require_kernels(model.layer_graph(), model.input_shapes, model.compute_dtype, d, f"{model}.to")
    optimizer = model.optimizer
    state = None if optimizer is None else optimizer.placed()
    for p in weights:
        p.place(d)
    for layer in (model, *(one for _, one in held_layers.all_within(model))):
        layer.placed()
    if state is not None:
        optimizer.place(state)
