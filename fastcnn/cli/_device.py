"""The option --device of every command that runs a model."""

import os
from typing import Any

import click

#: Commands that compute nothing by a model, or nothing by another than the CPU.
WITHOUT = ("runs", "summary", "data", "import-onnx", "export-onnx", "doctor", "warmup", "completion")

_VARIABLE = "FASTCNN_DEVICE"


def with_device(command: click.Command) -> click.Command:
    """Return a command with --device, which is added the first time.

    Parameters
    ----------
    command : click.Command
    """
    if not any(one.name == "device" for one in command.params):
        last = next((k for k, one in enumerate(command.params) if one.name == "help"), len(command.params))
        command.params.insert(last, click.Option(
            ["--device"], metavar="NAME", expose_value=False, callback=_chosen,
            help="Where models live: cpu, cuda or cuda:0, a card (pip install 'fastcnn[cuda]'); never another one in "
                 "its place. Default: FASTCNN_DEVICE, or cpu."))
    return command


def _chosen(ctx: click.Context, parameter: click.Parameter, name: str | None) -> None:
    """Let new models live on a device until the command ends, in the processes that it starts, too."""
    if name is None or ctx.resilient_parsing:
        return
    from fastcnn import config, device

    before: Any = os.environ.get(_VARIABLE), list(device._chosen)
    config.set_device(name)
    os.environ[_VARIABLE] = name

    def restore() -> None:
        device._chosen[:] = before[1]
        if before[0] is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before[0]

    ctx.call_on_close(restore)
