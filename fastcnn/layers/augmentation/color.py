"""Pictures brighter or darker, with more contrast or less, gray, or with a tinge: affine maps of their channels."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.factors import factor_range
from fastcnn.layers.augmentation.factors import value_range as range_of
from fastcnn.layers.base import Shape
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.traits import Trait

GRAY = np.array([0.2989, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601
_ANY = (-np.inf, np.inf)

#: Square roots of the eigenvalues, and the eigenvectors in columns, of the colours of ImageNet's pixels from 0 to 1.
_SCALES = (0.2175, 0.0188, 0.0045)
_COMPONENTS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))


class RandomBrightness(Augmentation):
    """In training, add to the pixels of each image a number of its own.

    Parameters
    ----------
    factor : float or (float, float)
        The range of what is added, as a part of the width of `value_range`, from -1 to 1; one number f means -f .. f.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> layers.RandomBrightness((0.1, 0.1))(np.array([[[[10.0, 250.0]]]])).tolist()
    [[[[35.5, 255.0]]]]
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor, self.value_range = factor_range(factor, self), range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        low, high = self.value_range
        added = draws.uniform(*self.factor) * (high - low)
        return [Recolor(_multiples(np.ones(len(draws)), shape[2]), _each(added, shape[2]), self.value_range)]


class RandomContrast(Augmentation):
    """In training, bring the pixels of each image nearer to the mean of their channel, or further from it.

        y = (x - mean) k + mean

    Parameters
    ----------
    factor : float or (float, float)
        (lower, upper) from 0 to 1: k is between 1 - lower and 1 + upper. One number is both, as Keras's documentation
        says; its code takes 0 for the lower one.
    value_range, seed, data_format : as `RandomBrightness`

    Examples
    --------
    >>> y = layers.RandomContrast(0.5, seed=1)(np.array([[[[100.0]], [[200.0]]]]))
    >>> float(y.mean().round(3))
    150.0
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        many = isinstance(factor, (tuple, list))
        pair = list(factor) if many else [factor, factor]
        self.factor = tuple(factor_range(one, self, bounds=(0.0, 1.0))[1] for one in pair)
        if len(self.factor) != 2:
            raise ArgumentError(f"{self}: expected factor to be a number or two, from 0 to 1, got {factor!r}")
        self.value_range = range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        k = draws.uniform(1 - self.factor[0], 1 + self.factor[1])
        return [Recolor(_multiples(k, shape[2]), np.zeros((len(k), shape[2])), self.value_range, 1 - k)]


class RandomGrayscale(Augmentation):
    """In training, take the colour from some images of three channels, and leave three that are equal.

        gray = 0.2989 red + 0.587 green + 0.114 blue

    Parameters
    ----------
    factor : float
        The share of images that this happens to, from 0 to 1.
    data_format : str, optional
        "channels_last".
    seed : int, optional
        The next of the sequence if absent.

    Examples
    --------
    >>> layers.RandomGrayscale(1.0)(np.array([[[[0.0, 1000.0, 0.0]]]])).tolist()
    [[[[587.0, 587.0, 587.0]]]]
    """

    traits = Trait.IDLE

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = number(factor, self, "a factor from 0 to 1", lambda n: 0 <= n <= 1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return check_colors(self, super().compute_output_shape(input_shape), gray=True)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        some, factors = draws.chance(self.factor), _multiples(np.ones(len(draws)), shape[2])
        if shape[2] == 3:
            factors[some] = GRAY
        return [Recolor(factors, np.zeros((len(draws), shape[2])), _ANY)]


class RandomRGBShift(Augmentation):
    """In training, add to each channel of each image a number of its own: a tinge.

    Parameters
    ----------
    factor : float or (float, float)
        The range of what is added, as a part of the width of `value_range`, from -1 to 1; one number f means -f .. f.
    value_range, seed, data_format : as `RandomBrightness`

    Examples
    --------
    >>> layers.RandomRGBShift(0.1, seed=1)(np.full((8, 32, 32, 3), 100.0)).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor, self.value_range = factor_range(factor, self), range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        low, high = self.value_range
        added = draws.uniform(*self.factor, shape[2]) * (high - low)
        return [Recolor(_multiples(np.ones(len(draws)), shape[2]), added, self.value_range)]


class RandomPCAColor(Augmentation):
    """In training, add to the pixels of each image a colour along the principal components of the data's colours.

        y = x + sum_k p_k a_k s_k,    a_k normal with mean 0 and standard deviation `factor`

    where the p_k are components and the s_k the square roots of their variances: colours change as light does.
    Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012, section 4.1.

    Parameters
    ----------
    factor : float
        The paper's 0.1 if absent.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    scales : three floats, optional
        The s_k, of pixels from 0 to 1; those of ImageNet if absent.
    components : 3 x 3 floats, optional
        The p_k, in columns.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> layers.RandomPCAColor(seed=1)(np.full((8, 32, 32, 3), 100.0)).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, factor: float = 0.1, value_range: Any = (0, 255), scales: Any = _SCALES,
                 components: Any = _COMPONENTS, seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = number(factor, self, "a factor of at least 0", lambda n: n >= 0)
        self.value_range = range_of(value_range, self)
        self.scales, self.components = np.array(scales, np.float64), np.array(components, np.float64)
        if self.scales.shape != (3,) or self.components.shape != (3, 3):
            raise ArgumentError(f"{self}: expected three scales and 3 x 3 components, got the shapes "
                                f"{self.scales.shape} and {self.components.shape}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return check_colors(self, super().compute_output_shape(input_shape))

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        low, high = self.value_range
        added = draws.normal(3) * self.factor * self.scales @ self.components.T * (high - low)
        return [Recolor(_multiples(np.ones(len(draws)), 3), added, self.value_range)]


def check_colors(who: Any, shape: Shape, gray: bool = False) -> Shape:
    """Return a shape with red, green and blue, or with `gray` one channel; of another raise ArgumentError."""
    if shape[3] not in ((1, 3) if gray else (3,)):
        raise ArgumentError(f"{who}: expected images of 3 channels, red, green and blue, got {shape[3]}")
    return shape


def _multiples(factors: np.ndarray, channels: int) -> np.ndarray:
    return factors[:, None, None] * np.eye(channels)


def _each(numbers: np.ndarray, channels: int) -> np.ndarray:
    return np.repeat(numbers[:, None], channels, axis=1)

