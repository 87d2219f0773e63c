"""The configuration of a run: all that it was made of, as programs read it and as a person gives it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from fastcnn.cli._options import SEEING
from fastcnn.cli._path_texts import as_path, as_text
from fastcnn.errors import ModelFileError
from fastcnn.formats import toml_text
from fastcnn.formats.files import write_atomically

CONFIG, TOML = "config.json", "config.toml"

#: The options that decide about a result, in the order in which a file has them; and what the configuration calls them
#: where it has another word.
OPTIONS = ("dataset", "data_dir", "size", "fit", "skip_damaged", "drop_bad", "box_form", "in_memory",
           "label", "ignore", "limit", "dev",
           "train_dev", "test", "group_by", "from", "white", "mean", "std", "head", "freeze",
           "unfreeze_at", "rate_factor", "cache_features", "model", "model_digest", "minutes", "steps", "epochs",
           "batch_size", "optimizer", "lr", "momentum", "lr_schedule", "warmup", "snapshots", "loss", "augment",
           "dropout", "l2", "weight_decay", "label_smoothing", "class_weight", "ema", "patience", "threshold",
           "positive", "precision", "seed")
_FIELDS = {"size": "image_size", "lr": "learning_rate", "from": "source"}

#: How a file begins that a run has.
HEAD = "# fastcnn train "
_SAME = f"{HEAD}--config FILE trains the same again\n"
_FORK = (f"{HEAD}--config FILE trains with these values from its beginning; this run had others first, see lineage in "
         f"{CONFIG}\n")
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
_Factor = Annotated[float, msgspec.Meta(ge=0)]


class Fork(msgspec.Struct, frozen=True):
    """A change on the way: what went on from where was no longer the training that had been begun.

    Parameters
    ----------
    epoch, step : int
        How many epochs were over, and how many steps of the next.
    before : dict of str
        The options that were changed, and what they were until then.
    """

    epoch: int
    step: int
    before: dict[str, float | int | str | None]


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a run was made of.

    Parameters
    ----------
    dataset : str
        A name, or an absolute path. Paths that are no UTF-8 are written as URLs, ``file:///data/caf%E9``.
    data_dir : str or None
        An absolute path.
    image_size : (height, width) or None
        What pictures were brought to.
    fit : {"crop", "pad", "stretch"}
        And how: see `fastcnn.datasets.Pictures`.
    skip_damaged : bool
        Whether pictures that cannot be read were passed over.
    drop_bad : bool
        Whether boxes, masks and pictures with faults were left out.
    box_form : str or None
        What the numbers of boxes are, where that was said.
    in_memory : bool
        Whether pictures were decoded once; if not, whenever a batch asked for them. Both give the same bits.
    label, ignore : list of str or None
        Columns of a table that are learned, and that are no features.
    dev, train_dev, test : float or None
        What was asked for as the share of a part; ``split.csv`` has what became of it.
    group_by : str or None
        What tells which pictures stay in one part: a column of a table, or an expression for their paths.
    fold : (k, K) or None
        The number of the fold, from 1, that was dev, and how many there are.
    model : str
        A name of `fastcnn.applications`, or that of the model trained on from.
    network : str, list of str or None
        What makes the network where that is no name alone: a call, a list of layers, a function of a file.
    model_digest : str or None
        The SHA-256 of that file, with what it imports from beside it.
    dropout : float or None
        The rate of the network's dropout layers; None leaves them as they are.
    l2 : float
        How many times the squares of all kernels are added to the loss.
    epochs : int
    batch_size : int or "all"
    optimizer : str
        A name, or a call.
    learning_rate : float
        The highest.
    momentum, weight_decay : float or None
        Of the optimizer; None leaves them to it.
    lr_schedule : str
        A name of `fastcnn.cli._schedule.SCHEDULES`.
    warmup : float
        The part of all steps, the first, in which the learning rate grows.
    snapshots : int or None
        In how many cycles the learning rate falls along a cosine, at whose ends models are kept.
    cool_down : float
        The part of all steps, the last, over which the learning rate of the schedule of that name falls to 0.
    ema : float
        The momentum of the moving average of the weights that is kept in their place; 0 is none.
    loss : str or None
        A name of `fastcnn.cli._options.LOSSES`; None is the one that suits the data.
    label_smoothing : float
    class_weight : "balanced" or None
        Whether all classes count alike, however many images they have.
    augment : list of str or None
        Calls of the layers that change training images; of a network that sees None are those of its recipe.
    limit : int or None
        How many images of the training part are trained on.
    patience : int or None
        After how many epochs that are no better on dev training ends.
    threshold, positive : str or None
        What a threshold is chosen for on dev, and of which of two classes.
    steps : int or None
        In all, where that is no number of epochs: the last of the epochs is cut short.
    minutes : float or None
        That were asked for; once they are settled, the steps decide.
    precision : {"float32", "bf16"}
        What products are of, and what lies between layers; parameters are float32.
    lineage : tuple of Fork
        What was changed on the way, the first change first.
    seed : int
    started : str
        Local time.
    versions : dict
        Of fastcnn and of what decides about results.
    source : str or None
        The run or file whose weights training began with, written as ``from``.
    white : float or None
        The largest pixel that its model takes, where the file does not tell.
    mean, std : list of float or None
        What pixels from 0 to 1 are shifted and divided by for its model, where the file does not tell.
    head : {"new", "keep"} or None
        Whether its last layer gave way to a new one; None where nothing was asked, and it did not.
    freeze : list of str or None
        Patterns of layers that are not trained.
    unfreeze_at : int or None
        The epoch, from 1, from which on they are.
    rate_factor : list of str or None
        Patterns of layers with factors of their learning rate, ``conv*=0.1``.
    cache_features : bool
        Whether training sees what the frozen layers give, computed once.
    """

    dataset: str
    model: str
    epochs: _Count
    batch_size: _Count | Literal["all"]
    optimizer: str
    learning_rate: float
    cool_down: Annotated[float, msgspec.Meta(gt=0, le=1)]
    seed: int
    started: str
    versions: dict[str, str]
    data_dir: str | None = None
    image_size: tuple[_Count, _Count] | None = None
    fit: Literal["crop", "pad", "stretch"] = "crop"
    skip_damaged: bool = False
    drop_bad: bool = False
    box_form: str | None = None
    in_memory: bool = True
    label: list[str] | None = None
    ignore: list[str] | None = None
    dev: float | None = None
    train_dev: float | None = None
    test: float | None = None
    group_by: str | None = None
    fold: tuple[_Count, _Count] | None = None
    network: str | list[str] | None = None
    model_digest: str | None = None
    dropout: _Share | None = None
    l2: _Factor = 0.0
    momentum: _Share | None = None
    weight_decay: _Factor | None = None
    lr_schedule: str = "cooldown"
    warmup: _Share = 0.0
    snapshots: Annotated[int, msgspec.Meta(ge=2)] | None = None
    ema: _Share = 0.0
    loss: str | None = None
    label_smoothing: _Share = 0.0
    class_weight: Literal["balanced"] | None = None
    augment: list[str] | None = None
    limit: _Count | None = None
    patience: _Count | None = None
    threshold: str | None = None
    positive: str | None = None
    steps: _Count | None = None
    minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None
    precision: Literal["float32", "bf16"] = "float32"
    lineage: tuple[Fork, ...] = ()
    white: float | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    head: Literal["new", "keep"] | None = None
    freeze: list[str] | None = None
    unfreeze_at: Annotated[int, msgspec.Meta(ge=2)] | None = None
    rate_factor: list[str] | None = None
    cache_features: bool = False
    source: str | None = msgspec.field(name="from", default=None)


