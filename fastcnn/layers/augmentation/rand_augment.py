"""A few changes of each picture, drawn from eleven kinds."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import warp
from fastcnn.geometry.arguments import positive
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.color import GRAY, check_colors
from fastcnn.layers.augmentation.factors import check_sampling, factor_range
from fastcnn.layers.augmentation.factors import value_range as range_of
from fastcnn.layers.base import Shape
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.tone import Stretch, Tone
from fastcnn.operations.augmentation.warp import Warp
from fastcnn.traits import Trait

#: In Keras's order.
(_SHEAR, _TRANSLATE, _ROTATE, _BRIGHTEN, _PALE, _CONTRAST, _SHARPEN, _POSTERIZE, _SOLARIZE, _STRETCH,
 _EQUALIZE) = range(11)


class RandAugment(Augmentation):
    """In training, do a few things to each image, drawn from eleven kinds, one after the other.

    It is sheared, moved, turned, made brighter, paler, of more contrast, sharper, of fewer tones (posterized), bright
    tones become dark ones (solarized), tones are stretched over the whole range, or all made as often (equalized). Each
    image has changes of its own, where Keras draws one list for a batch. Cubuk et al., "RandAugment: practical
    automated data augmentation with a reduced search space", 2020.

    Parameters
    ----------
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    num_ops : int
        How many changes.
    factor : float or (float, float)
        The range of their strengths, from 0 to 1; one number f means 0 .. f. Posterized images keep 1 to 8 f - 1 bits;
        stretched and equalized ones know no strength, so at 0 not all images stay as they are.
    interpolation : str
        "bilinear" or "nearest".
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> layers.RandAugment(num_ops=2, factor=0.3, seed=1)(np.full((8, 32, 32, 3), 100.0)).shape
    (8, 32, 32, 3)
    """

    traits = Trait.IDLE

    def __init__(self, value_range: Any = (0, 255), num_ops: int = 2, factor: Any = 0.5,
                 interpolation: str = "bilinear", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range, (self.num_ops,) = range_of(value_range, self), positive(self, num_ops=num_ops)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))
        check_sampling(self, interpolation)
        self.interpolation = interpolation
        if self.num_ops > 100:
            raise ArgumentError(f"{self}: expected num_ops of at most 100, got {num_ops}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return check_colors(self, super().compute_output_shape(input_shape), gray=True)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        return [change for _ in range(self.num_ops) for change in self._one(draws, shape)]

    def _one(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        """Return one thing for each image: all kinds in a row, each of which changes only those it was drawn for."""
        kind, size = draws.below(11), (shape[0], shape[1])
        strengths = draws.uniform(*self.factor, 2)
        sign = np.where(draws.chance(0.5), -1.0, 1.0)
        sheared, moved, turned = (np.where((kind == number)[:, None], strengths, 0.0)
                                  for number in (_SHEAR, _TRANSLATE, _ROTATE))
        matrices = (warp.shears(sign * sheared[:, 0], sign * sheared[:, 1])
                    @ warp.translations(moved[:, 0] * size[1], moved[:, 1] * size[0])
                    @ warp.rotations(turned[:, 0] * 2 * math.pi, size))
        return [Warp(matrices, size, warp.sampling(self.interpolation)), self._recolored(kind, strengths, shape[2]),
                Stretch(kind == _STRETCH, self.value_range), self._toned(kind, strengths, draws),
                _bounded(len(kind), shape[2], self.value_range)]

    def _recolored(self, kind: np.ndarray, strengths: np.ndarray, channels: int) -> Recolor:
        """Return what becomes brighter, by the strength; paler, towards gray; or of more contrast."""
        (low, high), same = self.value_range, np.eye(channels)
        gray = np.broadcast_to(GRAY, (3, 3)) if channels == 3 else same
        pale, k = np.where(kind == _PALE, strengths[:, 0], 0.0), np.where(kind == _CONTRAST, 1 + strengths[:, 0], 1.0)
        factors = k[:, None, None] * (same + pale[:, None, None] * (gray - same))
        added = np.where(kind == _BRIGHTEN, strengths[:, 0], 0.0) * (high - low)
        return Recolor(factors, np.repeat(added[:, None], channels, axis=1), self.value_range, 1 - k)

    def _toned(self, kind: np.ndarray, strengths: np.ndarray, draws: Draws) -> Tone:
        codes, parameters = np.full(len(kind), Tone.SAME), np.zeros((len(kind), 2))
        most = max(1, int(8 * self.factor[1]))
        bits = 1 + draws.below(max(1, most - 1))
        for number, code, p, q in ((_SHARPEN, Tone.SHARPENED, 2 * strengths[:, 0], 0.0),
                                   (_POSTERIZE, Tone.POSTERIZED, bits, 0.0),
                                   (_SOLARIZE, Tone.SOLARIZED, 255 * strengths[:, 0], 255 * strengths[:, 1]),
                                   (_EQUALIZE, Tone.EQUALIZED, 0.0, 0.0)):
            some = kind == number
            codes[some] = code
            parameters[some] = np.stack(np.broadcast_arrays(p, q, strengths[:, 0])[:2], axis=1)[some]
        return Tone(codes, parameters, self.value_range)


def _bounded(count: int, channels: int, bounds: tuple[float, float]) -> Recolor:
    return Recolor(np.broadcast_to(np.eye(channels), (count, channels, channels)), np.zeros((count, channels)), bounds)
