"""Parts of pictures, at places that are drawn."""

from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.geometry import framing, warp
from fastcnn.geometry.arguments import integer
from fastcnn.layers.augmentation.resizing import Framed
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.warp import Warp


class RandomCrop(Framed):
    """In training, a part of each image: (N, H, W, C) to (N, height, width, C).

    In inference, and where an image is smaller than the part, the largest middle part with the ratio of height to width
    is resized. Each image has a place of its own (in Keras, whose inference leaves images as they are, a batch has
    one).

    Parameters
    ----------
    height, width : int
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.RandomCrop(28, 28, seed=1)(np.ones((8, 32, 32, 3))).shape
    (8, 28, 28, 3)
    """

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(height, width, data_format, **kwargs)
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")

    def framed(self, size: framing.Size) -> framing.Border:
        return framing.cut_to_ratio(size, self.size)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        if shape[0] < self.height or shape[1] < self.width:
            return self.changes_at_rest(shape)
        top, left = draws.below(shape[0] - self.height + 1), draws.below(shape[1] - self.width + 1)
        matrices = warp.crops(top.astype(np.float64), left.astype(np.float64))
        return [Warp(matrices, self.size, warp.sampling(), inside=Warp.EXACT)]
