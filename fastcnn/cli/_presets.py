"""What `train` does where nothing is said: a preset for each data set, or the plan of the run it goes on from."""

import time
from typing import Any, NamedTuple

import msgspec

from fastcnn.cli._augmentation import settled
from fastcnn.cli._config import Config
from fastcnn.cli._data import absolute
from fastcnn.cli._network import is_name, name_of
from fastcnn.cli._network_file import NetworkFile
from fastcnn.cli._optimizer import default_rate
from fastcnn.cli._saved import Saved
from fastcnn.cli._schedule import WARMUP
from fastcnn.cli._transfer import NEW, has_new_head
from fastcnn.cli._versions import versions
from fastcnn.datasets import Dataset
from fastcnn.models.retyped import precision_of

_OF_TRANSFER = ("mean", "std", "freeze", "unfreeze_at", "rate_factor", "cache_features")


class Preset(NamedTuple):
    """How a data set is learned by default."""

    model: str
    epochs: int
    batch_size: int
    optimizer: str = "adam"
    learning_rate: float | None = None  # None: the optimizer's own


_PRESETS = {
    "digits": Preset("lenet", 30, 32, learning_rate=0.002),
    "mnist": Preset("lenet5", 3, 128, learning_rate=0.004),
    "fashion_mnist": Preset("convnet", 5, 128, learning_rate=0.004),
    "cifar10": Preset("convnet", 10, 128, learning_rate=0.002),
    "cifar100": Preset("convnet", 10, 128, learning_rate=0.002),
}
_COOL_DOWN = 0.5
_LARGE = 20_000  # images; fewer are seen more often, in smaller batches
_SMALL_SIDE = 16  # pixels
_FEW_ROWS = 2000  # of features: a larger network, or more steps, would learn them by heart


def settle(given: dict[str, Any], dataset: tuple[str, str | None], data: Dataset, begun: Saved | None) -> Config:
    """Return the configuration: what was given, else what the run had, else the preset of the data set.

    Parameters
    ----------
    given : dict
        The command's options, None where not given; a number under ``seed``.
    dataset : (name or path, folder or None)
        As `choose_dataset` returns it.
    data : Dataset
    begun : Saved or None
        What training goes on from.

    Raises
    ------
    ArgumentError
        A file of a network that has another digest than was given.
    """
    before = begun.config if begun is not None else None
    preset: Any = before or preset_for(dataset[0], data)
    optimizer = given["optimizer"] or preset.optimizer
    network = given["model"] or preset.model
    file = None if begun is not None else NetworkFile.of(network)
    rate = given["lr"] or (preset.learning_rate if optimizer == preset.optimizer else None)
    return Config(
        dataset=dataset[0],
        data_dir=dataset[1],
        **_of_pictures(given, data, before),
        **_of_table(given, before),
        **{name: given[name] for name in ("dev", "train_dev", "test", "group_by")},
        model=begun.model.name if begun is not None else name_of(network),
        **{name: given[name] for name in ("limit", "patience", "snapshots", "white", "threshold", "positive",
                                         *_OF_TRANSFER)},
        head=NEW if begun is not None and has_new_head(begun, data, given["head"]) else given["head"],
        **_of_practice(given, data, before, optimizer),
        network=None if begun is not None or is_name(network) else network,
        model_digest=None if file is None else file.require(given["model_digest"]),
        epochs=given["epochs"] or preset.epochs,
        steps=given["steps"],
        minutes=given["minutes"],
        batch_size=given["batch_size"] or preset.batch_size,
        optimizer=optimizer,
        learning_rate=rate or default_rate(optimizer),
        cool_down=_COOL_DOWN,
        precision=given["precision"] or ("float32" if begun is None else precision_of(begun.model)),
        seed=given["seed"],
        started=time.strftime("%Y-%m-%d %H:%M:%S"),
        versions=versions(),
        source=absolute(given["from"]) if begun is not None else None,
    )


def _of_practice(given: dict[str, Any], data: Dataset, before: Config | None, optimizer: str) -> dict[str, Any]:
    """Return what the configuration says of schedule, regularization and augmentation; a run's go on with it."""
    had = {} if before is None else msgspec.structs.asdict(before)
    first = lambda *values: next((value for value in values if value is not None), None)
    found = {name: first(given[name], had.get(name)) for name in ("dropout", "l2", "ema", "label_smoothing")}
    for name in ("momentum", "weight_decay"):
        found[name] = first(given[name], had.get(name) if optimizer == had.get("optimizer") else None)
    schedule = str(first(given["lr_schedule"], had.get("lr_schedule"), "cooldown"))
    if given["snapshots"] is not None:
        schedule = "cosine"
    found["lr_schedule"] = schedule
    found["warmup"] = first(given["warmup"], had.get("warmup") if schedule == had.get("lr_schedule") else
                            WARMUP.get(schedule))  # fmt: skip
    if given["snapshots"] is not None:
        found["warmup"] = 0.0
    weight = first(given["class_weight"], had.get("class_weight"))
    found["class_weight"] = None if weight == "none" else weight
    asked = given["augment"] is not None
    found["augment"] = settled(given["augment"], data.x_train.shape[-1]) if asked else had.get("augment")
    return {name: value for name, value in found.items() if value is not None}


def _of_table(given: dict[str, Any], before: Config | None) -> dict[str, Any]:
    """Return what the configuration says of columns and of the loss."""
    return {name: given[name] or getattr(before, name, None) for name in ("label", "ignore", "loss")}


def _of_pictures(given: dict[str, Any], data: Dataset, before: Config | None) -> dict[str, Any]:
    """Return what the configuration says of pictures; a model that is trained on has its size and its fit."""
    if data.pictures is None:
        return {}
    size = data.pictures.image_size if given["size"] is None else given["size"]
    skip = given["skip_damaged"] or (before is not None and before.skip_damaged)
    return {"image_size": size, "fit": data.pictures.fit, "skip_damaged": skip,
            "in_memory": not getattr(data.x_train, "is_made", False)}


def preset_for(name: str, data: Dataset) -> Preset:
    """Return the preset of a data set known by name, or one by the size of the images and their number."""
    if name.replace("-", "_") in _PRESETS:
        return _PRESETS[name.replace("-", "_")]
    if data.features:
        return _of_features(len(data.x_train))
    model = "lenet" if min(data.x_train.shape[1:3]) < _SMALL_SIDE else "convnet"
    epochs, batch_size = (5, 128) if len(data.x_train) >= _LARGE else (20, 32)
    return Preset(model, epochs, batch_size, learning_rate=0.002)


def _of_features(rows: int) -> Preset:
    """Return the preset of a table of features: on scikit-learn's small ones it does as well as its networks."""
    if rows < _FEW_ROWS:
        return Preset("mlp(hidden_units=[32], dropout=0)", min(200, max(10, 600 * 32 // rows)), 32, learning_rate=0.005)
    batch_size = 128 if rows >= _LARGE else 32
    return Preset("mlp(hidden_units=[64, 64], dropout=0)", 30, batch_size, learning_rate=0.002)
