"""Every reader answers whatever it is given, or says in the project's own words why not."""

from __future__ import annotations

import tracemalloc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.malformed import files
from tests.fuzzing.readers import READERS

if TYPE_CHECKING:
    from tests.fuzzing.readers.reader import Reader

_EXAMPLES = 30
_MOST_BYTES = 100_000_000
_CORPUS = Path(__file__).parent / "corpus"


@pytest.fixture(params=READERS.values(), ids=lambda reader: reader.name)
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.param
    return found


def test_it_takes_what_is_valid(reader: Reader, tmp_path: Path) -> None:
    reader.begin(tmp_path)
    assert all(reader.try_(content, tmp_path) for content in reader.seeds())


def _try(reader: Reader, content: bytes, folder: Path) -> None:
    """Has it read, in little memory."""
    tracemalloc.start()
    try:
        reader.try_(content, folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _MOST_BYTES, f"{peak:,} bytes for a file of {len(content):,}"


@cache
def _is_loaded(reader: Reader, folder: Path) -> bool:
    """Whether a valid file is read, which loads what reading it needs; asked once."""
    return reader.try_(reader.seeds()[0], folder)


@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_it_is_given_it_answers_or_says_why_not(
    reader: Reader, tmp_path: Path, data: st.DataObject
) -> None:
    reader.begin(tmp_path)
    content = data.draw(files(reader))
    _is_loaded(reader, tmp_path)
    _try(reader, content, tmp_path)


def test_what_was_found_by_fuzzing_is_kept_from_coming_back(reader: Reader, tmp_path: Path) -> None:
    reader.begin(tmp_path)
    _is_loaded(reader, tmp_path)
    for found in sorted((_CORPUS / reader.name).glob("*")):
        _try(reader, found.read_bytes(), tmp_path)
