"""Pictures mixed with others of their batch, and their labels with them."""

from typing import Any

import numpy as np

from fastcnn.geometry.arguments import number
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.erasing import random_boxes
from fastcnn.layers.augmentation.factors import factor_range
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.patch import Mixture
from fastcnn.traits import Trait


class MixUp(Augmentation):
    """In training, mix each image with another of the batch: y = a x + (1 - a) x', and its labels alike.

    Labels are one-hot; call it with a dict, or put it into a pipeline. Mixed labels are shares, so a loss wants them as
    such (CategoricalCrossentropy), and an accuracy counts the larger share. Zhang et al., "mixup: beyond empirical risk
    minimization", 2018.

    Parameters
    ----------
    alpha : float
        a has the beta distribution with both parameters alpha: the smaller, the more of one image.
    data_format : str, optional
        "channels_last".
    seed : int, optional
        The next of the sequence if absent.

    Examples
    --------
    >>> data = {"images": np.zeros((8, 32, 32, 3)), "labels": np.eye(8)}
    >>> mixed = layers.MixUp(0.4, seed=1)(data)
    >>> mixed["labels"].sum(axis=1).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    traits = Trait.IDLE

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.alpha = number(alpha, self, "an alpha above 0", lambda n: n > 0)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        n = len(draws)
        return [Mixture(_partners(draws), draws.beta(self.alpha), np.zeros((n, 4), np.int64), (shape[0], shape[1]))]


class CutMix(Augmentation):
    """In training, paste a box of another image of the batch into each image; labels are mixed by the box's area.

    As `MixUp` with labels. Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable
    features", 2019.

    Parameters
    ----------
    factor : float or (float, float)
        The range of alpha, from 0 to 1; one number f means 0 .. f. The part that is left has the beta distribution with
        both parameters alpha, but for the rounding to pixels, which the labels know of.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> data = {"images": np.arange(8.0).reshape(8, 1, 1, 1) * np.ones((8, 32, 32, 3)), "labels": np.eye(8)}
    >>> mixed = layers.CutMix(seed=1)(data)
    >>> float((mixed["images"][0] == 0).mean().round(4)) == float(mixed["labels"][0, 0].round(4))
    True
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        size, partners = (shape[0], shape[1]), _partners(draws)
        ratio = np.sqrt(1 - draws.beta(draws.uniform(*self.factor) + 1e-6))
        boxes = random_boxes(draws, np.stack([ratio, ratio], axis=1), size)
        return [Mixture(partners, np.ones(len(draws)), boxes, size)]


def _partners(draws: Draws) -> np.ndarray:
    """Return for each image another one: the next in an order that the images' own words decide."""
    order = np.argsort(draws.words(1)[:, 0], kind="stable")
    partners = np.empty(len(order), np.int64)
    partners[order] = np.roll(order, -1)
    return partners
