"""Where seeds come from: one number makes a model, another number another one.

Every draw (an initializer, a shuffle, a dropout layer) takes the next of a sequence of seeds that
`set_random_seed` starts; without it the sequence starts from the system's entropy. The state is the process's own and
NumPy's global generator is not used.
"""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import _hooks, unsupported
from fastcnn.errors import ArgumentError

#: Seeds are below it, and one more.
LARGEST = 0x7FFFFFFFFFFFFFFF


class Calls:
    """Counts calls in which layers draw random numbers, so that each draws others.

    Attributes
    ----------
    count : int
        How many there were; a training that goes on sets it.

    Examples
    --------
    >>> calls = fc.random.Calls()
    >>> next(calls), next(calls), calls.count
    (1, 2, 2)
    """

    def __init__(self) -> None:
        self.count = 0

    def __next__(self) -> int:
        self.count += 1
        return self.count


#: Those of `fastcnn.gradients`, in steps of a model's own, say.
calls_of_gradients = Calls()

_entropy: int | None = None
_draws = itertools.count()


def set_random_seed(seed: int) -> None:
    """Restart the sequence of seeds. The same seed and the same program give the same model, bit for bit.

    Parameters
    ----------
    seed : int
        Not negative.

    Examples
    --------
    >>> fc.random.set_random_seed(1)
    >>> first = fc.random.next_seed()
    >>> fc.random.set_random_seed(1)
    >>> fc.random.next_seed() == first
    True
    """
    global _entropy, _draws
    np.random.SeedSequence(seed)  # refuses what is no seed before anything is changed
    _entropy, _draws = seed, itertools.count()
    calls_of_gradients.count = 0


def next_seed() -> int:
    """Return the next seed of the sequence, below 2**63.

    Examples
    --------
    >>> 0 <= fc.random.next_seed() < 2**63
    True
    """
    global _entropy
    if _entropy is None:
        _entropy = secrets.randbits(128)
    words = np.random.SeedSequence(_entropy, spawn_key=(next(_draws),)).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def generator(seed: int | None = None) -> np.random.Generator:
    """Return NumPy's generator for a seed, or for the next seed of the sequence.

    Parameters
    ----------
    seed : int, optional

    Examples
    --------
    >>> fc.random.generator(1).integers(0, 10, 5)
    array([4, 5, 7, 9, 0])
    """
    return np.random.Generator(np.random.PCG64(next_seed() if seed is None else seed))


class SeedGenerator:
    """A seed and how often it was drawn with, for the functions of this module: each draw is another.

    Parameters
    ----------
    seed : int, optional
        The next of the sequence if absent.
    name : str, optional

    Examples
    --------
    >>> generator = fc.random.SeedGenerator(1)
    >>> first, second = (fc.random.normal((3,), seed=generator) for _ in range(2))
    >>> bool((first == second).all())
    False
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
            raise ArgumentError(f"SeedGenerator: expected a seed of at least 0, got {seed!r}")
        self.name, self._initial, self._count = name or "seed_generator", seed, 0
        self._seed = next_seed() if seed is None else int(seed)

    @property
    def state(self) -> np.ndarray:
        """The seed, and how many draws there were."""
        return np.array([self._seed, self._count], np.int64)

    def next(self, ordered: bool = True) -> np.ndarray:
        """Return the state, and count one draw more.

        Parameters
        ----------
        ordered : bool
            As in Keras; it changes nothing.
        """
        state = self.state
        self._count += 1
        return state

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self._initial, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Make a generator from `get_config`."""
        return cls(**config)


def words_of(seed: Any) -> tuple[int, int]:
    """Return what a draw is made with: the seed, and the number of the draw.

    Parameters
    ----------
    seed : int, SeedGenerator or None
        An integer gives the same numbers each time, a generator others, None those of the next seed of the sequence.

    Examples
    --------
    >>> fc.random.words_of(7)
    (7, 0)
    """
    if isinstance(seed, SeedGenerator):
        word, count = seed.next()
        return int(word) & LARGEST, int(count)
    if seed is None:
        return next_seed(), 0
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ArgumentError(f"random: expected a seed that is an integer, a SeedGenerator or None, got {seed!r}")
    return int(seed) & LARGEST, 0


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return normal numbers. In a layer's `call` each step draws others, and the shape has the length of a batch.

    Parameters
    ----------
    shape : tuple
        Of integers, or as `fastcnn.ops.shape(x)` tells it.
    mean, stddev : float
    dtype : str, optional
        "float32" if absent.
    seed : int or SeedGenerator, optional
        An integer gives the same numbers each time.

    Examples
    --------
    >>> fc.random.normal((2, 3), seed=1).shape
    (2, 3)
    """
    return _hooks.hooks["draw"]("normal", shape, (mean, stddev), dtype, seed)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return normal numbers within two deviations of the mean, as `normal`.

    Parameters
    ----------
    shape, mean, stddev, dtype, seed : as of `normal`

    Examples
    --------
    >>> bool(abs(fc.random.truncated_normal((1000,), seed=1)).max() <= 2)
    True
    """
    return _hooks.hooks["draw"]("truncated_normal", shape, (mean, stddev), dtype, seed)


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers from minval to maxval, the latter excluded, as `normal`.

    Parameters
    ----------
    shape, dtype, seed : as of `normal`
    minval, maxval : float

    Examples
    --------
    >>> bool(fc.random.uniform((1000,), seed=1).max() < 1)
    True
    """
    return _hooks.hooks["draw"]("uniform", shape, (minval, maxval), dtype, seed)


def randint(shape: Any, minval: int, maxval: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Return integers from minval to maxval, the latter excluded: an array, outside of `call`.

    Parameters
    ----------
    shape, seed : as of `normal`
    minval, maxval : int
    dtype : str

    Examples
    --------
    >>> sorted(set(fc.random.randint((100,), 0, 3, seed=1).tolist()))
    [0, 1, 2]
    """
    return _numpy_generator(seed).integers(minval, maxval, tuple(map(int, shape))).astype(dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> np.ndarray:
    """Return an array with the entries of an axis in another order, outside of `call`.

    Parameters
    ----------
    x : array
    axis : int
    seed : as of `normal`

    Examples
    --------
    >>> sorted(fc.random.shuffle(np.arange(4), seed=1).tolist())
    [0, 1, 2, 3]
    """
    return _numpy_generator(seed).permutation(np.asarray(x), axis)


def _numpy_generator(seed: Any) -> np.random.Generator:
    return np.random.default_rng(words_of(seed))


@contextmanager
def apart(seed: int = 0) -> Iterator[None]:
    """Within this context seeds come from a sequence of their own; afterwards the other goes on as if nothing had been.

    Parameters
    ----------
    seed : int

    Examples
    --------
    >>> fc.random.set_random_seed(1)
    >>> first = fc.random.next_seed()
    >>> fc.random.set_random_seed(1)
    >>> with fc.random.apart():
    ...     other = fc.random.next_seed()
    ...
    >>> fc.random.next_seed() == first != other
    True
    """
    global _entropy, _draws
    before = _entropy, _draws
    _entropy, _draws = seed, itertools.count()
    try:
        yield
    finally:
        _entropy, _draws = before


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("random")
