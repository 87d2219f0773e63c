"""Where batches come from: what users hand to fit, evaluate and predict, arrays or something that gives batches."""

import math
import numbers
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.array_data import Batch, Data
from fastcnn.errors import ArgumentError
from fastcnn.models import arguments, augmented_inputs, data, own_steps
from fastcnn.models.trainer_state import TrainerState
from fastcnn.training import ArrayBatches, Epochs, Orders, Stream
from fastcnn.training.streams import is_numbered

_APART = 1 << 20  # numbers of samples between the first ones of two batches


def is_stream(x: Any, y: Any = None) -> bool:
    """Return whether x gives batches: an iterable that is no array, nor a list, tuple or dict of arrays or numbers.

    A list of tuples is one of batches (x, y) or (x, y, sample_weight), where no targets stand beside it.
    """
    if isinstance(x, list):
        return y is None and bool(x) and all(isinstance(one, tuple) and 2 <= len(one) <= 3 for one in x)
    if isinstance(x, (np.ndarray, np.generic, tuple, Mapping, str, bytes, numbers.Number)) or x is None:
        return False
    if hasattr(x, "__array__") or hasattr(x, "__array_interface__") or _is_buffer(x):
        return False
    return is_numbered(x) or isinstance(x, Iterable)


def _is_buffer(x: Any) -> bool:
    try:
        memoryview(x)
    except TypeError:
        return False
    return True


def of_arrays(samples: Data, batch_size: int | None, steps: int | None, who: str, orders: Orders | None = None,
              shuffles: bool = True) -> Epochs:
    """Return the batches of arrays: of 32 samples, or so many as make the steps of one pass."""
    if batch_size is None:
        batch_size = 32 if steps is None else math.ceil(len(samples) / steps)
    return Epochs(ArrayBatches(samples, max(1, batch_size), orders, shuffles), steps, who)


def of_stream(x: Any, converted: Callable[..., Batch], steps: int | None, passes: int, who: str, *,
              orders: Orders | None = None, first_epoch: int = 0, steps_name: str = "steps", shuffles: bool = True,
              draws: Any = None, **refused: Any) -> Epochs:
    """Return the batches of an iterable, the first of them looked at.

    Parameters
    ----------
    x : iterable
    converted : callable
        As `fastcnn.training.Stream` takes it, and as it takes `drawn`.
    steps, steps_name : int or None, str
        Batches of an epoch, and what the argument is called.
    passes : int
        How often the iterable is to be gone through.
    who : str
    orders, shuffles
        As `fastcnn.training.Stream` takes them.
    draws : Pipeline, or dict of str to Pipeline, optional
        What changes batches anew in each epoch.
    first_epoch : int
    **refused
        Arguments that go with arrays alone.

    Raises
    ------
    ArgumentError
        If one of these is given, or an iterator is to be gone through more than once.
    DataError
        If there is no batch.
    """
    kind = type(x).__name__
    if not isinstance(x, (Iterator, list)) and refused.pop("batch_size", None) is not None:  # as Keras's guide has it
        warn(f"{who}: batch_size changes nothing beside a {kind}, which gives the batches itself")
    for name, value in refused.items():
        if value is not None:
            raise ArgumentError(f"{who}: expected no {name} beside a {kind}, which gives the batches itself, as tuples "
                                f"(x, y) or (x, y, sample_weight)")
    drawn = None if draws is None else converted
    source = Stream(x, converted, orders if shuffles or drawn is not None else None, drawn, shuffles,
                    augmented_inputs.digest(draws))
    if steps is None and passes > 1 and source.is_once:
        raise ArgumentError(f"{who}: expected {steps_name}, since a {kind} can be gone through only once and is asked "
                            f"for {passes} times; or give an object whose __iter__ begins again")
    if steps is None and source.is_endless:
        raise ArgumentError(f"{who}: expected {steps_name} for a {kind} that has no end")
    epochs = Epochs(source, steps, who)
    epochs.begin(first_epoch)
    return epochs


def with_targets(trainer: TrainerState, who: str, class_weight: Any = None, trains: bool = False,
                 augmentation: Any = None) -> Callable[..., Batch]:
    """Return what turns (x, y) or (x, y, sample_weight) into a checked batch.

    It is called with a batch, its place in the pass and, where it is augmented, the epoch and the number of the batch.
    """
    goes_on = False
    model: Any = trainer.model
    if class_weight is None and augmentation is None and model.writes_step("train" if trains else "test"):
        return as_it_is(trainer, who)

    def converted(batch: Any, place: int, epoch: int | None = None, number: int = 0) -> Batch:
        nonlocal goes_on
        where = f"{who}: batch {place}"
        x, y, sample_weight = _unpacked(batch, where)
        if y is None and trainer.loss is not None:
            raise ArgumentError(f"{where}: expected (x, y) or (x, y, sample_weight), got "
                                f"{'x alone' if isinstance(batch, (tuple, list)) else type(batch).__name__}")
        samples = data.labelled(trainer, x, y, sample_weight, where, goes_on=goes_on, augmentation=augmentation,
                                first=number * _APART, trains=trains, one_batch=True)
        goes_on = True
        return _whole(data.classes_weighted(samples, class_weight, where), epoch)

    return converted


