"""Tags of mistakes: what a person saw in each, counted, and how much would be gained by mending one kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fastcnn.errors import ArgumentError, DataError
from fastcnn.report.intervals import Estimate, wilson

_MOST_TAGS = 40


@dataclass(frozen=True)
class Tags:
    """What a person called mistakes; the page makes such a file.

    Parameters
    ----------
    tags : list of str
        All of them, in the order of their numbers on the page.
    examples : dict of str to list of str
        The tags of each example that was looked at; an empty list is one that was looked at and is like no other.
    part : str
        Of the examples.

    Examples
    --------
    >>> fc.report.Tags(["blurry"], {"cats/7.png": ["blurry"]}).part
    'dev'
    """

    tags: list[str] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    part: str = "dev"


class TagShare(NamedTuple):
    """A kind of mistakes.

    Attributes
    ----------
    tag : str
    number : int
        Of mistakes that have it.
    share : Estimate
        Of the mistakes that were looked at.
    ceiling : float
        The error that would be left if all mistakes of this kind were mended.

    Examples
    --------
    >>> fc.report.tag_shares(fc.report.Tags(["dog"], {"a": ["dog"], "b": []}), error=0.10)[0].ceiling
    0.05
    """

    tag: str
    number: int
    share: Estimate
    ceiling: float


def read_tags(path: Any) -> Tags:
    """Return the tags of a file that the page of a report made.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    DataError
        If it is not there, or no such file.

    Examples
    --------
    >>> with open("tags.json", "w") as file:
    ...     _ = file.write('{"tags": ["blurry"], "examples": {"cats/7.png": ["blurry"]}}')
    >>> fc.report.read_tags("tags.json").tags
    ['blurry']
    """
    try:
        found = msgspec.json.decode(Path(path).read_bytes(), type=Tags)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected tags as the page of a report saves them, got: {error}; save them once "
                        "more, or leave --tags out") from error
    known = list(dict.fromkeys([*found.tags, *(tag for some in found.examples.values() for tag in some)]))
    if len(known) > _MOST_TAGS:
        raise DataError(f"{path}: expected {_MOST_TAGS} tags at most, got {len(known)}; put some together")
    return Tags(known, found.examples, found.part)


def tag_shares(tags: Tags | Mapping[str, Sequence[str]], error: float) -> list[TagShare]:
    """Return how many mistakes each tag has, the most frequent first, and what mending them would leave of the error.

        ceiling = error (1 - share)

    Parameters
    ----------
    tags : Tags, or dict of str to sequence of str
        The tags of each example that was looked at.
    error : float
        Of the part that the mistakes are of.

    Raises
    ------
    ArgumentError
        If the error is no share.

    Examples
    --------
    >>> seen = {"a.png": ["dog"], "b.png": ["blurry", "dog"], "c.png": [], "d.png": ["blurry"]}
    >>> [(one.tag, one.number, one.ceiling) for one in fc.report.tag_shares(seen, error=0.10)]
    [('dog', 2, 0.05), ('blurry', 2, 0.05)]
    """
    if not 0 <= error <= 1:
        raise ArgumentError(f"tag_shares: expected an error from 0 to 1, got {error!r}")
    given = tags if isinstance(tags, Tags) else Tags(examples={name: list(some) for name, some in tags.items()})
    known = dict.fromkeys([*given.tags, *(tag for some in given.examples.values() for tag in some)])
    total, found = len(given.examples), []
    for tag in known:
        count = sum(tag in some for some in given.examples.values())
        share = Estimate(count / total if total else 0.0, *wilson(count, total), total)
        found.append(TagShare(tag, count, share, error * (1 - share.value)))
    return sorted(found, key=lambda one: -one.number)
