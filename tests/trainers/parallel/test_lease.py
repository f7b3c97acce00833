"""Leases: how a worker learns that it must stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from trainers.errors import RunError
from trainers.parallel.lease import Lease, LeaseMonitor

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lease_lasts_until_it_is_ended(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert not LeaseMonitor(tmp_path, lease.token).is_over
    lease.end()
    assert LeaseMonitor(tmp_path, lease.token).is_over
    assert not [*tmp_path.iterdir()]


def test_an_old_lease_does_not_stop_the_next_training(tmp_path: Path) -> None:
    old, new = Lease(tmp_path), Lease(tmp_path)
    assert LeaseMonitor(tmp_path, old.token).is_over
    old.end()
    assert not LeaseMonitor(tmp_path, new.token).is_over


def test_a_lease_that_is_not_renewed_ends_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("trainers.parallel.lease.time.monotonic", lambda: clock[0])
    lease = Lease(tmp_path)
    monitor = LeaseMonitor(tmp_path, lease.token)
    for _ in range(2_000):
        clock[0] += 0.3
        os.utime(tmp_path / "lease", ns=(0, int(1e9 * clock[0])))
        assert not monitor.is_over
    for _ in range(1_000):
        clock[0] += 0.3
        if monitor.is_over:
            break
    assert monitor.is_over
    assert 600 + 55 < clock[0] < 600 + 90
    assert not (tmp_path / "lease").exists()


def test_the_pool_renews_a_lease_every_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("trainers.parallel.lease.time.monotonic", lambda: clock[0])
    lease = Lease(tmp_path)
    os.utime(tmp_path / "lease", (0, 0))
    lease.renew()
    assert (tmp_path / "lease").stat().st_mtime == 0
    clock[0] = 6.0
    lease.renew()
    assert (tmp_path / "lease").stat().st_mtime > 0


def test_a_lease_file_that_cannot_be_deleted_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_place: Path) -> None:
        raise PermissionError("another process has it open")

    monkeypatch.setattr("pathlib.Path.unlink", fail)
    lease = Lease(tmp_path)
    lease.end()
    assert LeaseMonitor(tmp_path, lease.token).is_over


def test_a_worker_without_a_parent_stops(tmp_path: Path) -> None:
    assert LeaseMonitor(tmp_path, Lease(tmp_path).token, lambda: True).is_over


def test_the_error_names_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"'gone' cannot be written.*gone"):
        Lease(tmp_path / "gone")
