"""Which inputs of a model are pictures that a pipeline of augmentation changes."""

from collections.abc import Mapping
from typing import Any

from fastcnn.augmentation import Pipeline
from fastcnn.errors import ArgumentError, unknown
from fastcnn.layers import open_sizes
from fastcnn.models import arguments
from fastcnn.models.network import Network


def read(model: Network, x: Any, augmentation: Any, who: str) -> tuple[list[Any], dict[int, Pipeline]]:
    """Return the inputs, and the pipelines by the number of theirs; the model is built on its first sight of data.

    Parameters
    ----------
    model : Network
    x : array, list or dict
        As users give it.
    augmentation : Pipeline, or mapping of str to Pipeline
        Of the only picture among the inputs, or by the names of inputs.
    who : str

    Raises
    ------
    ArgumentError
        No pipeline, or one that nobody can tell the input of; no pictures, or a pipeline that makes others than the
        input takes.
    """
    _require_pipelines(augmentation, who)
    if model.built and model.many_inputs:
        xs = arguments.inputs(x, model.input_names, model.input_shapes, who)
    else:
        xs = [arguments.only(x, 4)]
    xs = [arguments.array(one, who, "x") for one in xs]
    pipelines = _by_number(model, augmentation, len(xs), who)
    for k, pipeline in pipelines.items():
        if xs[k].ndim != 4:
            raise ArgumentError(f"{who}: expected images (N, H, W, C) for the pipeline, got x of shape {xs[k].shape}")
        shape = pipeline.compute_output_shape(xs[k].shape[1:])
        if not model.built:
            model.build((None, *shape))
        if len(model.taken_shapes) != len(xs) or not open_sizes.fits((None, *shape), model.taken_shapes[k]):
            wanted = " and ".join(map(str, model.input_shapes[k:k + 1] if model.many_inputs else model.input_shapes))
            raise ArgumentError(f"{who}: expected a pipeline that makes the model's input, {wanted}, got one that "
                                f"makes {(None, *shape)} of x {xs[k].shape}")
    return xs, pipelines


def standardizes(augmentation: Any) -> bool:
    """Return whether one of the pipelines that `fit` had makes other numbers of pictures even at rest."""
    return any(one.standardizes for one in _each(augmentation).values())


def digest(augmentation: Any) -> str:
    """Return some digits for the pipelines that `fit` was given; none without any."""
    return " ".join(f"{name} {one.digest()}".strip() for name, one in sorted(_each(augmentation).items()))


def _each(augmentation: Any) -> dict[str, Any]:
    if augmentation is None:
        return {}
    return dict(augmentation) if isinstance(augmentation, Mapping) else {"": augmentation}


def _require_pipelines(augmentation: Any, who: str) -> None:
    for one in _each(augmentation).values() or [augmentation]:
        if not isinstance(one, Pipeline):
            raise ArgumentError(f"{who}: expected augmentation=fc.augmentation.Pipeline([...]), or a dict of them by "
                                f"the names of inputs, got {one!r}; layers of augmentation go into one")


def _by_number(model: Network, augmentation: Any, count: int, who: str) -> dict[int, Pipeline]:
    if not isinstance(augmentation, Mapping):
        if count == 1:
            return {0: augmentation}
        pictures = [k for k, shape in enumerate(model.input_shapes) if len(shape) == 4]
        if len(pictures) != 1:
            names = model.input_names
            raise ArgumentError(f"{who}: expected one input of pictures (N, H, W, C), got {len(pictures)} among "
                                f"{', '.join(names)}; name it: augmentation={{{names[0]!r}: ...}}")
        return {pictures[0]: augmentation}
    names = model.input_names if model.built else []
    for name in augmentation:
        if name not in names:
            raise ArgumentError(unknown(f"{who}: augmentation: input", name, names or ["none, before it is built"]))
    return {names.index(name): one for name, one in augmentation.items()}
