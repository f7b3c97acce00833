from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import traceback
from base64 import b64encode
from contextlib import ExitStack, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from aeviewer.__main__ import main
from trainers.datasets import http
from trainers.datasets.http import fetch_file
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONTENT = bytes(range(256)) * 2_000
_MD5 = hashlib.md5(_CONTENT, usedforsecurity=False).hexdigest()


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, from the middle on where that is asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        type(self).asked.append(wanted)
        if not wanted:
            super().do_GET()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(_CONTENT):
            self.send_error(416)
            return
        self.send_response(206)
        self.send_header("Content-Length", str(len(_CONTENT) - start))
        self.end_headers()
        self.wfile.write(_CONTENT[start:])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has the file."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file.gz").write_bytes(_CONTENT)
    _Handler.asked = []
    handler = partial(_Handler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def test_a_file_comes_with_progress(tmp_path: Path, server: str) -> None:
    place = tmp_path / "file.gz"
    told = list(fetch_file([f"{server}/file.gz"], place, _MD5))
    assert place.read_bytes() == _CONTENT
    assert (told[-1].done, told[-1].total) == (len(_CONTENT), len(_CONTENT))
    assert len(told) > 3
    # What is there is not fetched again.
    assert list(fetch_file([f"{server}/file.gz"], place, _MD5)) == []


def test_a_download_that_was_cancelled_goes_on_where_it_was(tmp_path: Path, server: str) -> None:
    place = tmp_path / "file.gz"
    work = fetch_file([f"{server}/file.gz"], place, _MD5)
    came = next(work).done
    work.close()
    assert not place.exists()
    assert (tmp_path / "file.gz.part").stat().st_size == came
    first = next(fetch_file([f"{server}/file.gz"], place, _MD5))
    assert first.done > came
    list(fetch_file([f"{server}/file.gz"], place, _MD5))
    assert _Handler.asked[1] == f"bytes={came}-"
    assert place.read_bytes() == _CONTENT


def test_the_next_address_is_asked_where_one_lacks_the_file(tmp_path: Path, server: str) -> None:
    place = tmp_path / "file.gz"
    list(fetch_file([f"{server}/none.gz", f"{server}/file.gz"], place, _MD5))
    assert place.read_bytes() == _CONTENT


def test_another_file_is_refused_and_deleted(tmp_path: Path, server: str) -> None:
    with pytest.raises(DataError, match="fails its checksum"):
        list(fetch_file([f"{server}/file.gz"], tmp_path / "file.gz", "0" * 32))
    assert [path.name for path in tmp_path.glob("file*")] == []


def test_offline_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_SECONDS", 0.5)
    with pytest.raises(DataError, match=r"cannot be reached .* connected to the network"):
        list(fetch_file(["http://127.0.0.1:9/file.gz"], tmp_path / "file.gz", _MD5))


def test_only_the_web_is_asked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no address of http or https"):
        list(fetch_file([f"file://{tmp_path}/x"], tmp_path / "file.gz", _MD5))


def test_what_can_not_be_downloaded_is_told() -> None:
    result = CliRunner().invoke(main, ["download", "imagenet"])
    assert result.exit_code == 2
    assert "fashion-mnist" in result.output


_UNPAIRED = """
import torch

@torch.library.register_fake("torchvision::nms")
def nms(dets, scores, threshold):
    return scores

from torchvision import datasets
"""


def test_a_torchvision_that_was_made_for_another_torch_still_knows_its_data_sets(
    tmp_path: Path,
) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(_UNPAIRED, encoding="utf-8")
    (package / "datasets.py").write_text("class KMNIST:\n    mirrors = ['here']\n")
    script = "from trainers.datasets import catalogue, download\n"
    script += "print(download.find_torchvision_class(catalogue.find_entry('kmnist')).mirrors)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['here']\n", done.stderr


# -- servers that answer anything ------------------------------------------------------------------

_SECRET = "name:pass%2Fword@"


@pytest.fixture
def odd_server() -> Iterator[Callable[..., str]]:
    """Returns a function that serves one answer, with its bytes as they are, at an address."""
    with ExitStack() as stack:

        def serve(*answers: bytes) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            _Requests.seen = []

            def answer_all() -> None:
                with suppress(OSError):  # The listener is shut down at the end of the test.
                    for answer in answers:
                        connection, _ = listener.accept()
                        with connection:
                            _Requests.seen.append(connection.recv(1 << 16))
                            connection.sendall(answer)

            thread = Thread(target=answer_all, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return f"127.0.0.1:{listener.getsockname()[1]}"

        yield serve


class _Requests:
    seen: list[bytes]


def _answer(head: str, content: bytes = _CONTENT) -> bytes:
    return f"HTTP/1.0 {head}\r\n\r\n".encode("latin-1") + content


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", "9" * 5_000, "", "٣"])
def test_a_length_that_is_none_is_not_known(
    tmp_path: Path, odd_server: Callable[..., str], length: str
) -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n"
    host = odd_server(head + _CONTENT)
    told = list(fetch_file([f"http://{host}/x"], tmp_path / "x", _MD5))
    assert told[-1].total == 0
    assert (tmp_path / "x").read_bytes() == _CONTENT


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://[::1",
        "http://a:b/",
        "http://" + "a" * 70 + ".b/",
        "http:///x",
        "//x y\x01",
        "\x1b]0;x\x07",
    ],
)
def test_a_redirection_to_anything_else_is_one_message(
    tmp_path: Path, odd_server: Callable[..., str], place: str
) -> None:
    host = odd_server(_answer(f"302 Found\r\nLocation: {place}"), _answer("404 No"))
    with pytest.raises(DataError) as caught:
        list(fetch_file([f"http://{host}/x"], tmp_path / "x", _MD5))
    assert "\x1b" not in str(caught.value)
    if "file" in place:
        assert "file:///etc/passwd' is not allowed" in str(caught.value)
    if "ftp" in place:
        assert "ftp://127.0.0.1/x is no address of http or https." in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://a:b/x",
        "http://a b/x",
        "http://" + "a" * 70 + ".b/x",
        "http://\udcff/x",
        "http:///x",
        "",
        "x",
        "gopher://a/x",
        "http://a\n/x",
    ],
)
def test_an_odd_address_is_one_message(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError) as caught:
        list(fetch_file([url], tmp_path / "x", _MD5))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{_SECRET}127.0.0.1:9/x",
        f"http://{_SECRET}[::1/x",
        f"ftp://{_SECRET}127.0.0.1/x",
        f"{_SECRET}127.0.0.1/x",
        "http://name:pass/word@127.0.0.1:9/x",
        f"http://{_SECRET}127.0.0.1:port/x",
        f"http://{_SECRET}a b/x?token=word",
    ],
)
def test_name_and_password_of_a_mirror_are_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(http, "_SECONDS", 0.5)
    with pytest.raises(DataError) as caught:
        list(fetch_file([url], tmp_path / "x", _MD5))
    shown = "".join(traceback.format_exception(caught.value))
    assert not [word for word in ("name:", "pass", "word") if word in str(caught.value)], shown


