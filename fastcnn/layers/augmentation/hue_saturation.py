"""Pictures with other hues, purer or paler colours, and all changes of colour at once."""

from typing import Any

import numpy as np

from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.color import RandomBrightness, RandomContrast, check_colors
from fastcnn.layers.augmentation.factors import factor_range
from fastcnn.layers.augmentation.factors import value_range as range_of
from fastcnn.layers.base import Shape
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Turn
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.traits import Trait


class RandomSaturation(Augmentation):
    """In training, make the colours of each image purer or paler.

    Saturation is that of the hexagonal cone, (most - least) / most of the channels; it is multiplied by f / (1 - f).

    Parameters
    ----------
    factor : float or (float, float)
        The range of f, from 0 (gray) over 0.5 (as it was) to 1 (pure colours). One number means 0 .. f, as Keras's
        documentation says; in its code f may be negative then, which is gray.
    value_range : (float, float)
        The lowest and the highest value of a pixel; the lowest is black, below which no channel falls.
    data_format : str, optional
        "channels_last".
    seed : int, optional
        The next of the sequence if absent.

    Examples
    --------
    >>> x = np.array([[[[200.0, 100.0, 150.0]]]])
    >>> layers.RandomSaturation((0.0, 0.0))(x).tolist(), layers.RandomSaturation((0.6, 0.6))(x).round(3).tolist()
    ([[[[200.0, 200.0, 200.0]]]], [[[[200.0, 50.0, 125.0]]]])
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None,
                 seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor, self.value_range = factor_range(factor, self, bounds=(0.0, 1.0)), range_of(value_range, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return check_colors(self, super().compute_output_shape(input_shape))

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        f = draws.uniform(*self.factor)
        with np.errstate(divide="ignore"):
            factors = f / (1 - f)
        return [Turn(np.stack([np.zeros(len(f)), factors], axis=1), (self.value_range[0], np.inf))]


class RandomHue(Augmentation):
    """In training, turn the hues of each image: red towards green or towards blue.

    Parameters
    ----------
    factor : float or (float, float)
        The range of f, from 0 to 1; one number means 0 .. f. Hues turn by f / 2 of a whole turn, one way or the other,
        as a coin decides for each image.
    value_range, data_format, seed : as `RandomSaturation`
        Results are brought within `value_range`.

    Examples
    --------
    >>> y = layers.RandomHue((1.0, 1.0))(np.array([[[[200.0, 100.0, 100.0]]]]))  # half a turn
    >>> y.round(3).tolist()
    [[[[100.0, 200.0, 200.0]]]]
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None,
                 seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor, self.value_range = factor_range(factor, self, bounds=(0.0, 1.0)), range_of(value_range, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return check_colors(self, super().compute_output_shape(input_shape))

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        sign = np.where(draws.chance(0.5), -3.0, 3.0)  # sixths of a turn
        turns = np.stack([sign * draws.uniform(*self.factor), np.ones(len(draws))], axis=1)
        return [Turn(turns, self.value_range)]


class RandomColorJitter(Augmentation):
    """In training, change brightness, contrast, saturation and hue of each image, in this order.

    Parameters
    ----------
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    brightness_factor, contrast_factor, saturation_factor, hue_factor : float or (float, float), optional
        As the layers of these names take them; what is absent stays.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> jitter = layers.RandomColorJitter((0, 1), brightness_factor=0.2, hue_factor=0.1, seed=1)
    >>> jitter(np.full((8, 32, 32, 3), 0.5)).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, value_range: Any = (0, 255), brightness_factor: Any = None, contrast_factor: Any = None,
                 saturation_factor: Any = None, hue_factor: Any = None, seed: int | None = None,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = range_of(value_range, self)
        kinds: list[tuple[Any, Any]] = [(RandomBrightness, brightness_factor), (RandomContrast, contrast_factor),
                                        (RandomSaturation, saturation_factor), (RandomHue, hue_factor)]
        self._parts = tuple((kind, kind(factor, self.value_range, seed=0, name=self.name))
                            for kind, factor in kinds if factor is not None)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = super().compute_output_shape(input_shape)
        is_colored = any(kind in (RandomSaturation, RandomHue) for kind, _ in self._parts)
        return check_colors(self, shape) if is_colored else shape

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        return [change for _, part in self._parts for change in part.changes(draws, shape)]
