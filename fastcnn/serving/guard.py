"""Who may ask, and how many at once. A page of somebody else's, open in the same browser, may not.

A name of a foreign host in ``Host`` tells of DNS rebinding: a page has pointed its own name at this machine.
"""

import ipaddress
from collections.abc import Collection
from typing import Any

from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ANY = ("0.0.0.0", "::")

HEAD_BYTES = 32_768

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An application of ASGI around another one.

    Parameters
    ----------
    app : application
    limits : Limits
    host : str
        The address that is listened at.
    names : collection of str
        Further names that requests may call this machine.
    """

    def __init__(self, app: Any, limits: Limits, host: str, names: Collection[str] = ()) -> None:
        self._app, self._limits = app, limits
        self._names = {name.lower() for name in (*_LOOPBACK, host, *names)}
        self._takes_addresses = host in _ANY  # a page that rebinds has a name, never an address
        self._now = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise RuntimeError(f"serve: expected requests of HTTP, got {scope['type']}")

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()),
                                      *((name.encode(), value.encode()) for name, value in HEADERS.items())]
            await send(message)

        try:
            _require_plain(scope)
            self._require_own(scope)
            if self._now >= self._limits.at_once:
                raise Refusal(429, f"serve: expected at most {self._limits.at_once} requests at once, got more; ask "
                                   "again in a second")
        except Refusal as refusal:
            await refuse(refusal, send_with_headers)
            return
        self._now += 1
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            self._now -= 1

    def _require_own(self, scope: Any) -> None:
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value.decode("latin-1"))
        hosts = headers.get(b"host", [])
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            got = " and ".join(hosts)[:100] or "none"
            raise Refusal(421, f"serve: expected the Host {', '.join(sorted(self._names))}, got {got}; --allow-host "
                               "allows another")
        for origin in headers.get(b"origin", []):
            if not self._is_own(origin.partition("://")[2]):
                raise Refusal(403, f"serve: expected requests of this page or of programs, got one of {origin[:100]}")
        is_link = scope["method"] == "GET" and headers.get(b"sec-fetch-mode") == ["navigate"]
        if "cross-site" in headers.get(b"sec-fetch-site", []) and not is_link:
            raise Refusal(403, "serve: expected requests of this page or of programs, got one of another page")

    def _is_own(self, host: str) -> bool:
        name = host_name(host)
        if name is None:
            return False
        return name in self._names or (self._takes_addresses and _is_address(name))


def _require_plain(scope: Any) -> None:
    """Raise unless a request is one of HTTP/1 whose head has a usual size, however it came."""
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Refusal(400, f"serve: expected HTTP/1.1, got HTTP/{scope['http_version']}")
    size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(a) + len(b) for a, b in scope["headers"])
    if size > HEAD_BYTES:
        raise Refusal(431, f"serve: expected a head of at most {HEAD_BYTES:,} bytes, got {size:,}")


def host_name(host: str) -> str | None:
    """Return the name of ``name:port`` or ``[address]:port``, in small letters; None for anything else."""
    name, has_port, port = host.rpartition(":")
    if not has_port or host.endswith("]"):
        name, port = host, "0"
    if not (port.isascii() and port.isdigit()):
        return None
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1].lower()
    return name.lower() if name and ":" not in name else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def refuse(refusal: Refusal, send: Any) -> None:
    """Answer with a refusal, and close the connection: what is left of a body is not waited for."""
    body = refusal.body
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
               (b"connection", b"close")]
    if refusal.status == 429:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
