"""All of scikit-learn's checks of an estimator: none is excused, and none is skipped."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")

_CHECK = """
import json, sys
from sklearn.utils.estimator_checks import check_estimator
import fastcnn.sklearn
found = check_estimator(getattr(fastcnn.sklearn, sys.argv[1])(), on_fail=None, on_skip=None)
print(json.dumps([[one["check_name"], one["status"], str(one["exception"])] for one in found]))
"""


@pytest.mark.parametrize("name", ["FastCNNClassifier", "FastCNNRegressor"])
def test_all_checks_of_scikit_learn_pass(name):
    # SciPy reads the variable when it is imported; without it one of the checks is skipped.
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", _CHECK, name], capture_output=True, text=True,
                          env={**os.environ, "SCIPY_ARRAY_API": "1"})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert [one for one in found if one[1] != "passed"] == []
    assert len(found) > 50
