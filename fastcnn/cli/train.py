"""``fastcnn train``: learn a data set, and leave a run."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from fastcnn.cli._exit_codes import INTERRUPTED, OTHER
from fastcnn.cli._options import FITS, MODELS, OPTIMIZERS, Name, Rate, Size, UserPath, data_options, white_option


@click.command("train", short_help="Train a network on a data set.")
@data_options("digits, which need no download")
@click.option("--size", type=Size(), metavar="WxH",
              help="Bring pictures to this width and height in pixels (one number: both). Without it they must be of "
              "one size.")
@click.option("--fit", type=click.Choice(FITS),
              help="How pictures of another shape get there: crop takes the largest part around the centre, pad puts "
              "black beside the whole, stretch distorts it. Default: crop.")
@click.option("--model", type=Name("model", MODELS), metavar="NAME",
              help=f"{', '.join(MODELS)}. Default: the one that suits the data set.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(1), metavar="N", help="Images a step.")
@click.option("--optimizer", type=Name("optimizer", OPTIMIZERS), metavar="NAME",
              help=f"{', '.join(OPTIMIZERS)}. Default: adam.")
@click.option("--lr", type=Rate(), metavar="RATE",
              help="Learning rate; it falls to 0 over the second half of all steps. Default: one that suits.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N",
              help="The same seed trains the same model, bit for bit. Default: one that is drawn, and recorded.")
@click.option("--out", type=UserPath(), metavar="DIR",
              help="A new or empty folder for the run. Default: runs/<time>-<model>.")
@click.option("--from", type=UserPath(), metavar="RUN",
              help="Train on from this run's model: its data set, batch size and so on are the defaults. A file of a "
                   "model, .safetensors, .keras or .h5, needs --dataset.")
@white_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Train a network on a data set, test it, and save it as a run.

    Without any option a small LeNet learns the 1,797 handwritten digits that come with fastcnn, in seconds. Epochs,
    batch size and model have defaults for each data set. The run is a folder with model.safetensors, history.jsonl
    (a line an epoch) and config.json. Ctrl-C ends training after the current step and saves the model; a second one
    aborts.

    \b
    fastcnn train
    fastcnn train --dataset mnist --model lenet5 --epochs 3 --batch-size 128 --lr 1e-3 --seed 7 --out first
    fastcnn train --from first --epochs 2
    fastcnn train --dataset my_pictures/ --size 64x48
    """  # noqa: D301  (click reads the backspace)
    import secrets

    if given["seed"] is None:
        given["seed"] = secrets.randbelow(2**31)
    if given["from"] is not None and given["model"] is not None:
        raise click.UsageError("--model and --from exclude one another: a run has a model; leave one out", ctx)
    if given["white"] is not None and given["from"] is None:
        raise click.UsageError("--white is for the model of --from: a new one is trained on standardized pixels", ctx)
    data, standard, model, config = _prepare(given)

    from fastcnn.cli._console import Output, make_console
    from fastcnn.cli._run import new_run, write_config
    from fastcnn.cli._safe_saving import keep, said
    from fastcnn.errors import DivergedError

    output = Output(sys.stdout)
    console = make_console(output)
    known = _known(data, standard)
    with new_run(given["out"], config.model, sum(p.value.nbytes for p in model.weights)) as folder:
        write_config(folder, config)
        _introduce(console, data, model, config, folder)
        try:
            stop = _fit(console, model, standard.images(data.x_train, data.scale), data.y_train, config, folder)
        except DivergedError:
            raise
        except Exception as error:  # of ours, of a full memory: what was learned until then is worth keeping
            if model.optimizer.iterations:
                keep(model, known, config, folder)
                error.add_note(said(folder))
            raise
        keep(model, known, config, folder)
    try:
        if stop.asked:
            _say_how_to_go_on(console, stop, config, folder)
        else:
            _test(console, model, data, standard, folder)
    except (Exception, KeyboardInterrupt) as error:
        error.add_note(said(folder))
        raise
    if output.is_lost:
        click.echo(f"fastcnn: expected an output to write to, got a closed pipe or full disk; {said(folder)}", err=True)
        ctx.exit(OTHER)
    if stop.asked:
        ctx.exit(INTERRUPTED)


