"""``fastcnn data show``: training images as the network sees them."""

from typing import TYPE_CHECKING, Any

import click

from fastcnn.cli._call_values import AugmentationCalls
from fastcnn.cli._config_file import ConfigFile
from fastcnn.cli._options import AUGMENTATIONS, DATASETS, picture_options, split_options, table_options
from fastcnn.cli._values import NameOrPath, UserPath

if TYPE_CHECKING:
    from fastcnn.datasets import Dataset

_EPOCHS = 7  # that are shown of each image, beside the image at rest
_COLUMNS = 8


@click.command("show", short_help="Draw training images as the network sees them.")
@click.argument("dataset", type=NameOrPath(DATASETS), required=False)
@click.option("--config", type=ConfigFile("train"), metavar="FILE", is_eager=True,
              help="A file for `fastcnn train`, whose data set, parts, seed and augmentation are meant.")
@click.option("--data-dir", type=UserPath(), metavar="DIR", help="Where the files of a named data set are.")
@picture_options
@table_options
@click.option("--skip-damaged", is_flag=True, help="Pass over pictures that cannot be read.")
@split_options
@click.option("--augment", type=AugmentationCalls("augmentation", AUGMENTATIONS, "RandomFlip('horizontal')"),
              metavar="NAME", help="As that of `fastcnn train`.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, metavar="N",
              help="Of the split and of what is drawn. Default: 0.")
@click.option("--images", type=click.IntRange(1), metavar="N",
              help="How many. Default: 64, or 8 where each is shown as several epochs see it.")
@click.option("--out", type=UserPath(), default="pictures.png", show_default=True, metavar="FILE",
              help="The PNG that is written.")
def show(dataset: str | None, config: str | None, out: str, images: int | None, **given: Any) -> None:
    """Draw the first images of the training part after the whole pipeline: resized, changed, standardized.

    Standardizing is undone for the eye. With --augment each image has a row: as it is without changes, and as the first
    epochs see it; under it its class, or the shares of its classes where images are mixed.

    \b
    fastcnn data show my_pictures/ --size 64 --out seen.png
    fastcnn data show cifar10 --augment strong
    fastcnn data show --config plan.toml
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._augmentation import make_pipeline, settled
    from fastcnn.cli._console import make_console
    from fastcnn.cli._data import Standard, choose_dataset, load_dataset
    from fastcnn.cli._examples import label_texts
    from fastcnn.cli._picture_sheet import sheet, undone
    from fastcnn.cli._split import Asked, made, made_folds
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.errors import ArgumentError
    from fastcnn.formats.files import expanded, write_atomically

    data = load_dataset(choose_dataset(dataset, given["data_dir"], None), None, given["size"], given["fit"],
                        given["skip_damaged"], columns_asked(given))  # fmt: skip
    if data.features:
        raise ArgumentError(f"data show: expected pictures, got the features of {data.name}; `data check` "
                            "tells of them")  # fmt: skip
    asked = Asked(given["dev"], given["train_dev"], given["test"], given["group_by"], given["seed"])
    parts = next(made_folds(data, given["folds"], asked))[0] if given["folds"] else made(data, asked)[0]
    train = parts["train"]
    standard = Standard.of(train.x, data.scale)
    calls = settled(given["augment"], train.x.shape[-1])
    pipeline = make_pipeline(calls, train.x.shape[1:], standard, data.scale, given["seed"])
    some = train.x[: images or (_COLUMNS if pipeline is not None else _COLUMNS * _COLUMNS)]
    labels = train.y[: len(some)]
    x, texts = (standard.images(some, data.scale), label_texts(data, labels)) if pipeline is None else (
        _epochs(pipeline, some, labels, data))
    write_atomically(expanded(out), sheet(undone(x, *standard), texts, _COLUMNS))
    console = make_console()
    console.print(f"data   {data.name}: {len(some)} of {len(train.y):,} training images")
    if calls:
        console.print(f"images {', '.join(calls)}")
        console.print(f"a row an image: without changes, and in the first {_EPOCHS} epochs")
    console.print(f"drawn in {out}")


def _epochs(pipeline: Any, some: Any, labels: Any, data: "Dataset") -> tuple[Any, list[str]]:
    """Return each image at rest and in some epochs, one after the other, and the texts under them."""
    import numpy as np

    from fastcnn.cli._examples import label_texts
    from fastcnn.utils import to_categorical

    classes, index, rows = data.classes, np.arange(len(some)), None
    if data.task == "classification":
        rows = to_categorical(labels, len(classes))
    seen = [pipeline.augmented(np.asarray(some), index, epoch, labels=rows) for epoch in range(_EPOCHS)]
    x = np.stack([pipeline.at_rest(np.asarray(some)), *(one.images for one in seen)], axis=1)
    if rows is None:  # nothing is mixed
        return x.reshape(-1, *x.shape[2:]), [text for text in label_texts(data, labels) for _ in range(_EPOCHS + 1)]
    shares = np.stack([rows, *(one.labels for one in seen)], axis=1)
    return x.reshape(-1, *x.shape[2:]), [_text(row, classes) for row in shares.reshape(-1, len(classes))]


def _text(shares: Any, classes: tuple[str, ...]) -> str:
    """Return a class, or the two largest shares of a mixture, a line each: ``70% cat``."""
    first, second = (-shares).argsort(kind="stable")[:2]
    if shares[second] < 0.005:
        return classes[first]
    return "\n".join(f"{shares[label]:.0%} {classes[label]}" for label in (first, second))
