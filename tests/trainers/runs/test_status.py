"""Run states: what each one allows, and what status.json stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.errors import RunError
from trainers.presets import preset
from trainers.runs import RunState, Status

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = preset("vae").replace(latent_dim=2)
STORED = {
    RunState.NEW,
    RunState.RUNNING,
    RunState.STOPPED,
    RunState.FINISHED,
    RunState.DIVERGED,
    RunState.FAILED,
    RunState.INTERRUPTED,
}


def states(predicate: str) -> set[RunState]:
    """Returns the states for which a predicate is true."""
    return {state for state in RunState if getattr(state, predicate)}


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("is_stored", STORED),
        ("is_in_training", {RunState.RUNNING, RunState.PAUSED}),
        ("is_active", {RunState.QUEUED, RunState.RUNNING, RunState.PAUSED}),
        ("is_final", {RunState.FINISHED, RunState.DIVERGED}),
        (
            "can_continue",
            {RunState.NEW, RunState.STOPPED, RunState.INTERRUPTED, RunState.FAILED},
        ),
        ("has_curves", set(RunState) - {RunState.NEW, RunState.QUEUED, RunState.DAMAGED}),
        ("is_problem", {RunState.DIVERGED, RunState.FAILED, RunState.DAMAGED}),
    ],
)
def test_the_states_of_each_predicate(predicate: str, expected: set[RunState]) -> None:
    assert states(predicate) == expected


@pytest.mark.parametrize("state", sorted(STORED))
def test_status_json_stores_the_value_of_the_state(tmp_path: Path, state: RunState) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    run.write_status(Status(state=state))
    assert f'"state": "{state.value}"' in (run.path / "status.json").read_text()
    assert run.written_status().state is state


@pytest.mark.parametrize("state", [*sorted({*RunState} - STORED), "flying"])
def test_a_state_that_no_file_stores_is_refused(tmp_path: Path, state: str) -> None:
    run = runs.create_run(CONFIG, tmp_path)
    (run.path / "status.json").write_text(f'{{"state": "{state}"}}')
    with pytest.raises(RunError, match=r"status\.json is damaged"):
        run.written_status()
