"""The server: a socket, and Uvicorn on it."""

import errno
import os
import socket
from functools import partial
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.serving.guard import HEAD_BYTES
from fastcnn.serving.limits import Limits

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

        from fastcnn.serving.connections import BoundedProtocol
    except ImportError:
        raise ImportError('serve: expected Starlette and Uvicorn to be installed; pip install "fastcnn[serve]"'
                          ) from None
    protocol: Any = partial(BoundedProtocol, limits=limits)
    return uvicorn.Server(uvicorn.Config(
        app, http=protocol, ws="none", lifespan="off", loop="asyncio", log_config=None, log_level="error",
        access_log=False, proxy_headers=False, server_header=False, timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE, h11_max_incomplete_event_size=HEAD_BYTES))
