from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process's memory")
def test_two_hundred_thousand_images_take_a_fraction_of_their_size(tmp_path: Path) -> None:
    from tests.benchmarks.big_data import measure

    importing, training = measure(tmp_path, 200_000, 64, 50)
    # 819 MB as bytes, 3,277 MB as the numbers that torch learns from.
    assert importing < 200
    assert training < 550
