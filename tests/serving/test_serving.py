"""What the server of a network answers: to whom, to what, and in which form."""

import http.client
import json

import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.serving.guard import host_name
from fastcnn.serving.server import listen
from tests.serving.attacks import picture, png, request
from tests.serving.conftest import told


def test_a_picture_is_answered_as_the_model_answers_to_what_is_read_of_it(served):
    from io import BytesIO

    from fastcnn.datasets.image import read_image

    body = picture(np.random.default_rng(0))
    status, answer = served.send(request(body=body))
    x, steps = read_image(BytesIO(body), (8, 8, 1), background="dark")
    expected = served.model.predict(x[None], verbose=0)[0]
    assert status == 200
    assert [one["probability"] for one in told(answer)["predictions"]] == [float(p) for p in expected]
    assert told(answer)["steps"] == steps


def test_pixels_as_json_are_the_networks_input(served):
    x = np.random.default_rng(0).random((8, 8)).astype("float32")
    status, answer = served.send(request(body=json.dumps({"pixels": x.tolist()}).encode(), kind="application/json"))
    assert status == 200
    assert [one["probability"] for one in told(answer)["predictions"]] == [
        float(p) for p in served.model.predict(x[None, ..., None], verbose=0)[0]]


def test_feature_maps_come_where_they_are_asked_for(served):
    body = picture(np.random.default_rng(0))
    found = told(served.send(request(path="/api/predict?maps=1", body=body))[1])
    (one,) = found["maps"]
    assert (one["layer"], one["height"], one["width"], one["count"], len(one["pictures"])) == ("maps", 6, 6, 4, 4)
    assert all(one.startswith("data:image/png;base64,") for one in [found["input"], *found["maps"][0]["pictures"]])
    assert "maps" not in told(served.send(request(path="/api/predict?maps=0", body=body))[1])


def test_the_page_asks_nobody_else_and_runs_no_script_that_is_not_its_own(served):
    with served.connect() as connection:
        connection.sendall(request("GET", "/"))
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, page = text.partition("\r\n\r\n")
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in head
    assert "unsafe" not in head
    assert "frame-ancestors 'none'" in head
    assert "://" not in page
    assert "style=" not in page
    assert " on" not in page.replace(" on ", "").replace(" one", "")  # no handler of events in the markup
    for path, kind in (("/page.js", b"use strict"), ("/page.css", b"color-scheme")):
        status, body = served.send(request("GET", path))
        assert status == 200
        assert kind in body
    assert served.send(request("HEAD", "/")) == (200, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:9000", "[::1]:80", "proxy.example"])
def test_this_machines_names_are_answered(served, host):
    assert served.send(request("GET", "/api/model", host=host))[0] == 200
    more = f"origin: http://{host}\r\n"
    assert served.send(request(body=picture(np.random.default_rng(0)), host=host, more=more))[0] == 200


def test_a_link_on_another_page_leads_here_and_its_script_does_not(served):
    linked = "sec-fetch-site: cross-site\r\nsec-fetch-mode: {}\r\n"
    assert served.send(request("GET", "/", more=linked.format("navigate")))[0] == 200
    assert served.send(request("GET", "/api/model", more=linked.format("no-cors")))[0] == 403
    assert served.send(request(body=picture(np.random.default_rng(0)), more=linked.format("navigate")))[0] == 403


def test_a_connection_asks_more_than_once(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for _ in range(3):
        connection.request("GET", "/api/model")
        answer = connection.getresponse()
        assert (answer.status, told(answer.read())["name"]) == (200, "small")
        assert connection.sock is not None  # it is still open
    connection.close()


def test_who_waits_before_a_body_that_is_too_large_need_not_send_it(served):
    status, body = served.send(request(length=10**9, more="expect: 100-continue\r\n"))
    assert (status, "200,000 bytes" in told(body)["error"]) == (413, True)


def test_reasons_say_what_was_expected_what_came_and_what_to_do(served):
    blank = png(24, 24)
    for data, status, reason in (
        (request("GET", "/", host="evil.example"), 421, "got evil.example; --allow-host allows another"),
        (request(body=b""), 400, "--data-binary @seven.png"),
        (request(body=png(2000, 1000)), 413, "expected at most 1,000,000 pixels, got a picture of 2000 x 1000"),
        (request(body=blank), 422, "the picture: expected ink that stands out"),
        (request(body=b"x", kind="text/plain"), 415, "expected Content-Type image/png"),
        (request(body=b'{"pixels": [["1"]]}', kind="application/json"), 400, "got `str` - at `$.pixels[0][0]`"),
        (request(body=b'{"pixels": [[1]]}', kind="application/json"), 422, "expected pixels (8, 8, 1), got (1, 1, 1)"),
        (request("DELETE", "/api/predict"), 405, "got DELETE /api/predict"),
        (request("GET", "/nowhere"), 404, "expected /, /api/model or /api/predict"),
        (request(path="/api/predict?top=3"), 400, "expected maps=0 or maps=1 after ?, got top=3"),
    ):
        got, body = served.send(data)
        assert got == status, body
        assert reason in told(body)["error"]


@pytest.mark.parametrize(("host", "name"), [
    ("a:80", "a"), ("A", "a"), ("[::1]:8000", "::1"), ("[::1]", "::1"), ("a:b", None), ("a:80:80", None), ("", None),
    (":80", None), ("a:٣", None)])
def test_the_name_of_a_host_is_read_without_its_port(host, name):
    assert host_name(host) == name


def test_an_address_that_is_taken_or_none_is_told():
    with listen("127.0.0.1", 0) as socket:
        port = socket.getsockname()[1]
        with pytest.raises(ArgumentError, match=f"port {port} is taken; name another with --port"):
            listen("127.0.0.1", port)
    with pytest.raises(ArgumentError, match=r"serve: expected an address to listen at, got 203\.0\.113\.1"):
        listen("203.0.113.1", 0)


def test_a_network_whose_layers_show_no_maps_answers_without_them(monkeypatch):
    from fastcnn.serving import answering
    from fastcnn.serving.limits import Limits
    from tests.serving.conftest import answering_of, small_model

    def fails(*args):
        raise NotImplementedError

    monkeypatch.setattr(answering, "feature_maps", fails)
    found = answering_of(small_model())
    found.begin()
    answer = found.answer(answering.Question(picture(np.random.default_rng(0)), with_maps=True), Limits())
    assert answer["maps"] == []
    assert len(answer["predictions"]) == 3