def _prepare(given: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Return the data, how to standardize it, the model and the configuration, once they fit one another."""
    from fastcnn.cli._data import Standard, choose_dataset, load_dataset, standard_of
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.random import set_random_seed

    set_random_seed(given["seed"])
    begun = open_saved(given["from"]) if given["from"] is not None else None
    dataset = choose_dataset(given["dataset"], given["data_dir"], begun)
    data = load_dataset(dataset, begun, given["size"], given["fit"], given["skip_damaged"])

    from fastcnn import applications, optimizers  # Numba is loaded here: a fault in the data is told before
    from fastcnn.cli._presets import settle

    config = settle(given, dataset, data, begun)
    if begun is not None:
        require_fit(begun, data)
        model = begun.model
        standard = standard_of(begun, given["white"], lambda note: click.echo(note, err=True))
    else:
        standard = Standard.of(data.x_train, data.scale)
        model = applications.by_name[config.model](input_shape=data.x_train.shape[1:], classes=len(data.classes))
    model.compile(
        optimizer=optimizers.get(config.optimizer, learning_rate=config.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return data, standard, model, config


def _introduce(console: Any, data: Any, model: Any, config: Any, folder: Path) -> None:
    size = "x".join(map(str, data.x_train.shape[1:]))
    console.print(
        f"data   {data.name}: {len(data.x_train):,} training and {len(data.x_test):,} test images of {size}, "
        f"{len(data.classes)} classes"
    )
    for note in data.notes:
        console.print(f"note   {note}")
    console.print(f"model  {config.model}: {model.count_params():,} parameters")
    console.print(
        f"plan   {config.epochs} epochs, batches of {config.batch_size}, {config.optimizer}, "
        f"learning rate {config.learning_rate:g}, seed {config.seed}"
    )
    console.print(f"run    {folder}")


def _fit(console: Any, model: Any, x: Any, y: Any, config: Any, folder: Path) -> Any:
    """Train; return the callback that knows whether and where Ctrl-C ended it."""
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._interrupt import stop_on_interrupt
    from fastcnn.cli._progress import display
    from fastcnn.cli._run import HISTORY
    from fastcnn.cli._run_callbacks import HistoryFile, StopWhenDiverged
    from fastcnn.cli._schedule import CoolDown

    with (
        Compiling(console, "training") as compiling,
        display(console, compiling.done) as shown,
        stop_on_interrupt(console.print) as stop,
    ):
        rate = config.learning_rate
        callbacks = [CoolDown(rate, config.cool_down), StopWhenDiverged(rate), HistoryFile(folder / HISTORY)]
        try:
            model.fit(x, y, batch_size=config.batch_size, epochs=config.epochs, verbose=0,
                      callbacks=[*callbacks, shown, stop])
        finally:
            model.optimizer.learning_rate = rate  # who trains on begins with it, not with where it fell to
    if not stop.asked:
        speed = f", {shown.images / shown.seconds:,.0f} images/s" if shown.images else ""
        console.print(f"trained in {shown.seconds:.1f} s{speed}")
    return stop


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
    console.print(f"evaluate it     fastcnn evaluate {run}")
    console.print(f"train on        fastcnn train --from {run} --epochs {left}")


def _test(console: Any, model: Any, data: Any, standard: Any, folder: Path) -> None:
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._report import as_probabilities, measure, show

    with Compiling(console, "testing"):
        outputs = model.predict(standard.images(data.x_test, data.scale), batch_size=256, verbose=0)
    report = measure(as_probabilities(outputs), data.y_test)
    show(console, report, data.classes)
    console.print(f"run saved in {folder}")
    console.print(f"read a picture  fastcnn predict {shlex.quote(str(folder))} PICTURE.png")
    console.print(f"test accuracy {report.accuracy:.4f}")
