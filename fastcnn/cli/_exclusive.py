"""Options of ``fastcnn train`` that exclude one another."""

from typing import Any

import click
from click.core import ParameterSource

_PAIRS = (
    ("model", "from", "a run has a model"),
    ("folds", "from", "the run has seen the images of every fold"),
    ("folds", "dev", "each fold is dev once"),
    ("folds", "seeds", "each says what is trained several times"),
    ("seeds", "minutes", "all are equally long"),
    ("folds", "minutes", "folds are equally long"),
    ("minutes", "steps", "each says how long training is"),
    ("minutes", "epochs", "each says how long training is"),
    ("steps", "epochs", "each says how long training is"),
    ("json", "quiet", "each says what is printed"),
    ("print_config", "dry_run", "each stops"),
    ("print_config", "overfit_batch", "each stops"),
    ("dry_run", "overfit_batch", "each stops"),
)
_PARAMETERS = {"json": "as_json"}  # what options are called inside


def require_one_answer(ctx: click.Context, given: dict[str, Any]) -> None:
    """Raise UsageError for options that do not go together; of a flag and a value of the file, the flag stays.

    Parameters
    ----------
    ctx : Context
    given : dict
        The options of the command; changed.
    """
    if given["white"] is not None and given["from"] is None:
        raise click.UsageError("--white is for the model of --from: a new one is trained on standardized pixels", ctx)
    for *pair, why in _PAIRS:
        names = [_PARAMETERS.get(name, name) for name in pair]
        if any(given[name] is None or given[name] is False for name in names):
            continue
        of_file = [name for name in names if ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP]
        if len(of_file) == 1 and any(
                ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in names):
            given[of_file[0]] = None
            continue
        one, other = (f"--{name.replace('_', '-')}" for name in pair)
        raise click.UsageError(f"{one} and {other} exclude one another: {why}; leave one out", ctx)
