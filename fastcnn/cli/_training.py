"""What ``fastcnn train`` does with a data set and a plan: one run, or one for each fold."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import click

from fastcnn.cli._config import write_config
from fastcnn.cli._console import Record
from fastcnn.cli._examples import restored, write_split
from fastcnn.cli._prepared import Prepared
from fastcnn.cli._resume import check_goes_on, is_complete, note_stop, open_run, remove_checkpoints
from fastcnn.cli._run import MODEL, new_run
from fastcnn.cli._split import Asked, made, made_folds
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded

SPLIT_OPTIONS = ("dev", "train_dev", "test", "group_by")


class Trained(NamedTuple):
    """What became of it: the run's folder, the figure that decides on dev, if any, and whether Ctrl-C ended it."""

    folder: Path
    dev: tuple[str, float] | None
    is_stopped: bool


def prepare(given: dict[str, Any]) -> Prepared:
    """Return data, parts and plan, once they fit one another."""
    from fastcnn.cli._augmentation import OFF
    from fastcnn.cli._data import choose_dataset, load_dataset
    from fastcnn.cli._decision import require_possible
    from fastcnn.cli._in_memory import COPIES, COPIES_AUGMENTED
    from fastcnn.cli._learner import make_learner
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.cli._snapshots import require_plain
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.cli._transfer import require_no_augmentation
    from fastcnn.random import set_random_seed

    for option in ("drop_bad", "box_form"):
        if given[option]:
            raise ArgumentError(f"--{option.replace('_', '-')}: expected pictures with boxes, masks or persons, got "
                                f"{given['dataset'] or 'others'}; leave it out")  # fmt: skip
    set_random_seed(given["seed"])
    begun = open_saved(given["from"], given["size"]) if given["from"] is not None else None
    dataset = choose_dataset(given["dataset"], given["data_dir"], begun)
    data = load_dataset(dataset, begun, given["size"], given["fit"], given["skip_damaged"],
                        columns_asked(given, None if begun is None else begun.metadata), given["in_memory"],
                        COPIES if given["augment"] in (None, OFF) else COPIES_AUGMENTED)  # fmt: skip
    parts, groups, notes = ({}, {}, ()) if given["folds"] is not None else _parts(given, data, dataset, begun)

    if begun is not None:
        require_fit(begun, data, has_head=False)

    from fastcnn.cli._presets import settle  # Numba is loaded here: a fault in the data is told before

    config = settle(given, dataset, data, begun)
    if config.snapshots is not None:
        require_plain(config)
    if config.cache_features:
        require_no_augmentation(config.augment)
    if config.unfreeze_at is not None and config.steps is None and config.unfreeze_at > config.epochs:
        raise ArgumentError(f"--unfreeze-at {config.unfreeze_at}: expected one of the {config.epochs} epochs; leave it "
                            f"out, or say more --epochs")
    if config.patience is not None and not (given["folds"] or "dev" in parts):
        raise click.UsageError("--patience: expected a dev part, whose loss is looked at, got --dev 0; leave one out")
    if config.threshold is not None and not (given["folds"] or "dev" in parts):
        raise click.UsageError("--threshold: expected a dev part, on which it is chosen, got --dev 0; leave one out")
    require_possible(data.task, data.outputs, config.threshold, config.positive, False)
    return Prepared(data, begun, {}, {}, {}, notes, config, make_learner).with_parts(parts, groups)


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


def train_one(console: Any, prepared: Prepared, given: dict[str, Any], record: Record) -> Trained:
    """Train on the parts, keep the model in a new run, and tell how good it is on dev."""
    return train_in(console, prepared, given, given["out"], prepared.config, record)


def train_in(console: Any, prepared: Prepared, given: dict[str, Any], out: str | None, config: Any,
             record: Record) -> Trained:
    """Train as a configuration says, keep the model in a run, and tell how good it is on dev."""
    from fastcnn.cli._fitting import fit
    from fastcnn.cli._minutes import settled
    from fastcnn.cli._page import page_of
    from fastcnn.cli._safe_saving import keep, said
    from fastcnn.cli._snapshots import tell_snapshots
    from fastcnn.cli._telling import introduce, measure_on_dev, say_how_to_go_on
    from fastcnn.errors import DivergedError

    since, data, parts = time.perf_counter(), prepared.data, prepared.parts
    learner = prepared.learner(config)
    model = learner.model
    size = sum(p.value.nbytes for p in learner.network.weights)
    if given["resume"] and out is not None:
        check_goes_on(expanded(out))
    with open_run(out, size) if given["resume"] else new_run(out, config.model, size) as folder:
        if given["resume"] and is_complete(folder):
            if config.fold is None:
                console.print(f"run {folder} is complete; name another --out to train once more")
            learner = learner.trained_in(folder / MODEL)
            learner.decide(parts, config, folder / MODEL)
            return Trained(folder, measure_on_dev(console, prepared, learner, folder), is_stopped=False)
        write_config(folder, config)
        write_split(folder, prepared.dealt, prepared.groups, data)
        introduce(console, prepared, learner, config, folder)
        config = settled(console, learner, parts, config, folder, since)
        try:
            stop = fit(console, learner, parts, config, folder, bool(given["resume"]), record)
        except DivergedError:
            raise
        except Exception as error:  # of ours, of a full memory: what was learned until then is worth keeping
            if model.optimizer.iterations:
                keep(learner.save, config, folder)
                error.add_note(said(folder))
            raise
        keep(learner.save, config, folder)
        if not stop.is_stopped:
            remove_checkpoints(folder)
        elif stop.backup is None:
            note_stop(folder, stop.epoch, stop.step, max(1, config.epochs - stop.epoch))
    try:
        if stop.is_stopped:
            say_how_to_go_on(console, stop, config, folder)
            return Trained(folder, None, is_stopped=True)
        learner.decide(parts, config, folder / MODEL)
        if config.snapshots:
            tell_snapshots(console, prepared, learner, folder, config.snapshots)
        page = page_of(console, prepared, learner, config, folder) if given["report"] else None
        return Trained(folder, measure_on_dev(console, prepared, learner, folder, page), is_stopped=False)
    except (Exception, KeyboardInterrupt) as error:
        error.add_note(said(folder))
        raise


def first_of(prepared: Prepared, given: dict[str, Any]) -> Prepared:
    """Return the only training, or that of the first fold."""
    if given["folds"] is None:
        return prepared
    return prepared.with_parts(*next(made_folds(prepared.data, given["folds"], asked_of(given))))


def check(prepared: Prepared, given: dict[str, Any]) -> None:
    """Raise what is wrong with network and optimizer, which are made and thrown away."""
    first_of(prepared, given).learner(prepared.config)


def say_saved(trained: Trained) -> str:
    """Return where the model is, for a message."""
    from fastcnn.cli._safe_saving import said

    return said(trained.folder)
