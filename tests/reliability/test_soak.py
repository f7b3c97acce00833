"""Five minutes of the soak test, which otherwise takes an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.screen import IS_LACKING, LACKING
from tests.reliability.soak import run_in_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Record = Callable[[str, object], None]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(IS_LACKING, reason=LACKING)
def test_five_minutes_of_random_use_find_no_problem(
    tmp_path: Path, record_property: Record
) -> None:
    results = run_in_process(5.0, 7, tmp_path / "report.json")
    record_property("tried", results["acts"])
    assert results["found"] == []
    assert results["acts"] > 30
    assert len(results["acts by kind"]) > 15
