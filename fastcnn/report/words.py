"""Figures as text."""

import math


def figure(value: float, unit: str) -> str:
    """Return a figure as text: a share in percent, anything else with four digits."""
    if math.isnan(value):
        return "-"
    if unit == "%":
        return percent(value)
    return f"{value:.4g} {unit}".rstrip()


def percent(share: float) -> str:
    """Return a share in percent: 1.95 %; a dash for NaN."""
    if math.isnan(share):
        return "-"
    return f"{100 * share:.1f} %" if 100 * share >= 9.995 or share == 0 else f"{100 * share:.2f} %"


def plural(number: int, word: str) -> str:
    """Return "1 unit", "2 units"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
