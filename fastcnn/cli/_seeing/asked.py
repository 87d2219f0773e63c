"""What the options of ``train`` mean for a network that sees: what cannot be meant is refused by name."""

import time
from collections.abc import Callable
from typing import Any

from fastcnn.cli._augmentation import OFF
from fastcnn.cli._config import Config
from fastcnn.cli._optimizer import default_rate
from fastcnn.cli._schedule import WARMUP
from fastcnn.cli._seeing.recipes import RECIPES, defaults_of, name_of
from fastcnn.cli._versions import versions
from fastcnn.errors import ArgumentError

_COOL_DOWN = 0.5
_SCHEDULE = "cosine"  # that of `fastcnn.vision.Recipe.fit`
_NOTHING: tuple[Any, ...] = (None, False, 0, "none", "float32", (), [])  # what a configuration says that wants nothing

#: Options that have no meaning for networks that see, and why.
_REFUSED = {
    "fit": "since pictures keep their shape", "skip_damaged": "--drop-bad leaves out what has faults",
    "label": "which is of a table", "ignore": "which is of a table", "loss": "since its recipe has a loss of its own",
    "folds": "since folds are dealt by classes", "white": "since pictures have 0 to 255",
    "model_digest": "which is of a file net.py", "precision": "in which no recipe was measured",
    "dropout": "since its recipe has none", "l2": "use --weight-decay",
    "label_smoothing": "since its loss has none", "class_weight": "since pictures have no single class",
    "snapshots": "whose figure is of one network",
    "mean": "since pictures have 0 to 255", "std": "since pictures have 0 to 255",
    "head": "whose classes stay", "freeze": "all of which is trained", "unfreeze_at": "all of which is trained",
    "rate_factor": "all of which has one rate", "cache_features": "whose pictures change in each epoch",
    "threshold": "which has one of its own", "positive": "since it has no two classes",
    "overfit_batch": "which tells it by the accuracy; --limit and --epochs do it",
}  # fmt: skip

#: Options whose values go into the recipe, by their keyword there.
_KEYWORDS = {"size": "size", "batch_size": "batch_size", "optimizer": "optimizer", "lr": "learning_rate",
             "weight_decay": "weight_decay", "augment": "augment", "from": "begin"}  # fmt: skip


def refuse(given: dict[str, Any], name: str, task: str) -> None:
    """Raise for the first option that has no meaning for a network.

    Parameters
    ----------
    given : dict
        The options.
    name : str
        Of the network.
    task : str

    Raises
    ------
    ArgumentError
    """
    known = defaults_of(name)
    wrong = [(option, why) for option, why in _REFUSED.items() if given[option] not in _NOTHING]
    wrong += [(option, f"since {name} has one of its own") for option, keyword in _KEYWORDS.items()
              if given[option] is not None and keyword not in known]
    if given["in_memory"] is False:
        wrong.append(("from_files", "since its pictures are put into one size first"))
    if given["batch_size"] == "all":
        raise ArgumentError(f"--batch-size all: expected a number of pictures for {name}, got all")
    if given["group_by"] is not None and task == "identity":
        wrong.append(("group_by", "since all pictures of a person are in one part"))
    if given["augment"] not in (None, OFF) and not RECIPES[name].takes_layers:
        wrong.append(("augment", "whose recipe has changes of its own; off leaves them out"))
    if given["size"] is not None and _is_square(known) and len(set(given["size"])) > 1:
        height, width = given["size"]
        raise ArgumentError(f"--size {width}x{height}: expected one number for {name}, whose patches are squares")
    if given["from"] is not None and given["model"] is not None:
        wrong.append(("model", "since --from names the run whose model is trained on"))
    for option, why in wrong:
        raise ArgumentError(f"--{option.replace('_', '-')}: expected none for {name}, {why}; leave it out")


