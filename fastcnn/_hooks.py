"""Hooks: what lower rooms ask of higher ones, which they may not import. The package knows all rooms and fills them."""

from collections.abc import Callable
from typing import Any

#: "graph": (inputs, outputs, dtype, who) -> what runs between symbolic tensors, for layers that have `call`.
hooks: dict[str, Callable[..., Any]] = {}
