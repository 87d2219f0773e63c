"""The real download code against a server on this machine: mirrors, checksums, the cache, and no answer at all."""

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fastcnn.datasets import _fetch, cifar10, fashion_mnist, mnist
from fastcnn.errors import DataError
from tests.datasets.files import NAMES, digits_like, idx, write_idx_folder
from tests.datasets.test_records import archive, published


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve the bytes in ``server.files`` by path, note the requests, and keep downloads in ``server.cache``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web.requests.append(self.path)
            content = web.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.files, web.requests, web.cache = {}, [], tmp_path / "cache"
    web.url = f"http://127.0.0.1:{web.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_fetch, "user_cache", lambda: web.cache / "fastcnn")
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    yield web
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture
def mirrored_mnist(server, monkeypatch):
    """Put four small files on the mirror /good, and let MNIST know /bad first and then /good."""
    train, test = digits_like(), digits_like(9)
    sums = {}
    for name, array in zip(NAMES, (*train, *test)):
        content = gzip.compress(idx(array))
        server.files[f"/good/{name}.gz"] = content
        sums[f"{name}.gz"] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(mnist, "_MIRRORS", (f"{server.url}/bad/", f"{server.url}/good/"))
    monkeypatch.setattr(mnist, "_SHA256", sums)
    return train


@pytest.mark.parametrize("bad", [None, b"an error page", b""], ids=["missing", "wrong checksum", "empty"])
def test_the_second_mirror_is_asked_when_the_first_fails(server, mirrored_mnist, bad):
    if bad is not None:
        server.files |= {f"/bad/{name}.gz": bad for name in NAMES}
    (x_train, y_train), _ = mnist.load_data()
    np.testing.assert_array_equal(x_train, mirrored_mnist[0])
    np.testing.assert_array_equal(y_train, mirrored_mnist[1])
    assert len(server.requests) == 8
    # Nothing but the four whole files is left behind.
    files = sorted(path.name for path in server.cache.rglob("*") if path.is_file())
    assert files == sorted(f"{name}.gz" for name in NAMES)


def test_a_second_load_asks_nobody_and_a_damaged_cache_is_mended(server, mirrored_mnist):
    mnist.load_data()
    server.requests.clear()
    mnist.load_data()
    assert server.requests == []
    damaged = server.cache / "fastcnn" / "mnist" / f"{NAMES[1]}.gz"
    damaged.write_bytes(b"damaged")
    mnist.load_data()
    assert [path.rsplit("/", 1)[1] for path in server.requests] == [damaged.name] * 2


def test_a_folder_in_the_environment_without_the_data_set_falls_through_to_the_download(
    server, mirrored_mnist, tmp_path, monkeypatch
):
    write_idx_folder(tmp_path / "others" / "fashion-mnist")
    monkeypatch.setenv("FASTCNN_DATA", str(tmp_path / "others"))
    assert len(mnist.load_data()[0][0]) == 20
    assert server.requests


def test_no_download_happens_when_a_folder_was_given(server, mirrored_mnist, tmp_path):
    with pytest.raises(DataError, match="leave data_dir out to download"):
        mnist.load_data(data_dir=tmp_path)
    assert server.requests == []


def test_without_an_answer_the_error_names_every_url_and_the_way_out(server, monkeypatch):
    server.files["/b/train-images-idx3-ubyte.gz"] = b"not the file"
    mirrors = (f"{server.url}/a/", f"{server.url}/b/", "http://127.0.0.1:9/")  # port 9 is closed
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", mirrors)
    with pytest.raises(DataError) as caught:
        fashion_mnist.load_data()
    message = str(caught.value)
    for mirror in mirrors:
        assert f"{mirror}train-images-idx3-ubyte.gz" in message
    assert "FASTCNN_DATA" in message
    assert "\n" not in message
    assert not [path for path in server.cache.rglob("*") if path.is_file()]


def test_a_cache_that_cannot_be_written_is_a_data_error(server, mirrored_mnist, tmp_path):
    server.cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"expected to download train-images-idx3-ubyte\.gz"):
        mnist.load_data()


def test_cifar10_is_downloaded_as_one_archive_and_read_from_it(server, monkeypatch):
    content = archive(published())
    server.files["/cifar.tar.gz"] = content
    monkeypatch.setattr(cifar10, "_URLS", (f"{server.url}/cifar.tar.gz",))
    monkeypatch.setattr(cifar10, "_SHA256", hashlib.sha256(content).hexdigest())
    (x_train, _), (x_test, _) = cifar10.load_data()
    assert (len(x_train), len(x_test)) == (35, 7)
    assert [path.name for path in (server.cache / "fastcnn" / "cifar10").iterdir()] == ["cifar-10-binary.tar.gz"]


def test_without_a_home_it_says_where_the_files_may_lie(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user that no list knows
    monkeypatch.delenv("FASTCNN_DATA", raising=False)
    with pytest.raises(DataError, match=r"no home folder is known, set HOME; or .* FASTCNN_DATA or data_dir"):
        mnist.load_data()
