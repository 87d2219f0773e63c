"""Names of layers and metrics: automatic ones, their class in snake case with a number, and long ones cut short."""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_LONGEST = 64  # characters of a name that is printed

def snake_case(class_name: str) -> str:
    """Return a class's name as Keras spells it in names and in files: Conv2DTranspose is conv2d_transpose."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def shortened(name: str) -> str:
    """Return a name without its middle where it is long: converters make names of a thousand characters."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2 - 1]}…{name[-_LONGEST // 2 :]}"


class Names:
    """What was named so far; threads that make layers at once get different names."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def new(self, class_name: str) -> str:
        """Return a name that was not given yet: conv2d, conv2d_1, ..."""
        snake = snake_case(class_name)
        with self._lock:
            count = self._counts[snake]
            self._counts[snake] += 1
        return snake if count == 0 else f"{snake}_{count}"

    def reserve(self, taken: Iterable[str]) -> None:
        """Give none of these names later: those of a model that came from a file, and goes on here.

        Parameters
        ----------
        taken : iterable of str
        """
        with self._lock:
            for name in taken:
                found = re.fullmatch(r"(.+?)(?:_(\d+))?", name)
                if found is not None:
                    self._counts[found[1]] = max(self._counts[found[1]], int(found[2] or 0) + 1)

    def forget(self) -> None:
        """Let names start anew."""
        with self._lock:
            self._counts.clear()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let names go on afterwards as if none had been given in between."""
        with self._lock:
            before = self._counts.copy()
        try:
            yield
        finally:
            with self._lock:
                self._counts = before
