"""Options whose values are about layers and channels: patterns of names, rates for them, a number a channel."""

import math
from typing import Any

import click


class LayerPatterns(click.ParamType):
    """Patterns of layer names, with commas between; in a file a text or a list of them."""

    name, in_file = "layers", ((str, list), "a pattern of layer names, or a list of them")

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        found = _several(value)
        if not found or not all(isinstance(one, str) and one for one in found):
            self.fail(f"expected patterns of layer names such as 'conv*,bn*', got {value!r}", param, ctx)
        return found


class LayerRates(click.ParamType):
    """Patterns of layer names, each with the factor of its learning rate: ``conv*=0.1,bn*=0``."""

    name, in_file = "rates", ((str, list), 'a text such as "conv*=0.1", or a list of them')

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        found = _several(value)
        if not found or not all(isinstance(one, str) and _is_factor(one) for one in found):
            self.fail(f"expected patterns of layer names with factors from 0 such as 'conv*=0.1', got {value!r}", param,
                      ctx)  # fmt: skip
        return found


class Channels(click.ParamType):
    """A number for each channel, with commas between, or one for all; in a file a number or a list of them."""

    name, in_file = "numbers", ((int, float, str, list), "a number, or a list of one for each channel")

    def __init__(self, least: float = -math.inf) -> None:
        self.least = least

    def convert(self, value: Any, param: Any, ctx: Any) -> list[float]:
        try:
            found = [float(one) for one in _several(value)]
        except (TypeError, ValueError):
            found = []
        if not found or not all(math.isfinite(one) and one > self.least for one in found):
            what = "finite numbers" if self.least < 0 else f"numbers above {self.least:g}"
            self.fail(f"expected {what}, one for each channel with commas between, got {value!r}", param, ctx)
        return found


def factors_of(texts: list[str]) -> dict[str, float]:
    """Return the factors of learning rates by patterns of layer names."""
    return {pattern: float(factor) for pattern, _, factor in (one.rpartition("=") for one in texts)}


def _several(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else [value]


def _is_factor(text: str) -> bool:
    pattern, _, factor = text.rpartition("=")
    try:
        return bool(pattern) and 0 <= float(factor) < math.inf
    except ValueError:
        return False
