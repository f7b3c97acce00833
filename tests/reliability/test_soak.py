"""Five minutes of what `soak` does for an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.screen import IS_LACKING, LACKING
from tests.reliability.soak import soak

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Record = Callable[[str, object], None]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(IS_LACKING, reason=LACKING)
def test_five_minutes_of_random_use_leave_nothing_wrong(
    tmp_path: Path, record_property: Record
) -> None:
    told = soak(5.0, 7, tmp_path / "report.json")
    record_property("tried", told["acts"])
    assert told["found"] == []
    assert told["acts"] > 30
    assert len(told["acts by kind"]) > 15
