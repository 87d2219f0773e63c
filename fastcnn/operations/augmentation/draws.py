"""Random numbers of images: each a function of a key, of the image's number, and of which draw it is.

Nothing else decides them: no other image, no batch, no thread, no earlier call. Counters, scrambled as the kernels do
it: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

import math

import numpy as np

from fastcnn.kernels import scalar

_LOW32, _STAGE = 0xFFFFFFFF, 1 << 16  # draws that a stage may make
_TRIES = 16  # of a rejection that keeps more than 95 % each time


class Draws:
    """Draws for the images of a batch, one after the other.

    Parameters
    ----------
    key : (int, int)
        A seed, and a step or an epoch; of each the lower 64 bits count.
    images : (N,) array of int
        Their numbers: in a data set, or within a batch.
    """

    def __init__(self, key: tuple[int, int], images: np.ndarray) -> None:
        words = np.random.SeedSequence([word & 0xFFFFFFFFFFFFFFFF for word in key]).generate_state(3)
        self._first, second, self._third = map(int, words)
        numbers = np.asarray(images).astype(np.uint64)
        self._images = _mix(_mix((numbers & _LOW32) ^ self._first) ^ _mix((numbers >> 32) ^ second))
        self._at = 0

    def __len__(self) -> int:
        return len(self._images)

    def stage(self, number: int) -> "Draws":
        """Return draws for the same images that have nothing to do with those of other stages."""
        other = object.__new__(Draws)
        other.__dict__.update(self.__dict__, _at=(number + 1) * _STAGE)
        return other

    def words(self, count: int) -> np.ndarray:
        """Return integers of 32 bits, (N, count) int64: what kernels count random numbers of pixels from."""
        places = np.arange(self._at, self._at + count, dtype=np.uint64)
        self._at += count
        return _mix(_mix(self._images[:, None] ^ _mix(places ^ self._third)) ^ self._first).astype(np.int64)

    def uniform(self, low: float, high: float, count: int | None = None) -> np.ndarray:
        """Return numbers between two, (N,) float64, or (N, count); where both are equal, that number itself."""
        numbers = low + (high - low) * ((self.words(count or 1) + 0.5) * 2.0**-32)
        drawn: np.ndarray = numbers[:, 0] if count is None else numbers
        return drawn

    def chance(self, share: "float | np.ndarray") -> np.ndarray:
        """Return which images are among a share of all: (N,) of bool, all for 1 and none for 0."""
        some: np.ndarray = self.uniform(0.0, 1.0) < share
        return some

    def below(self, bound: int) -> np.ndarray:
        """Return integers from 0 to bound - 1, (N,) int64."""
        numbers: np.ndarray = self.words(1)[:, 0] * bound >> 32
        return numbers

    def normal(self, count: int) -> np.ndarray:
        """Return numbers of the normal distribution, (N, count) float64 (Box and Muller, 1958)."""
        u = self.uniform(0.0, 1.0, 2 * count)
        z: np.ndarray = np.sqrt(-2 * np.log(u[:, :count])) * np.cos(2 * math.pi * u[:, count:])
        return z

    def beta(self, alpha: "float | np.ndarray") -> np.ndarray:
        """Return numbers of the beta distribution with both parameters alpha, (N,) float64."""
        one, other = self._log_gamma(alpha), self._log_gamma(alpha)
        share: np.ndarray = 1 / (1 + np.exp(np.clip(other - one, -700, 700)))
        return share

    def _log_gamma(self, alpha: "float | np.ndarray") -> np.ndarray:
        """Return logarithms of numbers of the gamma distribution; of small alpha the numbers themselves would be 0.

        Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; for alpha + 1, and then made
        smaller by u^(1 / alpha), their section 6.
        """
        alpha = np.broadcast_to(alpha, len(self))
        d = alpha + 1 - 1 / 3
        x, u = self.normal(_TRIES), self.uniform(0.0, 1.0, _TRIES)
        v = (1 + x / np.sqrt(9 * d)[:, None]) ** 3
        with np.errstate(invalid="ignore", divide="ignore"):
            good = (v > 0) & (np.log(u) < x**2 / 2 + d[:, None] * (1 - v + np.log(v)))
        first = v[np.arange(len(self)), good.argmax(axis=1)]
        larger = np.log(d * np.where(good.any(axis=1), first, 1.0))
        logarithms: np.ndarray = larger + np.log(self.uniform(0.0, 1.0)) / alpha
        return logarithms


def _mix(words: np.ndarray) -> np.ndarray:
    """Return integers of 32 bits scrambled, as kernels do it."""
    scrambled: np.ndarray = scalar.mix(words)  # type: ignore[no-untyped-call]
    return scrambled
