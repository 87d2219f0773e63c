"""How the switches of `fastcnn.config` stand, for those who ask at every call; others call the functions there."""

import os
from types import SimpleNamespace
from typing import Any

from fastcnn import algorithm_tables
from fastcnn.errors import ArgumentError, unknown

#: How algorithms may be chosen.
CHOICES = ["table", "measured", *algorithm_tables.TABLES]

switches = SimpleNamespace(**{name: os.environ.get(f"FASTCNN_{name.upper()}", "1") != "0"
                              for name in ("fusion", "winograd")},
                           tf32=os.environ.get("FASTCNN_TF32", "0") == "1",
                           algorithm_choice=os.environ.get("FASTCNN_ALGORITHM_CHOICE", "table"), rules=())
if switches.algorithm_choice not in CHOICES:
    raise ArgumentError(unknown("FASTCNN_ALGORITHM_CHOICE", switches.algorithm_choice, CHOICES))


def switch(name: str, value: Any) -> None:
    """Set a switch; `rules` are those of fusion, beside fastcnn's own (`fastcnn.graph.rules`)."""
    setattr(switches, name, value)
    switches.state = (switches.fusion, switches.winograd, switches.tf32, switches.algorithm_choice, switches.rules)


def state() -> tuple[Any, ...]:
    """Return the state of all switches. What was derived under another state may be out of date."""
    found: tuple[Any, ...] = switches.state
    return found


switch("rules", switches.rules)
