"""Pictures mirrored, turned, moved, sheared, zoomed and seen askew, each by a matrix that is drawn for it."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry import warp
from fastcnn.geometry.arguments import number
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.factors import check_sampling, factor_range
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.warp import Warp
from fastcnn.traits import Trait

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(Augmentation):
    """In training, mirror half of the images.

    Parameters
    ----------
    mode : str
        "horizontal" (left and right change places), "vertical" (top and bottom), or "horizontal_and_vertical", where
        one coin decides both, as in Keras: images are turned by half a turn, or not. Two layers throw two coins.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> x = np.array([[[[1.0], [2.0]]]] * 4)
    >>> layers.RandomFlip("horizontal", seed=2)(x)[:, 0, :, 0].tolist()
    [[2.0, 1.0], [1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]
    """

    traits = Trait.IDLE

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        if mode not in _MODES:
            raise ArgumentError(unknown(f"{self}: mode", mode, _MODES))
        self.mode = mode

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        some, none, size = draws.chance(0.5), np.zeros(len(draws), bool), (shape[0], shape[1])
        matrices = warp.flips(some if "horizontal" in self.mode else none, some if "vertical" in self.mode else none,
                              size)
        return [Warp(matrices, size, warp.sampling(), inside=Warp.EXACT)]


class _Sampled(Augmentation):
    """A layer with Keras's three arguments about places between pixels and outside of the image."""

    def _sample_by(self, interpolation: str, fill_mode: str, fill_value: float) -> None:
        check_sampling(self, interpolation, fill_mode)
        self.interpolation, self.fill_mode = interpolation, fill_mode
        self.fill_value = number(fill_value, self, "a number for fill_value")

    def _warps(self, matrices: np.ndarray, shape: tuple[int, int, int]) -> list[Change]:
        return [Warp(matrices, (shape[0], shape[1]),
                     warp.sampling(self.interpolation, self.fill_mode, self.fill_value))]


class RandomRotation(_Sampled):
    """In training, turn each image about its middle.

    Parameters
    ----------
    factor : float or (float, float)
        The range of angles as parts of a whole turn, from -1 to 1; one number f means -f .. f.
    fill_mode : str
        What is outside of the image: "reflect" (d c b a | a b c d | d c b a), "constant", "wrap" or "nearest".
    interpolation : str
        "bilinear" or "nearest".
    seed : int, optional
        The next of the sequence if absent.
    fill_value : float
        The constant.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.RandomRotation(0.05, seed=1)(np.ones((8, 32, 32, 3))).shape  # by up to 18 degrees
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear",
                 seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self)
        self._sample_by(interpolation, fill_mode, fill_value)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        angles = draws.uniform(*self.factor) * 2 * math.pi
        return self._warps(warp.rotations(angles, (shape[0], shape[1])), shape)


class RandomTranslation(_Sampled):
    """In training, move each image.

    Parameters
    ----------
    height_factor, width_factor : float or (float, float)
        The range of how far down and to the right, as parts of height and width, from -1 to 1; one number f means
        -f .. f.
    fill_mode, interpolation, seed, fill_value, data_format : as `RandomRotation`

    Examples
    --------
    >>> layer = layers.RandomTranslation((0.5, 0.5), 0, fill_mode="constant")
    >>> layer(np.array([[[[1.0]], [[2.0]]]]))[0, :, 0, 0].tolist()
    [0.0, 1.0]
    """

    traits = Trait.IDLE

    def __init__(self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect",
                 interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.height_factor = factor_range(height_factor, self, "height_factor")
        self.width_factor = factor_range(width_factor, self, "width_factor")
        self._sample_by(interpolation, fill_mode, fill_value)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        down, right = draws.uniform(*self.height_factor) * shape[0], draws.uniform(*self.width_factor) * shape[1]
        return self._warps(warp.translations(right, down), shape)


class RandomZoom(_Sampled):
    """In training, show more of each image, smaller, or a part of it, larger.

    Parameters
    ----------
    height_factor : float or (float, float)
        The range of how much more of its height is seen, as a part of it, above -1 and up to 1: 0.2 for all things a
        fifth smaller, -0.2 for larger; one number f means -f .. f.
    width_factor : float or (float, float), optional
        The same of the width; if absent it is as the height, so that nothing is distorted.
    fill_mode, interpolation, seed, fill_value, data_format : as `RandomRotation`

    Examples
    --------
    >>> layers.RandomZoom((-0.3, 0.1), seed=1)(np.ones((8, 32, 32, 3))).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect",
                 interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.height_factor = factor_range(height_factor, self, "height_factor")
        self.width_factor = None if width_factor is None else factor_range(width_factor, self, "width_factor")
        if -1 in (self.height_factor[0], *(self.width_factor or ())):
            raise ArgumentError(f"{self}: expected factors above -1, at which nothing of an image would be seen, "
                                f"got {height_factor!r} and {width_factor!r}")
        self._sample_by(interpolation, fill_mode, fill_value)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        vertical = 1 + draws.uniform(*self.height_factor)
        horizontal = vertical if self.width_factor is None else 1 + draws.uniform(*self.width_factor)
        return self._warps(warp.zooms(horizontal, vertical, (shape[0], shape[1])), shape)


class RandomShear(_Sampled):
    """In training, shear each image: rows move sideways the more the lower they are, and columns down.

    Parameters
    ----------
    x_factor, y_factor : float or (float, float)
        The range of how far a row moves for each row above it, and a column for each one before it, from 0 to 1; one
        number f means -f .. f. A coin decides for each image whether both change their signs.
    interpolation, fill_mode, fill_value, data_format, seed : as `RandomRotation`

    Examples
    --------
    >>> layers.RandomShear(0.2, seed=1)(np.ones((8, 32, 32, 3))).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, x_factor: Any = 0.0, y_factor: Any = 0.0, interpolation: str = "bilinear",
                 fill_mode: str = "reflect", fill_value: float = 0.0, data_format: str | None = None,
                 seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.x_factor, self.y_factor = (factor_range(value, self, name, (0.0, 1.0), signed=True)
                                        for value, name in ((x_factor, "x_factor"), (y_factor, "y_factor")))
        self._sample_by(interpolation, fill_mode, fill_value)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        sign = np.where(draws.chance(0.5), -1.0, 1.0)
        horizontal, vertical = draws.uniform(*self.x_factor), draws.uniform(*self.y_factor)
        return self._warps(warp.shears(sign * horizontal, sign * vertical), shape)


class RandomPerspective(_Sampled):
    """In training, show some images as if the picture were tilted: their corners move.

    Parameters
    ----------
    factor : float or (float, float)
        The range of shares of images that this happens to, from 0 to 1; one number f means 0 .. f.
    scale : float
        How far corners move at most, from 0 to 1: by half of it times their distance from the left and the upper edge,
        as in Keras, so that the corner at the upper left stays.
    interpolation : str
        "bilinear" or "nearest".
    fill_value : float
        Of what is outside of the image.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.RandomPerspective(0.5, scale=0.3, seed=1)(np.ones((8, 32, 32, 3))).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any = 1.0, scale: float = 1.0, interpolation: str = "bilinear", fill_value: float = 0.0,
                 seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))
        self.scale = number(scale, self, "a number for scale, from 0 to 1", lambda n: 0 <= n <= 1)
        self._sample_by(interpolation, "constant", fill_value)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        some = draws.chance(draws.uniform(*self.factor)) & (self.scale > 0)
        right, bottom = max(1, shape[1] - 1), max(1, shape[0] - 1)  # of one pixel there would be no four corners
        corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float64)
        moves = draws.uniform(-0.5 * self.scale, 0.5 * self.scale, 8).reshape(-1, 4, 2)
        matrices = warp.identities(len(draws))
        ends = corners + corners * moves[some]
        matrices[some] = warp.perspectives(np.broadcast_to(corners, ends.shape), ends)
        return self._warps(matrices, shape)