def as_given(config: Config) -> dict[str, Any]:
    """Return the values of the options that say the same: where one says nothing, None."""
    found = {option: getattr(config, _FIELDS.get(option, option)) for option in OPTIONS}
    if config.steps is not None:  # they decide, wherever they come from
        found["minutes"] = found["epochs"] = None
    if config.minutes is not None:
        found["epochs"] = None
    if config.snapshots is not None:
        found["lr_schedule"] = found["warmup"] = None  # cycles have theirs
    if config.augment is None:
        found["augment"] = None if config.model in SEEING else "off"  # else the changes of its recipe
    if config.augment == []:
        found["augment"] = "off"
    if config.class_weight is None:
        found["class_weight"] = "none"
    if config.network is not None:
        found["model"] = config.network
    if config.source is not None:
        found["model"] = None  # it is that of the run that training began from
    if config.image_size is None or config.model in SEEING:
        found["fit"] = None
    return found


def as_toml(config: Config, **more: Any) -> str:
    """Return a file for --config, which trains the same again.

    Parameters
    ----------
    config : Config
    **more
        Further options.
    """
    values = as_given(_with_paths(config, as_text)) | more
    for name in ("skip_damaged", "drop_bad", "cache_features"):
        values[name] = values[name] or None
    values["in_memory"] = None if values["in_memory"] else False  # where they fit, nothing needs to be said
    if values["size"] is not None:
        height, width = values["size"]
        values["size"] = f"{width}x{height}"
    said = {name.replace("_", "-"): value for name, value in values.items() if value is not None}
    return (_FORK if config.lineage else _SAME) + toml_text.text(said)


def write_config(folder: Path, config: Config) -> None:
    """Write ``config.json`` and ``config.toml``."""
    text = msgspec.json.encode(_with_paths(config, as_text))
    write_atomically(folder / CONFIG, msgspec.json.format(text, indent=2) + b"\n")
    if config.fold is None:  # a fold is no training of its own: the folder around has the file
        write_toml(folder, config)


def write_toml(folder: Path, config: Config, **more: Any) -> None:
    """Write ``config.toml``; arguments are those of `as_toml`."""
    write_atomically(folder / TOML, as_toml(config, **more).encode())


def read_config(folder: Path) -> Config | None:
    """Return the configuration of a run, or None where there is no such file.

    Raises
    ------
    ModelFileError
        If it is damaged.
    """
    path = folder / CONFIG
    try:
        return _with_paths(msgspec.json.decode(path.read_bytes(), type=Config), as_path)
    except (FileNotFoundError, NotADirectoryError):  # a file of a model has none beside it that is its own
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{path}: expected the configuration of a run, got {error}; name the model's file, or restore this one"
        ) from error


def _with_paths(config: Config, change: Callable[[str], str]) -> Config:
    paths = {name: getattr(config, name) for name in ("dataset", "data_dir", "source")}
    return msgspec.structs.replace(config, **{name: change(path) for name, path in paths.items() if path is not None})
