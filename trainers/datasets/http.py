"""Fetching a file: with progress, going on where it was broken off, checked at the end.

What a server answers is data from outside: a redirection leads to http and https alone, a length is
a length or is not known, and the name and password in an address appear in no message.
"""

from __future__ import annotations

import hashlib
import http.client
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from trainers.errors import DataError
from trainers.plain_text import clean_line
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from email.message import Message
    from pathlib import Path
    from typing import IO

_BLOCK = 1 << 16
_SECONDS = 20.0
_PARTIAL, _RANGE_REFUSED = 206, 416
_MOST_BYTES = 4 << 30
_MOST_REASON = 200
_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """The bytes received, and their total number; 0 where the server does not say it."""

    done: int
    total: int


def fetch_file(urls: Sequence[str], place: Path, md5: str) -> Generator[FetchProgress, None, None]:
    """Fetches a file from the first address that has it; yields after each block.

    What is there of an earlier attempt (`<place>.part`) is gone on with. Closing the generator
    keeps what came so far.

    Parameters
    ----------
    urls
        Where it is.
    place
        Where to.
    md5
        Its checksum.

    Raises
    ------
    DataError
        When no address can be reached or has it, or what came is not it.
    """
    with _report_disk_errors(place):
        if place.is_file() and _md5(place) == md5:
            return
    problems = []
    for url in urls:
        try:
            yield from _fetch_from(url, place, md5)
        except DataError as error:
            problems.append(str(error))
        else:
            return
    raise DataError(" ".join(problems))


def _fetch_from(url: str, place: Path, md5: str) -> Generator[FetchProgress, None, None]:
    part = place.with_name(f"{place.name}.part")
    had = part.stat().st_size if part.is_file() else 0
    with _report_network_errors(url):
        try:
            answer = _open_address(url, had)
        except HTTPError as error:
            if error.code != _RANGE_REFUSED or not had:
                raise
            answer = None
    if answer is None:  # What came before is no part of the file.
        part.unlink(missing_ok=True)
        yield from _fetch_from(url, place, md5)
        return
    with answer:
        yield from _save_answer(answer, url, part, had)
    with _report_disk_errors(place):
        if _md5(part) != md5:
            part.unlink()
            raise DataError(
                f"What came from {address_text(url)} fails its checksum, and was deleted. Try "
                "again."
            )
        part.replace(place)


def _save_answer(
    answer: http.client.HTTPResponse, url: str, part: Path, had: int
) -> Generator[FetchProgress, None, None]:
    goes_on = had > 0 and answer.status == _PARTIAL
    done = had if goes_on else 0
    length = _content_length(answer)
    total = done + length if length else 0
    with _report_disk_errors(part):
        file = part.open("ab" if goes_on else "wb")
    with file:
        while block := _read_block(answer, url):
            done += len(block)
            if max(done, total) > _MOST_BYTES:
                raise DataError(f"{address_text(url)} has more than {_MOST_BYTES:,} bytes.")
            with _report_disk_errors(part):
                file.write(block)
                file.flush()
            yield FetchProgress(done, total)
    if total and done < total:
        raise DataError(
            f"{_host(url)} broke off after {done:,} of {total:,} bytes. What came is kept: try "
            "again to go on from there."
        )


# -- addresses -------------------------------------------------------------------------------------


def address_text(url: str) -> str:
    """Returns an address for a message: without name, password and query, on one line."""
    scheme, between, rest = url.partition("://")
    shown = (rest if between else url).partition("?")[0].rpartition("@")[2]
    return _short(f"{scheme}{between}{shown}" if between else shown)


def _host(url: str) -> str:
    return address_text(url).partition("://")[2].partition("/")[0]


class _WebRedirects(HTTPRedirectHandler):
    """Follows redirections to addresses of http and https."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> Request | None:
        """Returns the request for the new address.

        Raises
        ------
        DataError
            When it is no address of http or https.
        """
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _open_address(url: str, start: int) -> http.client.HTTPResponse:
    """Opens an address; the content begins at byte `start` where the server can do that."""
    _check_scheme(url)
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    request = Request(urlunsplit(parts._replace(netloc=host)), headers={"User-Agent": "aeviewer"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    if at:
        # A server to which this one redirects does not get the password.
        token = b64encode(unquote(login).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    opener = build_opener(_WebRedirects)
    return cast("http.client.HTTPResponse", opener.open(request, timeout=_SECONDS))


def _check_scheme(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise DataError(f"{address_text(url)} is no address of http or https.")


def _content_length(answer: http.client.HTTPResponse) -> int:
    """Returns the length that the server states; 0 where it states none, or no number."""
    stated = (answer.headers.get("Content-Length") or "").strip()
    return int(stated) if stated.isascii() and stated.isdecimal() and len(stated) < 20 else 0


def _read_block(answer: http.client.HTTPResponse, url: str) -> bytes:
    with _report_network_errors(url):
        return answer.read(_BLOCK)


# -- errors ----------------------------------------------------------------------------------------


@contextmanager
def _report_network_errors(url: str) -> Iterator[None]:
    """Converts what urllib raises to one message.

    Raises
    ------
    DataError
        Naming the server and the reason.
    """
    try:
        yield
    except HTTPError as error:
        error.close()
        raise DataError(
            f"{_host(url)} does not have {address_text(url)} ({error.code} {_reason(error)})."
        ) from None
    except (ValueError, http.client.InvalidURL) as error:
        # The reason may quote a part of the address, and in it of the password.
        reason = "" if "@" in url else f" ({_reason(error)})"
        raise DataError(f"{address_text(url)} is no sound address{reason}.") from None
    except (http.client.HTTPException, OSError) as error:
        raise DataError(
            f"{_host(url)} cannot be reached ({_reason(error)}): is this computer connected to the "
            "network? What came so far is kept, and the next attempt goes on from there."
        ) from None


@contextmanager
def _report_disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{place} cannot be used ({error.strerror or error}). Free some space, or choose "
            "another folder by AEVIEWER_DATASETS."
        ) from error


def _reason(error: Exception) -> str:
    """Returns the reason of an error, without the parts of an address that are secret."""
    text = str(getattr(error, "reason", None) or error)
    return _short(text.rpartition("@")[2] if "@" in text else text)


def _short(text: object) -> str:
    line = clean_line(str(text))
    return line if len(line) <= _MOST_REASON else f"{line[:_MOST_REASON]}…"


def _md5(path: Path) -> str:
    with open_regular_file(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
