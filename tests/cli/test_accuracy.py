"""How good the networks become as ``fastcnn train`` trains them by default."""

import pytest

from tests.cli.test_train import accuracy_of


def accuracy_on_test(fastcnn, *options):
    """Return the accuracy on test images of what is trained on all others."""
    trained = fastcnn("train", *options, "--dev", 0, "--out", "run")
    assert trained.returncode == 0, trained.stderr
    return accuracy_of(fastcnn("evaluate", "run").stdout)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_digits_are_learned_to_98_percent(fastcnn, seed):
    assert accuracy_on_test(fastcnn, "--seed", seed) >= 0.98


def test_three_fifths_of_the_digits_are_enough_for_97_percent(fastcnn):
    assert accuracy_of(fastcnn("train", "--seed", 2).stdout) >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 10))
def test_the_worst_of_ten_seeds_learns_the_digits_to_98_percent(fastcnn, seed):
    assert accuracy_on_test(fastcnn, "--seed", seed) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least"), [("lenet5", 0.985), ("convnet", 0.99)])
def test_three_epochs_of_mnist_are_enough(fastcnn, data_dir, model, least):
    options = ["--dataset", "mnist", "--data-dir", data_dir, "--model", model, "--epochs", 3, "--seed", 7]
    assert accuracy_on_test(fastcnn, *options) >= least
