"""Where embeddings lie, in a picture: t-SNE brings them to a plane in which near ones stay near."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import expanded

_FEWEST = 5  # points; t-SNE tells nothing of fewer
_MOST_NAMES = 40  # that are written
_FORMATS = (".png", ".svg", ".pdf", ".jpg", ".webp")


def draw_embeddings(embeddings: Any, labels: Any, path: str | os.PathLike[str], *, names: Sequence[str] | None = None,
                    seed: int = 0, perplexity: float = 30.0) -> np.ndarray:
    """Draw embeddings in a plane by t-SNE, a colour for each person, and write the picture.

    Who lies near whom has a meaning; how far groups are apart has none.

    Parameters
    ----------
    embeddings : (N, C) array
    labels : (N,) or (N, 1) array
        Who is shown.
    path : path
        Its ending says the format: .png, .svg, .pdf, .jpg, .webp.
    names : sequence of str, optional
        By label; up to 40 of those that are shown are written into the middle of their points.
    seed : int
        Of t-SNE.
    perplexity : float
        About how many neighbours count; made smaller for few points.

    Returns
    -------
    (N, 2) array
        The places in the plane.

    Raises
    ------
    ArgumentError
        A path that ends otherwise, or whose folder is not there; labels of other points.
    DataError
        Fewer than five points, or numbers that are not finite.
    ImportError
        scikit-learn or matplotlib is not installed.

    References
    ----------
    van der Maaten, Hinton: Visualizing data using t-SNE, 2008.

    Examples
    --------
    >>> places = fc.vision.identity.draw_embeddings(np.eye(8), np.arange(8) // 4, "embeddings.png")
    >>> places.shape
    (8, 2)
    """
    x, y = np.asarray(embeddings, np.float64), np.asarray(labels).reshape(-1)
    if x.ndim != 2 or len(x) != len(y):
        raise ArgumentError(f"draw_embeddings: expected embeddings (N, C) and a label for each, got {x.shape} and "
                            f"{len(y)}")
    if len(x) < _FEWEST or not np.isfinite(x).all():
        raise DataError("draw_embeddings: expected " + ("finite numbers, got NaN or infinity" if len(x) >= _FEWEST else
                                                        f"at least {_FEWEST} embeddings, got {len(x)}"))
    file = _checked(path)
    try:
        from matplotlib.figure import Figure
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits  # scikit-learn comes with it
    except ImportError:
        raise ImportError('drawing embeddings needs scikit-learn and matplotlib: pip install "fastcnn[sklearn,plot]"'
                          ) from None
    with threadpool_limits(1):  # threads of OpenMP wait for one another, on a busy machine twenty times as long
        places = TSNE(perplexity=min(perplexity, (len(x) - 1) / 3), init="random", random_state=seed).fit_transform(x)
    figure = Figure(figsize=(8, 8), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xticks=[], yticks=[], title=f"{len(x)} embeddings of {len(np.unique(y))}, t-SNE")
    shown = np.unique(y)
    told = _short([str(label) if names is None else str(names[int(label)]) for label in shown])
    for color, name, label in zip(_colors(len(shown)), told, shown, strict=True):
        mine = places[y == label]
        axes.scatter(mine[:, 0], mine[:, 1], s=18, color=color, linewidths=0)
        if len(shown) <= _MOST_NAMES:
            axes.annotate(name, np.median(mine, 0), fontsize=8, ha="center", va="center",
                          bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": color, "alpha": 0.8, "lw": 0.8})
    figure.savefig(file, dpi=120)
    return np.asarray(places)


def _short(names: list[str]) -> list[str]:
    """Return names without the folder, or alphabet, that all of them share."""
    shared = {name.rpartition("/")[0] for name in names}
    return [name.rpartition("/")[2] if len(shared) == 1 else name for name in names]


def _colors(count: int) -> list[Any]:
    """Return colours that go once around the wheel, neighbours of unlike brightness."""
    from matplotlib.colors import hsv_to_rgb

    return [tuple(hsv_to_rgb((k / count, 0.85, (0.85, 0.6, 0.45)[k % 3]))) for k in range(count)]


def _checked(path: str | os.PathLike[str]) -> Path:
    file = expanded(path)
    if file.suffix.lower() not in _FORMATS:
        raise ArgumentError(f"draw_embeddings: expected a name that ends in {', '.join(_FORMATS)}, got {str(path)!r}")
    if not file.absolute().parent.is_dir():
        raise ArgumentError(f"draw_embeddings: expected a folder that is there, got {path}; make it first")
    return file
