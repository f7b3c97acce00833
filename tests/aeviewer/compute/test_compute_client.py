from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.compute_thread import ComputeThread, Reply
from aeviewer.services.compute.event_queue import EventQueue
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def compute(qapp: object) -> Iterator[ComputeThread]:
    thread = ComputeThread(EventQueue())
    thread.start()
    yield thread
    thread.close()


class Heard:
    """Keeps what is answered."""

    def __init__(self) -> None:
        self.answers: list[Reply] = []

    def __call__(self, answer: Reply) -> None:
        self.answers.append(answer)

    @property
    def is_over(self) -> bool:
        return bool(self.answers) and self.answers[-1].is_last

    @property
    def results(self) -> list[object]:
        return [answer.result for answer in self.answers if answer.result is not None]


def test_an_answer_comes_back(compute: ComputeThread, qtbot: QtBot) -> None:
    heard = Heard()
    asker = ComputeClient(compute, "test")
    asker.submit("sum", lambda _models: 1 + 1, heard)
    qtbot.waitUntil(lambda: heard.is_over)
    assert heard.results == [2]


def test_long_work_is_answered_part_by_part_while_others_are_served(
    compute: ComputeThread, qtbot: QtBot
) -> None:
    served, parts, other = Event(), Heard(), Heard()
    asker = ComputeClient(compute, "test")

    def counting() -> Iterator[int | None]:
        yield 1
        # It goes on only when somebody else was served between two of its parts.
        while not served.is_set():
            yield None
        yield 2

    asker.submit("count", lambda _models: counting(), parts)
    qtbot.waitUntil(lambda: parts.results == [1])
    asker.submit("other", lambda _models: served.set(), other)
    qtbot.waitUntil(lambda: parts.is_over)
    assert parts.results == [1, 2]
    assert other.is_over


def test_a_newer_question_ends_long_work(compute: ComputeThread, qtbot: QtBot) -> None:
    endless, newer, ended = Heard(), Heard(), Event()
    asker = ComputeClient(compute, "test")

    def counting() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    asker.submit("count", lambda _models: counting(), endless)
    qtbot.waitUntil(lambda: bool(endless.results))
    asker.submit("count", lambda _models: "new", newer)
    qtbot.waitUntil(lambda: newer.is_over)
    told = len(endless.answers)
    assert ended.wait(5)
    qtbot.wait(1)
    assert len(endless.answers) == told
    assert newer.results == ["new"]


def test_what_is_dropped_is_never_heard(compute: ComputeThread, qtbot: QtBot) -> None:
    begun, dropped, later = Event(), Heard(), Heard()
    asker = ComputeClient(compute, "test")
    asker.submit("slow", lambda _models: begun.wait(5), dropped)
    asker.cancel("slow")
    begun.set()
    asker.submit("later", lambda _models: 1, later)
    qtbot.waitUntil(lambda: later.is_over)
    assert not dropped.answers


def test_a_failure_in_the_middle_is_one_message(compute: ComputeThread, qtbot: QtBot) -> None:
    heard = Heard()
    asker = ComputeClient(compute, "test")

    def failing() -> Iterator[int]:
        yield 1
        raise DataError("Image 3 is damaged; choose another.")

    asker.submit("fail", lambda _models: failing(), heard)
    qtbot.waitUntil(lambda: heard.is_over)
    assert heard.results == [1]
    assert heard.answers[-1].problem == "Image 3 is damaged; choose another."
