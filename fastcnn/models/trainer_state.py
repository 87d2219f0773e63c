"""What those who check data, make batches and keep states ask of a trainer: attributes, and no method."""

from typing import Any, Protocol

from fastcnn.models.network import Network


class TrainerState(Protocol):
    """A model and what it is trained for: see `fastcnn.models.trainer.Trainer`."""

    model: Network
    loss: Any
    optimizer: Any
    objective: Any
    compiled: dict[str, Any]
    trained: list[Any]
    penalized: list[Any]
    seed: int
    orders: Any
    stop_training: bool
    augmentation: Any

    @property
    def own_train_step(self) -> Any:
        """What takes a step of the model's own, or None; so, too, the other."""
        ...

    @property
    def own_test_step(self) -> Any:
        ...
