"""What ``fastcnn train`` does with a data set and a plan: one run, or one for each fold."""

import shlex
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from fastcnn.cli._config import write_config
from fastcnn.cli._examples import Examples, restored, write_split
from fastcnn.cli._resume import CHECKPOINTS, is_complete, open_run, remove_checkpoints
from fastcnn.cli._run import FOLDS, HISTORY, new_run, write_folds
from fastcnn.cli._split import Asked, made, made_folds

SPLIT_OPTIONS = ("dev", "train_dev", "test", "group_by")
SEEN_BY_INITIALIZERS = 5000  # training images: statistics of patches do not change with more


class Prepared(NamedTuple):
    """A training before its first step.

    Attributes
    ----------
    data : Dataset
    begun : Saved or None
        What it goes on from.
    parts : dict of str to Examples
        Without folds; else empty.
    groups : dict of str to str
    notes : tuple of str
        What a person should know of the parts.
    config : Config
    """

    data: Any
    begun: Any
    parts: dict[str, Examples]
    groups: dict[str, str]
    notes: tuple[str, ...]
    config: Any


class Trained(NamedTuple):
    """What became of it: the run's folder, the accuracy on dev or None, and whether Ctrl-C ended it."""

    folder: Path
    accuracy: float | None
    is_stopped: bool


def prepare(given: dict[str, Any]) -> Prepared:
    """Return data, parts and plan, once they fit one another."""
    from fastcnn.cli._data import choose_dataset, load_dataset
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.random import set_random_seed

    set_random_seed(given["seed"])
    begun = open_saved(given["from"]) if given["from"] is not None else None
    dataset = choose_dataset(given["dataset"], given["data_dir"], begun)
    data = load_dataset(dataset, begun, given["size"], given["fit"], given["skip_damaged"])
    parts, groups, notes = ({}, {}, ()) if given["folds"] is not None else _parts(given, data, dataset, begun)

    from fastcnn.cli._presets import settle  # Numba is loaded here: a fault in the data is told before

    config = settle(given, dataset, data, begun)
    if begun is not None:
        require_fit(begun, data)
    return Prepared(data, begun, parts, groups, notes, config)


def asked_of(given: dict[str, Any]) -> Asked:
    """Return what the options say of parts."""
    return Asked(seed=given["seed"], **{name: given[name] for name in SPLIT_OPTIONS})


def _parts(given: dict[str, Any], data: Any, dataset: Any, begun: Any) -> Any:
    """Return the parts, the groups and notes: those of the run that is trained on from, else new ones."""
    is_same = begun is not None and begun.config is not None and begun.config.dataset == dataset[0]
    if not is_same:
        return *made(data, asked_of(given)), ()
    path, named = begun.split, [name for name in SPLIT_OPTIONS if given[name] is not None]
    if path is None:
        return *made(data, asked_of(given)), (f"{begun.path.parent} has no split.csv: its model may have been trained "
                                              "on images that are in dev now",)  # fmt: skip
    if named:
        option = named[0].replace("_", "-")
        raise click.UsageError(f"--{option} and --from exclude one another: the run's split.csv says which images its "
                               "model has not seen; leave it out")  # fmt: skip
    return restored(path, data), {}, ()


def train_one(console: Any, prepared: Prepared, given: dict[str, Any]) -> Trained:
    """Train on the parts, keep the model in a new run, and tell how good it is on dev."""
    return _train(console, prepared, given, given["out"], prepared.config)


def train_folds(console: Any, prepared: Prepared, given: dict[str, Any]) -> Trained:
    """Train once for each fold, in a run of its own, and tell the mean accuracy on dev and its spread."""
    import msgspec

    count, found = given["folds"], []
    divisions = list(made_folds(prepared.data, count, asked_of(given)))
    with new_run(given["out"], f"{prepared.config.model}-{count}-folds", 0, FOLDS) as folder:
        for number, (parts, groups) in enumerate(divisions, 1):
            console.print(f"fold {number}/{count}")
            config = msgspec.structs.replace(prepared.config, fold=(number, count))
            one = prepared._replace(parts=parts, groups=groups)
            trained = _train(console, one, given, str(folder / f"fold-{number}"), config)
            if trained.is_stopped:
                return Trained(folder, None, is_stopped=True)
            assert trained.accuracy is not None  # a fold has dev images
            found.append(trained.accuracy)
            write_folds(folder, found)
    mean, spread = float(np.mean(found)), float(np.std(found, ddof=1))
    console.print(f"folds  {' '.join(f'{accuracy:.4f}' for accuracy in found)}")
    console.print(f"runs saved in {folder}")
    console.print(f"dev accuracy {mean:.4f}, spread {spread:.4f} (mean and standard deviation of {count} folds)")
    return Trained(folder, mean, is_stopped=False)


