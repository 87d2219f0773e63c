"""The options of ``fastcnn train``, by the headings of its help."""

import click

from fastcnn.cli._call_values import Architecture, AugmentationCalls, NameOrCall
from fastcnn.cli._config_file import ConfigFile
from fastcnn.cli._groups import in_group
from fastcnn.cli._options import (
    AUGMENTATIONS,
    BOX_FORMS,
    MODELS,
    OPTIMIZERS,
    SCHEDULES,
    SEEING,
    data_options,
    decision_options,
    picture_options,
    split_options,
    table_options,
)
from fastcnn.cli._pixels import white_option
from fastcnn.cli._transfer_values import Channels, LayerPatterns, LayerRates
from fastcnn.cli._values import Factor, ImagesAStep, Name, Rate, Sha256, Share, UserPath

data_group = in_group(
    "Data",
    data_options("digits, which need no download"),
    picture_options,
    click.option("--in-memory/--from-files", default=None,
                 help="Decode pictures once, into memory; or whenever a batch asks for them, by threads ahead of the "
                      "step. Both train the same bits. Default: in memory, where there is enough of it."),
    table_options,
    click.option("--drop-bad", is_flag=True,
                 help="Of boxes, masks and persons: leave out what has faults, and count it, instead of stopping."),
    click.option("--box-form", type=click.Choice(BOX_FORMS),
                 help="What the four numbers of a box are, where files do not have those of their kind."),
    click.option("--limit", type=click.IntRange(1), metavar="N",
                 help="Train on N images of the training part, of each class its share."),
)  # fmt: skip

parts_group = in_group("Parts", split_options)

network_group = in_group(
    "Network",
    click.option("--model", type=Architecture("model", (*MODELS, *SEEING), "ResNet18()"), metavar="NAME",
                 help=f"{', '.join(MODELS)}; {', '.join(SEEING)}, which see boxes, masks, persons; a call, "
                      "'mlp(hidden_units=[64])', 'yolo(filters=24)'; or net.py:function, called with input_shape= and "
                      "classes=. In a file also a list of layers. Default: one that suits the data."),
    click.option("--model-digest", type=Sha256(), metavar="SHA256",
                 help="Refuse a net.py that was changed since: config.toml of a run has the digest of it, and of what "
                      "it imports from beside it."),
    click.option("--from", type=UserPath(), metavar="RUN",
                 help="Train on from this run's model: its data set, batch size and so on are the defaults. A file of "
                      "a model, .safetensors, .keras, .h5 or .onnx, needs --dataset. For other classes its last layer "
                      "gives way to a new one."),
    white_option,
)  # fmt: skip

transfer_group = in_group(
    "Transfer",
    click.option("--head", type=click.Choice(["new", "keep"]),
                 help="Of --from: new replaces the last layer with weights in any case, keep never. Default: new where "
                      "number or names of the classes differ."),
    click.option("--mean", type=Channels(), metavar="NUMBER,...",
                 help="What the model of --from wants subtracted from pixels of 0 to 1, a number a channel, where its "
                      "file does not tell: 0.485,0.456,0.406 for many of ImageNet. Needs --std."),
    click.option("--std", type=Channels(0.0), metavar="NUMBER,...",
                 help="And what it wants them divided by then: 0.229,0.224,0.225."),
    click.option("--freeze", type=LayerPatterns(), metavar="PATTERN,...",
                 help="Layers of --from that are not trained, by their names: 'conv*,bn*', and '*' for all but a new "
                      "last one. Statistics of their normalization stay."),
    click.option("--unfreeze-at", type=click.IntRange(2), metavar="EPOCH",
                 help="Train frozen layers too from this epoch on, the first being 1. The optimizer begins anew then."),
    click.option("--rate-factor", type=LayerRates(), metavar="PATTERN=NUMBER,...",
                 help="Multiply the learning rate of some layers: 'conv*=0.1'. The first pattern that fits counts; a "
                      "new last layer has 1."),
    click.option("--cache-features", is_flag=True,
                 help="Compute once what the frozen layers give, and train the rest on that. It is kept in the user's "
                      "cache. Not with --augment."),
)  # fmt: skip

