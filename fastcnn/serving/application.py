"""The addresses: the page, what it is made of, what the network is, and what it says of a picture."""

import json
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from fastcnn.errors import ArgumentError, DataError
from fastcnn.serving.answering import Answering, Question
from fastcnn.serving.guard import Guard
from fastcnn.serving.limits import Limits
from fastcnn.serving.refusals import Refusal

_PAGE = Path(__file__).parent / "page"
_CHARTS = Path(__file__).parents[1] / "report" / "templates"
_LINGER = 0.5  # seconds that the rest of a body is read for, so that the answer is not lost with it
_WHAT = {404: "expected /, /api/model or /api/predict", 405: "expected another method"}


def application(answering: Answering, limits: Limits, host: str = "127.0.0.1", names: Collection[str] = ()) -> Any:
    """Return an application of ASGI.

    Parameters
    ----------
    answering : Answering
        What answers. It is asked by one thread: a prediction has all processors, and what a request may need of memory
        is needed once.
    limits : Limits
    host, names
        As `Guard` takes them.

    Raises
    ------
    ImportError
        Starlette is not installed.
    """
    try:
        from anyio import CapacityLimiter
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.responses import Response
        from starlette.routing import Route
    except ImportError:
        raise ImportError('serve: expected Starlette and Uvicorn to be installed; pip install "fastcnn[serve]"'
                          ) from None
    texts = {"/": ("text/html", _own("page.html")), "/page.js": ("text/javascript", _own("page.js")),
             "/page.css": ("text/css", (_CHARTS / "chart.css").read_text() + (_CHARTS / "page.css").read_text()
                           + _own("page.css"))}
    one_at_a_time: list[Any] = []  # made where the loop runs

    def told(status: int, found: Any, **headers: str) -> Any:
        return Response(json.dumps(found), status, headers, "application/json")

    async def text(request: Any) -> Any:
        kind, content = texts[request.url.path]
        return Response(content, media_type=kind)

    async def model(request: Any) -> Any:
        return told(200, answering.facts | {"limits": limits._asdict()})

    async def predict(request: Any) -> Any:
        from anyio import to_thread

        asked = await _asked(request, limits)
        if not one_at_a_time:
            one_at_a_time.append(CapacityLimiter(1))
        found = await to_thread.run_sync(partial(answering.answer, asked, limits), limiter=one_at_a_time[0])
        return told(200, found)

    async def refused(request: Any, error: Any) -> Any:
        return told(error.status, {"error": error.reason}, connection="close")

    async def unfit(request: Any, error: Exception) -> Any:
        return told(422, {"error": f"predict: {error}"})

    async def unknown(request: Any, error: Any) -> Any:
        what = f"serve: {_WHAT.get(error.status_code, error.detail)}, got {request.method} {request.url.path[:100]}"
        return told(error.status_code, {"error": what}, connection="close", **(error.headers or {}))

    app = Starlette(
        routes=[*(Route(path, text) for path in texts), Route("/api/model", model),
                Route("/api/predict", predict, methods=["POST"])],
        exception_handlers={Refusal: refused, DataError: unfit, ArgumentError: unfit, HTTPException: unknown})
    app.router.redirect_slashes = False
    return Guard(app, limits, host, names)


async def _asked(request: Any, limits: Limits) -> Question:
    """Return what is asked, once the body is there.

    Raises
    ------
    Refusal
        400, 408, 411, 413 or 415: what was sent is too much, too slow, or nothing that can be read.
    """
    for name, value in request.query_params.multi_items():
        if name != "maps" or value not in ("0", "1"):
            raise Refusal(400, f"predict: expected maps=0 or maps=1 after ?, got {name[:50]}={value[:50]}")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json"
    if not is_json and kind != "application/octet-stream" and not kind.startswith("image/"):
        raise Refusal(415, "predict: expected Content-Type image/png (or another picture's) or application/json, got "
                           f"{kind[:50] or 'none'}")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, "predict: expected a body as it is, got one with a Content-Encoding; leave it out")
    return Question(await _body(request, limits), is_json, request.query_params.get("maps") == "1")


async def _body(request: Any, limits: Limits) -> bytes:
    from anyio import fail_after, move_on_after
    from starlette.requests import ClientDisconnect

    length = request.headers.get("content-length", "0")
    large = Refusal(413, f"predict: expected at most {limits.body_bytes:,} bytes, got more; scale the picture down")
    got, parts = 0, list[bytes]()
    try:
        with fail_after(limits.seconds):
            if int(length) > limits.body_bytes:
                raise large
            async for part in request.stream():
                got += len(part)
                if got > limits.body_bytes:
                    raise large
                parts.append(part)
    except TimeoutError:
        raise Refusal(408, f"predict: expected the body within {limits.seconds:g} s, got {got:,} bytes of it") from None
    except ClientDisconnect:
        raise Refusal(400, f"predict: expected {int(length):,} bytes, got {got:,} before the connection was closed"
                      ) from None
    except Refusal:
        parts.clear()
        if "expect" not in request.headers:  # who waits for a word before he sends need not send
            with move_on_after(_LINGER):
                await _thrown_away(request)
        raise
    return b"".join(parts)


async def _thrown_away(request: Any) -> None:
    from starlette.requests import ClientDisconnect

    try:
        while (await request.receive()).get("more_body"):
            pass
    except ClientDisconnect:
        pass


def _own(name: str) -> str:
    return (_PAGE / name).read_text("utf-8")
