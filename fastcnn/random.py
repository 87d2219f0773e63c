"""Where seeds come from: one number makes a model, another number another one.

Every draw (an initializer, a shuffle, a dropout layer) takes the next of a sequence of seeds that
`set_random_seed` starts; without it the sequence starts from the system's entropy. The state is the process's own and
NumPy's global generator is not used.
"""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fastcnn import unsupported


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
