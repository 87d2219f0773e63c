"""``fastcnn data``: look at a data set before a network does."""

import shlex
from typing import Any

import click

from fastcnn.cli._data_show import show
from fastcnn.cli._exit_codes import DATA
from fastcnn.cli._options import ANNOTATED, DATASETS, TASKS, picture_options, split_options, table_options
from fastcnn.cli._values import NameOrPath, UserPath


@click.group("data", short_help="Look at a data set before a network does.")
def command() -> None:
    """Look at a data set before a network does."""


@command.command("check", short_help="Find damaged pictures, rare classes, and pictures in two parts.")
@click.argument("dataset", type=NameOrPath((*DATASETS, *ANNOTATED)))
@click.option("--data-dir", type=UserPath(), metavar="DIR", help="Where the files of a named data set are.")
@click.option("--task", type=click.Choice(TASKS), help="What the pictures are for. Default: what lies in the folder "
              "tells boxes (Pascal VOC, COCO, YOLO) and masks; folders of persons are `identity`.")
@click.option("--drop-bad", is_flag=True, help="Of boxes, masks and persons: what has faults is to be left out, and "
              "is counted.")
@click.option("--out", type=UserPath(), metavar="FILE", help="Draw boxes and masks on some pictures, a PNG.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, metavar="N", help="Of the split. Default: 0.")
@table_options
@split_options
@click.pass_context
def check(ctx: click.Context, /, dataset: str, data_dir: str | None, task: str | None, drop_bad: bool,
          out: str | None, **given: Any) -> None:
    """Find what is wrong with a data set: as `train` would take it, nothing is written but what --out asks for.

    Tells files that cannot be read, the sizes of the pictures, how many of each class are in each part, classes of
    which there are few, and pictures that are in two parts, the same or nearly. Of boxes and masks it tells each fault
    with its file, line and box. Ends with 3 if there is any of it.

    \b
    fastcnn data check my_pictures/
    fastcnn data check my_pictures/ --group-by 'patient-[0-9]+'
    fastcnn data check bccd --out page.png
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.datasets import task_of

    found = task or task_of(dataset)
    if found not in (None, "classification"):
        from fastcnn.cli._annotated import check_annotated

        ctx.exit(DATA if check_annotated(dataset, data_dir, str(found), drop_bad, out) else 0)
    if drop_bad or out:
        raise click.UsageError(f"{'--drop-bad' if drop_bad else '--out'}: expected data with boxes, masks or persons; "
                               f"`fastcnn data show` draws others", ctx)
    from fastcnn.cli._balance import balance, show_balance
    from fastcnn.cli._checks import duplicates
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import choose_dataset, load_dataset
    from fastcnn.cli._picture_sizes import common_size, damaged, sizes_of, sizes_told
    from fastcnn.cli._split import Asked, made
    from fastcnn.cli._table_columns import columns_asked

    console = make_console()
    chosen = choose_dataset(dataset, data_dir, None)
    columns = columns_asked(given)
    sizes = sizes_of(chosen[0], columns)
    faults = [] if sizes is None else damaged(chosen[0], columns)
    data = load_dataset(chosen, None, common_size(sizes), None, sizes is not None, columns)
    parts, _ = made(data, Asked(given["dev"], given["train_dev"], given["test"], given["group_by"], given["seed"]))
    console.print(f"data   {data.name}: {data.source}")
    for note in () if sizes is not None else data.notes:
        console.print(f"note   {note}")
    show_balance(console, data, parts)
    for line in [] if sizes is None else sizes_told(sizes):
        console.print(f"note   {line}")
    faults += [*balance(data, parts), *duplicates(parts, most=20)]
    for line in faults:
        console.print(f"fault  {line}")
    if faults:
        ctx.exit(DATA)
    console.print("no fault found")


@command.command("pack", short_help="Decode pictures once, for data larger than memory.")
@click.argument("dataset", type=NameOrPath(DATASETS))
@click.argument("out", type=UserPath())
@click.option("--data-dir", type=UserPath(), metavar="DIR", help="Where the files of a named data set are.")
@picture_options
@table_options
@click.option("--skip-damaged", is_flag=True, help="Pass over pictures that cannot be read, and count them.")
def pack(dataset: str, out: str, data_dir: str | None, size: Any, fit: Any, skip_damaged: bool,
         **of_table: Any) -> None:
    """Decode a data set once into a new or empty folder OUT, which --dataset then takes as it takes the original.

    Pictures go to the disk one by one, and training reads them there: neither needs memory for all of them. OUT holds
    .npy files, the images as uint8, which any reader of NumPy's format opens. It is whole, or not there.

    \b
    fastcnn data pack my_pictures/ packed --size 64x48
    fastcnn train --dataset packed
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import pack_dataset
    from fastcnn.cli._run import new_run
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.datasets._packed import INDEX

    console = make_console()
    with new_run(out, "", 0, INDEX, "OUT") as folder:
        data = pack_dataset(dataset, data_dir, folder, size, fit, skip_damaged, columns_asked(of_table))
    for note in data.notes:
        console.print(f"note   {note}")
    parts = {"train": data.y_train, "dev": data.y_dev, "test": data.y_test}
    images = sum(len(y) for y in parts.values() if y is not None)
    shape = "x".join(map(str, data.x_train.shape[1:]))
    console.print(f"packed {images:,} images of {shape} in {out}")
    console.print(f"train on them   fastcnn train --dataset {shlex.quote(out)}")


command.add_command(show)
