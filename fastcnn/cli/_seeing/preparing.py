"""The training of a network that sees, before its first step."""

from typing import Any

import click

from fastcnn import datasets
from fastcnn.cli._config import Config
from fastcnn.cli._data import absolute
from fastcnn.cli._prepared import Prepared
from fastcnn.cli._seeing.asked import refuse, settle
from fastcnn.cli._seeing.examples import limited, made, restored
from fastcnn.cli._seeing.learner import make_learner
from fastcnn.cli._seeing.opened import open_seen
from fastcnn.cli._seeing.recipes import HAVE, RECIPES, name_of, require_same_task
from fastcnn.datasets.annotated.loading import load_annotated
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded

_SPLIT_OPTIONS = ("dev", "train_dev", "group_by")


def prepare(given: dict[str, Any], task: str) -> Prepared:
    """Return data, parts and plan, once they fit one another.

    Parameters
    ----------
    given : dict
        The options of ``train``.
    task : str
        As `task_asked` returns it.
    """
    begun = None if given["from"] is None else open_seen(given["from"])
    before = None if begun is None else begun.config
    if given["from"] is not None and begun is None:
        raise ArgumentError(f"--from {given['from']}: expected a run of {HAVE[task]}, got a model of something else; "
                            f"name another")
    network = given["model"] or (None if before is None else before.network or before.model) or _default(task)
    name = name_of(network)
    if name is None:
        known = [one for one, named in RECIPES.items() if named.task == task]
        raise ArgumentError(f"--model {network}: expected {' or '.join(known)} for {given['dataset']}, whose pictures "
                            f"have {HAVE[task]}, got another; leave it out")
    refuse(given, name, task)
    dataset = chosen(given["dataset"], given["data_dir"], before, name)
    require_same_task(name, datasets.task_of(dataset[0]), dataset[0])
    drop = given["drop_bad"] or (before is not None and before.drop_bad and dataset[0] == before.dataset)
    data = load_annotated(*dataset, task, drop_bad=drop or None, box_form=given["box_form"])
    assert isinstance(network, str)  # lists of layers have no name
    config = settle(given | {"drop_bad": drop, "from": None if begun is None else absolute(given["from"])}, dataset,
                    network, before)
    parts, groups = _parts(data, given, begun, dataset[0])
    if config.patience is not None and "dev" not in parts:
        raise click.UsageError("--patience: expected a dev part, whose loss is looked at, got --dev 0; leave one out")
    cut = {"train": limited(parts["train"], config.limit, config.seed)}
    return Prepared(data, begun, parts | cut, parts, groups, (), config, make_learner)


def chosen(given: str | None, data_dir: str | None, before: Config | None, who: str) -> tuple[str, str | None]:
    """Return name or absolute path of an annotated data set, and the folder it is in.

    Raises
    ------
    ArgumentError
        If nothing names one, or a path leads nowhere.
    """
    if given is None and before is not None:
        return before.dataset, data_dir or before.data_dir
    if given is None:
        raise ArgumentError(f"{who}: expected --dataset with pictures that have {HAVE[RECIPES[who].task]}, got none"
                            if who in RECIPES else f"{who}: expected --dataset, got none; name one")
    is_name = given.replace("-", "_") in {name.replace("-", "_") for name in (*datasets.names,
                                                                             *datasets.annotated_names)}
    if not is_name and not expanded(given).exists():
        raise ArgumentError(f"--dataset {given}: expected {', '.join(datasets.annotated_names)} or the path of a "
                            f"folder, got nothing there")
    return (given if is_name else absolute(given)), (absolute(data_dir) if data_dir else None)


def _default(task: str) -> str:
    """Return the network of a task that is trained where none is named."""
    known = [name for name, named in RECIPES.items() if named.task == task]
    if not known:
        raise ArgumentError(f"train: expected pictures with classes or boxes, got those with {HAVE[task]}, for which "
                            f"there is no recipe")
    return known[0]


def _parts(data: Any, given: dict[str, Any], begun: Any, dataset: str) -> Any:
    """Return parts and groups: those of the run that is trained on from, else new ones."""
    path = None if begun is None else begun.split_of(dataset)
    if path is None:
        return made(data, given)
    for option in _SPLIT_OPTIONS:
        if given[option] is not None:
            raise click.UsageError(f"--{option.replace('_', '-')} and --from exclude one another: the run's split.csv "
                                   "says which pictures its model has not seen; leave it out")  # fmt: skip
    return restored(path, data), {}
