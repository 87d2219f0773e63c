"""Search for good values of what training does not learn: rates, sizes, strengths.

::

    space_of: ranges and choices -> values_of: the values of each trial -> trainings, each a run -> Study

`fastcnn tune` is the same on the command line. Needs Optuna: pip install "fastcnn[tune]".
"""

from fastcnn.tuning.comparing import PairedDifference, compare
from fastcnn.tuning.halving import Rung, rungs
from fastcnn.tuning.limits import Limit, limit_of
from fastcnn.tuning.sampling import values_of
from fastcnn.tuning.searching import around, search
from fastcnn.tuning.space import Choices, Range, space_of
from fastcnn.tuning.study import Study
from fastcnn.tuning.trial import TuningTrial

__all__ = ["Choices", "Limit", "PairedDifference", "Range", "Rung", "Study", "TuningTrial", "around", "compare",
           "limit_of", "rungs", "search", "space_of", "values_of"]
