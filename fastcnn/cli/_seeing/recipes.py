"""Which networks see what, and which recipe trains each."""

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.cli import _expressions
from fastcnn.cli._config import read_config
from fastcnn.cli._expressions import CallError
from fastcnn.errors import ArgumentError


class Named(NamedTuple):
    """A recipe by the name of its network.

    Attributes
    ----------
    task : {"detection", "segmentation", "identity"}
    module, function : str
        Where it is: it is imported when it is asked for.
    takes_layers : bool
        Whether layers may change pictures in place of its own changes.
    """

    task: str
    module: str
    function: str
    takes_layers: bool = False


#: By the names of --model; the first one of a task is its default. `fastcnn.cli._options.SEEING` repeats the names.
RECIPES = {
    "yolo": Named("detection", "fastcnn.vision.detection", "yolo_recipe", takes_layers=True),
    "faster_rcnn": Named("detection", "fastcnn.vision.rcnn", "faster_rcnn_recipe", takes_layers=True),
    "unet": Named("segmentation", "fastcnn.vision.segmentation", "unet_recipe"),
    "mask_rcnn": Named("segmentation", "fastcnn.vision.rcnn", "mask_rcnn_recipe"),
    "siamese": Named("identity", "fastcnn.vision.identity", "siamese_recipe"),
}

#: What pictures of a task have, in words.
HAVE = {"detection": "boxes", "segmentation": "masks", "identity": "persons or characters"}


def name_of(network: Any) -> str | None:
    """Return the name of a network that sees, given by name or as a call; None for any other."""
    name = network.partition("(")[0].strip() if isinstance(network, str) else None
    return name if name in RECIPES else None


def task_asked(given: dict[str, Any]) -> str | None:
    """Return the task of seeing that the options of ``train`` ask for; None where examples have classes or numbers.

    Parameters
    ----------
    given : dict
        The options: of them the model goes first, then the data set, then the run to train on from.
    """
    if (name := name_of(given["model"])) is not None:
        return RECIPES[name].task
    if given["dataset"] is not None:
        from fastcnn.datasets import task_of

        return task_of(given["dataset"])
    config = read_config(Path(given["from"])) if given["from"] is not None else None
    name = None if config is None else name_of(config.model)
    return None if name is None else RECIPES[name].task


def recipe_function(name: str) -> Callable[..., Any]:
    """Return the function that makes the recipe of a network."""
    named = RECIPES[name]
    found: Callable[..., Any] = getattr(importlib.import_module(named.module), named.function)
    return found


def defaults_of(name: str) -> dict[str, Any]:
    """Return the keywords of the recipe of a network, with their defaults: what can be asked of it."""
    parameters = inspect.signature(recipe_function(name)).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def made(network: str, *parts: Any, **settings: Any) -> Any:
    """Return the recipe of a network given by name or as a call, ``yolo(filters=24)``, whose arguments go first.

    Parameters
    ----------
    network : str
    *parts
        Of the data set: for training, and to decide on.
    **settings
        What options say.

    Raises
    ------
    CallError
        An argument that there is not, or that an option says.
    """
    call = _expressions.read(network, "yolo(filters=24)")
    function, known = recipe_function(call.name), defaults_of(call.name)
    if call.arguments:
        raise CallError(f"model {network!r}: expected arguments by name, {', '.join(known)}, got one without",
                        network)  # fmt: skip

    def of_call(**arguments: Any) -> Any:
        return arguments

    signature = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
                 for name, value in known.items()]
    of_call.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]  # what a call may say
    arguments = _expressions.Maker({call.name: of_call}).make(call, "model", **settings)
    return function(*parts, **arguments)


def require_same_task(name: str, task: str | None, dataset: str) -> None:
    """Raise unless a network sees what the pictures of a data set have.

    Parameters
    ----------
    name : str
        Of the network.
    task : str or None
        Of the data set; None where nothing tells it: persons look like classes.
    dataset : str

    Raises
    ------
    ArgumentError
        With what the data set has.
    """
    from fastcnn import datasets

    wanted = RECIPES[name].task
    if task is None and dataset.replace("-", "_") not in datasets.names:  # the reader says what is missing in a folder
        return
    if task != wanted:
        raise ArgumentError(f"--model {name}: expected a data set of pictures with {HAVE[wanted]}, got {dataset}, "
                            f"which has {HAVE.get(task or '', 'classes')}; name another, or leave --model out")