def _train(console: Any, prepared: Prepared, given: dict[str, Any], out: str | None, config: Any) -> Trained:
    from fastcnn.cli._safe_saving import keep, said
    from fastcnn.errors import DivergedError

    data, parts = prepared.data, prepared.parts
    model, standard = _model(prepared, given, config)
    known = _known(data, standard)
    size = sum(p.value.nbytes for p in model.weights)
    with open_run(out, size) if given["resume"] else new_run(out, config.model, size) as folder:
        if given["resume"] and is_complete(folder):
            console.print(f"run {folder} is complete; name another --out to train once more")
            return Trained(folder, None, is_stopped=False)
        write_config(folder, config)
        write_split(folder, parts, prepared.groups, data.classes)
        _introduce(console, prepared, model, config, folder)
        try:
            stop = _fit(console, model, prepared, standard, config, folder, bool(given["resume"]))
        except DivergedError:
            raise
        except Exception as error:  # of ours, of a full memory: what was learned until then is worth keeping
            if model.optimizer.iterations:
                keep(model, known, config, folder)
                error.add_note(said(folder))
            raise
        keep(model, known, config, folder)
        if not stop.is_stopped:
            remove_checkpoints(folder)
    try:
        if stop.is_stopped:
            _say_how_to_go_on(console, stop, config, folder)
            return Trained(folder, None, is_stopped=True)
        return Trained(folder, _measure(console, model, prepared, standard, folder), is_stopped=False)
    except (Exception, KeyboardInterrupt) as error:
        error.add_note(said(folder))
        raise


def check(prepared: Prepared, given: dict[str, Any]) -> None:
    """Raise what is wrong with network and optimizer, which are made and thrown away."""
    parts = prepared.parts or {"train": Examples(prepared.data.x_train, prepared.data.y_train, np.empty(0))}
    _model(prepared._replace(parts=parts), given, prepared.config)


def say_saved(trained: Trained) -> str:
    """Return where the model is, for a message."""
    from fastcnn.cli._safe_saving import said

    return said(trained.folder)


