from __future__ import annotations

from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject

from aeviewer.services.compute.compute_client import ComputeClient
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from aeviewer.services.compute.compute_thread import ComputeThread


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
def client(compute: ComputeThread, problems: list[str]) -> ComputeClient:
    return ComputeClient(compute, "test", problems.append)


class Results:
    """Submits work and keeps what comes back of it."""

    def __init__(self, client: ComputeClient, channel: str, work: Callable[[object], object]):
        self.values: list[object] = []
        self.is_over = False
        client.submit(channel, work, self.values.append, on_end=self._end)

    def _end(self) -> None:
        self.is_over = True


def test_a_result_comes_back_to_the_thread_of_the_client(
    client: ComputeClient, qtbot: QtBot
) -> None:
    threads = []
    client.submit("thread", lambda _models: current_thread(), threads.append)
    client.submit("other", lambda _models: 1, lambda _result: threads.append(current_thread()))
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0] is not main_thread()
    assert threads[1] is main_thread()


def test_long_work_returns_its_parts_while_other_requests_are_served(
    client: ComputeClient, qtbot: QtBot
) -> None:
    served = Event()

    def count() -> Iterator[int | None]:
        yield 1
        # This continues only when another request was served between two of its parts.
        while not served.is_set():
            yield None
        yield 2

    parts = Results(client, "count", lambda _models: count())
    qtbot.waitUntil(lambda: parts.values == [1])
    other = Results(client, "other", lambda _models: served.set())
    qtbot.waitUntil(lambda: parts.is_over)
    assert parts.values == [1, 2]
    assert other.is_over
    assert other.values == []


def test_a_newer_request_ends_long_work(client: ComputeClient, qtbot: QtBot) -> None:
    ended = Event()

    def count() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    endless = Results(client, "count", lambda _models: count())
    qtbot.waitUntil(lambda: bool(endless.values))
    newer = Results(client, "count", lambda _models: "new")
    qtbot.waitUntil(lambda: newer.is_over)
    count_before = len(endless.values)
    assert ended.wait(5)
    after = Results(client, "after", lambda _models: 1)
    qtbot.waitUntil(lambda: after.is_over)
    assert len(endless.values) == count_before
    assert not endless.is_over
    assert newer.values == ["new"]


def test_cancelled_work_calls_nothing_back(client: ComputeClient, qtbot: QtBot) -> None:
    begun = Event()
    cancelled = Results(client, "slow", lambda _models: begun.wait(5))
    client.cancel("slow")
    begun.set()
    later = Results(client, "later", lambda _models: 1)
    qtbot.waitUntil(lambda: later.is_over)
    assert not cancelled.values
    assert not cancelled.is_over


def test_a_failure_in_the_middle_is_one_message(
    client: ComputeClient, problems: list[str], qtbot: QtBot
) -> None:
    def fail() -> Iterator[int]:
        yield 1
        raise DataError("Image 3 is damaged; choose another.")

    results = Results(client, "fail", lambda _models: fail())
    qtbot.waitUntil(lambda: results.is_over)
    assert results.values == [1]
    assert problems == ["Image 3 is damaged; choose another."]


def test_a_request_may_have_its_own_receiver_of_problems(
    client: ComputeClient, problems: list[str], qtbot: QtBot
) -> None:
    own: list[str] = []
    client.submit("divide", lambda _models: 1 // 0, own.append, on_problem=own.append)
    qtbot.waitUntil(lambda: bool(own))
    assert own[0].startswith("ZeroDivisionError")
    assert problems == []


def test_a_reply_reaches_its_client_alone(
    compute: ComputeThread, client: ComputeClient, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[object] = []
    monkeypatch.setattr(ComputeClient, "receive", lambda self, _reply: received.append(self))
    others = [ComputeClient(compute, f"other {n}", lambda _problem: None) for n in range(20)]
    client.submit("sum", lambda _models: 2, lambda _result: None)
    qtbot.waitUntil(lambda: bool(received))
    assert received == [client]
    assert len(others) == 20


def test_a_deleted_client_receives_nothing(compute: ComputeThread, qtbot: QtBot) -> None:
    parent, begun, received = QObject(), Event(), []
    client = ComputeClient(compute, "deleted", received.append, parent)
    client.submit("slow", lambda _models: begun.wait(5), received.append)
    with qtbot.waitSignal(parent.destroyed):
        parent.deleteLater()
    begun.set()
    other = ComputeClient(compute, "after", received.append)
    after = Results(other, "after", lambda _models: 1)
    qtbot.waitUntil(lambda: after.is_over)
    assert received == []
