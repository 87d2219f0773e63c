"""A few things by their keys, those that were asked for last: what is made for a shape, where shapes may be any."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Recent:
    """Keeps what was made for the last few keys; what was not asked for the longest goes first.

    Parameters
    ----------
    most : int
        How many are kept.

    Examples
    --------
    >>> recent = Recent(2)
    >>> [recent.get(key, lambda: key * 10) for key in (1, 2, 1, 3)]
    [10, 20, 10, 30]
    >>> len(recent), 2 in recent
    (2, False)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is kept for a key, making it first if nothing is."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()  # takes its time: other threads need not wait
        with self._lock:
            self._found[key] = made
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made

    def known(self, key: Hashable) -> Any:
        """Return what is kept for a key, None if nothing is."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def values(self) -> list[Any]:
        """Return all that is kept, the one that was asked for last at the end."""
        with self._lock:
            return list(self._found.values())

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._found.clear()

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._found