training_group = in_group(
    "Training",
    click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training images."),
    click.option("--steps", type=click.IntRange(1), metavar="N",
                 help="Steps in all, in place of --epochs: the last epoch may be cut short."),
    click.option("--minutes", type=Rate(), metavar="M",
                 help="Train so long: the speed is measured for a moment, and tells the steps, with which the learning "
                      "rate's schedule ends. The run records them."),
    click.option("--batch-size", type=ImagesAStep(), metavar="N|all", help="Images a step."),
    click.option("--optimizer", type=NameOrCall("optimizer", OPTIMIZERS, "SGD(momentum=0.9)"), metavar="NAME",
                 help=f"{', '.join(OPTIMIZERS)}; or a call, 'Adam(beta_1=0.8)'. Momentum and nesterov are sgd with a "
                      "momentum of 0.9. Default: adam."),
    click.option("--lr", type=Rate(), metavar="RATE", help="The highest learning rate. Default: one that suits."),
    click.option("--lr-schedule", type=Name("learning rate schedule", SCHEDULES), metavar="NAME",
                 help="Constant; cooldown, to 0 over the second half of all steps; linear, to 0; triangle, up and "
                      "linear; cosine, to 0; onecycle, up and down along cosines; exponential, to a hundredth; step, a "
                      "tenth after 1/2 and 3/4; inverse-sqrt, to a tenth. Default: cooldown."),
    click.option("--warmup", type=Share(), metavar="SHARE",
                 help="The part of all steps in which the rate grows first. Default: 0; triangle 0.25, onecycle 0.3."),
    click.option("--snapshots", type=click.IntRange(2), metavar="N",
                 help="Train in N cycles, in each of which the rate falls to 0 along a cosine, and keep the model at "
                      "the end of each, in snapshot-1, ... of the run: an ensemble for the price of one training."),
    click.option("--momentum", type=Share(), metavar="NUMBER", help="Of sgd and rmsprop."),
    click.option("--precision", type=click.Choice(["float32", "bf16"]),
                 help="bf16: products of bfloat16, summed in float32, and bfloat16 between layers; parameters and "
                      "losses are float32. `fastcnn doctor` tells what computes it here. Default: float32."),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N",
                 help="The same seed trains the same model, bit for bit. Default: one that is drawn, and recorded."),
    click.option("--seeds", type=click.IntRange(2), metavar="N",
                 help="Train N times on the same parts, from this seed on and the next ones: mean, spread and worst "
                      "tell what of a difference is chance."),
)  # fmt: skip

regularization_group = in_group(
    "Regularization",
    click.option("--augment", type=AugmentationCalls("augmentation", AUGMENTATIONS, "RandomFlip('horizontal')"),
                 metavar="NAME",
                 help="Change training images anew in each epoch: mirror; crop, mirrored and moved; digits, turned, "
                      "scaled and moved; strong, all that and colours and erasing; or layers as calls with commas "
                      "between, \"RandomFlip('horizontal'), RandomRotation(0.05)\", in a file a list of them. Default: "
                      "off."),
    click.option("--dropout", type=Share(), metavar="RATE",
                 help="Rate of the network's dropout layers; one that has none gets one before its last layer."),
    click.option("--l2", type=Factor(), metavar="FACTOR",
                 help="Add this times the squares of all kernels to the loss. Default: 0."),
    click.option("--weight-decay", type=Factor(), metavar="FACTOR",
                 help="Kernels shrink by this times the rate in each step (decoupled, as in Keras; for sgd with a "
                      "momentum of 0.9 ten times the papers'). Default: the optimizer's."),
    click.option("--label-smoothing", type=Share(), metavar="SHARE",
                 help="The share of each target that goes to all classes alike. Default: 0."),
    click.option("--class-weight", type=click.Choice(["balanced", "none"]), metavar="KIND",
                 help="balanced: the classes count alike, however many images they have. Default: none."),
    click.option("--ema", type=Share(), metavar="MOMENTUM",
                 help="Keep, in place of the last weights, their moving average of this momentum, say 0.999; dev sees "
                      "it. Default: 0, none."),
    click.option("--patience", type=click.IntRange(1), metavar="N",
                 help="End after N epochs whose loss on dev is no better; the weights of the best epoch are kept."),
)  # fmt: skip

decision_group = in_group("Decision", *decision_options(" Default: the most probable class, or above one half."))

run_group = in_group(
    "Run",
    click.option("--config", type=ConfigFile(), metavar="FILE", is_eager=True,
                 help="A file of TOML that says what is not said by flags: epochs = 3. A run has such a file, "
                      "config.toml, which trains the same again."),
    click.option("--print-config", is_flag=True, help="Print such a file for what is asked, and stop."),
    click.option("--dry-run", is_flag=True,
                 help="Tell shapes, memory, the measured speed and when training would end, and stop."),
    click.option("--overfit-batch", is_flag=True,
                 help="Tell whether one batch can be learned by heart, and stop: where it cannot, something is wrong."),
    click.option("--json", "as_json", is_flag=True,
                 help="Print a line of JSON for each epoch and one at the end, and nothing else."),
    click.option("--quiet", is_flag=True, help="Print the last line alone."),
    click.option("--report/--no-report", default=True, envvar="FASTCNN_REPORT",
                 help="Write report.html into the run at the end, as `fastcnn report` does, where the extra "
                      "fastcnn[report] is installed. Default: yes."),
    click.option("--out", type=UserPath(), metavar="DIR",
                 help="A new or empty folder for the run. Default: runs/<time>-<model>."),
    click.option("--resume", type=click.Choice(["auto"]),
                 help="auto: go on with the run in --out where it stood after Ctrl-C, a crash or a kill, to the same "
                      "bits; begin it where there is none. It keeps checkpoints."),
)  # fmt: skip
