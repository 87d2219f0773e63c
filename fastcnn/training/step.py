"""A training step, and what it asks of a model."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastcnn.array_data import Batch
from fastcnn.callbacks import History
from fastcnn.layers.call import Call
from fastcnn.objective import Objective
from fastcnn.optimizers import Optimizer
from fastcnn.parameter_blocks import Segment
from fastcnn.parameters import Parameter
from fastcnn.training.shuffle import Orders


class ForwardResult(NamedTuple):
    """What a forward pass with its loss returns.

    Attributes
    ----------
    losses : list of (N,) arrays
        Of each output; None where it has no loss.
    outputs : list of arrays
    backward : callable
        Adds to the gradients of all parameters.
    penalty : float
        What regularizers add to the mean loss.
    """

    losses: list[Any]
    outputs: list[np.ndarray]
    backward: Any
    penalty: float


class Trainable(Protocol):
    """What the training loops ask of a model."""

    objective: Objective
    optimizer: Optimizer
    seed: int
    orders: Orders
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    history: History | None

    @property
    def array_dtype(self) -> np.dtype:
        """The type of inputs and outputs."""
        ...

    @property
    def put(self) -> Callable[[Any], Any] | None:
        """What hands an array to the device that the model lives on, where that works by itself; else None."""
        ...

    @property
    def own_train_step(self) -> Callable[[Batch], dict[str, Any]] | None:
        """What takes a step of the model's own and returns its logs; None where there is none."""
        ...

    @property
    def own_test_step(self) -> Callable[[Batch], dict[str, Any]] | None:
        """As `own_train_step`, for a batch of an evaluation."""
        ...

    @property
    def counted_metrics(self) -> list[Any]:
        """All metrics that steps of its own count."""
        ...

    @property
    def output_shapes(self) -> list[Any]:
        """The shape of each output, with None for the batch."""
        ...

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> ForwardResult:
        """Run the forward pass and the losses, and return the result with the way back."""
        ...

    def penalty(self, adds_gradients: bool) -> float:
        """Return what regularizers of parameters add to the loss, and add its gradients if wanted."""
        ...

    def infer_all(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs of one batch."""
        ...

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        """Return the outputs of one batch, and the penalties on outputs of layers."""
        ...

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """Return outputs as the model's user gets them: one array, a list or a dict."""
        ...


class Resumable(Trainable, Protocol):
    """What training asks of a model that may be gone on with by another process."""

    def get_state(self) -> dict[str, Any]:
        """Return all that training changes."""
        ...

    def digests(self) -> dict[str, str]:
        """Return some digits for each thing that must be the same where training goes on: layers, optimizer, ..."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Be as the model was that `get_state` was asked of."""
        ...

    def statistics(self) -> list[Parameter]:
        """Return the parameters that forward passes of training change, and no optimizer."""
        ...

    def train_trainable(self) -> None:
        """Train what is trainable now: layers were frozen or set free."""
        ...

    def estimate_statistics(self, batches: Iterable[Batch]) -> None:
        """Set the moving statistics of normalization to the means of some batches, with the weights as they are."""
        ...


def train_step(model: Trainable, batch: Batch, on_gradients: Callable[[list[Segment]], bool | None] | None = None
               ) -> ForwardResult:
    """Run forward pass, loss, backward pass and optimizer, and return the result of the pass.

    Parameters
    ----------
    model : Trainable
    batch : Batch
    on_gradients : callable, optional
        Is called with the segments of the optimizer when all gradients are there and before it reads them, in every
        step that changes the parameters; if it returns False, this one does not. See
        `fastcnn.callbacks.Callback.on_gradients`.
    """
    optimizer = model.optimizer
    # Here and not after the step, so that gradients can be read until the next one.
    optimizer.clear_gradients()
    step = model.forward_with_loss(*batch, Call(model.seed, optimizer.iterations, wants_dx=False))
    step.backward()
    penalty = step.penalty + model.penalty(adds_gradients=True)
    if on_gradients is None or not optimizer.will_update or on_gradients(optimizer.segments) is not False:
        optimizer.step()
    return step._replace(penalty=penalty)
