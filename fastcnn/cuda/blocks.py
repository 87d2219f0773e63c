"""Blocks of a card's memory, which are given back when nothing refers to them any more."""

from typing import Any

from fastcnn.errors import DeviceMemoryError


class CardBlock:
    """Memory of a card. Arrays on it refer to it, so that counting references tells whether it is free.

    Parameters
    ----------
    card : Card
    pointer, size : int
    """

    __slots__ = ("__weakref__", "card", "pointer", "size")

    def __init__(self, card: Any, pointer: int, size: int) -> None:
        self.card, self.pointer, self.size = card, pointer, size

    def __del__(self) -> None:
        held = self.card.held
        held[0] -= self.size
        self.card.free(self.pointer)


def card_block(card: Any, size: int, what: str, release: Any) -> CardBlock:
    """Return a block of a card's memory, after unused ones were freed if it must be.

    Parameters
    ----------
    card : Card
    size : int
        Bytes.
    what : str
        What it is for, for an error.
    release : callable
        Frees the blocks that nobody uses.

    Raises
    ------
    DeviceMemoryError
        If there is no room all the same.
    """
    pointer = card.allocate(size)
    if not pointer:
        release()
        pointer = card.allocate(size)
    if not pointer:
        free, _ = card.memory()
        raise DeviceMemoryError(f"cuda:{card.index}", what, size, card.held[0], free)
    card.held[0] += size
    return CardBlock(card, pointer, size)
