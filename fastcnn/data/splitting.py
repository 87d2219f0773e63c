"""Examples dealt out to parts: for training, for decisions (dev) and for the last figure (test).

Every class has its share in every part (*stratified*), and what belongs together, as all pictures of one patient, stays
in one part. The seed decides who goes where.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.data._dealing import deal, deal_groups
from fastcnn.data.strata import strata
from fastcnn.errors import ArgumentError, DataError, unknown

#: What the parts are called: the network learns from the first. ``train_dev`` comes from where ``train`` comes from,
#: and is not learned: it tells a network that does not generalize from data that differ.
PARTS = ("train", "train_dev", "dev", "test")

_FEW, _SHARE_OF_FEW = 10_000, 0.2
_MANY, _SHARE_OF_MANY = 1_000_000, 0.01
_NAMED = 5  # classes that a message names


def share_for(examples: int) -> float:
    """Return the share of the examples that dev, and likewise test, takes by default.

    One fifth up to 10,000 examples, one hundredth from a million on, and on a straight line between them where both
    are drawn as powers of ten: 6 % of 60,000. What counts is how many there are in the part, not which share that is.

    Parameters
    ----------
    examples : int

    Examples
    --------
    >>> import fastcnn as fc
    >>> [round(fc.data.share_for(n), 3) for n in (1_000, 10_000, 60_000, 1_000_000)]
    [0.2, 0.2, 0.062, 0.01]

    References
    ----------
    Ng: Machine Learning Yearning, 2018, chapters 5 to 7.
    """
    if examples <= _FEW:
        return _SHARE_OF_FEW
    if examples >= _MANY:
        return _SHARE_OF_MANY
    way = np.log(examples / _FEW) / np.log(_MANY / _FEW)
    return float(_SHARE_OF_FEW * (_SHARE_OF_MANY / _SHARE_OF_FEW) ** way)


def split(
    y: ArrayLike,
    shares: Mapping[str, float] | None = None,
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Deal examples out to parts.

    Parameters
    ----------
    y : (N,) or (N, K) array
        Labels, as integers or text: every class has its share in every part, to within one example. Floats are
        targets of a regression: their tenths have. Of K labels of yes and no, 1 and 0 (-1 or NaN: unknown), each
        example counts for the rarest label that it has.
    shares : dict of str to float, optional
        Of ``train_dev``, ``dev`` and ``test``; the rest is ``train``. A share of 0 is no part. By default `share_for`
        each for ``dev`` and ``test``.
    groups : (N,) array, optional
        Examples of one group (a patient, a video, a place) stay in one part. The shares then hold as nearly as groups
        allow.
    seed : int
        The same seed deals the same way.
    names : sequence of str, optional
        Of the classes that the labels count from 0, for errors.

    Returns
    -------
    parts : dict of str to (n,) int64 arrays
        For each part, in the order of `PARTS`, the ascending indices of its examples. Together they are 0 .. N - 1.

    Raises
    ------
    ArgumentError
        Unknown parts; shares that are no numbers from 0 to below 1, or are 1 together; a seed that is none; `y` that
        is not (N,) or (N, K), or `groups` that are not (N,).
    DataError
        A class that is missing from a part: it has fewer examples, or groups, than there are parts.

    Examples
    --------
    >>> import numpy as np, fastcnn as fc
    >>> parts = fc.data.split(np.arange(10) % 2, {"dev": 0.2, "test": 0.2})
    >>> {name: len(index) for name, index in parts.items()}
    {'train': 6, 'dev': 2, 'test': 2}
    """
    who, (labels, are_classes) = "data.split", _labels("data.split", y)
    if shares is None:
        shares = dict.fromkeys(("dev", "test"), share_for(len(labels)))
    wanted = _shares(who, shares)
    dealt = _dealt(who, labels, list(wanted.values()), groups, seed)
    parts = {name: np.flatnonzero(dealt == k) for k, name in enumerate(wanted)}
    _require_examples(who, parts)
    if are_classes:
        _require_every_class(who, labels, parts, groups is not None, names)
    return parts