def _model(prepared: Prepared, given: dict[str, Any], config: Any) -> Any:
    """Return the model, compiled, and how its images are standardized: by the training part alone."""
    from fastcnn.cli._data import Standard, standard_of
    from fastcnn.cli._network import make_network
    from fastcnn.cli._optimizer import make_optimizer
    from fastcnn.random import set_random_seed
    from fastcnn.utils import clear_session

    data, x = prepared.data, prepared.parts["train"].x
    set_random_seed(config.seed)
    if prepared.begun is not None:
        model = prepared.begun.model
        standard = standard_of(prepared.begun, given["white"], lambda note: click.echo(note, err=True))
    else:
        standard = Standard.of(x, data.scale)
        clear_session(free_memory=False)  # the layers of every fold have the same names
        model = make_network(config, x.shape[1:], len(data.classes),
                             lambda: np.asarray(standard.images(x[:SEEN_BY_INITIALIZERS], data.scale)))
    model.compile(
        optimizer=make_optimizer(config),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model, standard


def _introduce(console: Any, prepared: Prepared, model: Any, config: Any, folder: Path) -> None:
    data, parts = prepared.data, prepared.parts
    size = "x".join(map(str, data.x_train.shape[1:]))
    words = {"train": "training"}
    counts = [f"{len(part.y):,} {words.get(name, name.replace('_', '-'))}" for name, part in parts.items()]
    console.print(f"data   {data.name}: {', '.join(counts[:-1])} and {counts[-1]} images of {size}, "
                  f"{len(data.classes)} classes" if len(counts) > 1 else
                  f"data   {data.name}: {counts[0]} images of {size}, {len(data.classes)} classes")  # fmt: skip
    for note in (*data.notes, *prepared.notes, *_shared(prepared)):
        console.print(f"note   {note}")
    console.print(f"model  {config.model}: {model.count_params():,} parameters")
    console.print(
        f"plan   {config.epochs} epochs, batches of {config.batch_size}, {config.optimizer}, "
        f"learning rate {config.learning_rate:g}, seed {config.seed}"
    )
    console.print(f"run    {folder}")


def _fit(console: Any, model: Any, prepared: Prepared, standard: Any, config: Any, folder: Path, resumes: bool) -> Any:
    """Train; return the callback that knows whether and where Ctrl-C ended it."""
    from fastcnn.callbacks import BackupAndRestore
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._interrupt import stop_on_interrupt
    from fastcnn.cli._progress import display
    from fastcnn.cli._run_callbacks import HistoryFile, StopWhenDiverged
    from fastcnn.cli._schedule import CoolDown

    train, dev = prepared.parts["train"], prepared.parts.get("dev")
    scale = prepared.data.scale
    with (
        Compiling(console, "training") as compiling,
        display(console, compiling.done) as shown,
        stop_on_interrupt(console.print) as stop,
    ):
        rate = config.learning_rate
        callbacks = [CoolDown(rate, config.cool_down), StopWhenDiverged(rate), HistoryFile(folder / HISTORY)]
        if resumes:
            stop.backup = BackupAndRestore(folder / CHECKPOINTS, save_freq="auto", delete_checkpoint=False)
            callbacks.append(stop.backup)
        try:
            model.fit(
                standard.images(train.x, scale), train.y, sample_weight=train.weights, batch_size=config.batch_size,
                epochs=config.epochs, verbose=0,
                validation_data=None if dev is None else (standard.images(dev.x, scale), dev.y),
                validation_batch_size=256, callbacks=[*callbacks, shown, stop],
            )  # fmt: skip
        except KeyboardInterrupt:
            if not stop.is_stopped:
                raise
        finally:
            model.optimizer.learning_rate = rate  # who trains on begins with it, not with where it fell to
    if not stop.is_stopped:
        speed = f", {shown.images / shown.seconds:,.0f} images/s" if shown.images else ""
        console.print(f"trained in {shown.seconds:.1f} s{speed}")
    return stop


def _shared(prepared: Prepared) -> list[str]:
    """Return a note where the same picture is in two parts of a user's own data; published sets are known."""
    from fastcnn import datasets
    from fastcnn.cli._checks import duplicates

    return [] if prepared.config.dataset in datasets.names else duplicates(prepared.parts)


def _known(data: Any, standard: Any) -> dict[str, Any]:
    """Return what is saved with the model, so that others can be made images as those it was trained on were."""
    known = {"dataset": data.name, "classes": list(data.classes), "scale": data.scale,
             **standard._asdict(), "background": data.background, "ink_box": data.ink_box}
    if data.pictures is not None:
        known["pictures"] = {"fit": data.pictures.fit, "white": data.pictures.white}
    return known


def _say_how_to_go_on(console: Any, stop: Any, config: Any, folder: Path) -> None:
    left = max(1, config.epochs - stop.epoch)
    run = shlex.quote(str(folder))
    console.print(f"stopped in epoch {stop.epoch + 1} after step {stop.step}; run saved in {folder}")
    console.print(f"measure it      fastcnn evaluate {run} --part dev")
    console.print(f"train on        fastcnn train --out {run} --resume auto" if stop.backup is not None else
                  f"train on        fastcnn train --from {run} --epochs {left}")  # fmt: skip


def _measure(console: Any, model: Any, prepared: Prepared, standard: Any, folder: Path) -> float | None:
    """Tell how good the model is on dev, and where it is; return the accuracy."""
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._report import as_probabilities, measure, show

    run, report = shlex.quote(str(folder)), None
    if "dev" in prepared.parts:
        dev = prepared.parts["dev"]
        with Compiling(console, "measuring"):
            outputs = model.predict(standard.images(dev.x, prepared.data.scale), batch_size=256, verbose=0)
        report = measure(as_probabilities(outputs), dev.y)
        show(console, report, prepared.data.classes)
    console.print(f"run saved in {folder}")
    console.print(f"read a picture  fastcnn predict {run} PICTURE.png")
    if "test" in prepared.parts:
        console.print(f"last figure     fastcnn evaluate {run}   (when all is decided)")
    if report is not None:
        console.print(f"dev accuracy {report.accuracy:.4f}")
    return None if report is None else report.accuracy
