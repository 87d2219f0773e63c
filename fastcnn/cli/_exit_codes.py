"""Exit codes, and the one place where an exception becomes a code and a line on standard error."""

import os
import traceback

import click

from fastcnn.cli import _streams
from fastcnn.errors import ArgumentError, DataError, DeviceError, DivergedError, ModelFileError, PathError

DONE, OTHER, USAGE, DATA, DIVERGED, NOT_A_MODEL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

#: The environment variable that shows tracebacks.
DEBUG = "FASTCNN_DEBUG"

HELP = """\b
Exit codes:
  0    done
  1    an error that fastcnn did not foresee, or a closed pipe
  2    usage: an unknown name, a model or a device that is not there, a value that cannot be, a missing extra
  3    data: missing, damaged or unfit, or a file or folder that cannot be read or written
  4    diverged: the loss is not a number or infinite; or --overfit-batch did not learn its batch
  5    not a model, or a damaged one
  130  interrupted by Ctrl-C; `train` has saved the model, after SIGTERM too
"""

_CODES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], int], ...] = (
    (PathError, DATA),
    ((ArgumentError, DeviceError, click.ClickException), USAGE),
    (DivergedError, DIVERGED),
    (ModelFileError, NOT_A_MODEL),
    ((DataError, OSError), DATA),
    ((KeyboardInterrupt, click.Abort), INTERRUPTED),
)


def report(error: BaseException) -> int:
    """Print one line for an error on standard error, after its traceback if FASTCNN_DEBUG is set; return the code."""
    notes = getattr(error, "__notes__", [])  # what is safe all the same
    try:
        if os.environ.get(DEBUG):
            traceback.print_exception(error)
        click.echo(f"{_who(error)}: {one_line('; '.join([_sentence(error), *notes]))}", err=True)
    except OSError:
        _streams.let_go()  # the code is all that is left to tell it by
    return code_of(error)


def code_of(error: BaseException) -> int:
    """Return the exit code for an error."""
    if _is_missing_extra(error):
        return USAGE
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), OTHER)


def one_line(text: object) -> str:
    """Return a text with every run of white space made one space."""
    return " ".join(str(text).split())


def _who(error: BaseException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "fastcnn"


def _sentence(error: BaseException) -> str:
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "fastcnn"
        return f"{error.format_message().rstrip('.')}; see {path} --help"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "interrupted"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if code_of(error) == OTHER:
        return f"unexpected {type(error).__name__}: {error}; {DEBUG}=1 shows where"
    return str(error)


def _is_missing_extra(error: BaseException) -> bool:
    # The package's own imports of extras say how to install them; any other ImportError is a broken installation.
    return isinstance(error, ImportError) and "pip install" in str(error)
