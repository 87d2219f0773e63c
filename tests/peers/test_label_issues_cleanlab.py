"""Labels that are probably wrong, beside cleanlab: the same joint distribution, and as good a choice."""

import numpy as np
import pytest

from fastcnn import report
from tests.report.test_label_issues import crossed

cleanlab = pytest.importorskip("cleanlab", reason="needs the extra fastcnn[judges]")


@pytest.mark.parametrize(("classes", "share"), [(3, 0.1), (10, 0.05), (10, 0.15)])
def test_the_joint_is_cleanlabs_and_the_choice_is_as_good(classes, share):
    from cleanlab.count import estimate_joint
    from cleanlab.filter import find_label_issues

    given, is_wrong, _, p = crossed(2000, classes, share, seed=classes)
    own = report.label_issues(given, p)
    np.testing.assert_allclose(own.joint, estimate_joint(given, p), atol=2e-3)  # it rounds counts
    theirs = find_label_issues(given, p, n_jobs=1, return_indices_ranked_by="normalized_margin")

    def f1(found):
        return 2 * is_wrong[found].sum() / (len(found) + is_wrong.sum())

    assert f1(own.examples) >= f1(theirs) - 0.01
    assert len(np.intersect1d(own.examples, theirs)) >= 0.9 * min(len(own.examples), len(theirs))
