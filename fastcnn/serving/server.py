"""The server: a socket, and Uvicorn with limits that it has not by itself."""

import errno
import os
import socket
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.serving.guard import HEAD_BYTES, refuse
from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

_KEEP_ALIVE = 5  # seconds
_GRACE = 3  # seconds for what is being answered when the server is told to stop


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises
    ------
    ArgumentError
        The address is none of this machine's, or its port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        taken = number == errno.EADDRINUSE
        why = f"port {port} is taken; name another with --port" if taken else (
            os.strerror(number) if number and number > 0 else str(error))
        raise ArgumentError(f"serve: expected an address to listen at, got {host}, port {port}: {why}") from None


def server(app: Any, limits: Limits) -> Any:
    """Return a server for an application; ``run(sockets=[listen(host, port)])`` lets it work.

    Raises
    ------
    ImportError
        Uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        raise ImportError('serve: expected Starlette and Uvicorn to be installed; pip install "fastcnn[serve]"'
                          ) from None
    return uvicorn.Server(uvicorn.Config(
        app, http=_protocol(limits), ws="none", lifespan="off", loop="asyncio", log_config=None, log_level="error",
        access_log=False, proxy_headers=False, server_header=False, timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE, h11_max_incomplete_event_size=HEAD_BYTES))


def _protocol(limits: Limits) -> type:
    """Return Uvicorn's protocol with a bound on connections and on the time of a head, and with an answer to halves."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    slow = Refusal(408, f"serve: expected the head of a request within {limits.seconds:g} s, got a part of it")
    full = Refusal(429, f"serve: expected at most {limits.connections} connections, got more; ask again in a second")
    half = Refusal(400, "serve: expected a whole request, got the end before it")

    async def turned_away(scope: Any, receive: Any, send: Any) -> None:
        await refuse(full, send)

    class BoundedProtocol(H11Protocol):
        """One connection."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._is_waiting = True  # for the rest of a head, or of a body that nobody reads
            self._timer = self.loop.call_later(limits.seconds, self._look)
            if len(self.connections) > 2 * limits.connections:
                transport.abort()
            elif len(self.connections) > limits.connections:
                self.app = turned_away  # its request is read, or the answer would be lost with it

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            super().connection_lost(exc)

        def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own
            """Answer a request whose sender has said all that he will."""
            if self._is_answering and not self.cycle.more_body:
                self.cycle.keep_alive = False
                return True  # what is answered is sent before the connection is closed
            if not (self.cycle.response_started if self._is_answering else not self.conn.trailing_data[0]):
                self._turn_away(half)
            return False

        @property
        def _is_answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _look(self) -> None:
            """Turn away who has been at one head since the last look, or at a body that nobody reads."""
            was_waiting = self._is_waiting
            self._is_waiting = not self._is_answering and (
                bool(self.conn.trailing_data[0]) or self.cycle is None or self.conn.their_state is h11.SEND_BODY)
            if was_waiting and self._is_waiting:
                if self.conn.their_state is h11.SEND_BODY:
                    self.transport.close()
                else:
                    self._turn_away(slow)
                return
            self._timer = self.loop.call_later(limits.seconds, self._look)

        def _turn_away(self, refusal: Refusal) -> None:
            if self._is_answering:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            body = refusal.body
            self.transport.write(b"HTTP/1.1 %d Refused\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                                 b"connection: close\r\n\r\n" % (refusal.status, len(body)) + body)
            self.transport.close()

    return BoundedProtocol
