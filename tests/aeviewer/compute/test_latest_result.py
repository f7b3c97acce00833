from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from aeviewer.services.compute.latest_result import LatestResult
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.compute.compute_thread import ComputeThread


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
def latest(compute: ComputeThread, problems: list[str]) -> LatestResult:
    return LatestResult(compute, "test", problems.append)


def wait(qtbot: QtBot, latest: LatestResult, value: object) -> None:
    qtbot.waitUntil(lambda: latest.value == value and not latest.is_computing)


def test_a_result_is_stale_while_another_question_is_answered(
    latest: LatestResult, qtbot: QtBot
) -> None:
    latest.ask("first", lambda _models: 1)
    assert latest.is_computing
    assert not latest.is_stale
    wait(qtbot, latest, 1)
    go_on = Event()
    latest.ask("second", lambda _models: 2 if go_on.wait(60) else None)
    assert (latest.value, latest.is_stale, latest.is_computing) == (1, True, True)
    go_on.set()
    wait(qtbot, latest, 2)
    assert not latest.is_stale


def test_a_failure_drops_the_result_of_the_question_before(
    latest: LatestResult, problems: list[str], qtbot: QtBot
) -> None:
    def fail(_models: object) -> None:
        raise DataError("It cannot be computed.")

    latest.ask("first", lambda _models: 1)
    wait(qtbot, latest, 1)
    latest.ask("second", fail)
    qtbot.waitUntil(lambda: bool(problems))
    assert problems == ["It cannot be computed."]
    assert latest.value is None
    assert not latest.is_computing


def test_progress_is_no_result(latest: LatestResult, qtbot: QtBot) -> None:
    go_on = Event()

    def work(_models: object) -> Iterator[object]:
        yield 0.25
        while not go_on.is_set():
            yield None
        yield "found"

    latest.ask("search", work)
    qtbot.waitUntil(lambda: latest.progress == 0.25)
    assert latest.value is None
    go_on.set()
    wait(qtbot, latest, "found")
    assert latest.progress is None


def test_work_for_the_same_question_is_finished_before_it_starts_again(
    latest: LatestResult, qtbot: QtBot
) -> None:
    go_on, values = Event(), []
    latest.changed.connect(lambda: values.append(latest.value))
    latest.ask("live", lambda _models: go_on.wait(60) and "older")
    for answer in ("skipped", "newest"):
        latest.ask("live", lambda _models, answer=answer: answer, finishes_first=True)
    go_on.set()
    wait(qtbot, latest, "newest")
    assert values == ["older", "newest"]


def test_clear_drops_the_value_and_the_work(latest: LatestResult, qtbot: QtBot) -> None:
    latest.ask("first", lambda _models: 1)
    wait(qtbot, latest, 1)
    go_on = Event()
    latest.ask("second", lambda _models: 2 if go_on.wait(60) else None)
    latest.clear()
    assert (latest.value, latest.is_computing, latest.is_stale) == (None, False, False)
    go_on.set()
    latest.ask("third", lambda _models: 3)
    wait(qtbot, latest, 3)
