"""The options of ``fastcnn train``, by the headings of its help."""

import click

from fastcnn.cli._config_file import ConfigFile
from fastcnn.cli._groups import in_group
from fastcnn.cli._options import MODELS, OPTIMIZERS, data_options, picture_options, split_options, white_option
from fastcnn.cli._values import Architecture, NameOrCall, Rate, UserPath

data_group = in_group("Data", data_options("digits, which need no download"), picture_options)

parts_group = in_group("Parts", split_options)

network_group = in_group(
    "Network",
    click.option("--model", type=Architecture("model", MODELS, "ResNet18()"), metavar="NAME",
                 help=f"{', '.join(MODELS)}; a call, 'mlp(hidden_units=[64])'; or net.py:function, called with "
                      "input_shape= and classes=. In a file also a list of layers. Default: one that suits the data."),
    click.option("--from", type=UserPath(), metavar="RUN",
                 help="Train on from this run's model: its data set, batch size and so on are the defaults. A file of "
                      "a model, .safetensors, .keras or .h5, needs --dataset."),
    white_option,
)  # fmt: skip

training_group = in_group(
    "Training",
    click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training images."),
    click.option("--batch-size", type=click.IntRange(1), metavar="N", help="Images a step."),
    click.option("--optimizer", type=NameOrCall("optimizer", OPTIMIZERS, "SGD(momentum=0.9)"), metavar="NAME",
                 help=f"{', '.join(OPTIMIZERS)}. Default: adam."),
    click.option("--lr", type=Rate(), metavar="RATE",
                 help="Learning rate; it falls to 0 over the second half of all steps. Default: one that suits."),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N",
                 help="The same seed trains the same model, bit for bit. Default: one that is drawn, and recorded."),
)  # fmt: skip

run_group = in_group(
    "Run",
    click.option("--config", type=ConfigFile(), metavar="FILE", is_eager=True,
                 help="A file of TOML that says what is not said by flags: epochs = 3. A run has such a file, "
                      "config.toml, which trains the same again."),
    click.option("--print-config", is_flag=True, help="Print such a file for what is asked, and stop."),
    click.option("--out", type=UserPath(), metavar="DIR",
                 help="A new or empty folder for the run. Default: runs/<time>-<model>."),
    click.option("--resume", type=click.Choice(["auto"]),
                 help="auto: go on with the run in --out where it stood after Ctrl-C, a crash or a kill, to the same "
                      "bits; begin it where there is none. It keeps checkpoints."),
)  # fmt: skip
