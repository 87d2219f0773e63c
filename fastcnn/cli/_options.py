"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

from fastcnn.cli._values import ColumnNames, InputShape, NameOrPath, Share, Size, UserPath

#: The names of `fastcnn.applications.by_name`, `datasets.names`, `datasets.annotated_names`, `datasets.fits`,
#: `optimizers.names` and of schedules and augmentation, repeated so that help and completion need not import them; a
#: test compares.
MODELS = ("lenet", "lenet5", "convnet", "mlp", "logistic_regression", "linear_regression", "resnet20")
DATASETS = ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
ANNOTATED = ("bccd", "nuclei-dsb2018", "omniglot")
#: Those of `fastcnn.cli._seeing.recipes.RECIPES`.
SEEING = ("yolo", "faster_rcnn", "unet", "mask_rcnn", "siamese")
#: Those of `fastcnn.datasets.annotated.box_forms.Form`.
BOX_FORMS = ("corners", "sizes", "centres", "shares of corners", "shares of centres")
TASKS = ("classification", "detection", "segmentation", "identity")
LOSSES = ("crossentropy", "mse", "mae", "huber")
FITS = ("crop", "pad", "stretch")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "nadam", "adamax",
              "lion", "ftrl", "lamb", "adafactor", "muon", "schedulefreeadamw")
SCHEDULES = ("cooldown", "constant", "linear", "triangle", "cosine", "onecycle", "exponential", "step", "inverse-sqrt")
AUGMENTATIONS = ("mirror", "crop", "digits", "strong", "off")


def data_options(default: str) -> Callable[[Any], Any]:
    """Return a decorator that adds --dataset, with words for its default, --data-dir and --skip-damaged.

    Parameters
    ----------
    default : str
        What is used without the option.
    """

    def add(command: Any) -> Any:
        command = click.option(
            "--skip-damaged",
            is_flag=True,
            help="Pass over pictures that cannot be read, and count them, instead of stopping.",
        )(command)
        command = click.option(
            "--data-dir",
            type=UserPath(),
            metavar="DIR",
            help="Where the files of a named data set are: its own folder or the parent. Without it (and without "
            "FASTCNN_DATA, which names such a folder too) it is downloaded once.",
        )(command)
        return click.option(
            "--dataset",
            type=NameOrPath((*DATASETS, *ANNOTATED)),
            metavar="NAME|PATH",
            help=f"{', '.join((*DATASETS, *ANNOTATED))}; or your own: an .npz file with x and y, a folder of idx "
            f"files, a folder of pictures with one sub-folder a class, a .csv table with the columns file and label, "
            f"or a folder with boxes (Pascal VOC, COCO, YOLO) or masks. "
            f"Default: {default}.",
        )(command)

    return add


#: The argument of commands that read a trained model.
saved_argument = click.argument("saved", metavar="RUN_OR_FILE", type=UserPath())

#: For ONNX files that leave sizes open.
shape_option = click.option(
    "--input-shape", "shapes", type=InputShape(), multiple=True, metavar="[NAME=]N,N,...",
    help="Size of an input of an ONNX file that leaves it open: without the batch, in the file's order, 3,224,224 for "
    "images. Of several inputs each with its name.",
)  # fmt: skip

def picture_options(command: Any) -> Any:
    """Add --size and --fit."""
    for option in (
        click.option("--fit", type=click.Choice(FITS),
                     help="How pictures of another shape get there: crop takes the largest part around the centre, pad "
                     "puts black beside the whole, stretch distorts it. Default: crop."),
        click.option("--size", type=Size(), metavar="WxH",
                     help="Bring pictures to this width and height in pixels (one number: both). Without it they must "
                     "be of one size."),
    ):  # fmt: skip
        command = option(command)
    return command


def split_options(command: Any) -> Any:
    """Add --dev, --test, --train-dev, --group-by and --folds."""
    for option in (
        click.option("--folds", type=click.IntRange(2), metavar="K",
                     help="Cross-validation: K trainings, each with another of K parts as dev; mean and spread."),
        click.option("--group-by", metavar="COLUMN|REGEX",
                     help="Pictures of one value in this column of a table stay in one part; or, of a folder, pictures "
                     "in whose paths this finds the same (its first group, if it has one): 'patient-[0-9]+'."),
        click.option("--train-dev", type=Share(), metavar="SHARE",
                     help="A part like the training's that is not learned, to tell overfitting from data that differ. "
                     "Default: 0."),
        click.option("--test", type=Share(), metavar="SHARE",
                     help="The part for the last figure, where the data set has none. Default: as --dev."),
        click.option("--dev", type=Share(), metavar="SHARE",
                     help="The part of all images to decide on; 0 trains on it too. Default: 0.2 up to 10,000 images, "
                     "0.01 from a million on."),
    ):  # fmt: skip
        command = option(command)
    return command


def table_options(command: Any) -> Any:
    """Add --label, --ignore and --loss."""
    for option in (
        click.option("--loss", type=click.Choice(LOSSES),
                     help="Of a table: mse, mae or huber learn numbers, also whole ones; crossentropy classes. "
                     "Default: what its cells look like; mse of numbers."),
        click.option("--ignore", type=ColumnNames(), metavar="COLUMN,...",
                     help="Columns of a table that are no features."),
        click.option("--label", type=ColumnNames(), metavar="COLUMN,...",
                     help="The columns of a table that are learned. Default: label, or label_a, label_b ..."),
    ):  # fmt: skip
        command = option(command)
    return command


def decision_options(more: str = "") -> tuple[Callable[[Any], Any], ...]:
    """Return --threshold and --positive.

    Parameters
    ----------
    more : str
        What the help says of the first beside what both commands have in common.
    """
    return (
        click.option("--threshold", metavar="RULE",
                     help="Choose on dev from which probability on yes is said, and keep it with the model: f1, "
                          "youden, accuracy, 'false_positive_rate<=0.01', 'recall>=0.95' or 'precision>=0.9'. Of one "
                          f"of two classes, or of each label.{more}"),
        click.option("--positive", metavar="CLASS",
                     help="Of two classes the one that --threshold is of. Default: the second."))


batch_option = click.option(
    "--batch-size", type=click.IntRange(1), default=256, show_default=True, metavar="N", help="Images at a time."
)
