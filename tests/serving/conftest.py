"""A server of a small network, in a thread; and connections to it."""

import contextlib
import json
import socket
import threading
import time

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

pytest.importorskip("starlette", reason="needs the extra fastcnn[serve]")
pytest.importorskip("uvicorn", reason="needs the extra fastcnn[serve]")
pytest.importorskip("PIL", reason="needs the extra fastcnn[image]")

SHAPE = (8, 8, 1)


def small_model():
    """Return a network of three classes that has learned nothing."""
    fc.utils.set_random_seed(0)
    return fc.Sequential([fc.Input(SHAPE), layers.Conv2D(4, 3, activation="relu", name="maps"),
                          layers.GlobalMaxPooling2D(), layers.Dense(3, activation="softmax")])


def answering_of(model):
    """Return what answers, as the command line makes it of a run of digits."""
    from fastcnn.datasets.image import read_image
    from fastcnn.serving.answering import ImageAnswers

    tell = lambda outputs: [{"class": str(k), "probability": float(p)} for k, p in enumerate(outputs)]
    return ImageAnswers(model, lambda file: read_image(file, SHAPE, background="dark"), np.float32, tell,
                        {"name": "small", "task": "classification"})


class Served:
    """A server that runs in a thread."""

    def __init__(self, limits, answering=None):
        from fastcnn.serving.application import application
        from fastcnn.serving.server import listen, server

        self.model, self.limits = small_model(), limits
        self.answering = answering_of(self.model) if answering is None else answering
        self.socket = listen("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.server = server(application(self.answering, limits, "127.0.0.1", ["proxy.example"]), limits)
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self._thread.start()
        until = time.monotonic() + 30
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self):
        """End the server, and wait for it."""
        self.server.should_exit = True
        self._thread.join(20)
        self.socket.close()
        assert not self._thread.is_alive()

    def connect(self):
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, data):
        """Return status and body of the answer to bytes after which nothing comes; (0, b"") without an answer."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):  # it has been answered, and closed, before the end
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            return answer_of(connection)


def answer_of(connection):
    """Return status and body of what comes until the connection is closed."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return (int(head.split()[1]), body) if head.startswith(b"HTTP/1.1 ") else (0, body)


def told(body):
    """Return what a body of JSON says."""
    return json.loads(body)


@pytest.fixture(scope="module")
def served():
    """A server that takes little, and waits for nobody."""
    from fastcnn.serving.limits import Limits

    found = Served(Limits(body_bytes=200_000, pixels=1_000_000, seconds=0.5, at_once=4, connections=12))
    yield found
    found.stop()
