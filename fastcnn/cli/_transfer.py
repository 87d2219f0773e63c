"""``train --from`` with other classes, frozen layers, rates by layer and features that are computed once."""

import contextlib
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from fastcnn.cli._saved import Saved
from fastcnn.cli._transfer_values import factors_of
from fastcnn.datasets import Dataset
from fastcnn.errors import ArgumentError, DataError

#: What becomes of the last layer.
NEW: Final = "new"
KEEP: Final = "keep"


def has_new_head(begun: Saved, data: Dataset, asked: str | None) -> bool:
    """Return whether the last layer gives way to a new one: for other classes, or where it is asked for.

    Parameters
    ----------
    begun : Saved
        What training goes on from.
    data : Dataset
    asked : {"new", "keep"} or None

    Raises
    ------
    DataError
        If the last layer is to be kept, and has other outputs.
    """
    count, wanted = begun.model.output_shape[-1], len(data.outputs)
    is_same = begun.task == data.task and count == wanted
    if asked == KEEP and not is_same:
        raise DataError(f"--head keep: expected {count} outputs for a {begun.task}, as {begun.path} has, got {wanted} "
                        f"for a {data.task} in {data.name}; leave it out")
    if asked is not None:
        return asked == NEW
    return not is_same or (begun.has_names and list(begun.classes) != list(data.outputs))


class Adapted(NamedTuple):
    """A model that is trained on from, as a configuration asks for it.

    Attributes
    ----------
    model : Model
    head : Layer or None
        The new last layer with weights, if there is one.
    notes : tuple of str
    """

    model: Any
    head: Any = None
    notes: tuple[str, ...] = ()


def with_new_head(begun: Saved, data: Dataset, activation: str | None) -> Adapted:
    """Return a saved model with a new head for the classes of a data set.

    Parameters
    ----------
    begun : Saved
    data : Dataset
    activation : str or None
        What the network ends in.
    """
    from fastcnn.models.heads import head_of, replace_head

    old = head_of(begun.model)
    model = replace_head(begun.model, len(data.outputs), activation)
    what = {"regression": "number", "multilabel": "label"}.get(data.task, "class")
    plural = {"class": "classes"}.get(what, f"{what}s")
    note = (f"the last layer, {old.name} with {begun.model.output_shape[-1]} outputs, gives way to a new one for "
            f"{len(data.outputs)} {what if len(data.outputs) == 1 else plural}; --head keep would keep it where their "
            "number is the same")  # fmt: skip
    return Adapted(model, head_of(model), (note,))


class Frozen(NamedTuple):
    """Layers that are not trained, and how they were before.

    Attributes
    ----------
    layers : list of Layer
        Those that patterns mean.
    before : list of (Layer, bool)
        What was trainable; what is saved is so again.
    """

    layers: list[Any]
    before: list[tuple[Any, bool]]


def freeze(one: Adapted, patterns: list[str]) -> Frozen:
    """Let layers be not trainable; patterns never mean a new head.

    Raises
    ------
    ArgumentError
        A pattern that means no layer; nothing that is left to be trained.
    """
    from fastcnn.layers.by_pattern import by_pattern
    from fastcnn.layers.held_layers import all_within

    found = by_pattern(one.model, patterns, "--freeze", _besides(one))
    layers = list(dict.fromkeys(layer for those in found.values() for layer in those))
    before = [(layer, layer.trainable) for _, layer in all_within(one.model)]
    for layer in layers:
        layer.trainable = False
    if not one.model.trainable_weights:
        give_back(before)
        raise ArgumentError(f"--freeze {','.join(patterns)}: expected something that is left to be trained, got all "
                            f"layers of {one.model.name} frozen; leave one out, or ask for --head new")
    return Frozen(layers, before)


def give_back(before: list[tuple[Any, bool]]) -> None:
    """Let layers be trainable as they were."""
    for layer, trainable in before:  # a layer before those that it holds, which have their own word
        layer.trainable = trainable