def as_it_is(trainer: TrainerState, who: str) -> Callable[[Any, int], Any]:
    """Return what hands batches to a step of one's own as they come: arrays of the host, floats of the model's type."""
    model, kind = trainer.model, trainer.model.array_dtype

    def array(one: Any) -> Any:
        if isinstance(one, Mapping):
            return {name: array(inner) for name, inner in one.items()}
        if isinstance(one, (list, tuple)):
            return type(one)(map(array, one))
        found = np.asarray(one)
        return found.astype(kind) if found.dtype.kind == "f" and found.dtype != kind else found

    def converted(batch: Any, number: int, *_: Any) -> Any:
        given = array(batch)
        if not all(layer.built for layer in model.layers):  # what it is called with tells the shapes
            model.read(_unpacked(given, f"{who}: batch {number}")[0], f"{who}: batch {number}")
        trainer.trained = model.trainable_weights
        first = given
        while not isinstance(first, np.ndarray):
            first = next(iter(first.values() if isinstance(first, Mapping) else first))
        return own_steps.GivenBatch([first], given)

    return converted


def inputs_alone(trainer: TrainerState, who: str, augmentation: Any = None) -> Callable[[Any, int], Batch]:
    """Return what turns x, (x,), (x, y) or (x, y, sample_weight) into a batch of inputs."""
    def converted(batch: Any, number: int) -> Batch:
        where = f"{who}: batch {number}"
        return _whole(data.unlabelled(trainer, _unpacked(batch, where)[0], where, False, augmentation))

    return converted


def _unpacked(batch: Any, who: str) -> tuple[Any, Any, Any]:
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ArgumentError(f"{who}: expected (x, y) or (x, y, sample_weight), got {len(batch)} entries")
    return padded(batch)


def padded(found: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Return x, y and sample_weight, None for those that are missing at the end."""
    x, y, sample_weight = [*found, None, None][:3]
    return x, y, sample_weight


def _whole(samples: Data, epoch: int | None = None) -> Batch:
    return next(samples.batches(max(1, len(samples)), epoch=epoch))


@dataclass(frozen=True)
class HeldOut:
    """What `fit` evaluates after epochs.

    Attributes
    ----------
    trainer : TrainerState
    who : str
    batch_size, validation_batch_size : int or None
        The training's, and what was given for this.
    steps : int or None
    passes : int
        How often it will be evaluated.
    augmentation : Pipeline or None
        What images go through, at rest.
    """

    trainer: TrainerState
    who: str
    batch_size: int | None
    validation_batch_size: int | None
    steps: int | None
    passes: int
    augmentation: Any = None

    def of(self, found: Any) -> Epochs | None:
        """Return the batches of (x, y) or (x, y, sample_weight), or of what gives batches."""
        if found is None:
            return None
        if is_stream(found):
            return of_stream(found, with_targets(self.trainer, self.who, augmentation=self.augmentation), self.steps,
                             self.passes, self.who, steps_name="validation_steps",
                             validation_batch_size=self.validation_batch_size)
        if not isinstance(found, (tuple, list)) or len(found) not in (2, 3):
            got = f"{len(found)} entries" if isinstance(found, (tuple, list)) else type(found).__name__
            raise ArgumentError(f"{self.who}: expected (x, y), (x, y, sample_weight) or batches of them, got {got}")
        return self.of_samples(data.labelled(self.trainer, *padded(found), self.who,
                                              augmentation=self.augmentation))

    def of_samples(self, samples: Data) -> Epochs:
        """Return the batches of checked arrays."""
        return of_arrays(samples, self.validation_batch_size or self.batch_size, self.steps, self.who)


def split(samples: Data, share: float, who: str) -> tuple[Data, Data]:
    """Return the samples to train on and the last ones, a share of all, to evaluate.

    Raises
    ------
    ArgumentError
        If one of them has none.
    """
    cut = int(len(samples) * (1 - share))
    if not 0 < cut < len(samples):
        raise ArgumentError(f"{who}: expected a validation_split that leaves samples to train on and to evaluate, got "
                            f"{share} of {len(samples)} samples")
    return samples.part(slice(cut)), samples.part(slice(cut, None))


def check_frequency(frequency: Any, who: str) -> None:
    """Raise ArgumentError unless it tells which epochs end with a validation."""
    if not isinstance(frequency, Container) or isinstance(frequency, (str, bytes)):
        arguments.positive(who, validation_freq=frequency)


def may_share(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether an output may lie where the input does: what lies in a block of the device's own does not.

    Asking NumPy takes a third of a microsecond, of the 38 that LeNet-5 takes for an image.
    """
    block = y.base
    own = type(block) is np.ndarray and block.dtype == np.uint8 and block is not x.base
    return not own and np.may_share_memory(x, y)


def batch_of(batch_size: Any) -> int:
    """Return the samples of a batch; 0 for what has to be looked at, and refused perhaps."""
    return 32 if batch_size is None else batch_size if type(batch_size) is int else 0
