"""What a process remembers: the sequence of seeds, automatic names, memory that is used again."""

import random

import numpy as np


def set_random_seed(seed: int) -> None:
    """Restart the sequence of seeds, and Python's and NumPy's generators, as Keras does.

    The same seed and the same program give the same model, bit for bit. `fastcnn.random.set_random_seed` leaves the
    generators of others alone.

    Parameters
    ----------
    seed : int
        Not negative; NumPy's generator takes its last 32 bits.

    Examples
    --------
    >>> fc.utils.set_random_seed(1)
    >>> first = np.random.rand()
    >>> fc.utils.set_random_seed(1)
    >>> np.random.rand() == first
    True
    """
    from fastcnn import random as seeds

    seeds.set_random_seed(seed)
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # the generator of the process, which Keras's scripts draw their data from


def clear_session(free_memory: bool = True) -> None:
    """Restart the numbers of automatic layer names, and give memory that nobody uses back to the system.

    Parameters
    ----------
    free_memory : bool
        Whether memory is given back.

    Examples
    --------
    >>> fc.utils.clear_session()
    >>> layers.Dense(10).name
    'dense'
    """
    from fastcnn import device, metrics
    from fastcnn.layers.base import names

    names.forget()
    metrics.forget_names()
    if free_memory:
        device.release()
