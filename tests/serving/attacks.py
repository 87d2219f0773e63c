"""Requests that a server must refuse: each a kind, and what is written to a connection."""

import json
import struct
import zlib

import numpy as np

HOST = "127.0.0.1"
_PATHS = ("/", "/api/model", "/api/predict", "/page.js", "/page.css")
_HEAD = "content-type: {kind}\r\ncontent-length: {length}\r\n"


def request(method="POST", path="/api/predict", body=b"", kind="image/png", host=HOST, more="", length=None,
            version="HTTP/1.1"):
    """Return a request as bytes."""
    hosts = "" if host is None else f"host: {host}\r\n"
    about = _HEAD.format(kind=kind, length=len(body) if length is None else length) if method == "POST" else ""
    return f"{method} {path} {version}\r\n{hosts}{about}{more}connection: close\r\n\r\n".encode("latin-1") + body


def png(width, height, data=None, before=b"", depth=8):
    """Return a PNG of zeros, or one whose image data are others than its head tells."""
    rows = bytes(height * (1 + -(-width * depth // 8))) if data is None else data
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows, 9)),
             (b"IEND", b""))
    chunks = [struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
              for name, part in parts]
    return b"\x89PNG\r\n\x1a\n" + chunks[0] + before + chunks[1] + chunks[2]


def picture(draw, side=24):
    """Return the PNG of a random picture."""
    return png(side, side, b"".join(b"\0" + row.tobytes() for row in draw.integers(0, 256, (side, side), np.uint8)))


def _bombs():
    text = zlib.compress(bytes(80_000_000), 9)
    chunk = b"zTXt" + b"a\0\0" + text
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return [png(2000, 2000, depth=1), png(30_000, 30_000, bytes(1000), depth=1), png(2**31 - 1, 2**31 - 1, b""),
            png(8, 8, before=whole), png(900, 900, bytes(100)), png(0, 0, b"")]


BOMBS = _bombs()


def _truncated(draw):
    whole = request(body=picture(draw))
    return whole[: draw.integers(1, len(whole) - 30)]


def _noise(draw):
    return draw.integers(0, 256, draw.integers(1, 300), np.uint8).tobytes() + b"\r\n\r\n"


def _strange_host(draw):
    names = ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", None, "localhost@evil.example",
             "127.0.0.1:port", "[::1", "0x7f000001", "127.1", "localhost:80:80", "127.0.0.1, evil.example",
             "127.0.0.1\r\nhost: evil.example", "\xe9vil")
    return request("GET", str(draw.choice(_PATHS)), host=names[draw.integers(len(names))])


def _strange_method(draw):
    methods = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\x00T", "BREW")
    return request(str(draw.choice(methods)), str(draw.choice(_PATHS)))


def _strange_path(draw):
    paths = ("/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/page.js/../../limits.py", "/%00",
             "/api/predict/", "/api", "/page.css%00.html", "/..%5c..%5cwindows", "/" + "a" * 5000, "/~root", "*",
             "http://evil.example/", "/api/predict?maps=2", "/api/predict?maps=1&maps=x", "/api/predict?top=9999999")
    path = str(draw.choice(paths))
    return request("POST" if "?" in path else "GET", path, body=picture(draw))


def _strange_type(draw):
    kinds = ("", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "imagepng",
             "application/json, image/png", "application/xml")
    return request(body=picture(draw), kind=str(draw.choice(kinds)))


def _strange_json(draw):
    values = (float("nan"), float("inf"), -1, 2, 1e300, "1", None, True, {}, [[1]], [])
    rows = draw.random((8, 8)).round(3).tolist()
    rows[draw.integers(8)][draw.integers(8)] = values[draw.integers(len(values))]
    bodies = (json.dumps({"pixels": rows}).encode(), b"", b"{", b"null", b"[]", b'{"pixels": []}',
              b'{"pixels": [[]]}',
              b'{"pixels": ' + b"[" * 700 + b"]" * 700 + b"}", b'{"pixels": [[0]], "more": 1}', b"\xff\xfe{",
              json.dumps({"pixels": [[0.5] * 8] * 7}).encode(),
              json.dumps({"pixels": [[0.5] * 8] * 7 + [[1]]}).encode(),
              b'{"pixels": [[' + b"9" * 400 + b"]]}", b'{"pixels": [[1e999]]}', b" " * 9000,
              json.dumps({"pixels": [[[0.5, 0.5]] * 8] * 8}).encode())
    return request(body=bodies[draw.integers(len(bodies))], kind="application/json")


def _strange_picture(draw):
    whole = picture(draw)
    bodies = (b"", whole[: draw.integers(1, len(whole) - 40)], whole[:8] + draw.bytes(200),
              b"%!PS-Adobe-3.0 EPSF-3.0\n",
              b"GIF89a" + draw.bytes(30), b"RIFF\x10\0\0\0WEBPVP8 " + draw.bytes(20), b"BM" + draw.bytes(60),
              b"\xff\xd8\xff\xe0" + draw.bytes(100), b"<svg xmlns='http://www.w3.org/2000/svg'/>",
              b"II*\0" + draw.bytes(9),
              png(8, 8), png(24, 24, bytes([0, *[255] * 24] * 24)))  # the last two are blank: there is no ink
    return request(body=bodies[draw.integers(len(bodies))], kind="application/octet-stream")


def _bomb(draw):
    return request(body=BOMBS[draw.integers(len(BOMBS))])


def _strange_head(draw):
    body = picture(draw)
    heads = (f"x: {'a' * 70_000}\r\n", "x y: 1\r\n", "no colon\r\n", "x: a\x00b\r\n", "content-length: 7\r\n",
             "transfer-encoding: gzip\r\n", "content-encoding: gzip\r\n", " folded: 1\r\n", ": empty\r\n",
             *(f"x{k}: {'a' * 900}\r\n" * 90 for k in range(2)))
    lengths = (-1, "ten", "1e3", 10**15, "7, 8", "0x10")
    if draw.random() < 0.5:
        return request(body=body, more=heads[draw.integers(len(heads))])
    return request(body=body, length=lengths[draw.integers(len(lengths))])


def _chunked(draw):
    bodies = (b"zz\r\nabc\r\n", b"-5\r\nabc\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffff\r\nabc",
              b"10000\r\n" + bytes(65536) + b"\r\n" + b"10000\r\n" + bytes(65536)
              + b"\r\n0\r\n\r\n", b"0\r\n\r\n")
    head = request(more="transfer-encoding: chunked\r\n").replace(b"content-length: 0\r\n", b"")
    return head + bodies[draw.integers(len(bodies))]


def _of_another_page(draw):
    more = ("origin: http://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n",
            "origin: http://127.0.0.1.evil.example:8000\r\n")
    return request(body=picture(draw), more=more[draw.integers(len(more))])


def _other_protocol(draw):
    words = (b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n",
             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", b"GET  /  HTTP/1.1\r\n\r\n",
             b"POST /api/predict HTTP/1.0\r\n\r\n")
    return words[draw.integers(len(words))]


def _large(draw):
    body = bytes(300_000)
    return request(body=body, kind=str(draw.choice(("image/png", "application/json"))))


KINDS = (_truncated, _noise, _strange_host, _strange_method, _strange_path, _strange_type, _strange_json,
         _strange_picture, _bomb, _strange_head, _chunked, _of_another_page, _other_protocol, _large)


def attacks(count, seed=0):
    """Yield kinds and requests, in turn."""
    draw = np.random.default_rng(seed)
    for k in range(count):
        make = KINDS[k % len(KINDS)]
        yield make.__name__, make(draw)
