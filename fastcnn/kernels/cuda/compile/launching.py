"""The card that kernels are launched on: one for a process."""

from typing import Any

from fastcnn.errors import DeviceError

_used: list[Any] = []


def use(card: Any) -> None:
    """Launch on this card from now on.

    Parameters
    ----------
    card : Card
    """
    _used[:] = [card]


def card() -> Any:
    """Return the card that kernels are launched on.

    Raises
    ------
    DeviceError
        If none is open.
    """
    if not _used:
        raise DeviceError('cuda: expected an open card, got none; fastcnn.device.named("cuda") opens one')
    return _used[0]
