"""Which values a trial has: a function of the seed, its number, and what is known of others.

So a killed search goes on with the trials that it would have had, which a sampler with a state of its own would not
give (optuna#3255).
"""

import warnings
from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.tuning.space import Space
from fastcnn.tuning.trial import TuningTrial

SAMPLERS = ("tpe", "random")


def optuna() -> Any:
    """Return the library, silent.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import optuna as found
    except ImportError:
        raise ImportError('tune: expected Optuna to be installed; pip install "fastcnn[tune]"') from None
    found.logging.set_verbosity(found.logging.WARNING)
    return found


def values_of(space: Space, seed: int, number: int, known: Sequence[TuningTrial], sampler: str = "tpe",
              is_maximized: bool = True) -> dict[str, Any]:
    """Return the values of a trial.

    Parameters
    ----------
    space : dict
    seed, number : int
    known : sequence of TuningTrial
        That are over, in any order.
    sampler : {"tpe", "random"}
        The tree-structured Parzen estimator, multivariate, after ten random trials; or random ones alone.
    is_maximized : bool

    Returns
    -------
    dict
        A value for each name.

    Raises
    ------
    ArgumentError
        An unknown sampler.
    ImportError
        Without Optuna.

    References
    ----------
    Bergstra et al.: Algorithms for hyper-parameter optimization, NIPS 2011; Bergstra, Bengio: Random search for
    hyper-parameter optimization, JMLR 13, 2012.

    Examples
    --------
    >>> space = fc.tuning.space_of({"lr": {"low": 1e-4, "high": 1e-1, "scale": "log"}})
    >>> fc.tuning.values_of(space, 1, 2, []) == fc.tuning.values_of(space, 1, 2, [])
    True
    """
    if sampler not in SAMPLERS:
        raise ArgumentError(unknown("sampler", sampler, SAMPLERS))
    library = optuna()
    drawing = (seed * 1_000_003 + number) % 2**32
    chosen = library.samplers.RandomSampler(seed=drawing) if sampler == "random" else library.samplers.TPESampler(
        seed=drawing)
    distributions = {name: one.distribution() for name, one in space.items()}
    study = library.create_study(direction="maximize" if is_maximized else "minimize", sampler=chosen)
    if sampler != "random":
        for trial in sorted(known, key=lambda one: one.number):
            if trial.score is not None and trial.values:
                study.add_trial(as_optuna(trial, space, library))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = study.ask(fixed_distributions=distributions).params
    return {name: space[name].value(drawn[name]) for name in space}


def as_optuna(trial: TuningTrial, space: Space, library: Any) -> Any:
    """Return a trial that is over as Optuna has it; number, figures and failure are attributes of the user's."""
    failed = trial.score is None
    distributions = {name: one.distribution() for name, one in space.items() if name in trial.values}
    values = {name: space[name].drawn(trial.values[name]) for name in distributions}
    # Values were rounded, so the ends of a range may be left by a last bit.
    inside = {name: min(max(one, distributions[name].low), distributions[name].high)
              if hasattr(distributions[name], "low") else one for name, one in values.items()}
    return library.trial.create_trial(
        state=library.trial.TrialState.FAIL if failed else library.trial.TrialState.COMPLETE, value=trial.score,
        params=inside, distributions=distributions, constraints=trial.excess or None,
        user_attrs={"number": trial.number, "values": trial.values, "figures": trial.figures, "epochs": trial.epochs,
                    "failure": trial.failure})
