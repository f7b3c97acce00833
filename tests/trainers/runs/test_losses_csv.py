"""metrics.csv is read in blocks, within the bounds of the run, and damage costs its rows alone."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trainers import runs
from trainers.events import Losses
from trainers.presets import preset
from trainers.runs import losses_csv

if TYPE_CHECKING:
    from pathlib import Path

MILLION = 1_000_000
MEGABYTE = 1 << 20


def losses(count: int) -> Losses:
    values = np.random.default_rng(0).random((3, count)).astype(np.float32) * 100
    return Losses(np.arange(1, count + 1), *values)


def write(place: Path, rows: str) -> Path:
    place.write_bytes((losses_csv.HEADER + rows).encode())
    return place


def damage_every_second(rows: str) -> str:
    lines = rows.splitlines(keepends=True)
    lines[1::2] = [line.replace(",", ",x", 1) for line in lines[1::2]]
    return "".join(lines)


def damage_second_half(rows: str) -> str:
    half = len(rows) // 2
    return rows[:half] + "\n" + "1,1,1\n" * (half // 6)


@pytest.mark.parametrize("harm", ["none", "every second row", "the second half", "one long line"])
def test_a_million_rows_take_little_memory(tmp_path: Path, harm: str) -> None:
    rows = losses_csv.format_rows(losses(MILLION))
    match harm:
        case "every second row":
            rows = damage_every_second(rows)
        case "the second half":
            rows = damage_second_half(rows)
        case "one long line":
            rows = rows.replace("\n", " ") + "\n1,1,1,1\n2,1,1,1\n"
    place = write(tmp_path / "metrics.csv", rows)
    tracemalloc.start()
    try:
        found = losses_csv.read(place, MILLION)
        assert tracemalloc.get_traced_memory()[1] < 200 * MEGABYTE
    finally:
        tracemalloc.stop()
    least = {"none": MILLION, "one long line": 2}.get(harm, 0)
    assert len(found.step) >= least
    assert (np.diff(found.step) > 0).all()


def test_the_steps_of_the_run_bound_what_is_read(tmp_path: Path) -> None:
    place = write(tmp_path / "metrics.csv", losses_csv.format_rows(losses(1_000)))
    assert losses_csv.read(place, 300).step[-1] == 300
    with place.open("ab") as file:
        file.truncate(1 << 40)  # a terabyte of zeros without a block on the disk
    assert losses_csv.read(place, 1_000).step[-1] == 1_000


def test_many_short_rows_are_no_losses_and_are_not_kept(tmp_path: Path) -> None:
    run = runs.create_run(preset("elu").replace(steps=100), tmp_path, "mine")
    write(run.path / "metrics.csv", "1,1,1,1\n" * MILLION)
    tracemalloc.start()
    try:
        assert len(run.metrics().step) == 0
        assert tracemalloc.get_traced_memory()[1] < 20 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_losses_are_read_without_a_config(tmp_path: Path) -> None:
    run = runs.create_run(preset("elu"), tmp_path, "mine")
    run.append_metrics(losses(10))
    (run.path / "config.json").write_text("{")
    assert runs.Run(run.path).metrics().step.tolist() == list(range(1, 11))


@pytest.mark.parametrize("block", [1, 7, 40, 64, 1 << 18])
@pytest.mark.parametrize(
    ("rows", "steps"),
    [
        ("1,1,1,1\n2,1,1,1\n3,1,1,1\n", [1, 2, 3]),
        ("7,1,1,1\n", [7]),
        ("1,1,1,1\n2,1,1,1\n9,1,1,1\n3,1,1,1\n4,1,1,1\n", [1, 2, 3, 4]),
        ("1,1,1,1\n2,1,1,1\n2,1,1,1\n3,1,1,1\n", [1, 2, 3]),
        ("1,1,1,1\r\n2,1e-05,1e+06,-1.5\r\n", [1, 2]),
        ("1,1,1,1\nx\n2,1,1,1\n\n3,1,1,1\n4,1,1", [1, 2, 3]),
        ("1,1,1,1\n2,1e39,1,1\n3,1e999,1,1\n4,1,1,1\n5,1,1,1\n", [4, 5]),
        ("1,1,1,1\n2,1,1,1\n" + "9" * 5_000 + ",1,1,1\n3,1,1,1\n4,1,1,1\n", [1, 2, 3, 4]),
        ("[1],[1,1],1,1\n" + '{"a":1},1,1,1\n' + "[[[[1,1,1,1\n1,1,1,1\n2,1,1,1\n", [1, 2]),
        ("1,1,1,1\n" + "x" * 500 + " " * 450 + "2,1,1,1\n3,1,1,1\n4,1,1,1\n", [3, 4]),
        ("1,1,1,1\n" + "," * 500 + "\n2,1,1,1\n", [1, 2]),
    ],
)
def test_every_sound_row_is_read_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, steps: list[int], block: int
) -> None:
    monkeypatch.setattr(losses_csv, "_BLOCK", block)
    place = write(tmp_path / "metrics.csv", rows)
    assert losses_csv.read(place).step.tolist() == steps
    tail = losses_csv.Tail(place)
    assert tail.read().step.tolist() == steps
    with place.open("a") as file:
        file.write("\n" if rows[-1] != "\n" else "")
        file.write("20,1,1,1\n21,1,1,1\n22,1")
    assert tail.read().step.tolist()[-2:] == [20, 21]
    with place.open("a") as file:
        file.write(",1,1\n")
    assert tail.read().step.tolist() == [22]


def test_numbers_are_those_that_were_written(tmp_path: Path) -> None:
    expected = losses(5_000)
    found = losses_csv.read(write(tmp_path / "m.csv", losses_csv.format_rows(expected)))
    for name in ("total", "reconstruction", "kl"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5)
    assert found.total.dtype == np.float32 and found.step.dtype == np.int64


def test_a_message_names_the_first_spans_alone() -> None:
    gaps = losses(1).step * 0 + np.arange(3, 3_000, 3)
    columns = np.zeros((3, len(gaps)), np.float32)
    named = losses_csv.missing_steps(Losses(gaps, *columns), 3_000)
    assert named.startswith("1-2, 4-5, ") and named.endswith(", and 980 more spans")
