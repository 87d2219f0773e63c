"""How much a server takes from whom it does not know."""

from typing import NamedTuple


class Limits(NamedTuple):
    """What a request may cost.

    Attributes
    ----------
    body_bytes : int
        Of a request's body.
    pixels : int
        Of a picture, as its head tells them before anything is decoded.
    seconds : float
        In which a head, and then a body, has to be there.
    at_once : int
        Requests that are answered or wait for it.
    connections : int
        That are open, whether they ask for something or not.
    """

    body_bytes: int = 8_000_000
    pixels: int = 16_000_000
    seconds: float = 10.0
    at_once: int = 8
    connections: int = 64
