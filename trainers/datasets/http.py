"""Fetching a file: with progress, going on where it was broken off, checked at the end."""

from __future__ import annotations

import hashlib
import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from trainers.errors import DataError
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

_BLOCK = 1 << 16
_SECONDS = 20.0
_PARTIAL, _RANGE_REFUSED = 206, 416
_MOST_BYTES = 4 << 30


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
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise DataError(f"{url} is no address of http or https.")
    had = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "aeviewer", **({"Range": f"bytes={had}-"} if had else {})}
    try:
        with cast(
            "http.client.HTTPResponse",
            urlopen(Request(url, headers=headers), timeout=_SECONDS),  # http and https alone
        ) as answer:
            goes_on = had > 0 and answer.status == _PARTIAL
            done = had if goes_on else 0
            total = done + int(answer.headers.get("Content-Length") or 0)
            with part.open("ab" if goes_on else "wb") as file:
                while block := answer.read(_BLOCK):
                    file.write(block)
                    done += len(block)
                    if done > _MOST_BYTES:
                        raise DataError(f"{url} has more than {_MOST_BYTES:,} bytes.")
                    yield FetchProgress(done, total)
    except HTTPError as error:
        if error.code == _RANGE_REFUSED and had:
            part.unlink()
            yield from _fetch_from(url, place, md5)
            return
        raise DataError(f"{parts.netloc} does not have {url} ({error.code} {error.reason}).") from (
            error
        )
    except (URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{parts.netloc} cannot be reached ({reason}): is this computer connected to the "
            "network? What came so far is kept, and the next attempt goes on from there."
        ) from error
    if total and done < total:
        raise DataError(
            f"{parts.netloc} broke off after {done:,} of {total:,} bytes. What came is kept: try "
            "again to go on from there."
        )
    if _md5(part) != md5:
        part.unlink()
        raise DataError(f"What came from {url} fails its checksum, and was deleted. Try again.")
    part.replace(place)


def _md5(path: Path) -> str:
    with open_regular_file(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
