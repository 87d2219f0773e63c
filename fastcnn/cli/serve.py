"""``fastcnn serve``: a page to play with a trained network, and a JSON API."""

from typing import Any

import click

from fastcnn.cli._options import saved_argument
from fastcnn.cli._pixels import Pixels, pixel_options


@click.command("serve", short_help="Open a page to draw on: probabilities and feature maps follow.")
@saved_argument
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Where to listen. Any other address lets other machines ask.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N",
              help="0 takes a free one.")
@click.option("--allow-host", "names", multiple=True, metavar="NAME",
              help="Another name that requests may call this machine, behind a proxy, say. More than once for several.")
@pixel_options
def command(saved: str, host: str, port: int, names: tuple[str, ...], **given: Any) -> None:
    """Serve a page on which one draws or drops a picture, and the network of a run, or of a file, answers.

    Programs send a picture's file, or pixels as JSON, to /api/predict. The server listens to this machine alone, takes
    no request that another page sends, and bounds what a request may cost. Ctrl-C ends it. Needs Starlette and Uvicorn:
    pip install "fastcnn[serve,image]".

    \b
    fastcnn serve runs/digits
    curl --data-binary @seven.png -H "Content-Type: image/png" http://127.0.0.1:8000/api/predict
    """  # noqa: D301  (click reads the backspace)
    import contextlib

    from fastcnn.cli._serving import answering_of
    from fastcnn.serving.application import application
    from fastcnn.serving.limits import Limits
    from fastcnn.serving.server import listen, server

    limits = Limits()
    answering = answering_of(saved, Pixels.of(given), lambda note: click.echo(note, err=True))
    app = application(answering, limits, host, names)
    with listen(host, port) as socket:
        own = f"[{host}]" if ":" in host else host
        click.echo(f"{answering.facts['name']} on http://{own}:{socket.getsockname()[1]}   (Ctrl-C ends it)")
        with contextlib.suppress(KeyboardInterrupt):
            server(app, limits).run(sockets=[socket])
