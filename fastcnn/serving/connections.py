"""Connections of Uvicorn, bounded: in number, and in the time that a head, an unread body or an unread answer takes.

Half a request is answered, too: Uvicorn itself says nothing to who closes his side before the end.
"""

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fastcnn.serving.guard import refuse
from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

_HALF = Refusal(400, "serve: expected a whole request, got the end before it")


class BoundedProtocol(H11Protocol):
    """One connection.

    Parameters
    ----------
    *args, **keywords
        Uvicorn's own.
    limits : Limits
    """

    def __init__(self, *args: Any, limits: Limits, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._limits = limits
        self._is_waiting = True  # for the rest of a head, or of a body that nobody reads
        self._is_unread = False  # what was answered

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(self._limits.seconds, self._look)
        if len(self.connections) > 2 * self._limits.connections:
            transport.abort()
        elif len(self.connections) > self._limits.connections:
            self.app = self._full  # its request is read, or the answer would be lost with it

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own
        """Answer a request whose sender has said all that he will."""
        if self._is_answering and not self.cycle.more_body:
            self.cycle.keep_alive = False
            return True  # what is answered is sent before the connection is closed
        if not (self.cycle.response_started if self._is_answering else not self.conn.trailing_data[0]):
            self._turn_away(_HALF)
        return False

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look(self) -> None:
        """Turn away who has been at one head since the last look, or at a body, or has not read his answer."""
        was_waiting, was_unread = self._is_waiting, self._is_unread
        self._is_unread = self.transport.get_write_buffer_size() > 0
        if was_unread and self._is_unread:
            self.transport.abort()
            return
        is_at_body = self.conn.their_state is h11.SEND_BODY
        self._is_waiting = not self._is_answering and (
            bool(self.conn.trailing_data[0]) or self.cycle is None or is_at_body)
        if was_waiting and self._is_waiting:
            if is_at_body:
                self.transport.close()
            else:
                most = f"{self._limits.seconds:g} s"
                self._turn_away(Refusal(408, f"serve: expected the head of a request within {most}, got a part of it"))
        self._timer = self.loop.call_later(self._limits.seconds, self._look)

    async def _full(self, scope: Any, receive: Any, send: Any) -> None:
        most = self._limits.connections
        await refuse(Refusal(429, f"serve: expected at most {most} connections, got more; ask again in a second"), send)

    def _turn_away(self, refusal: Refusal) -> None:
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = refusal.body
        self.transport.write(b"HTTP/1.1 %d Refused\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                             b"connection: close\r\n\r\n" % (refusal.status, len(body)) + body)
        self.transport.close()
