"""Automatic names: one each, whoever asks at the same time."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fastcnn.auto_names import Names, snake_case


@pytest.mark.parametrize(("name", "expected"), [
    ("Conv2DTranspose", "conv2d_transpose"), ("PReLU", "p_re_lu"), ("AUC", "auc"), ("MeanIoU", "mean_io_u"),
    ("F1Score", "f1_score"), ("KLDivergence", "kl_divergence"), ("Sequential", "sequential"),
])  # fmt: skip
def test_a_class_is_named_in_snake_case(name, expected):
    assert snake_case(name) == expected


def test_names_start_anew_once_forgotten():
    names = Names()
    assert [names.new("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert names.new("ReLU") == "re_lu"
    names.forget()
    assert names.new("Dense") == "dense"


def test_threads_that_name_at_once_get_different_names():
    class Slow(Counter):
        """Lets other threads run between the reading of a count and the writing of the next."""

        def __getitem__(self, name):
            count = super().__getitem__(name)
            time.sleep(1e-3)
            return count

    names = Names()
    names._counts = Slow()
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: names.new("Dense"), range(20)))
    assert len(set(given)) == 20
