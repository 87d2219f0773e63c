"""Malformed requests: each is refused with a reason, nothing is lost, and no memory."""

import collections
import gc
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.serving.attacks import KINDS, attacks, picture, request
from tests.serving.conftest import answer_of, told

_PAGE = os.sysconf("SC_PAGE_SIZE")


def _resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def _attack(served, count, seed):
    """Return how often which status came for which kind, and what was answered otherwise than with 400 to 499."""
    counts, wrong = collections.Counter(), []
    for name, data in attacks(count, seed):
        status, body = served.send(data)
        counts[name] += 1
        if not (400 <= status < 500 and body):
            wrong.append((name, status, data[:300], body[:200]))
    return counts, wrong


def test_each_of_three_hundred_malformed_requests_is_refused_with_a_reason(served):
    good = request(body=picture(np.random.default_rng(5)))
    before = served.send(good)
    counts, wrong = _attack(served, 25 * len(KINDS), seed=1)
    assert wrong == []
    assert set(counts.values()) == {25}
    assert served.send(good) == before or told(served.send(good)[1]) == told(before[1])
    assert before[0] == 200


@pytest.mark.slow
def test_ten_thousand_malformed_requests_lose_nothing_and_take_no_memory(served):
    good = request(body=picture(np.random.default_rng(5)))
    _attack(served, 10 * len(KINDS), seed=2)
    before, resident = told(served.send(good)[1]), _resident()
    counts, wrong = _attack(served, 10_000, seed=3)
    assert wrong == []
    assert counts.total() == 10_000
    assert told(served.send(good)[1]) == before
    assert _resident() - resident < 64e6
    assert len(served.server.server_state.connections) <= 2
    assert not served.server.server_state.tasks


def _slowly(connection, data):
    began = time.monotonic()
    connection.settimeout(0.05)
    for k in range(len(data)):
        try:
            connection.sendall(data[k : k + 1])
            if connection.recv(1, 2):  # MSG_PEEK: there is an answer
                break
        except TimeoutError:
            continue
        except OSError:
            break
    connection.settimeout(20)
    return *answer_of(connection), time.monotonic() - began


@pytest.mark.parametrize("cut", [20, 120, 170])
def test_who_sends_a_head_or_a_body_byte_by_byte_is_told_so(served, cut):
    data = request(body=picture(np.random.default_rng(0)))
    with served.connect() as connection:
        connection.sendall(data[:cut])
        status, body, took = _slowly(connection, data[cut:])
    assert status == 408
    assert "within 0.5 s" in told(body)["error"]
    assert took < 5


def test_many_connections_that_say_nothing_keep_nobody_out_for_long(served):
    idle = [served.connect() for _ in range(40)]
    time.sleep(0.1)
    status, body = served.send(request("GET", "/api/model"))
    assert status in (0, 429)  # as many again are told; what is beyond that is not heard
    until = time.monotonic() + 10
    while status != 200 and time.monotonic() < until:
        time.sleep(0.1)
        status, body = served.send(request("GET", "/api/model"))
    assert status == 200
    assert told(body)["name"] == "small"
    for one in idle:
        one.close()


def test_who_asks_and_reads_nothing_is_cut_off(served):
    data = request("GET", "/page.js").replace(b"connection: close\r\n", b"")
    with served.connect() as connection:
        connection.setblocking(False)
        sent, until = 0, time.monotonic() + 5
        while sent < 2000 and time.monotonic() < until:
            try:
                connection.sendall(data)
                sent += 1
            except BlockingIOError:  # both buffers are full
                break
        until = time.monotonic() + 10
        while served.server.server_state.connections and time.monotonic() < until:
            time.sleep(0.05)
        assert not served.server.server_state.connections
    assert served.send(request("GET", "/api/model"))[0] == 200


def test_more_requests_than_are_answered_at_once_are_told_to_come_again(served):
    data = request(body=picture(np.random.default_rng(0)))
    held = [served.connect() for _ in range(served.limits.at_once)]
    for one in held:
        one.sendall(data[:-20])  # each waits for the rest of its body
    time.sleep(0.2)
    assert served.send(data)[0] == 429
    for one in held:
        one.sendall(data[-20:])
        assert answer_of(one)[0] == 200
        one.close()
    assert served.send(data)[0] == 200


def test_requests_of_many_threads_have_the_answers_that_they_have_alone(served):
    draw = np.random.default_rng(3)
    bodies = [request(body=picture(draw)) for _ in range(12)]
    alone = [told(served.send(one)[1]) for one in bodies]
    found = {}

    def ask(k):
        status = 429
        while status == 429:
            status, body = served.send(bodies[k])
        found[k] = told(body)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(len(bodies))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [found[k] for k in range(len(bodies))] == alone
