"""Pictures that are blurred, or stretched like rubber."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import warp
from fastcnn.geometry.arguments import is_integer, number
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.factors import check_sampling, factor_range
from fastcnn.layers.augmentation.factors import value_range as range_of
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.elastic import Elastic
from fastcnn.operations.augmentation.patch import Blur, gaussian_windows
from fastcnn.traits import Trait


class RandomGaussianBlur(Augmentation):
    """In training, blur some images with a window of normal weights; what is outside of the image is 0, as in Keras.

    Parameters
    ----------
    factor : float or (float, float)
        The range of shares of images that this happens to, from 0 to 1; one number f means 0 .. f.
    kernel_size : int or (int, int)
        Odd numbers: the width and the height of the window.
    sigma : float or (float, float)
        The range of the standard deviations in pixels, from 0 to 1, of which each image has two; one number f means
        0 .. f.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    data_format : str, optional
        "channels_last".
    seed : int, optional
        The next of the sequence if absent.

    Examples
    --------
    >>> x = np.zeros((1, 3, 3, 1)); x[0, 1, 1] = 100.0
    >>> layers.RandomGaussianBlur((1, 1), sigma=(1, 1))(x)[0, 1, :, 0].round(1).tolist()
    [12.399999618530273, 20.399999618530273, 12.399999618530273]
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any = 1.0, kernel_size: Any = 3, sigma: Any = 1.0, value_range: Any = (0, 255),
                 data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))
        sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        if len(sizes) != 2 or not all(is_integer(size) and size > 0 and size % 2 for size in sizes):
            raise ArgumentError(f"{self}: expected kernel_size to be an odd number or two, got {kernel_size!r}")
        self.kernel_size, self.sigma = sizes, factor_range(sigma, self, "sigma", (0.0, 1.0))
        self.value_range = range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        n, c = len(draws), shape[2]
        some = draws.chance(draws.uniform(*self.factor))
        stddevs = np.where(some[:, None], draws.uniform(*self.sigma, 2), 0.0)
        horizontal, vertical = (gaussian_windows(size, stddevs[:, k]) for k, size in enumerate(self.kernel_size))
        return [Blur(vertical, horizontal),
                Recolor(np.broadcast_to(np.eye(c), (n, c, c)), np.zeros((n, c)), self.value_range)]


class RandomElasticTransform(Augmentation):
    """In training, stretch some images like rubber: places move by smooth noise.

    Noise for each pixel is smoothed with a standard deviation of 0.05 s times the shorter side, and multiplied by
    0.005 s^2 times the longer and the shorter one, as in Keras. Simard et al., "Best practices for convolutional neural
    networks applied to visual document analysis", 2003.

    Parameters
    ----------
    factor : float or (float, float)
        The range of shares of images that this happens to, from 0 to 1; one number f means 0 .. f.
    scale : float or (float, float)
        The range of s, from 0 to 1; one number f means 0 .. f.
    interpolation : str
        "bilinear" or "nearest".
    fill_mode : str
        What is outside of the image: "reflect" (d c b a | a b c d | d c b a), "constant", "wrap", "nearest" or "mirror"
        (d c b | a b c d | c b a).
    fill_value : float
        The constant.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> layers.RandomElasticTransform(seed=1)(np.ones((8, 32, 32, 3))).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any = 1.0, scale: Any = 1.0, interpolation: str = "bilinear",
                 fill_mode: str = "reflect", fill_value: float = 0.0, value_range: Any = (0, 255),
                 seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))
        self.scale = factor_range(scale, self, "scale", (0.0, 1.0))
        check_sampling(self, interpolation, fill_mode, list(warp.FILL_MODES))
        self.interpolation, self.fill_mode = interpolation, fill_mode
        self.fill_value = number(fill_value, self, "a number for fill_value")
        self.value_range = range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        h, w, c = shape
        n = len(draws)
        some, scales = draws.chance(draws.uniform(*self.factor)), draws.uniform(*self.scale)
        strengths, smooth = np.where(some, 0.1 * max(h, w) * scales, 0.0), 0.05 * min(h, w) * scales
        return [Elastic(strengths, smooth, draws.words(2), (h, w),
                        warp.sampling(self.interpolation, self.fill_mode, self.fill_value)),
                Recolor(np.broadcast_to(np.eye(c), (n, c, c)), np.zeros((n, c)), self.value_range)]