def folds(
    y: ArrayLike,
    count: int = 5,
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> list[NDArray[np.int64]]:
    """Deal examples out to folds of equal size, for cross-validation: each is dev once, while the others train.

    Parameters
    ----------
    y, groups, seed, names
        As of `split`.
    count : int
        At least 2.

    Returns
    -------
    folds : list of (n,) int64 arrays
        The ascending indices of each fold's examples.

    Raises
    ------
    ArgumentError
        As `split`; fewer folds than 2.
    DataError
        A class that is missing from a fold.

    Examples
    --------
    >>> import numpy as np, fastcnn as fc
    >>> [len(fold) for fold in fc.data.folds(np.arange(20) % 2, 4)]
    [5, 5, 5, 5]

    References
    ----------
    Kohavi: A study of cross-validation and bootstrap for accuracy estimation and model selection, IJCAI 1995.
    """
    who, (labels, are_classes) = "data.folds", _labels("data.folds", y)
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 2:
        raise ArgumentError(f"{who}: expected a count of at least 2 folds, got {count!r}")
    dealt = _dealt(who, labels, [1 / count] * int(count), groups, seed)
    parts = {f"fold {k + 1}": np.flatnonzero(dealt == k) for k in range(int(count))}
    _require_examples(who, parts)
    if are_classes:
        _require_every_class(who, labels, parts, groups is not None, names)
    return list(parts.values())


def _labels(who: str, y: ArrayLike) -> tuple[NDArray[Any], bool]:
    """Return what is dealt out evenly, and whether these are classes, of which every part must have each."""
    y = np.asarray(y)
    if y.ndim not in (1, 2) or y.size == 0:
        raise ArgumentError(f"{who}: expected y of shape (N,) or (N, K) with at least one label, got {y.shape}")
    return strata(y), y.size == len(y) and y.dtype.kind != "f"


def _shares(who: str, shares: Mapping[str, float]) -> dict[str, float]:
    """Return the share of every part that there is, ``train`` first."""
    for name, share in shares.items():
        if name not in PARTS or name == "train":
            raise ArgumentError(unknown(f"{who}: part", name, PARTS[1:]))
        if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 <= float(share) < 1:
            raise ArgumentError(f"{who}: expected a share from 0 to below 1 for {name}, got {share!r}")
    rest = 1 - sum(map(float, shares.values()))
    if rest <= 0:
        raise ArgumentError(
            f"{who}: expected shares below 1 together, as the rest is for training, got {1 - rest:g}; lower them"
        )
    return {"train": rest} | {name: float(shares[name]) for name in PARTS[1:] if shares.get(name)}


def _dealt(who: str, labels: NDArray[Any], shares: list[float], groups: ArrayLike | None, seed: int) -> NDArray[Any]:
    try:
        draw = np.random.default_rng(np.random.SeedSequence(seed))
    except (TypeError, ValueError):
        raise ArgumentError(f"{who}: expected seed as an integer of at least 0, got {seed!r}") from None
    _, classes = np.unique(labels, return_inverse=True)
    if groups is None:
        return deal(classes, shares, draw)
    groups = np.asarray(groups)
    if groups.shape != labels.shape:
        raise ArgumentError(f"{who}: expected a group for each of {len(labels)} labels, got shape {groups.shape}")
    return deal_groups(classes, np.unique(groups, return_inverse=True)[1], shares, draw)


def _require_examples(who: str, parts: Mapping[str, NDArray[Any]]) -> None:
    empty = next((name for name, index in parts.items() if len(index) == 0), None)
    if empty is not None:
        raise DataError(f"{who}: expected examples in every part, got none in {empty}; add some, or ask for fewer "
                        f"parts ({', '.join(parts)} now)")  # fmt: skip


def _require_every_class(
    who: str, labels: NDArray[Any], parts: Mapping[str, NDArray[Any]], is_grouped: bool, names: Sequence[str] | None
) -> None:
    every = set(np.unique(labels).tolist())
    for part, index in parts.items():
        missing = sorted(every - set(np.unique(labels[index]).tolist()))
        if missing:
            listed = ", ".join(str(names[k]) if names is not None else str(k) for k in missing[:_NAMED])
            more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            of_one = int((labels == missing[0]).sum())
            what = "groups that have it" if is_grouped else f"examples to its {of_one}"
            raise DataError(
                f"{who}: expected every class in every part, got none of {listed}{more} in {part}; "
                f"add {what}, leave out the class, or ask for fewer parts ({', '.join(parts)} now)"
            )