@contextlib.contextmanager
def thawed(frozen: Frozen | None) -> Iterator[None]:
    """Let layers be trainable as they were for a while: a file is read by others, who have plans of their own."""
    if frozen is None:
        yield
        return
    now = [(layer, layer.trainable) for layer, _ in frozen.before]
    give_back(frozen.before)
    try:
        yield
    finally:
        give_back(now)


class TransferPlan(NamedTuple):
    """What is trained of a model.

    Attributes
    ----------
    trained : Model
        It, or its part behind the frozen layers.
    notes : tuple of str
    callbacks : tuple of Callback
    frozen : Frozen or None
    features : Model or None
        The part that is run once.
    """

    trained: Any
    notes: tuple[str, ...]
    callbacks: tuple[Any, ...] = ()
    frozen: Frozen | None = None
    features: Any = None


def planned(one: Adapted, config: Any) -> TransferPlan:
    """Freeze what a configuration says, for the whole training or its first epochs."""
    if config.freeze is None:
        return TransferPlan(one.model, one.notes)
    frozen = freeze(one, config.freeze)
    whole, left = one.model.count_params(), sum(p.size for p in one.model.trainable_weights)
    until = "" if config.unfreeze_at is None else f" until epoch {config.unfreeze_at}"
    notes = (*one.notes, f"{left:,} of {whole:,} parameters are trained{until}: {', '.join(config.freeze)} frozen")
    if config.unfreeze_at is not None:
        from fastcnn.callbacks import FreezeLayers

        give_back(frozen.before)
        return TransferPlan(one.model, notes, (FreezeLayers(frozen.layers, config.unfreeze_at - 1),))
    if not config.cache_features:
        return TransferPlan(one.model, notes, (), frozen)
    from fastcnn.models import split_frozen

    features, rest = split_frozen(one.model)
    numbers = math.prod(features.output_shape[1:])
    note = f"{features.layers[-1].name} gives {numbers:,} numbers an image, which are computed once and kept"
    return TransferPlan(rest, (*notes, note), (), frozen, features)


def scale_rates(optimizer: Any, one: Adapted, texts: list[str]) -> None:
    """Multiply learning rates by layer; patterns never mean a new head.

    Raises
    ------
    ArgumentError
        A pattern that means no layer, or one whose layers are all frozen.
    """
    from fastcnn.layers.by_pattern import by_pattern

    factors = factors_of(texts)
    found, told = by_pattern(one.model, factors, "--rate-factor", _besides(one)), {}
    trained = {id(p) for p in one.model.trainable_weights}
    for pattern, layers in found.items():
        parameters = [p for layer in layers for p in layer.weights if id(p) in trained]
        if not parameters:
            raise ArgumentError(f"--rate-factor {pattern}={factors[pattern]:g}: expected layers that are trained, got "
                                f"{', '.join(layer.name for layer in layers[:3])} alone, which have no weights or are "
                                f"frozen; leave it out")
        places = dict.fromkeys(re.escape(p.path.rpartition("/")[0]) for p in parameters)
        told[f"^(?:{'|'.join(places)})/"] = factors[pattern]
    optimizer.scale_learning_rate(told)


def require_no_augmentation(augment: list[str] | None) -> None:
    """Raise ArgumentError where features cannot be kept, since images differ from epoch to epoch."""
    if augment:
        raise ArgumentError(f"--cache-features: expected images that stay as they are, got --augment "
                            f"{', '.join(augment)}, which changes them in each epoch; leave one of the two out, or say "
                            f"--augment off")  # fmt: skip


def _besides(one: Adapted) -> tuple[Any, ...]:
    """Return what patterns do not mean: the new head, and models that it lies in, of whose other layers they may."""
    from fastcnn.layers.held_layers import all_within

    if one.head is None:
        return ()
    return tuple(layer for _, layer in all_within(one.model)
                 if layer is one.head or any(inner is one.head for _, inner in all_within(layer)))
