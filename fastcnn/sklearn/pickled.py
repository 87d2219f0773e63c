"""A model and where its training stands, as bytes of our own format, with digests of everything."""

from typing import Any

from fastcnn.formats import safetensors, state_file
from fastcnn.models import Model
from fastcnn.models.files import reading
from fastcnn.registry import get_custom_objects


def as_bytes(model: Model) -> dict[str, bytes]:
    """Return what `from_bytes` takes: the file that `Model.save` writes, and the state of the training."""
    structure, tensors = model.contents()
    trainer: Any = model._trainer
    state = {**trainer.get_state(), "orders": trainer.orders.get_state()}
    del state["weights"]  # they are in the file
    return {"model": b"".join(safetensors.pack(structure, {}, tensors)),
            "training": b"".join(state_file.pack(state, {}))}


def from_bytes(held: dict[str, bytes], who: str) -> Model:
    """Return the model, not compiled.

    Raises
    ------
    ModelFileError
        Any damage.
    """
    model: Model = reading.unpacked(held["model"], who, get_custom_objects())
    return model


def go_on(model: Model, held: dict[str, bytes], who: str) -> None:
    """Let the training of a model that is compiled go on where it stood.

    Raises
    ------
    ModelFileError
        Any damage.
    """
    state, _ = state_file.unpack(held["training"], who)
    trainer: Any = model._trainer
    trainer.optimizer.build(model.trainable_weights)
    trainer.orders.set_state(state.pop("orders"))
    trainer.set_state({**state, "weights": model.get_weights()})
