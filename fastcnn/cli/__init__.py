"""The command ``fastcnn``: parse, build, call. Each subcommand is a file of its own, loaded when it is called.

Neither this file nor a subcommand's imports NumPy or Numba at its top, so that help and completion answer at once.
"""

import contextlib
import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from fastcnn._version import __version__
from fastcnn.cli import _device, _exit_codes, _streams
from fastcnn.errors import unknown

COMMANDS = ("train", "tune", "runs", "evaluate", "report", "serve", "predict", "identify", "explain", "stylize",
            "summary", "data", "quantize", "import-onnx", "export-onnx", "bench", "doctor", "warmup", "completion")


class _Commands(click.Group):
    """Subcommands that are imported when they are asked for, and listed in the order of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"fastcnn.cli.{cmd_name.replace('-', '_')}").command
        return command if cmd_name in _device.WITHOUT else _device.with_device(command)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(unknown("command", args[0], COMMANDS), ctx)
        return super().resolve_command(ctx, args)


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ[_exit_codes.DEBUG] = "1"


@click.group(
    "fastcnn",
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_exit_codes.HELP,
)
@click.option("--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the traceback of an error.")
@click.version_option(__version__, message="fastcnn %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Train and run convolutional networks on the CPU.

    \b
    fastcnn train                        learn the built-in handwritten digits
    fastcnn predict runs/NAME seven.png  read your own picture with a trained run
    fastcnn COMMAND --help               all about a command
    """  # noqa: D301  (click reads the backspace)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, which `fastcnn.cli._exit_codes` explains.

    Parameters
    ----------
    args : sequence of str, optional
        Without the program's name; those of the process by default.
    """
    before, warnings.showwarning = warnings.showwarning, _show_warning
    try:
        return _execute(args)
    finally:
        warnings.showwarning = before


def _execute(args: Sequence[str] | None) -> int:
    _streams.open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(args, prog_name="fastcnn", standalone_mode=False)
        sys.stdout.flush()  # a pipe that was closed shows here, not in the interpreter's last breath
    except BrokenPipeError:
        _streams.let_go()
        return _exit_codes.OTHER
    except (Exception, KeyboardInterrupt) as error:
        return _exit_codes.report(error)
    return code if isinstance(code, int) else _exit_codes.DONE


def _show_warning(message: Any, *args: Any, **keywords: Any) -> None:
    with contextlib.suppress(OSError):  # of a closed pipe: what is warned of goes on
        click.echo(f"fastcnn: warning: {_exit_codes.one_line(message)}", err=True)