def test_name_and_password_go_to_the_mirror_and_nowhere_else(
    tmp_path: Path, odd_server: Callable[..., str]
) -> None:
    host = odd_server(_answer("302 Found\r\nLocation: /y"), _answer("200 OK"))
    list(fetch_file([f"http://{_SECRET}{host}/x"], tmp_path / "x", _MD5))
    first, second = _Requests.seen
    assert b"Authorization: Basic " + b64encode(b"name:pass/word") in first
    assert b"Authorization" not in second
    assert b"@" not in first


def test_a_disk_that_cannot_be_written_is_not_the_network(
    tmp_path: Path, odd_server: Callable[..., str]
) -> None:
    (tmp_path / "x.part").mkdir()
    host = odd_server(_answer("200 OK"))
    with pytest.raises(DataError, match=r"x\.part cannot be used \(Is a directory\)"):
        list(fetch_file([f"http://{host}/x"], tmp_path / "x", _MD5))


@pytest.mark.parametrize("line", ["200 OK\r\n" + "A: b\r\n" * 200, "abc", "200 " + "O" * 70_000])
def test_an_answer_that_is_no_http_is_one_message(
    tmp_path: Path, odd_server: Callable[..., str], line: str
) -> None:
    host = odd_server(_answer(line))
    with pytest.raises(DataError) as caught:
        list(fetch_file([f"http://{host}/x"], tmp_path / "x", _MD5))
    assert len(str(caught.value)) < 600
