"""Random numbers of images: which they are is nobody's business but the key's and the image's, and how they lie."""

import numpy as np
import pytest
from scipy import stats

from fastcnn.operations.augmentation.draws import Draws


def test_an_image_draws_the_same_in_any_batch():
    whole = Draws((5, 7), np.arange(100))
    first, words = whole.uniform(0, 1, 3), whole.words(2)
    for images in ([42], [99, 3, 42, 0], range(40, 50)):
        some = Draws((5, 7), np.array(images))
        np.testing.assert_array_equal(some.uniform(0, 1, 3), first[images])
        np.testing.assert_array_equal(some.words(2), words[images])


def test_keys_stages_images_and_draws_have_nothing_to_do_with_each_other():
    images = np.arange(4000)
    one = Draws((5, 7), images)
    numbers = [one.uniform(0, 1), one.uniform(0, 1), one.stage(0).uniform(0, 1), one.stage(1).uniform(0, 1)]
    numbers += [Draws(key, images).uniform(0, 1) for key in ((6, 7), (7, 5), (5, 8), (5 + 2**40, 7), (-5, 7))]
    numbers += [Draws((5, 7), images + far).uniform(0, 1) for far in (4000, 2**32, 2**40)]
    pairs = np.abs(np.corrcoef(numbers)[np.triu_indices(len(numbers), 1)])
    assert pairs.max() < 4.5 / np.sqrt(len(images))
    assert abs(np.corrcoef(numbers[0][:-1], numbers[0][1:])[0, 1]) < 4.5 / np.sqrt(len(images))


def test_a_stage_goes_on_where_nothing_else_is_drawn():
    one, other = Draws((1, 2), np.arange(5)), Draws((1, 2), np.arange(5))
    one.uniform(0, 1, 30)
    np.testing.assert_array_equal(one.stage(2).words(3), other.stage(2).words(3))


@pytest.mark.parametrize("alpha", [1e-6, 0.2, 1.0, 3.5])
def test_numbers_lie_as_their_distributions_say(alpha):
    draws = Draws((3, 1), np.arange(20_000))
    assert stats.kstest(draws.uniform(-2, 5), stats.uniform(-2, 7).cdf).pvalue > 1e-4
    assert stats.kstest(draws.normal(1)[:, 0], stats.norm.cdf).pvalue > 1e-4
    assert stats.chisquare(np.bincount(draws.below(7), minlength=7)).pvalue > 1e-4
    beta = draws.beta(alpha)
    if alpha == 1e-6:
        assert stats.binomtest(int((beta > 0.5).sum()), len(beta)).pvalue > 1e-4
        assert np.minimum(beta, 1 - beta).max() < 1e-3
    else:
        assert stats.kstest(beta, stats.beta(alpha, alpha).cdf).pvalue > 1e-4


def test_shares_of_none_and_of_all_are_exact_and_a_range_of_one_number_is_it():
    draws = Draws((3, 1), np.arange(10_000))
    assert not draws.chance(0.0).any()
    assert draws.chance(1.0).all()
    assert (draws.uniform(0.3, 0.3) == 0.3).all()
    assert draws.chance(np.where(np.arange(10_000) < 5000, 0.0, 1.0)).sum() == 5000
