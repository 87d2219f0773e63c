"""``fastcnn summary``: what a model is made of, and what it costs."""

import click

from fastcnn.cli._options import MODELS, NameOrPath


@click.command("summary", short_help="Show a model's layers and their cost.")
@click.argument("model", metavar="MODEL", type=NameOrPath(MODELS))
def command(model: str) -> None:
    """Show the layers of a model by its name (lenet5, mlp, ...), of a run, or of a .safetensors or .onnx file.

    For each layer and in all: the shape of the output, parameters, multiply-adds and memory of the output for one
    image.
    """
    from pathlib import Path

    from fastcnn import applications, initializers, models, saving
    from fastcnn.cli._saved import find_file
    from fastcnn.errors import ArgumentError, unknown

    network: models.Model
    if (function := applications.find(model)) is not None:
        with initializers.nothing_drawn():
            network = function()
    elif Path(model).expanduser().exists():
        if model.lower().endswith(".onnx"):
            from fastcnn import onnx

            network = onnx.load(Path(model).expanduser())
        else:
            network = saving.load_model(find_file(model))
    else:
        raise ArgumentError(f"{unknown('summary: model', model, MODELS)}; no run or file has that name either")
    network.summary(click.echo)
