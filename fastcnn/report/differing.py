"""In what training and dev examples differ: statistics of pictures or features, and the shares of classes."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError

_FEATURES = 12  # that are told of a table, those that differ most


class Difference(NamedTuple):
    """A statistic of two parts.

    Attributes
    ----------
    name : str
    train, dev : float
        Its means.
    size : float
        The distance of the means in standard deviations: 0.2 is small, 0.8 is large.
    is_clear : bool
        Whether it is more than chance, all statistics considered.
    train_values, dev_values : arrays
        Of each example.

    Examples
    --------
    >>> found = fc.report.differences(np.zeros((50, 4, 4, 1)), np.ones((50, 4, 4, 1)))[0]
    >>> found.name, found.is_clear
    ('brightness', True)
    """

    name: str
    train: float
    dev: float
    size: float
    is_clear: bool
    train_values: NDArray[Any]
    dev_values: NDArray[Any]


def differences(train: Any, dev: Any, names: Sequence[str] | None = None) -> list[Difference]:
    """Compare two parts by the statistics of their examples, the largest difference first.

        size = (mean of dev - mean of train) / sqrt((variance of train + variance of dev) / 2)

    Parameters
    ----------
    train, dev : (N, H, W, C) arrays
        Pictures: brightness, contrast, sharpness, and of three channels how colourful they are and the shares of red,
        green and blue. Or (N, F) features, each a statistic.
    names : sequence of F str, optional
        Of features.

    Raises
    ------
    ArgumentError
        If the two are not of one shape.

    References
    ----------
    Cohen: Statistical power analysis for the behavioral sciences, 1988, chapter 2; the interval: Hedges and Olkin:
    Statistical methods for meta-analysis, 1985, section 5.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> train, dev = draw.random((40, 8, 8, 1)), 0.5 * draw.random((40, 8, 8, 1))
    >>> [one.name for one in fc.report.differences(train, dev) if one.is_clear]
    ['contrast', 'sharpness', 'brightness']
    """
    a, b = np.asarray(train), np.asarray(dev)
    if a.ndim not in (2, 4) or a.shape[1:] != b.shape[1:]:
        raise ArgumentError(f"differences: expected pictures (N, H, W, C) or features (N, F) of one shape, got "
                            f"{a.shape} and {b.shape}")
    if min(len(a), len(b)) < 2:
        return []
    if a.ndim == 2:
        of_train, of_dev = ({(names[k] if names is not None else f"feature {k}"): x[:, k].astype(np.float64)
                             for k in range(a.shape[1])} for x in (a, b))
    else:
        of_train, of_dev = statistics(a), statistics(b)
    found = [_difference(name, of_train[name], of_dev[name], len(of_train)) for name in of_train]
    return sorted(found, key=lambda one: -abs(one.size))[:_FEATURES]


def statistics(x: Any) -> dict[str, NDArray[Any]]:
    """Return statistics of pictures (N, H, W, C), a number for each picture, in the unit of the pixels."""
    pixels = np.asarray(x, np.float32)
    grey = pixels.mean(axis=-1)
    steps = [np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2) if grey.shape[axis] > 1]
    found = {"brightness": grey.mean(axis=(1, 2)), "contrast": grey.std(axis=(1, 2))}
    if steps:
        found["sharpness"] = np.mean(steps, axis=0)
    if pixels.shape[-1] == 3:
        found["colourfulness"] = pixels.std(axis=-1).mean(axis=(1, 2))
        total = np.maximum(pixels.sum(axis=(1, 2, 3)), 1e-9)
        for k, name in enumerate(("red", "green", "blue")):
            found[f"share of {name}"] = pixels[..., k].sum(axis=(1, 2)) / total
    return {name: values.astype(np.float64) for name, values in found.items()}


def _difference(name: str, a: NDArray[Any], b: NDArray[Any], number: int) -> Difference:
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(len(a), len(b)) < 2:
        return Difference(name, float("nan"), float("nan"), 0.0, False, a, b)
    spread = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    distance = float(b.mean() - a.mean())
    least = 1e-6 * max(abs(float(a.mean())), abs(float(b.mean())), 1e-30)  # what rounding alone makes of equal numbers
    size = 0.0 if abs(distance) <= least else distance / max(spread, least)
    deviation = np.sqrt(1 / len(a) + 1 / len(b) + size * size / (2 * (len(a) + len(b))))
    # Of many statistics one is far out by chance: the limit grows with their number (Bonferroni).
    limit = NormalDist().inv_cdf(1 - 0.025 / number)
    return Difference(name, float(a.mean()), float(b.mean()), size, bool(abs(size) > limit * deviation), a, b)
