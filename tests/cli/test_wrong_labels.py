"""Wrong labels that were put into MNIST are found by folds and their report."""

import numpy as np
import pytest

from fastcnn import datasets, report
from fastcnn.cli import main
from fastcnn.cli._run_evidence import ReportOptions
from fastcnn.cli._saved_evidence import evidence_of


@pytest.mark.slow
def test_nine_of_ten_wrong_labels_of_mnist_are_found_and_nine_of_ten_found_are_wrong(data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = datasets.load("mnist", data_dir)
    draw, y = np.random.default_rng(0), np.array(data.y_train)
    wrong = draw.permutation(len(y))[: len(y) // 20]
    y[wrong] = (y[wrong] + draw.integers(1, 10, len(wrong))) % 10
    np.savez("noisy.npz", x=data.x_train, y=y)
    assert main(["train", "--dataset", "noisy.npz", "--model", "lenet5", "--folds", "4", "--test", "0", "--epochs", "2",
                 "--seed", "1", "--quiet", "--out", "folds"]) == 0
    crossed = evidence_of(tmp_path / "folds", ReportOptions()).evidence.crossed
    is_wrong = np.isin([int(name[2:-1]) for name in crossed.names], wrong)
    found = report.label_issues(crossed.y, crossed.outputs)
    assert is_wrong[found.examples].mean() >= 0.9
    assert is_wrong[found.examples].sum() >= 0.9 * len(wrong)
