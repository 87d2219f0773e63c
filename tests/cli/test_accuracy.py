"""How good the networks become as ``fastcnn train`` trains them by default."""

import pytest

from tests.cli.test_train import accuracy_of


@pytest.mark.parametrize("seed", [0, 1])
def test_the_digits_are_learned_to_98_percent(fastcnn, seed):
    result = fastcnn("train", "--seed", seed)
    assert result.returncode == 0, result.stderr
    assert accuracy_of(result.stdout) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 10))
def test_the_worst_of_ten_seeds_learns_the_digits_to_98_percent(fastcnn, seed):
    assert accuracy_of(fastcnn("train", "--seed", seed).stdout) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least"), [("lenet5", 0.985), ("convnet", 0.99)])
def test_three_epochs_of_mnist_are_enough(fastcnn, data_dir, model, least):
    options = ["--dataset", "mnist", "--data-dir", data_dir, "--model", model, "--epochs", 3, "--seed", 7]
    result = fastcnn("train", *options)
    assert result.returncode == 0, result.stderr
    assert accuracy_of(result.stdout) >= least
