"""Moving a model to another device: its parameters, its optimizer's state, and whatever was derived from them."""

from typing import Any

from fastcnn import device
from fastcnn.graph.missing_kernels import require_kernels
from fastcnn.layers import held_layers, open_sizes

_SIDE = 224  # of images, where it is left open


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
    asked = _of_one_size(model)
    require_kernels(asked.layer_graph(), asked.input_shapes, model.compute_dtype, d, f"{model}.to")
    optimizer = model.optimizer
    state = None if optimizer is None else optimizer.placed()
    for p in weights:
        p.place(d)
    for layer in (model, *(one for _, one in held_layers.all_within(model))):
        layer.placed()
    if state is not None:
        optimizer.place(state)


def _of_one_size(model: Any) -> Any:
    """Return a model, or where sizes are left open the one for images of one size."""
    if not open_sizes.is_open(model.input_shapes):
        return model
    shapes = [open_sizes.filled(shape, _SIDE) for shape in model.input_shapes]
    return model.for_shape(shapes if len(shapes) > 1 else shapes[0])
