"""Automatic names of layers and metrics: their class in snake case, with a number from the second on."""

import re
import threading
from collections import Counter


def snake_case(class_name: str) -> str:
    """Return a class's name as Keras spells it in names and in files: Conv2DTranspose is conv2d_transpose."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


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

    def forget(self) -> None:
        """Let names start anew."""
        with self._lock:
            self._counts.clear()