def settle(given: dict[str, Any], dataset: tuple[str, str | None], network: str, before: Config | None) -> Config:
    """Return the configuration: what was given, else what the run to train on from had, else the recipe's defaults.

    Parameters
    ----------
    given : dict
        The command's options, None where not given; a number under ``seed``.
    dataset : (name or path, folder or None)
    network : str
        A name or a call.
    before : Config or None
    """
    name = str(name_of(network))
    known, first = defaults_of(name), _first
    usual = str(known.get("optimizer", "adam"))
    optimizer = first(given["optimizer"], None if before is None else before.optimizer, usual)
    is_usual = optimizer == usual
    had: dict[str, Any] = {} if before is None else {name: getattr(before, name) for name in before.__struct_fields__}
    of_before = had if optimizer == had.get("optimizer") else {}
    schedule = first(given["lr_schedule"], had.get("lr_schedule"), _SCHEDULE)
    steps = given["steps"] if any(given[one] is not None for one in ("steps", "minutes", "epochs")) else first(
        had.get("steps"), known.get("steps"))
    values = {
        "learning_rate": first(given["lr"], of_before.get("learning_rate"),
                               known.get("learning_rate") if is_usual else None) or default_rate(optimizer),
        "weight_decay": first(given["weight_decay"], of_before.get("weight_decay"),
                              known.get("weight_decay") if is_usual else None),
        "momentum": first(given["momentum"], of_before.get("momentum")),
        "warmup": first(given["warmup"], had.get("warmup") if schedule == had.get("lr_schedule") else
                        WARMUP.get(schedule)),
        "ema": first(given["ema"], had.get("ema")), "augment": _changes(given["augment"], had.get("augment")),
    }  # fmt: skip
    return Config(
        dataset=dataset[0],
        data_dir=dataset[1],
        model=name,
        network=None if network == name else network,
        image_size=first(given["size"], had.get("image_size")),
        drop_bad=bool(given["drop_bad"]),
        **{one: given[one] for one in ("box_form", "dev", "train_dev", "group_by", "limit", "patience", "minutes")},
        steps=steps,
        epochs=first(given["epochs"], had.get("epochs"), known.get("epochs"), 1),
        batch_size=first(given["batch_size"], had.get("batch_size"), known.get("batch_size"), 1),
        optimizer=optimizer,
        lr_schedule=schedule,
        cool_down=_COOL_DOWN,
        seed=given["seed"],
        started=time.strftime("%Y-%m-%d %H:%M:%S"),
        versions=versions(),
        source=given["from"],
        **{key: value for key, value in values.items() if value is not None},
    )


def recipe_settings(config: Config, known: dict[str, Any], begun: Any, pipeline: Callable[[], Any]) -> dict[str, Any]:
    """Return what goes into a recipe by its keywords.

    Parameters
    ----------
    config : Config
    known : dict
        The keywords that the recipe has.
    begun : object or None
        What training begins with.
    pipeline : callable without arguments
        Makes that of ``config.augment``.
    """
    from fastcnn.cli._optimizer import make_optimizer

    said: dict[str, Any] = {"seed": config.seed, "epochs": config.epochs, "batch_size": config.batch_size,
                            "optimizer": make_optimizer(config), "learning_rate": config.learning_rate,
                            "weight_decay": config.weight_decay}
    if config.steps is not None:
        said["steps"] = config.steps
    if config.image_size is not None:
        said["size"] = config.image_size[0] if _is_square(known) else tuple(config.image_size)
    if config.augment is not None:
        said["augment"] = pipeline() if config.augment else False
    if begun is not None:
        said["begin"] = begun
    return {name: value for name, value in said.items() if name in known}


def _is_square(known: dict[str, Any]) -> bool:
    """Return whether a recipe wants one number as a size."""
    return isinstance(known.get("size"), int)


def _changes(augment: Any, before: list[str] | None) -> list[str] | None:
    """Return the calls of layers that change pictures: an empty list for none, None for those of the recipe."""
    if augment is None:
        return before
    if augment == OFF:
        return []
    if isinstance(augment, str):
        raise ArgumentError(f"--augment {augment}: expected off, or layers as calls, got the name of changes for "
                            f"pictures that have classes; leave it out for the recipe's own changes")
    return augment


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
