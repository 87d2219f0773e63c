"""Requests that are refused: a status of HTTP between 400 and 499, and a sentence that says what to do."""

import json


class Refusal(Exception):  # noqa: N818  (the word of what happens; it is an answer, not a fault of the server)
    """What a request is answered with in place of what it wanted.

    Parameters
    ----------
    status : int
    reason : str
        Who, what was expected, what came, what to do.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason

    @property
    def body(self) -> bytes:
        """The answer's body, JSON."""
        return json.dumps({"error": self.reason}).encode()
