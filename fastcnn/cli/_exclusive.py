"""Options of ``fastcnn train`` that exclude one another."""

from typing import Any

import click
from click.core import ParameterSource

_PAIRS = (
    ("model", "from", "a run has a model"),
    ("white", "mean", "each says what pixels the model takes"),
    ("unfreeze_at", "cache_features", "features of layers that are trained later are no longer theirs"),
    ("unfreeze_at", "minutes", "epochs of some layers and of all are not equally long"),
    ("snapshots", "lr_schedule", "the rate of each cycle falls along a cosine"),
    ("snapshots", "warmup", "the rate of each cycle falls along a cosine"),
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
_NEW = "is for the model of {}: a new one"
_NEEDS = (
    ("white", "from", f"{_NEW} is trained on standardized pixels"),
    ("mean", "from", f"{_NEW} is trained on standardized pixels"),
    ("std", "mean", "is what pixels are divided by after {} was subtracted; say both"),
    ("mean", "std", "is what is subtracted from pixels before they are divided by {}; say both"),
    ("head", "from", f"{_NEW} has the last layer that its classes ask for"),
    ("freeze", "from", f"{_NEW} has nothing yet that is worth keeping"),
    ("unfreeze_at", "freeze", "is for the layers of {}; say which"),
    ("cache_features", "freeze", "is for what the layers of {} give; say which"),
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
    for option, needed, why in _NEEDS:
        if given[option] not in (None, False) and given[needed] is None:
            name, other = (f"--{one.replace('_', '-')}" for one in (option, needed))
            raise click.UsageError(f"{name} {why.format(other)}", ctx)
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
